//! Flags about identity and transport: keys, roles, providers of identities, certificates.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use oss_emulator::{Builder, EcsMetadata, Emulator, OidcProvider, Role, Tls};
use serde::Deserialize;
use serde_json::Value;

const KEY_ID_VARIABLE: &str = "OSS_EMULATOR_ACCESS_KEY_ID";
const KEY_SECRET_VARIABLE: &str = "OSS_EMULATOR_ACCESS_KEY_SECRET";

/// Keys, roles and certificates.
#[derive(Debug, Args)]
pub(crate) struct IdentityFlags {
    /// Access key, may be given several times; with ACCOUNT it belongs to that account. The default is
    /// `oss-emulator:oss-emulator-secret`, on loopback addresses only. `OSS_EMULATOR_ACCESS_KEY_ID` and `..._SECRET` in the
    /// environment are one more.
    #[arg(long = "access-key", value_name = "[ACCOUNT=]ID:SECRET", value_parser = access_key)]
    access_keys: Vec<AccessKey>,
    /// File with one access key a line, in the same notation; empty lines and lines that begin with `#` do not count.
    #[arg(long, value_name = "FILE")]
    access_key_file: Option<PathBuf>,
    /// Serve HTTPS with a certificate of the emulator's own authority.
    #[arg(long, conflicts_with = "tls_cert")]
    tls: bool,
    /// Serve HTTPS with this certificate chain in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Write the certificate that clients have to trust to this file.
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_ca_file: Option<PathBuf>,
    /// Serve HTTP on this port as well when the other one serves HTTPS; 0 takes any free one.
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Serve the metadata of an ECS instance that has this role, and a credentials URI, on 127.0.0.1.
    #[arg(long, value_name = "ROLE")]
    ecs_metadata: Option<String>,
    /// Port of the metadata; 0, which is the default, takes any free one.
    #[arg(long, value_name = "PORT", requires = "ecs_metadata")]
    ecs_metadata_port: Option<u16>,
    /// Answer requests for metadata only when they carry a token of the metadata service.
    #[arg(long, requires = "ecs_metadata")]
    ecs_metadata_hardened: bool,
    /// JSON file with RAM users, roles and OIDC providers.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// What an identity file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityFile {
    #[serde(default)]
    users: Vec<UserEntry>,
    #[serde(default)]
    roles: Vec<RoleEntry>,
    #[serde(default)]
    oidc_providers: Vec<ProviderEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    /// The emulator's own when it is left out.
    #[serde(default)]
    account: String,
    name: String,
    access_key_id: String,
    access_key_secret: Secret,
    /// Documents, or names of the system's policies.
    #[serde(default)]
    policies: Vec<Value>,
}

/// Text that errors about the file do not show when it is not of the right type.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Secret(String);

