//! Credentials from a URI: a service beside the application that hands them out.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, Uri};

use super::super::document::Document;
use super::super::variables::Variables;
use super::super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest, KEEP};
use super::{Link, direct, exchange};
use crate::future::BoxFuture;
use crate::transport::{Transport, TransportRequest};

const LIMIT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// The metadata service of an ECS instance.
const METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// Credentials that a URI answers with, as JSON with `Code`, `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and
/// `Expiration`.
///
/// The answer must be there within 10 seconds. Credentials without an end are kept for 15 minutes, and asked for again when
/// the service refuses them.
///
/// An address of this machine or of its link (`localhost`, `127.0.0.1`, `169.254.x.x`, ...) means something else at a
/// proxy, so it is never asked through one; a [transport of the application's own](crate::Config::transport) has to see to
/// that itself.
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
    /// For an address that means this machine.
    direct: OnceLock<Arc<dyn Transport>>,
}

impl UriCredentials {
    /// Asks `uri`, which begins with `http://` or `https://`.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            link: Link::default(),
            direct: OnceLock::new(),
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
        Ok(Self::new(variables.needed("ALIBABA_CLOUD_CREDENTIALS_URI")?))
    }

    async fn fetch(&self) -> Result<Credentials, CredentialsError> {
        let whom = "the credentials URI";
        let context = self.link.context()?;
        let transport = if is_near(host(&self.uri)?.as_str()) {
            self.direct(context)?
        } else {
            context.transport()
        };
        let request = TransportRequest::new(Method::GET, self.uri.as_str());
        let answer = exchange(&**transport, request, LIMIT, whom).await?;
        if answer.status != 200 {
            let message = format!("{whom} answered with status {}", answer.status.as_u16());
            return Err(if answer.may_pass() {
                CredentialsError::retryable(message)
            } else {
                CredentialsError::new(message)
            });
        }
        let mut document = Document::parse(format!("the answer of {whom}"), &answer.body)?;
        if let Some(code) = document.text("Code").filter(|code| code != "Success") {
            let message = format!("{whom} answered with the code `{}`", code.escape_debug());
            return Err(CredentialsError::new(message));
        }
        let credentials = document.key()?;
        Ok(if credentials.expiration().is_none() {
            credentials.with_renewal(context.now().saturating_add(KEEP))
        } else {
            credentials
        })
    }

    fn direct(&self, context: &CredentialsContext) -> Result<&Arc<dyn Transport>, CredentialsError> {
        if let Some(transport) = self.direct.get() {
            return Ok(transport);
        }
        let made = direct(context, CONNECT)?;
        Ok(self.direct.get_or_init(|| made))
    }
}

/// The host of a URI that can be asked. What is wrong with another is said without it: it may hold a password.
fn host(uri: &str) -> Result<String, CredentialsError> {
    let parsed = uri.parse::<Uri>().ok();
    let asked = parsed.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    match asked.as_ref().and_then(Uri::host) {
        Some(host) if !host.is_empty() => Ok(host.to_ascii_lowercase()),
        _ => {
            let rule = "must be a URL that begins with `http://` or `https://`";
            Err(CredentialsError::of_field("credentials_uri", rule))
        }
    }
}

/// Whether a host is this machine, or one that only this machine's link leads to.
fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_unspecified() || address == METADATA
        }
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local() || address.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Answer, FakeTransport, now};
    use crate::time::FixedClock;

    async fn ask(uri: &str, answer: &'static str) -> (Result<Credentials, CredentialsError>, FakeTransport) {
        let transport = FakeTransport::new([Answer::new(200, answer).into()]);
        let provider = UriCredentials::new(uri);
        let clock = Arc::new(FixedClock::new(now()));
        provider.attach(&CredentialsContext::new(Arc::new(transport.clone()), true, clock));
        (provider.credentials(&CredentialsRequest::default()).await, transport)
    }

    #[test]
    fn addresses_that_mean_this_machine_are_known() {
        let near = [
            "127.0.0.1",
            "127.9.9.9",
            "localhost",
            "LOCALHOST.",
            "vault.localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "169.254.170.2",
            "100.100.100.200",
            "0.0.0.0",
        ];
        for near in near {
            assert!(
                is_near(&host(&format!("http://user:word@{near}:7777/path")).unwrap()),
                "{near}"
            );
        }
        for far in ["10.0.0.1", "[2001:db8::1]", "localhost.example.com", "100.100.100.201"] {
            assert!(!is_near(&host(&format!("https://{far}/")).unwrap()), "{far}");
        }
    }

    #[tokio::test]
    async fn what_is_no_http_uri_is_refused_and_not_shown() {
        for uri in [
            "",
            "5ec4e7",
            "/5ec4e7",
            "file:///etc/5ec4e7",
            "ftp://a:5ec4e7@b/",
            "http:///5ec4e7",
        ] {
            let (refused, transport) = ask(uri, "{}").await;
            let error = refused.unwrap_err();
            assert_eq!(
                (error.field(), error.is_retryable()),
                (Some("credentials_uri"), false),
                "{uri}"
            );
            assert!(!format!("{error} {error:?}").contains("5ec4e7"), "{error:?}");
            assert!(transport.sent().is_empty());
        }
    }

    #[tokio::test]
    async fn a_key_without_an_end_is_kept_for_a_while() {
        let key = r#"{"Code":"Success","AccessKeyId":"id","AccessKeySecret":"5ec4e7"}"#;
        let (found, _) = ask("https://example.com/", key).await;
        let found = found.unwrap();
        assert_eq!(found.expiration(), None);
        assert_eq!(found.renewal(), Some(now().saturating_add(KEEP)));

        let wrong = r#"{"AccessKeyId":"id","AccessKeySecret":"5ec4e7","Expiration":1767330245}"#;
        let (found, _) = ask("https://example.com/", wrong).await;
        assert_eq!(
            found.unwrap_err().to_string(),
            "the answer of the credentials URI: `Expiration` is not of its form"
        );
    }
}
