//! Credentials of the role of an ECS instance, from the metadata service of the instance.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Method};

use super::super::document::Document;
use super::super::variables::Variables;
use super::super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest};
use super::{Answer, Link, Unanswered, direct, exchange};
use crate::future::BoxFuture;
use crate::percent;
use crate::secret::Secret;
use crate::transport::{Transport, TransportRequest};

const ENDPOINT: &str = "http://100.100.100.200";
const ROLE_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN_PATH: &str = "/latest/api/token";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
/// Of a metadata token: it is used at once, but the instance's clock may be changed meanwhile.
const TTL: &str = "21600";
const WHOM: &str = "the ECS metadata service";

/// The service is on the same machine: what takes longer is not it.
const CONNECT: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);

/// Credentials of the role that an ECS instance has.
///
/// The metadata service is asked in its hardened mode, with a token; where it gives none, without one, unless
/// [`disable_imdsv1`](Self::disable_imdsv1) forbids that. Connecting may take a second and an answer two. No proxy is
/// ever used, since what a proxy would answer is not about this machine; a
/// [transport of the application's own](crate::Config::transport) has to see to that itself.
///
/// ```
/// use oss_sdk::Client;
/// use oss_sdk::credentials::EcsRoleCredentials;
///
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .credentials_provider(EcsRoleCredentials::new().disable_imdsv1(true))
///     .build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
#[derive(Debug)]
pub struct EcsRoleCredentials {
    endpoint: String,
    role: Option<String>,
    only_hardened: bool,
    link: Link,
    transport: OnceLock<Arc<dyn Transport>>,
    /// The role that the instance was found to have.
    found: Mutex<Option<String>>,
}

impl EcsRoleCredentials {
    /// The role of this instance, whatever its name.
    pub fn new() -> Self {
        Self {
            endpoint: ENDPOINT.to_owned(),
            role: None,
            only_hardened: false,
            link: Link::default(),
            transport: OnceLock::new(),
            found: Mutex::default(),
        }
    }

    /// Settings of the environment: the role's name in `ALIBABA_CLOUD_ECS_METADATA`, and `true` in
    /// `ALIBABA_CLOUD_IMDSV1_DISABLED` for [`disable_imdsv1`](Self::disable_imdsv1).
    ///
    /// # Errors
    ///
    /// [`is_not_configured`](CredentialsError::is_not_configured) when `ALIBABA_CLOUD_ECS_METADATA_DISABLED` is `true`.
    pub fn from_env() -> Result<Self, CredentialsError> {
        Self::from_variables(&Variables::of_process())
    }

    pub(in super::super) fn from_variables(variables: &Variables) -> Result<Self, CredentialsError> {
        if variables.flag("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
            let message = "ECS metadata is disabled by the environment variable `ALIBABA_CLOUD_ECS_METADATA_DISABLED`";
            return Err(CredentialsError::not_configured(message));
        }
        let mut provider = Self::new().disable_imdsv1(variables.flag("ALIBABA_CLOUD_IMDSV1_DISABLED"));
        provider.role = variables.get("ALIBABA_CLOUD_ECS_METADATA")?;
        Ok(provider)
    }

    /// Sets the role's name, which saves asking for it.
    #[must_use]
    pub fn role_name(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    /// Asks with a token only. Default: also without one where there is none.
    #[must_use]
    pub fn disable_imdsv1(mut self, disable: bool) -> Self {
        self.only_hardened = disable;
        self
    }

    /// Sets the service's address; for tests. Default: `http://100.100.100.200`.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    async fn fetch(&self) -> Result<Credentials, CredentialsError> {
        if self.role.as_deref().is_some_and(|role| !is_role_name(role)) {
            let rule = "must be 1 to 64 letters, digits and `.-_`";
            return Err(CredentialsError::of_field("role_name", rule));
        }
        let token = self.token().await?;
        let known = self.role.clone().or_else(|| self.found().clone());
        let role = match known {
            Some(role) => role,
            None => self.find_role(token.as_ref()).await?,
        };
        let mut path = ROLE_PATH.to_owned();
        percent::push_component(&mut path, &role);
        let answer = self.get(&path, token.as_ref()).await?;
        if answer.status != 200 {
            // The instance may have another role by now.
            *self.found() = None;
            return Err(refused(&answer, "the credentials of its role"));
        }
        let mut document = Document::parse(format!("the answer of {WHOM}"), &answer.body)?;
        match document.text("Code").as_deref() {
            Some("Success") => document.temporary_key(),
            // The service writes so while it is getting new ones.
            other => Err(CredentialsError::retryable(format!(
                "{WHOM} answered with the code `{}`",
                other.unwrap_or_default().escape_debug()
            ))),
        }
    }