impl TryFrom<Value> for Secret {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            _ => Err("a secret must be a text that is not empty"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    name: String,
    trust_policy: Option<Value>,
    #[serde(default)]
    policies: Vec<Value>,
    max_session_duration: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderEntry {
    name: String,
    issuer: String,
    #[serde(default)]
    client_ids: Vec<String>,
    jwks: Option<Value>,
    #[serde(default)]
    public_keys: Vec<String>,
}

impl UserEntry {
    fn apply(self, builder: Builder) -> Builder {
        let policies = self.policies.iter().map(|policy| match policy {
            Value::String(name) => name.clone(),
            document => document.to_string(),
        });
        builder.ram_user_of(
            self.account,
            self.name,
            self.access_key_id,
            self.access_key_secret.0,
            policies,
        )
    }
}

impl From<RoleEntry> for Role {
    fn from(entry: RoleEntry) -> Self {
        let mut role = Role::new(entry.name);
        if let Some(trust) = entry.trust_policy {
            role = role.trust_policy(trust.to_string());
        }
        if let Some(seconds) = entry.max_session_duration {
            role = role.max_session_duration(seconds);
        }
        entry
            .policies
            .iter()
            .fold(role, |role, policy| role.policy(policy.to_string()))
    }
}

impl From<ProviderEntry> for OidcProvider {
    fn from(entry: ProviderEntry) -> Self {
        let mut provider = OidcProvider::new(entry.name, entry.issuer);
        provider = entry.client_ids.into_iter().fold(provider, OidcProvider::client_id);
        if let Some(jwks) = entry.jwks {
            provider = provider.jwks(jwks.to_string());
        }
        entry
            .public_keys
            .into_iter()
            .fold(provider, OidcProvider::public_key_pem)
    }
}

#[derive(Clone)]
struct AccessKey {
    account: Option<String>,
    id: String,
    secret: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl IdentityFlags {
    /// Puts what the flags say into the settings.
    pub(crate) fn apply(&self, mut builder: Builder) -> Result<Builder, String> {
        let mut keys = self.access_keys.clone();
        if let Some(path) = &self.access_key_file {
            keys.extend(keys_of_file(&read(path)?).map_err(|why| format!("{}: {why}", path.display()))?);
        }
        keys.extend(environment()?);
        for key in keys {
            builder = match key.account {
                Some(account) => builder.access_key_of(account, key.id, key.secret),
                None => builder.access_key(key.id, key.secret),
            };
        }
        if let Some(path) = &self.identity {
            let file: IdentityFile =
                serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
            builder = file
                .users
                .into_iter()
                .fold(builder, |builder, user| user.apply(builder));
            builder = file.roles.into_iter().map(Role::from).fold(builder, Builder::role);
            let providers = file.oidc_providers.into_iter().map(OidcProvider::from);
            builder = providers.fold(builder, Builder::oidc_provider);
        }
        if let Some(role) = &self.ecs_metadata {
            let metadata = EcsMetadata::new(role).port(self.ecs_metadata_port.unwrap_or(0));
            builder = builder.ecs_metadata(if self.ecs_metadata_hardened {
                metadata.hardened()
            } else {
                metadata
            });
        }
        if self.tls {
            builder = builder.tls(Tls::generated());
        }
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            builder = builder.tls(Tls::from_pem(read(certificate)?, read(key)?));
        }
        Ok(match self.http_port {
            Some(port) => builder.plain_port(port),
            None => builder,
        })
    }

    /// Does what can be done only when the emulator runs, and tells what to print about it.
    pub(crate) fn started(&self, emulator: &Emulator) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        if let Some(plain) = emulator.plain_endpoint().filter(|plain| *plain != emulator.endpoint()) {
            lines.push(format!("listening on {plain}"));
        }
        if let (Some(metadata), Some(uri)) = (emulator.ecs_metadata_endpoint(), emulator.credentials_uri()) {
            lines.push(format!("ECS metadata on {metadata}"));
            lines.push(format!("credentials URI {uri}"));
        }
        if let (Some(path), Some(pem)) = (&self.tls_ca_file, emulator.ca_certificate_pem()) {
            fs::write(path, pem).map_err(|error| format!("{}: {error}", path.display()))?;
            lines.push(format!("certificate to trust: {}", path.display()));
        }
        Ok(lines)
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn environment() -> Result<Option<AccessKey>, String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable(KEY_ID_VARIABLE), variable(KEY_SECRET_VARIABLE)) {
        (Some(id), Some(secret)) => Ok(Some(AccessKey {
            account: None,
            id,
            secret,
        })),
        (None, None) => Ok(None),
        _ => Err(format!("{KEY_ID_VARIABLE} and {KEY_SECRET_VARIABLE} go together")),
    }
}

/// Errors name the line only: a line that cannot be read may hold a secret.
fn keys_of_file(text: &str) -> Result<Vec<AccessKey>, String> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| access_key(line).map_err(|why| format!("line {number} is {why}")))
        .collect()
}

fn access_key(text: &str) -> Result<AccessKey, String> {
    let (account, pair) = match text.split_once('=') {
        Some((account, pair)) if !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(account.to_owned()), pair)
        }
        _ => (None, text),
    };
    match pair.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => Ok(AccessKey {
            account,
            id: id.to_owned(),
            secret: secret.to_owned(),
        }),
        _ => Err("not of the form [ACCOUNT=]ID:SECRET".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_and_without_account() {
        let keys = keys_of_file("# own\nid:secret=:x\n\n 42=other:word \n").unwrap();
        let read: Vec<_> = keys
            .iter()
            .map(|key| (key.account.as_deref(), key.id.as_str(), key.secret.as_str()))
            .collect();
        assert_eq!(read, [(None, "id", "secret=:x"), (Some("42"), "other", "word")]);
    }

    #[test]
    fn a_bad_line_is_named_and_not_shown() {
        let why = keys_of_file("id:secret\nonly-a-secret\n").unwrap_err();
        assert!(why.contains("line 2") && !why.contains("only-a-secret"), "{why}");
    }
}
