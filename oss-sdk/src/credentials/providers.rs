//! The sources of credentials that need nothing but the process itself.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::{Credentials, CredentialsError, CredentialsProvider, CredentialsRequest};
use crate::future::BoxFuture;

/// Always the same credentials.
#[derive(Debug, Clone)]
pub struct StaticCredentials(Credentials);

impl StaticCredentials {
    /// Takes the credentials after [checking](Credentials::check) them.
    ///
    /// # Errors
    ///
    /// Names the field that is wrong.
    pub fn new(credentials: Credentials) -> Result<Self, CredentialsError> {
        credentials.check()?;
        Ok(Self(credentials))
    }
}

impl CredentialsProvider for StaticCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// No credentials: requests are not signed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnonymousCredentials;

impl CredentialsProvider for AnonymousCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(std::future::ready(Ok(Credentials::anonymous())))
    }
}

/// The value of a variable.
type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Names of the variables for id, secret and token.
type Names = [&'static str; 3];

const ALIBABA_CLOUD: Names = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
];

/// An access key in variables of the environment, which are read at every attempt; that costs no more than looking.
///
/// ```
/// use oss_sdk::credentials::EnvironmentCredentials;
///
/// let of_oss = EnvironmentCredentials::new();
/// let of_the_cloud = EnvironmentCredentials::alibaba_cloud();
/// ```
#[derive(Clone)]
pub struct EnvironmentCredentials {
    names: Names,
    lookup: Arc<Lookup>,
}

impl EnvironmentCredentials {
    /// The variables of [`new`](Self::new).
    pub(crate) const OSS: Names = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];

    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for temporary ones, `OSS_SESSION_TOKEN`.
    pub fn new() -> Self {
        Self::with_lookup(|name| std::env::var_os(name))
    }

    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, for temporary ones,
    /// `ALIBABA_CLOUD_SECURITY_TOKEN`: what other tools of Alibaba Cloud read.
    pub fn alibaba_cloud() -> Self {
        Self {
            names: ALIBABA_CLOUD,
            ..Self::new()
        }
    }

    /// Reads variables through a function.
    pub(crate) fn with_lookup(lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self {
            names: Self::OSS,
            lookup: Arc::new(lookup),
        }
    }

    /// Reads the same variables through another function.
    #[cfg(feature = "credentials")]
    pub(crate) fn reading(mut self, lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        let [id, secret, token] = self.names;
        let value = |name| text(name, (self.lookup)(name));
        let missing = |name| format!("the environment variable `{name}` is not set or empty");
        // Half a key is a mistake, not the absence of one.
        let (key_id, key, token) = match (value(id)?, value(secret)?, value(token)?) {
            (Some(key_id), Some(key), token) => (key_id, key, token),
            (None, None, None) => return Err(CredentialsError::not_configured(missing(id))),
            (Some(_), None, _) => return Err(CredentialsError::new(missing(secret))),
            (None, key, _) => {
                let other = if key.is_some() { secret } else { token };
                return Err(CredentialsError::new(format!("{}, but `{other}` is", missing(id))));
            }
        };
        let credentials = Credentials::new(key_id, key);
        Ok(match token {
            Some(token) => credentials.with_security_token(token),
            None => credentials,
        })
    }
}

/// The value of a variable; an empty one is none. One that is no text is not shown.
pub(super) fn text(name: &str, value: Option<OsString>) -> Result<Option<String>, CredentialsError> {
    match value.filter(|value| !value.is_empty()).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(CredentialsError::new(format!(
            "the environment variable `{name}` is not UTF-8"
        ))),
    }
}

impl Default for EnvironmentCredentials {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl CredentialsProvider for EnvironmentCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(std::future::ready(self.read()))
    }
}

/// A function as a source of credentials; made by [`from_fn`].
#[derive(Clone)]
pub struct FunctionCredentials<F>(F);

