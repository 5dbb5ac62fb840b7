//! Several sources, of which the first that is set up counts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::profile::ProfileCredentials;
use super::remote::{EcsRoleCredentials, Link, OidcRoleCredentials, UriCredentials};
use super::variables::Variables;
use super::{
    Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest, EnvironmentCredentials,
};
use crate::future::BoxFuture;

/// Several providers, asked one after the other until one gives credentials; that one is asked from then on.
///
/// A provider that [is not configured](CredentialsError::is_not_configured) is passed over. One that is and fails ends
/// the search: a program that should have a role must not go on as somebody else because the role was refused. When none
/// is configured, the error says why of each, and is [retryable](CredentialsError::is_retryable) if that of one is.
///
/// ```
/// use oss_sdk::credentials::{CredentialsChain, EcsRoleCredentials, EnvironmentCredentials};
///
/// let chain = CredentialsChain::new()
///     .link("environment", EnvironmentCredentials::new())
///     .link("instance", EcsRoleCredentials::new());
/// ```
#[derive(Default)]
pub struct CredentialsChain {
    links: Vec<(String, Arc<dyn CredentialsProvider>)>,
    /// Number of the link that gave credentials last, from 1.
    found: AtomicUsize,
}

impl CredentialsChain {
    /// A chain without links, which gives nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider, under a name for errors.
    #[must_use]
    pub fn link(mut self, name: impl Into<String>, provider: impl CredentialsProvider + 'static) -> Self {
        self.links.push((name.into(), Arc::new(provider)));
        self
    }

    async fn fetch(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let known = self.found.load(Ordering::Relaxed).checked_sub(1);
        if let Some((name, provider)) = known.and_then(|index| self.links.get(index)) {
            match provider.credentials(request).await {
                Ok(credentials) => return Ok(credentials),
                // A service that was there and is not reached now has not become unset.
                Err(error) if !error.is_not_configured() || error.is_retryable() => return Err(in_link(name, error)),
                Err(_) => self.found.store(0, Ordering::Relaxed),
            }
        }
        let mut message = "no source of credentials is set up".to_owned();
        let mut may_pass = false;
        for (index, (name, provider)) in self.links.iter().enumerate() {
            match provider.credentials(request).await {
                Ok(credentials) => {
                    tracing::debug!(source = name.as_str(), "credentials found");
                    self.found.store(index + 1, Ordering::Relaxed);
                    return Ok(credentials);
                }
                Err(error) if error.is_not_configured() => {
                    message.push_str(if index == 0 { ": " } else { "; " });
                    message.push_str(&format!("{name}: {error}"));
                    // The message is all there is of the links' errors, so it says their causes too.
                    let mut cause = std::error::Error::source(&error);
                    while let Some(inner) = cause {
                        message.push_str(&format!(": {inner}"));
                        cause = inner.source();
                    }
                    may_pass |= error.is_retryable();
                }
                Err(error) => return Err(in_link(name, error)),
            }
        }
        let mut error = CredentialsError::not_configured(message);
        error.retryable = may_pass;
        Err(error)
    }
}

/// Says which link it was.
fn in_link(name: &str, error: CredentialsError) -> CredentialsError {
    let mut outer = CredentialsError::new(format!("{name}: {error}"));
    outer.retryable = error.retryable;
    outer.source = error.source;
    outer
}

impl fmt::Debug for CredentialsChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links = self.links.iter().map(|(name, provider)| (name, provider));
        f.debug_map().entries(links).finish()
    }
}

impl CredentialsProvider for CredentialsChain {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.fetch(request))
    }

    fn attach(&self, context: &CredentialsContext) {
        for (_, provider) in &self.links {
            provider.attach(context);
        }
    }
}

/// Credentials from where programs of Alibaba Cloud look for them, in the order of the official SDKs:
///
/// 1. `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`;
/// 2. the role of [`OidcRoleCredentials::from_env`];
/// 3. the profile of the command line tool, [`ProfileCredentials::cli`], unless `ALIBABA_CLOUD_CLI_PROFILE_DISABLED` is
///    `true`;
/// 4. the profile file, [`ProfileCredentials::ini`];
/// 5. the role of the ECS instance, [`EcsRoleCredentials::from_env`];
/// 6. the URI of [`UriCredentials::from_env`].
///
/// It is a [`CredentialsChain`]: the first source that is set up counts, and its failure is the result. The variables
/// `OSS_*` are not among them; [`Config::from_env`](crate::Config::from_env) reads those.
///
/// ```
/// use oss_sdk::Client;
///
/// let client = Client::builder().region("cn-hangzhou").default_credentials().build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
#[derive(Debug)]
pub struct DefaultCredentials(CredentialsChain);

impl DefaultCredentials {
    /// The chain; nothing is read before credentials are needed.
    pub fn new() -> Self {
        Self::with_variables(Variables::of_process())
    }

    pub(super) fn with_variables(variables: Variables) -> Self {
        let lazy = |make| Lazy {
            make,
            variables: variables.clone(),
            link: Link::default(),
        };
        let environment = {
            let variables = variables.clone();
            EnvironmentCredentials::alibaba_cloud().reading(move |name| variables.raw(name))
        };
        Self(
            CredentialsChain::new()
                .link("environment", environment)
                .link(
                    "OIDC role",
                    lazy(|variables| Ok(Arc::new(OidcRoleCredentials::from_variables(variables)?))),
                )
                .link("command line profile", lazy(cli_profile))
                .link(
                    "profile file",
                    lazy(|variables| Ok(Arc::new(ProfileCredentials::ini().with_variables(variables.clone())))),
                )
                .link(
                    "ECS role",
                    lazy(|variables| Ok(Arc::new(EcsRoleCredentials::from_variables(variables)?))),
                )
                .link(
                    "credentials URI",
                    lazy(|variables| Ok(Arc::new(UriCredentials::from_variables(variables)?))),
                ),
        )
    }
}

fn cli_profile(variables: &Variables) -> Made {
    let name = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
    if variables.flag(name) {
        let message = format!("disabled by the environment variable `{name}`");
        return Err(CredentialsError::not_configured(message));
    }
    Ok(Arc::new(ProfileCredentials::cli().with_variables(variables.clone())))
}

impl Default for DefaultCredentials {
    fn default() -> Self {
        Self::new()
    }
}

impl CredentialsProvider for DefaultCredentials {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        self.0.credentials(request)
    }

    fn attach(&self, context: &CredentialsContext) {
        self.0.attach(context);
    }
}

type Made = Result<Arc<dyn CredentialsProvider>, CredentialsError>;

/// A provider whose settings are read when it is asked: credentials are fetched so seldom that they may have changed.
#[derive(Debug)]
struct Lazy {
    make: fn(&Variables) -> Made,
    variables: Variables,
    link: Link,
}

impl CredentialsProvider for Lazy {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(async move {
            let provider = (self.make)(&self.variables)?;
            provider.attach(self.link.context()?);
            provider.credentials(request).await
        })
    }

    fn attach(&self, context: &CredentialsContext) {
        self.link.attach(context);
    }
}

#[cfg(test)]
mod tests;
