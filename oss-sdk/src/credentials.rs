//! Who the caller is: keys, where they come from, and keeping them fresh.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::future::BoxFuture;
use crate::secret::Secret;
use crate::time::Timestamp;

mod cache;
#[cfg(feature = "credentials")]
mod chain;
mod context;
#[cfg(feature = "credentials")]
mod document;
#[cfg(feature = "credentials")]
mod process;
#[cfg(feature = "credentials")]
mod profile;
mod providers;
#[cfg(feature = "credentials")]
mod remote;
#[cfg(feature = "credentials")]
mod variables;

pub use cache::CachedCredentials;
#[cfg(feature = "credentials")]
pub use chain::{CredentialsChain, DefaultCredentials};
pub use context::CredentialsContext;
#[cfg(feature = "credentials")]
pub use process::ProcessCredentials;
#[cfg(feature = "credentials")]
pub use profile::ProfileCredentials;
pub use providers::{AnonymousCredentials, EnvironmentCredentials, FunctionCredentials, StaticCredentials, from_fn};
#[cfg(feature = "credentials")]
pub use remote::{EcsRoleCredentials, OidcRoleCredentials, RamRoleCredentials, UriCredentials};

/// How long credentials without an end are kept that are too expensive to be looked for each time.
#[cfg(feature = "credentials")]
const KEEP: Duration = Duration::from_secs(15 * 60);

/// An access key, perhaps temporary. Cheap to clone; `Debug` shows no secret, and the key's memory is wiped with the
/// last clone.
///
/// ```
/// use oss_sdk::credentials::Credentials;
///
/// let credentials = Credentials::new("LTAI5tExample", "hunter2").with_security_token("token");
/// assert_eq!(credentials.access_key_id(), "LTAI5tExample");
/// assert!(!format!("{credentials:?}").contains("hunter2"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Arc<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    access_key_id: String,
    access_key_secret: Secret,
    security_token: Option<Secret>,
    expiration: Option<Timestamp>,
    /// When to look whether there are newer ones, though these do not end.
    renew_at: Option<Timestamp>,
    anonymous: bool,
}

impl Credentials {
    /// An access key. Whether it is well-formed is checked before it is used: see [`check`](Self::check).
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<Secret>) -> Self {
        Self(Arc::new(Inner {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            security_token: None,
            expiration: None,
            renew_at: None,
            anonymous: false,
        }))
    }

    /// No identity: requests are not signed.
    pub fn anonymous() -> Self {
        let mut credentials = Self::new("", "");
        Arc::make_mut(&mut credentials.0).anonymous = true;
        credentials
    }

    /// Adds the token of temporary credentials. An empty one counts as none.
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<Secret>) -> Self {
        let token = token.into();
        Arc::make_mut(&mut self.0).security_token = (!token.is_empty()).then_some(token);
        self
    }

    /// Says when the credentials end. They are fetched again before.
    #[must_use]
    pub fn with_expiration(mut self, expiration: Timestamp) -> Self {
        Arc::make_mut(&mut self.0).expiration = Some(expiration);
        self
    }

    /// Has them looked for again at some time, though they are good beyond it: they come from a place that is too
    /// expensive to be asked for each request. Default: credentials without an end are asked for before every attempt.
    #[must_use]
    pub fn with_renewal(mut self, at: Timestamp) -> Self {
        Arc::make_mut(&mut self.0).renew_at = Some(at);
        self
    }

    /// When to ask for newer ones at the latest; `None` when they are asked for each time.
    pub(crate) fn renewal(&self) -> Option<Timestamp> {
        match (self.0.expiration, self.0.renew_at) {
            (Some(end), Some(renewal)) => Some(end.min(renewal)),
            (end, renewal) => end.or(renewal),
        }
    }

    /// Whether these are the same key: a service that refuses one refuses the other.
    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        self.access_key_id() == other.access_key_id()
            && self.access_key_secret() == other.access_key_secret()
            && self.security_token() == other.security_token()
    }

    /// Id of the access key.
    pub fn access_key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// The access key's secret.
    pub fn access_key_secret(&self) -> &Secret {
        &self.0.access_key_secret
    }

    /// Token of temporary credentials.
    pub fn security_token(&self) -> Option<&Secret> {
        self.0.security_token.as_ref()
    }

    /// When the credentials end, if they do.
    pub fn expiration(&self) -> Option<Timestamp> {
        self.0.expiration
    }

    /// Whether requests are sent without a signature.
    pub fn is_anonymous(&self) -> bool {
        self.0.anonymous
    }

    /// Refuses what no service would accept: an empty id or secret, blanks at an end (the usual copy-and-paste accident), and
    /// characters other than visible ASCII.
    ///
    /// # Errors
    ///
    /// Names the field, without showing its value.
    pub fn check(&self) -> Result<(), CredentialsError> {
        if self.is_anonymous() {
            return Ok(());
        }
        check_field("access_key_id", self.access_key_id())?;
        check_field("access_key_secret", self.access_key_secret().expose())?;
        self.security_token()
            .map_or(Ok(()), |token| check_field("security_token", token.expose()))
    }
}

fn check_field(field: &'static str, value: &str) -> Result<(), CredentialsError> {
    let rule = if value.is_empty() {
        "must not be empty"
    } else if value.starts_with(char::is_whitespace) || value.ends_with(char::is_whitespace) {
        "must not begin or end with a blank or line break"
    } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        "must consist of visible ASCII characters"
    } else {
        return Ok(());
    };
    Err(CredentialsError::of_field(field, rule))
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_anonymous() {
            return f.write_str("Credentials(anonymous)");
        }
        f.debug_struct("Credentials")
            .field("access_key_id", &self.0.access_key_id)
            .field("access_key_secret", &self.0.access_key_secret)
            .field("security_token", &self.0.security_token)
            .field("expiration", &self.0.expiration)
            .finish()
    }
}

