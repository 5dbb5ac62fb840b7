//! Credentials from a URI: a service beside the application that hands them out.

use std::fmt;
use std::time::Duration;

use http::Method;

use super::super::document::Document;
use super::super::variables::Variables;
use super::super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest};
use super::{Link, exchange};
use crate::future::BoxFuture;
use crate::transport::TransportRequest;

const LIMIT: Duration = Duration::from_secs(10);

/// Credentials that a URI answers with, as JSON with `Code`, `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and
/// `Expiration`.
///
/// The answer must be there within 10 seconds. Credentials without an end are asked for before every attempt.
///
/// ```
/// use oss_sdk::Client;
/// use oss_sdk::credentials::UriCredentials;
///
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .credentials_provider(UriCredentials::new("http://127.0.0.1:7777/credentials"))
///     .build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
pub struct UriCredentials {
    uri: String,
    link: Link,
}

impl UriCredentials {
    /// Asks `uri`, which begins with `http://` or `https://`.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            link: Link::default(),
        }
    }

    /// Asks the URI of `ALIBABA_CLOUD_CREDENTIALS_URI`.
    ///
    /// # Errors
    ///
    /// [`is_not_configured`](CredentialsError::is_not_configured) when the variable is not set or empty.
    pub fn from_env() -> Result<Self, CredentialsError> {
        Self::from_variables(&Variables::of_process())
    }

    pub(in super::super) fn from_variables(variables: &Variables) -> Result<Self, CredentialsError> {
        let name = "ALIBABA_CLOUD_CREDENTIALS_URI";
        let uri = variables.get(name).ok_or_else(|| {
            CredentialsError::not_configured(format!("the environment variable `{name}` is not set or empty"))
        })?;
        Ok(Self::new(uri))
    }

    async fn fetch(&self) -> Result<Credentials, CredentialsError> {
        let whom = "the credentials URI";
        let context = self.link.context()?;
        let request = TransportRequest::new(Method::GET, self.uri.as_str());
        let answer = exchange(&**context.transport(), request, LIMIT, whom).await?;
        if answer.status != 200 {
            let message = format!("{whom} answered with status {}", answer.status.as_u16());
            return Err(if answer.may_pass() {
                CredentialsError::retryable(message)
            } else {
                CredentialsError::new(message)
            });
        }
        let mut document = Document::parse(format!("the answer of {whom}"), &answer.body)?;
        match document.text("Code") {
            Some(code) if code != "Success" => Err(CredentialsError::new(format!(
                "{whom} answered with the code `{}`",
                code.escape_debug()
            ))),
            _ => document.key(),
        }
    }
}

/// Without the URI, which may hold a password.
impl fmt::Debug for UriCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UriCredentials")
    }
}

impl CredentialsProvider for UriCredentials {
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
