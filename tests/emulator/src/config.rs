//! How an emulator is set up before it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::Emulator;
use crate::access_log::AccessLog;
use crate::admin::AdminOptions;
use crate::auth::keys::{AccessKey, RamUser};
use crate::error_start::StartError;
use crate::fault::Fault;
use crate::metadata_server::EcsMetadata;
use crate::oidc::OidcProvider;
use crate::policy::Policy;
use crate::roles::Role;
use crate::text;
use crate::time::Clock;
use crate::tls::Tls;

/// Id of the access key that an emulator has when none is given.
pub const DEFAULT_ACCESS_KEY_ID: &str = "oss-emulator";
/// Secret of the access key that an emulator has when none is given.
pub const DEFAULT_ACCESS_KEY_SECRET: &str = "oss-emulator-secret";
/// Account that owns the keys and what they create.
pub const DEFAULT_ACCOUNT_ID: &str = "1234567890123456";
/// Region that signatures must name.
pub const DEFAULT_REGION: &str = "cn-hangzhou";

const FULL_ACCESS: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}"#;
const READ_ONLY_ACCESS: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:Get*","oss:List*"],"Resource":"*"}]}"#;

/// A RAM user to be.
#[derive(Clone)]
pub(crate) struct RamUserSettings {
    /// Empty for the emulator's account.
    account: String,
    name: String,
    access_key_id: String,
    secret: String,
    /// Documents, or names of the system's policies.
    policies: Vec<String>,
}

/// A number for a user, of the service's form and the same in each run.
fn user_id(account: &str, name: &str) -> String {
    let digest = text::sha256_hex(format!("{account}/{name}").as_bytes());
    let number = digest
        .bytes()
        .fold(0u64, |sum, byte| (sum * 31 + u64::from(byte)) % 100_000_000_000_000_000);
    format!("2{number:017}")
}

/// Settings of an emulator; [`Builder::start`] runs it.
///
/// ```no_run
/// # async fn run() -> Result<(), oss_emulator::StartError> {
/// let emulator = oss_emulator::Emulator::builder().region("cn-beijing").access_key("id", "secret").start().await?;
/// println!("{}", emulator.endpoint());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Builder {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) seed: Option<PathBuf>,
    pub(crate) account_id: String,
    /// In the order given; the first is the one that the emulator names.
    pub(crate) keys: Vec<(String, AccessKey)>,
    pub(crate) users: Vec<RamUserSettings>,
    pub(crate) region: String,
    pub(crate) domains: Vec<String>,
    pub(crate) cnames: BTreeMap<String, String>,
    pub(crate) clock: Clock,
    pub(crate) tls: Option<Tls>,
    pub(crate) plain_port: Option<u16>,
    pub(crate) admin: Option<AdminOptions>,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) roles: Vec<Role>,
    pub(crate) oidc_providers: Vec<OidcProvider>,
    pub(crate) ecs_metadata: Option<EcsMetadata>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("data_dir", &self.data_dir)
            .field("region", &self.region)
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            data_dir: None,
            seed: None,
            account_id: DEFAULT_ACCOUNT_ID.to_owned(),
            keys: Vec::new(),
            users: Vec::new(),
            region: DEFAULT_REGION.to_owned(),
            domains: Vec::new(),
            cnames: BTreeMap::new(),
            clock: Clock::system(),
            tls: None,
            plain_port: None,
            admin: None,
            access_log: None,
            faults: Vec::new(),
            roles: Vec::new(),
            oidc_providers: Vec::new(),
            ecs_metadata: None,
        }
    }
}

impl Builder {
    /// Address to listen on; by default `127.0.0.1`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Port to listen on; by default 0, which takes any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Directory that keeps everything across restarts; by default all lives in memory.
    #[must_use]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// Begins with what a folder holds: every folder in it is a bucket of the emulator's account, and the files below are its
    /// objects. Buckets that exist already are left alone. Sections of a file `seed.toml` in the folder, named like buckets, may
    /// say more: `acl`, and `versioning` (`Enabled` or `Suspended`).
    #[must_use]
    pub fn seed(mut self, folder: impl Into<PathBuf>) -> Self {
        self.seed = Some(folder.into());
        self
    }