/// What a provider is asked.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CredentialsRequest {
    /// The credentials that the service has refused as unknown or expired: a cache that still holds these fetches anew,
    /// and one that has others by now gives those.
    pub refused: Option<Credentials>,
    /// How long the credentials should be good for, if there are such: a presigned URL ends with them.
    pub min_life: Option<Duration>,
}

impl CredentialsRequest {
    /// Whether `credentials` are those that were refused.
    fn refuses(&self, credentials: &Credentials) -> bool {
        self.refused
            .as_ref()
            .is_some_and(|refused| refused.is_same_key(credentials))
    }
}

/// A source of credentials. The client puts a [`CachedCredentials`] before it, which keeps credentials that say when they
/// end and asks for others in time. Those without an end are asked for before every attempt, so a provider that does I/O
/// should say one.
///
/// For a closure see [`from_fn`].
///
/// ```
/// use oss_sdk::BoxFuture;
/// use oss_sdk::credentials::{Credentials, CredentialsError, CredentialsProvider, CredentialsRequest};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl CredentialsProvider for Vault {
///     fn credentials<'a>(
///         &'a self,
///         _request: &'a CredentialsRequest,
///     ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
///         Box::pin(async { Ok(Credentials::new("id", "secret")) })
///     }
/// }
/// ```
pub trait CredentialsProvider: fmt::Debug + Send + Sync {
    /// Gives credentials that are valid now.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::retryable`] for a failure that may pass, any other for a lasting one.
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>>;

    /// Takes the client's way to the network and its clock. Called once by each client that is made with the provider;
    /// the first one counts for the providers of this crate. A provider that wraps others passes it on. Default: ignored.
    fn attach(&self, _context: &CredentialsContext) {}
}

impl<P: CredentialsProvider + ?Sized> CredentialsProvider for Arc<P> {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        (**self).credentials(request)
    }

    fn attach(&self, context: &CredentialsContext) {
        (**self).attach(context);
    }
}

/// Why there are no credentials.
#[derive(Debug, Clone)]
pub struct CredentialsError {
    message: String,
    field: Option<&'static str>,
    retryable: bool,
    not_configured: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl CredentialsError {
    /// A lasting failure: the call that needed the credentials fails at once.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            field: None,
            retryable: false,
            not_configured: false,
            source: None,
        }
    }

    /// A failure that may pass: the call is retried as its policy allows.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::new(message)
        }
    }

    /// Nothing is wrong, the source just is not set up here: a chain goes on to the next one.
    pub fn not_configured(message: impl Into<String>) -> Self {
        Self {
            not_configured: true,
            ..Self::new(message)
        }
    }

    /// A field or setting that breaks a rule, worded as the rest of a sentence.
    fn of_field(field: &'static str, rule: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            ..Self::new(rule)
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Whether asking again may help.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Whether the source is not set up here.
    pub fn is_not_configured(&self) -> bool {
        self.not_configured
    }

    /// The field of the credentials that is wrong.
    pub fn field(&self) -> Option<&str> {
        self.field
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "`{field}` {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for CredentialsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<CredentialsError> for Error {
    fn from(error: CredentialsError) -> Self {
        let retryable = error.retryable;
        match error.field {
            Some(field) => Error::new(ErrorKind::Credentials, error.message).with_member(field),
            None => Error::new(ErrorKind::Credentials, "no credentials").with_source(error),
        }
        .with_retryable(retryable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_credentials_are_refused_by_field_without_their_value() {
        let rows = [
            (Credentials::new("id", "5ec4e7"), None),
            (Credentials::new("id", "5ec4e7").with_security_token("t=+/"), None),
            (Credentials::new("id", "5ec4e7").with_security_token(""), None),
            (Credentials::anonymous(), None),
            (
                Credentials::new("", "5ec4e7"),
                Some("`access_key_id` must not be empty"),
            ),
            (
                Credentials::new("id", ""),
                Some("`access_key_secret` must not be empty"),
            ),
            (
                Credentials::new("id ", "5ec4e7"),
                Some("`access_key_id` must not begin or end with a blank or line break"),
            ),
            (
                Credentials::new("id", "5ec4e7\n"),
                Some("`access_key_secret` must not begin or end with a blank or line break"),
            ),
            (
                Credentials::new("id", "5ec\t4e7"),
                Some("`access_key_secret` must consist of visible ASCII characters"),
            ),
            (
                Credentials::new("ïd", "5ec4e7"),
                Some("`access_key_id` must consist of visible ASCII characters"),
            ),
            (
                Credentials::new("id", "x").with_security_token("5ec4e7\r\nx: y"),
                Some("`security_token` must consist of visible ASCII characters"),
            ),
        ];
        for (credentials, expected) in rows {
            let found = credentials.check().err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected);
            let debug = format!("{credentials:?} {:?}", credentials.check());
            assert!(!debug.contains("4e7"), "{debug}");
        }
    }

    #[test]
    fn the_client_error_names_the_field_or_has_the_cause() {
        let error = Error::from(Credentials::new("id ", "s").check().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert_eq!(error.member(), Some("access_key_id"));
        assert_eq!(
            error.to_string(),
            "`access_key_id` must not begin or end with a blank or line break"
        );
        let error = Error::from(CredentialsError::retryable("vault sealed").with_source("timeout"));
        assert!(error.is_retryable());
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(
            (cause.to_string(), cause.source().unwrap().to_string()),
            ("vault sealed".into(), "timeout".into())
        );
    }
}
