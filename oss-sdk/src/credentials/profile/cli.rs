//! `config.json` of the command line tool `aliyun`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::document::Document;
use super::super::process::ProcessCredentials;
use super::super::remote::{EcsRoleCredentials, OidcRoleCredentials, RamRoleCredentials, UriCredentials};
use super::super::{CredentialsError, CredentialsProvider};
use super::{Made, Stored, Wanted};

/// Longest way from a profile to the one whose key assumes its role.
const MAX_SOURCES: usize = 8;

/// What the wanted profile says.
pub(super) fn provider(wanted: &Wanted<'_>, text: &str) -> Made {
    let mut file = Document::parse(format!("the file `{}`", wanted.path.display()), text.as_bytes())?;
    let current = file.text("current");
    let profiles = file.objects("profiles");
    let name = wanted
        .profile
        .clone()
        .or(current)
        .unwrap_or_else(|| "default".to_owned());
    let Some(profile) = find(&profiles, &name) else {
        return Err(wanted.missing(&name));
    };
    // What the tool writes before anybody has configured anything.
    let is_blank = ["", "AK"].contains(&text_of(profile, "mode")) && text_of(profile, "access_key_id").is_empty();
    if is_blank && !wanted.is_demanded {
        return Err(CredentialsError::not_configured(format!(
            "{} has no key",
            wanted.source(&name)
        )));
    }
    of_profile(wanted, &profiles, &name, 0)
}

fn find<'a>(profiles: &'a [Map<String, Value>], name: &str) -> Option<&'a Map<String, Value>> {
    profiles.iter().find(|profile| text_of(profile, "name") == name)
}

fn text_of<'a>(profile: &'a Map<String, Value>, name: &str) -> &'a str {
    profile.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn of_profile(wanted: &Wanted<'_>, profiles: &[Map<String, Value>], name: &str, depth: usize) -> Made {
    let Some(members) = find(profiles, name) else {
        return Err(CredentialsError::new(format!("there is no {}", wanted.source(name))));
    };
    let mut profile = Document::of(wanted.source(name), members.clone());
    let mode = profile.text("mode").unwrap_or_else(|| "AK".to_owned());
    Ok(match mode.as_str() {
        "AK" => {
            // A token that an earlier mode has left behind is not this key's.
            drop(profile.text("sts_token"));
            Arc::new(Stored(profile.snake_case_key()?))
        }
        "StsToken" => Arc::new(Stored(profile.snake_case_key()?)),
        "CloudSSO" | "OAuth" => {
            let stored = profile.snake_case_key().map_err(|_| logged_out(name, &mode))?;
            if stored.security_token().is_none() {
                return Err(logged_out(name, &mode));
            }
            Arc::new(Session {
                stored: Stored(stored),
                name: name.to_owned(),
                mode,
                link: Default::default(),
            })
        }
        "RamRoleArn" => {
            let key = Stored(profile.snake_case_key()?);
            role(wanted, &mut profile, Arc::new(key))?
        }
        "RamRoleArnWithRoleName" => {
            let instance = ecs(&mut profile);
            role(wanted, &mut profile, Arc::new(instance))?
        }
        "ChainableRamRoleArn" => {
            let source = profile.required("source_profile")?;
            if depth >= MAX_SOURCES {
                let message = format!("{}: its `source_profile` leads in a circle", wanted.source(name));
                return Err(CredentialsError::new(message));
            }
            let base = of_profile(wanted, profiles, &source, depth + 1)?;
            role(wanted, &mut profile, base)?
        }
        "EcsRamRole" => Arc::new(ecs(&mut profile)),
        "OIDC" => {
            let mut provider = OidcRoleCredentials::new(
                profile.required("ram_role_arn")?,
                profile.required("oidc_provider_arn")?,
                profile.required("oidc_token_file")?,
            )
            .with_variables(wanted.variables.clone());
            if let Some(name) = session_name(&mut profile) {
                provider = provider.session_name(name);
            }
            if let Some(seconds) = profile.number("expired_seconds") {
                provider = provider.duration(Duration::from_secs(seconds));
            }
            if let Some(policy) = profile.text("policy") {
                provider = provider.policy(policy);
            }
            if let Some(region) = profile.text("sts_region") {
                provider = provider.sts_region(region).sts_vpc(profile.flag("enable_vpc"));
            }
            if let Some(endpoint) = wanted.sts_endpoint {
                provider = provider.sts_endpoint(endpoint);
            }
            Arc::new(provider)
        }
        "CredentialsURI" => Arc::new(UriCredentials::new(profile.required("credentials_uri")?)),
        "External" => Arc::new(ProcessCredentials::new(profile.required("process_command")?)),
        other => {
            let message = format!(
                "{}: the mode `{}` is not supported",
                wanted.source(name),
                other.escape_debug()
            );
            return Err(CredentialsError::new(message));
        }
    })
}

fn session_name(profile: &mut Document) -> Option<String> {
    let names = [profile.text("ram_session_name"), profile.text("role_session_name")];
    names.into_iter().flatten().next()
}

fn ecs(profile: &mut Document) -> EcsRoleCredentials {
    match profile.text("ram_role_name") {
        Some(name) => EcsRoleCredentials::new().role_name(name),
        None => EcsRoleCredentials::new(),
    }
}

fn role(
    wanted: &Wanted<'_>,
    profile: &mut Document,
    base: Arc<dyn CredentialsProvider>,
) -> Result<Arc<dyn CredentialsProvider>, CredentialsError> {
    let mut provider =
        RamRoleCredentials::new(profile.required("ram_role_arn")?, base).with_variables(wanted.variables.clone());
    if let Some(name) = session_name(profile) {
        provider = provider.session_name(name);
    }
    if let Some(seconds) = profile.number("expired_seconds") {
        provider = provider.duration(Duration::from_secs(seconds));
    }
    if let Some(policy) = profile.text("policy") {
        provider = provider.policy(policy);
    }
    if let Some(id) = profile.text("external_id") {
        provider = provider.external_id(id);
    }
    if let Some(region) = profile.text("sts_region") {
        provider = provider.sts_region(region).sts_vpc(profile.flag("enable_vpc"));
    }
    if let Some(endpoint) = wanted.sts_endpoint {
        provider = provider.sts_endpoint(endpoint);
    }
    Ok(Arc::new(provider))
}

fn logged_out(name: &str, mode: &str) -> CredentialsError {
    CredentialsError::new(format!(
        "the session of the profile `{name}` is over; log in again by `aliyun configure --mode {mode} --profile {name}`"
    ))
}

/// The key of a session that only the tool can renew.
#[derive(Debug)]
struct Session {
    stored: Stored,
    name: String,
    mode: String,
    link: super::Link,
}

impl CredentialsProvider for Session {
    fn credentials<'a>(
        &'a self,
        _request: &'a super::CredentialsRequest,
    ) -> super::BoxFuture<'a, Result<super::Credentials, CredentialsError>> {
        Box::pin(async {
            let now = self.link.context()?.now();
            let Stored(key) = &self.stored;
            if key.expiration().is_some_and(|end| end <= now) {
                return Err(logged_out(&self.name, &self.mode));
            }
            Ok(key.clone())
        })
    }

    fn attach(&self, context: &super::CredentialsContext) {
        self.link.attach(context);
    }
}
