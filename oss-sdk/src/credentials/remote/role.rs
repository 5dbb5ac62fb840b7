//! Credentials of a RAM role that another key may assume.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::variables::Variables;
use super::super::{
    CachedCredentials, Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest,
};
use super::Link;
use super::sts::{Place, Session, assume};
use crate::future::BoxFuture;

const ACTION: &str = "AssumeRole";

/// Credentials of a RAM role, by `AssumeRole` of STS with the key of another provider.
///
/// The service is asked for over HTTPS at the [endpoint](Self::sts_endpoint), else at the one of the
/// [region](Self::sts_region) or of `ALIBABA_CLOUD_STS_REGION`, else at `sts.aliyuncs.com`. An account may ask 100 times
/// a second, so make one provider for a client and keep it.
///
/// ```
/// use std::time::Duration;
///
/// use oss_sdk::Client;
/// use oss_sdk::credentials::{EnvironmentCredentials, RamRoleCredentials};
///
/// let role = RamRoleCredentials::new("acs:ram::1234567890123456:role/uploader", EnvironmentCredentials::alibaba_cloud())
///     .session_name("nightly-upload")
///     .duration(Duration::from_secs(1800));
/// let client = Client::builder().region("cn-hangzhou").credentials_provider(role).build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
pub struct RamRoleCredentials {
    base: CachedCredentials<Arc<dyn CredentialsProvider>>,
    session: Session,
    external_id: Option<String>,
    place: Place,
    link: Link,
}

impl RamRoleCredentials {
    /// The role `acs:ram::{account}:role/{name}`, assumed with what `base` gives, which is kept as long as it is good.
    pub fn new(role_arn: impl Into<String>, base: impl CredentialsProvider + 'static) -> Self {
        Self {
            base: CachedCredentials::new(Arc::new(base)),
            session: Session::new(role_arn.into()),
            external_id: None,
            place: Place::new(Variables::of_process()),
            link: Link::default(),
        }
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

    /// Sets the id that roles of other accounts may ask for.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
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
        let mut form = self.session.form()?;
        if let Some(id) = &self.external_id {
            crate::percent::push_query(&mut form, "ExternalId", Some(id));
        }
        let key = self.key(&CredentialsRequest::default()).await?;
        let refused = match assume(context, &self.place, ACTION, &form, Some(&key)).await {
            Ok(credentials) => return Ok(credentials),
            Err(refused) if !refused.is_key_refused => return Err(refused.error),
            Err(refused) => refused.error,
        };
        let request = CredentialsRequest {
            refused: Some(key),
            ..CredentialsRequest::default()
        };
        match self.key(&request).await {
            Ok(other) if !request.refuses(&other) => {
                let assumed = assume(context, &self.place, ACTION, &form, Some(&other)).await;
                assumed.map_err(|refused| refused.error)
            }
            _ => Err(refused),
        }
    }

    async fn key(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let key = self.base.credentials(request).await?;
        if key.is_anonymous() {
            return Err(CredentialsError::new("a role cannot be assumed without a key"));
        }
        Ok(key)
    }
}

impl fmt::Debug for RamRoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RamRoleCredentials")
            .field("role_arn", &self.session.role_arn)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl CredentialsProvider for RamRoleCredentials {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.fetch())
    }

    fn attach(&self, context: &CredentialsContext) {
        self.base.attach(context);
        self.link.attach(context);
    }
}