    /// A token for the requests to follow, if there are such.
    async fn token(&self) -> Result<Option<Secret>, CredentialsError> {
        let mut request = TransportRequest::new(Method::PUT, format!("{}{TOKEN_PATH}", self.endpoint));
        request.headers.insert(TTL_HEADER, HeaderValue::from_static(TTL));
        let answered = exchange(&**self.transport()?, request, LIMIT, WHOM).await;
        let problem = match answered {
            Ok(answer) if answer.status == 200 => match std::str::from_utf8(&answer.body) {
                Ok(token) if !token.trim().is_empty() => return Ok(Some(Secret::new(token.trim()))),
                _ => CredentialsError::retryable(format!("{WHOM} gave no token")),
            },
            Ok(answer) => refused(&answer, "a token"),
            Err(unanswered) if self.is_absent(&unanswered)? => return Err(absent(unanswered.error)),
            Err(unanswered) => unanswered.error,
        };
        if self.only_hardened { Err(problem) } else { Ok(None) }
    }

    async fn find_role(&self, token: Option<&Secret>) -> Result<String, CredentialsError> {
        let answer = self.get(ROLE_PATH, token).await?;
        if answer.status == 404 {
            return Err(CredentialsError::not_configured("this ECS instance has no role"));
        }
        let role = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
        if answer.status != 200 {
            return Err(refused(&answer, "the name of its role"));
        }
        if !is_role_name(role) {
            let message = format!("{WHOM} answered with something that is no name when asked for that of its role");
            return Err(CredentialsError::new(message));
        }
        *self.found() = Some(role.to_owned());
        Ok(role.to_owned())
    }

    /// Asks with the token, and without when that fails.
    async fn get(&self, path: &str, token: Option<&Secret>) -> Result<Answer, CredentialsError> {
        let plain = || TransportRequest::new(Method::GET, format!("{}{path}", self.endpoint));
        let transport = &**self.transport()?;
        if let Some(token) = token {
            let mut request = plain();
            let mut value = HeaderValue::from_str(token.expose())
                .map_err(|_| CredentialsError::new(format!("{WHOM} gave a token that is none")))?;
            value.set_sensitive(true);
            request.headers.insert(TOKEN_HEADER, value);
            match exchange(transport, request, LIMIT, WHOM).await {
                Ok(answer) if answer.status == 200 || answer.status == 404 || self.only_hardened => return Ok(answer),
                Err(unanswered) if self.only_hardened => return Err(unanswered.error),
                _ => {}
            }
        }
        match exchange(transport, plain(), LIMIT, WHOM).await {
            Ok(answer) => Ok(answer),
            // Who gave a token is there.
            Err(unanswered) if token.is_none() && self.is_absent(&unanswered)? => Err(absent(unanswered.error)),
            Err(unanswered) => Err(unanswered.error),
        }
    }

    /// Whether nobody was there. Connecting ends before the time for an answer does, so when that ran out, somebody was, but
    /// is slow: a program must not go on as somebody else for that. Of a transport of the application's this is not known.
    fn is_absent(&self, unanswered: &Unanswered) -> Result<bool, CredentialsError> {
        let is_bounded = !self.link.context()?.is_own_transport();
        Ok(!unanswered.is_reached.unwrap_or(is_bounded))
    }

    fn transport(&self) -> Result<&Arc<dyn Transport>, CredentialsError> {
        if let Some(transport) = self.transport.get() {
            return Ok(transport);
        }
        let made = direct(self.link.context()?, CONNECT)?;
        Ok(self.transport.get_or_init(|| made))
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for EcsRoleCredentials {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether it can be the name of a role, and not a page of somebody else's.
fn is_role_name(role: &str) -> bool {
    (1..=64).contains(&role.len())
        && role
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Nobody is there: this is no ECS instance, or its service has a bad moment.
fn absent(cause: CredentialsError) -> CredentialsError {
    let mut error = CredentialsError::not_configured(format!("{WHOM} cannot be reached")).with_source(cause);
    error.retryable = true;
    error
}

fn refused(answer: &Answer, what: &str) -> CredentialsError {
    let message = format!(
        "{WHOM} answered with status {} when asked for {what}",
        answer.status.as_u16()
    );
    if answer.may_pass() {
        CredentialsError::retryable(message)
    } else {
        CredentialsError::new(message)
    }
}

impl CredentialsProvider for EcsRoleCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.fetch())
    }

    fn attach(&self, context: &CredentialsContext) {
        self.link.attach(context);
    }
}

#[cfg(test)]
mod tests;
