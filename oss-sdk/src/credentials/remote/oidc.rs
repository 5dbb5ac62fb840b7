//! Credentials of a RAM role for whom an identity provider vouches, such as Kubernetes for its pods.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::variables::Variables;
use super::super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest};
use super::Link;
use super::sts::{Place, Session, assume};
use crate::future::BoxFuture;
use crate::percent;

const ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
const PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
const TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";

/// Credentials of a RAM role, by `AssumeRoleWithOIDC` of STS with a token that an identity provider keeps in a file.
///
/// No key is needed. The file is read again at each refresh, since the provider replaces the token before it ends. Where
/// STS is asked is as for [`RamRoleCredentials`](super::RamRoleCredentials).
///
/// ```
/// use oss_sdk::Client;
/// use oss_sdk::credentials::OidcRoleCredentials;
///
/// let role = OidcRoleCredentials::new(
///     "acs:ram::1234567890123456:role/pod",
///     "acs:ram::1234567890123456:oidc-provider/cluster",
///     "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token",
/// );
/// let client = Client::builder().region("cn-hangzhou").credentials_provider(role).build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
pub struct OidcRoleCredentials {
    session: Session,
    provider_arn: String,
    token_file: PathBuf,
    place: Place,
    link: Link,
}

impl OidcRoleCredentials {
    /// The role `acs:ram::{account}:role/{name}`, by the token in a file, of the provider
    /// `acs:ram::{account}:oidc-provider/{name}`.
    pub fn new(role_arn: impl Into<String>, provider_arn: impl Into<String>, token_file: impl Into<PathBuf>) -> Self {
        Self {
            session: Session::new(role_arn.into()),
            provider_arn: provider_arn.into(),
            token_file: token_file.into(),
            place: Place::new(Variables::of_process()),
            link: Link::default(),
        }
    }

    /// Settings of the environment: `ALIBABA_CLOUD_ROLE_ARN`, `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE`; `ALIBABA_CLOUD_ROLE_SESSION_NAME` for the session's name.
    ///
    /// # Errors
    ///
    /// [`is_not_configured`](CredentialsError::is_not_configured) unless the first three are set.
    pub fn from_env() -> Result<Self, CredentialsError> {
        Self::from_variables(&Variables::of_process())
    }

    pub(in super::super) fn from_variables(variables: &Variables) -> Result<Self, CredentialsError> {
        let (role, provider) = (variables.needed(ROLE_ARN)?, variables.needed(PROVIDER_ARN)?);
        let mut provider =
            Self::new(role, provider, variables.needed_path(TOKEN_FILE)?).with_variables(variables.clone());
        provider.session.name = variables.get("ALIBABA_CLOUD_ROLE_SESSION_NAME")?;
        Ok(provider)
    }

    /// Reads the place of STS from other variables than the process's.
    pub(in super::super) fn with_variables(mut self, variables: Variables) -> Self {
        self.place.variables = variables;
        self
    }

    /// Sets the name under which the session appears in logs: 2 to 64 letters, digits and `.@-_`. Default:
    /// `oss-sdk-rust`.
    #[must_use]
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session.name = Some(name.into());
        self
    }

    /// Sets how long a session lasts: 900 to 43200 seconds, at most the role's own longest. Default: 3600.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.session.duration = duration;
        self
    }

    /// Narrows what the session may do: a policy in JSON, at most 2048 characters.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.session.policy = Some(policy.into());
        self
    }

    /// Sets the host of STS, with `http://` in front for tests.
    #[must_use]
    pub fn sts_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.place.endpoint = Some(endpoint.into());
        self
    }

    /// Asks the STS of a region.
    #[must_use]
    pub fn sts_region(mut self, region: impl Into<String>) -> Self {
        self.place.region = Some(region.into());
        self
    }

    /// Asks the region's host for machines within the cloud. Default: `true` in `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED`.
    #[must_use]
    pub fn sts_vpc(mut self, vpc: bool) -> Self {
        self.place.vpc = Some(vpc);
        self
    }

    async fn fetch(&self) -> Result<Credentials, CredentialsError> {
        let context = self.link.context()?;
        let token = self.token().await?;
        // The form holds the token, which is as good as a password until it ends.
        let mut form = Zeroizing::new(self.session.form()?);
        percent::push_query(&mut form, "OIDCProviderArn", Some(&self.provider_arn));
        percent::push_query(&mut form, "OIDCToken", Some(&token));
        let assumed = assume(context, &self.place, "AssumeRoleWithOIDC", &form, None).await;
        assumed.map_err(|refused| refused.error)
    }

    async fn token(&self) -> Result<Zeroizing<String>, CredentialsError> {
        let shown = self.token_file.display();
        let text = tokio::fs::read_to_string(&self.token_file).await.map_err(|error| {
            CredentialsError::retryable(format!("the OIDC token file `{shown}` cannot be read")).with_source(error)
        })?;
        let text = Zeroizing::new(text);
        match text.trim() {
            "" => Err(CredentialsError::retryable(format!(
                "the OIDC token file `{shown}` is empty"
            ))),
            token => Ok(Zeroizing::new(token.to_owned())),
        }
    }
}

impl fmt::Debug for OidcRoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcRoleCredentials")
            .field("role_arn", &self.session.role_arn)
            .field("provider_arn", &self.provider_arn)
            .field("token_file", &self.token_file)
            .finish_non_exhaustive()
    }
}

impl CredentialsProvider for OidcRoleCredentials {
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