/// Makes an async function or closure a source of credentials.
///
/// ```
/// use oss_sdk::credentials::{self, Credentials, CredentialsError};
///
/// let provider = credentials::from_fn(|| async {
///     let secret = std::fs::read_to_string("/run/secrets/oss")
///         .map_err(|error| CredentialsError::retryable("no secret mounted").with_source(error))?;
///     Ok(Credentials::new("LTAI5tExample", secret.trim_end()))
/// });
/// ```
pub fn from_fn<F, R>(function: F) -> FunctionCredentials<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = Result<Credentials, CredentialsError>> + Send + 'static,
{
    FunctionCredentials(function)
}

impl<F> fmt::Debug for FunctionCredentials<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionCredentials")
    }
}

impl<F, R> CredentialsProvider for FunctionCredentials<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = Result<Credentials, CredentialsError>> + Send + 'static,
{
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin((self.0)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> Result<Credentials, CredentialsError> {
        EnvironmentCredentials::with_lookup(move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
        .read()
    }

    #[test]
    fn the_environment_gives_keys_with_and_without_a_token() {
        let keys = environment(&[("OSS_ACCESS_KEY_ID", "id"), ("OSS_ACCESS_KEY_SECRET", "secret")]).unwrap();
        assert_eq!(keys, Credentials::new("id", "secret"));
        let keys = environment(&[
            ("OSS_ACCESS_KEY_ID", "id"),
            ("OSS_ACCESS_KEY_SECRET", "secret"),
            ("OSS_SESSION_TOKEN", "token"),
        ])
        .unwrap();
        assert_eq!(keys.security_token().unwrap().expose(), "token");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = environment(&[("OSS_ACCESS_KEY_ID", "id"), ("OSS_ACCESS_KEY_SECRET", "")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable `OSS_ACCESS_KEY_SECRET` is not set or empty"
        );
        assert!(!error.is_retryable());
    }

    #[test]
    fn half_a_key_is_a_mistake() {
        let not_set = "the environment variable `OSS_ACCESS_KEY_ID` is not set or empty";
        let error = environment(&[("OSS_ACCESS_KEY_ID", "")]).unwrap_err();
        assert!(error.is_not_configured(), "{error}");
        for other in ["OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"] {
            let error = EnvironmentCredentials::with_lookup(move |name| (name == other).then(|| "5ec4e7".into()))
                .read()
                .unwrap_err();
            assert!(!error.is_not_configured() && !error.is_retryable(), "{error}");
            assert_eq!(error.to_string(), format!("{not_set}, but `{other}` is"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_a_mistake() {
        use std::os::unix::ffi::OsStringExt;

        for wrong in EnvironmentCredentials::OSS {
            let read = EnvironmentCredentials::with_lookup(move |name| {
                Some(if name == wrong {
                    OsString::from_vec(b"5ec4e7\xff".to_vec())
                } else {
                    "x".into()
                })
            });
            let error = read.read().unwrap_err();
            assert!(!error.is_not_configured() && !error.is_retryable(), "{error}");
            assert_eq!(
                error.to_string(),
                format!("the environment variable `{wrong}` is not UTF-8")
            );
            assert!(!format!("{error:?}").contains("5ec4e7"));
        }
    }

    #[tokio::test]
    async fn functions_static_and_anonymous_credentials_are_given_as_they_are() {
        let request = CredentialsRequest::default();
        let keys = Credentials::new("id", "secret");
        let given = StaticCredentials::new(keys.clone())
            .unwrap()
            .credentials(&request)
            .await
            .unwrap();
        assert_eq!(given, keys);
        assert!(AnonymousCredentials.credentials(&request).await.unwrap().is_anonymous());
        let function = from_fn(|| async { Err(CredentialsError::retryable("later")) });
        assert!(function.credentials(&request).await.unwrap_err().is_retryable());
        assert!(StaticCredentials::new(Credentials::new("id", "secret ")).is_err());
    }
}