    /// Adds a key of the emulator's account. The first one given replaces the default key.
    #[must_use]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.keys.push((
            id.into(),
            AccessKey {
                secret: secret.into(),
                account: String::new(),
            },
        ));
        self
    }

    /// Adds a key of another account, whose buckets are strangers to the emulator's own.
    #[must_use]
    pub fn access_key_of(
        mut self,
        account_id: impl Into<String>,
        id: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        self.keys.push((
            id.into(),
            AccessKey {
                secret: secret.into(),
                account: account_id.into(),
            },
        ));
        self
    }

    /// Adds a RAM user of the emulator's account, who may do what policies say and nothing by default.
    ///
    /// Policies are JSON documents, or the names `AliyunOSSFullAccess` and `AliyunOSSReadOnlyAccess`. A policy that cannot be
    /// judged fails the start.
    #[must_use]
    pub fn ram_user<P: Into<String>>(
        self,
        name: impl Into<String>,
        access_key_id: impl Into<String>,
        secret: impl Into<String>,
        policies: impl IntoIterator<Item = P>,
    ) -> Self {
        self.ram_user_of("", name, access_key_id, secret, policies)
    }

    /// The same for a user of another account.
    #[must_use]
    pub fn ram_user_of<P: Into<String>>(
        mut self,
        account_id: impl Into<String>,
        name: impl Into<String>,
        access_key_id: impl Into<String>,
        secret: impl Into<String>,
        policies: impl IntoIterator<Item = P>,
    ) -> Self {
        self.users.push(RamUserSettings {
            account: account_id.into(),
            name: name.into(),
            access_key_id: access_key_id.into(),
            secret: secret.into(),
            policies: policies.into_iter().map(Into::into).collect(),
        });
        self
    }

    /// Id of the emulator's account; by default [`DEFAULT_ACCOUNT_ID`].
    #[must_use]
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.account_id = account_id.into();
        self
    }

    /// Region that signatures must name; by default [`DEFAULT_REGION`].
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Adds a domain: it is path-style itself, and `{bucket}.{domain}` is virtual-hosted.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into());
        self
    }

    /// Binds a host name to a bucket.
    #[must_use]
    pub fn cname(mut self, host: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.cnames.insert(host.into(), bucket.into());
        self
    }

    /// Takes the time from this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds a role of the emulator's account that AssumeRole knows. Without any, every role may be assumed by everybody and may do
    /// what the caller may.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Registers an identity provider with the emulator's account, whose tokens AssumeRoleWithOIDC takes.
    #[must_use]
    pub fn oidc_provider(mut self, provider: OidcProvider) -> Self {
        self.oidc_providers.push(provider);
        self
    }

    /// Serves the metadata of an ECS instance that has a role, and a credentials URI, on a loopback address of their own. The name
    /// of the role will do.
    #[must_use]
    pub fn ecs_metadata(mut self, metadata: impl Into<EcsMetadata>) -> Self {
        self.ecs_metadata = Some(metadata.into());
        self
    }

    /// Serves HTTPS on the port; by default it is HTTP.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Serves HTTP on a port of its own beside HTTPS; 0 takes any free one. Without [`Builder::tls`] it changes nothing.
    #[must_use]
    pub fn plain_port(mut self, port: u16) -> Self {
        self.plain_port = Some(port);
        self
    }

    /// Opens a management listener beside the service.
    #[must_use]
    pub fn admin(mut self, options: AdminOptions) -> Self {
        self.admin = Some(options);
        self
    }

    /// Writes a line of JSON for every request.
    #[must_use]
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.access_log = Some(log);
        self
    }

    /// Adds a fault that is in store from the start.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Opens the store, binds the address and serves until the emulator is shut down or dropped.
    ///
    /// # Errors
    ///
    /// The address cannot be bound, the directory cannot be opened or is in use, the folder to begin with cannot be used, the certificate cannot be used, the default key
    /// would be open to other machines, or the models are broken.
    pub async fn start(self) -> Result<Emulator, StartError> {
        Emulator::run(self).await
    }

    /// Names that the certificate of the HTTPS listener has for clients that do not say whom they want.
    pub(crate) fn host_names(&self) -> Vec<String> {
        let mut names: Vec<_> = ["localhost", "127.0.0.1", "::1", "*.localhost"]
            .map(str::to_owned)
            .into();
        let host = self.bare_host();
        if !names.iter().any(|name| name == host) && !matches!(host, "0.0.0.0" | "::") {
            names.push(host.to_owned());
        }
        for domain in &self.domains {
            names.extend([domain.clone(), format!("*.{domain}")]);
        }
        names.extend(self.cnames.keys().cloned());
        names
    }

    /// The address without the brackets that IPv6 addresses have in URLs.
    pub(crate) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether the key that everybody knows is accepted.
    pub(crate) fn has_default_key(&self) -> bool {
        self.all_keys()
            .0
            .iter()
            .any(|(id, key)| id == DEFAULT_ACCESS_KEY_ID && key.secret == DEFAULT_ACCESS_KEY_SECRET)
    }

    /// The users with their policies read.
    pub(crate) fn ram_users(&self) -> Result<Vec<RamUser>, StartError> {
        let read = |user: &RamUserSettings| {
            let policies = user.policies.iter().map(|policy| match policy.as_str() {
                "AliyunOSSFullAccess" => Policy::parse(FULL_ACCESS),
                "AliyunOSSReadOnlyAccess" => Policy::parse(READ_ONLY_ACCESS),
                document => Policy::parse(document),
            });
            let policies = policies.collect::<Result<_, _>>().map_err(|why| StartError::Policy {
                user: user.name.clone(),
                why,
            })?;
            let account = if user.account.is_empty() {
                self.account_id.clone()
            } else {
                user.account.clone()
            };
            Ok(RamUser {
                id: user_id(&account, &user.name),
                name: user.name.clone(),
                account,
                access_key_id: user.access_key_id.clone(),
                secret: user.secret.clone(),
                policies,
            })
        };
        self.users.iter().map(read).collect()
    }

    /// The keys by id, with the default key when none of the emulator's account was given.
    pub(crate) fn all_keys(&self) -> (Vec<(String, AccessKey)>, (String, String)) {
        let mut keys = self.keys.clone();
        if !keys.iter().any(|(_, key)| key.account.is_empty()) {
            let key = AccessKey {
                secret: DEFAULT_ACCESS_KEY_SECRET.to_owned(),
                account: String::new(),
            };
            keys.insert(0, (DEFAULT_ACCESS_KEY_ID.to_owned(), key));
        }
        for (_, key) in &mut keys {
            if key.account.is_empty() {
                key.account.clone_from(&self.account_id);
            }
        }
        let own = keys.iter().find(|(_, key)| key.account == self.account_id);
        let first = own
            .map(|(id, key)| (id.clone(), key.secret.clone()))
            .unwrap_or_default();
        (keys, first)
    }
}
