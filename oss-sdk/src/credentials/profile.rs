//! Credentials from the files of the command line tool and of the other SDKs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::remote::Link;
use super::variables::Variables;
use super::{Credentials, CredentialsContext, CredentialsError, CredentialsProvider, CredentialsRequest, KEEP};
use crate::future::BoxFuture;

mod cli;
mod ini;

/// The variable that names a profile of either file.
const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";
const INI_FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";

/// Which file, and so which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Cli,
    Ini,
}

/// Credentials of a profile in a file: that of the command line tool `aliyun`, or the INI file of the other SDKs.
///
/// A profile holds a key, or says how to get one: by assuming a role, from the ECS instance, by an OIDC token, from a URI or
/// from a program. Where the key has no end, the file is read again every 15 minutes, and when the service refuses the
/// key.
///
/// ```
/// use oss_sdk::Client;
/// use oss_sdk::credentials::ProfileCredentials;
///
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .credentials_provider(ProfileCredentials::cli().profile("production"))
///     .build()?;
/// # Ok::<(), oss_sdk::Error>(())
/// ```
pub struct ProfileCredentials {
    form: Form,
    file: Option<PathBuf>,
    profile: Option<String>,
    sts_endpoint: Option<String>,
    variables: Variables,
    link: Link,
}

impl ProfileCredentials {
    /// The file of `aliyun configure`: `~/.aliyun/config.json`.
    ///
    /// The profile is the [given](Self::profile) one, else that of `ALIBABA_CLOUD_PROFILE`, else the file's current one.
    /// Its mode can be `AK`, `StsToken`, `RamRoleArn`, `RamRoleArnWithRoleName`, `ChainableRamRoleArn`, `EcsRamRole`,
    /// `OIDC`, `CredentialsURI` and `External`. Of `CloudSSO` and `OAuth` the key is used that the tool has got last, until
    /// its end.
    pub fn cli() -> Self {
        Self::of(Form::Cli)
    }

    /// The INI file: that of `ALIBABA_CLOUD_CREDENTIALS_FILE`, else `~/.alibabacloud/credentials`, else
    /// `~/.alibabacloud/credentials.ini`.
    ///
    /// The section is the [given](Self::profile) profile, else that of `ALIBABA_CLOUD_PROFILE`, else `default`. Its `type`
    /// can be `access_key`, `sts`, `ram_role_arn`, `oidc_role_arn`, `ecs_ram_role` and `credentials_uri`.
    pub fn ini() -> Self {
        Self::of(Form::Ini)
    }

    fn of(form: Form) -> Self {
        Self {
            form,
            file: None,
            profile: None,
            sts_endpoint: None,
            variables: Variables::of_process(),
            link: Link::default(),
        }
    }

    /// Sets the file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Sets the profile's name.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets the host of STS for profiles that assume a role, with `http://` in front for tests.
    #[must_use]
    pub fn sts_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.sts_endpoint = Some(endpoint.into());
        self
    }

    pub(super) fn with_variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    async fn fetch(&self, request: &CredentialsRequest) -> Result<Credentials, CredentialsError> {
        let context = self.link.context()?;
        let (path, text) = self.read().await?;
        let wanted = Wanted {
            path: &path,
            profile: match &self.profile {
                Some(name) => Some(name.clone()),
                None => self.variables.get(PROFILE)?,
            },
            // One that was not asked for here may be meant for another file.
            is_demanded: self.profile.is_some(),
            sts_endpoint: self.sts_endpoint.as_deref(),
            variables: &self.variables,
        };
        let provider = match self.form {
            Form::Cli => cli::provider(&wanted, &text)?,
            Form::Ini => ini::provider(&wanted, &text)?,
        };
        provider.attach(context);
        let credentials = provider.credentials(request).await?;
        Ok(if credentials.expiration().is_none() {
            let kept = context.now().saturating_add(KEEP);
            credentials.with_renewal(kept)
        } else {
            credentials
        })
    }

    async fn read(&self) -> Result<(PathBuf, Zeroizing<String>), CredentialsError> {
        let named = self
            .file
            .clone()
            .or_else(|| self.variables.path(INI_FILE).filter(|_| self.form == Form::Ini));
        if let Some(path) = named {
            return match tokio::fs::read_to_string(&path).await {
                Ok(text) => Ok((path, Zeroizing::new(text))),
                Err(error) => Err(unreadable(&path, error)),
            };
        }
        let Some(home) = self.variables.home() else {
            return Err(CredentialsError::not_configured(
                "there is no home directory to look for the file in",
            ));
        };
        let usual: &[&str] = match self.form {
            Form::Cli => &[".aliyun/config.json"],
            Form::Ini => &[".alibabacloud/credentials", ".alibabacloud/credentials.ini"],
        };
        for path in usual.iter().map(|path| home.join(path)) {
            match tokio::fs::read_to_string(&path).await {
                Ok(text) => return Ok((path, Zeroizing::new(text))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&path, error)),
            }
        }
        let path = home.join(usual[0]);
        Err(CredentialsError::not_configured(format!(
            "there is no file `{}`",
            path.display()
        )))
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> CredentialsError {
    CredentialsError::new(format!("the file `{}` cannot be read", path.display())).with_source(error)
}

/// What is looked for in a file.
struct Wanted<'a> {
    path: &'a Path,
    profile: Option<String>,
    is_demanded: bool,
    sts_endpoint: Option<&'a str>,
    variables: &'a Variables,
}

impl Wanted<'_> {
    /// How errors name a profile.
    fn source(&self, profile: &str) -> String {
        format!("profile `{}` of `{}`", profile.escape_debug(), self.path.display())
    }

    fn missing(&self, profile: &str) -> CredentialsError {
        let message = format!("there is no {}", self.source(profile));
        if self.is_demanded {
            CredentialsError::new(message)
        } else {
            CredentialsError::not_configured(message)
        }
    }
}

/// A key that stands in the file.
#[derive(Debug)]
struct Stored(Credentials);

impl CredentialsProvider for Stored {
    fn credentials<'a>(
        &'a self,
        _request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

type Made = Result<Arc<dyn CredentialsProvider>, CredentialsError>;

impl fmt::Debug for ProfileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileCredentials")
            .field("form", &self.form)
            .field("file", &self.file)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl CredentialsProvider for ProfileCredentials {
    fn credentials<'a>(
        &'a self,
        request: &'a CredentialsRequest,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        Box::pin(self.fetch(request))
    }

    fn attach(&self, context: &CredentialsContext) {
        self.link.attach(context);
    }
}

#[cfg(test)]
mod tests;
