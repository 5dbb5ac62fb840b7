//! The INI file of the other SDKs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::remote::{EcsRoleCredentials, OidcRoleCredentials, RamRoleCredentials, UriCredentials};
use super::super::{Credentials, CredentialsError};
use super::{Made, Stored, Wanted};
use crate::ini::{self, Line};

/// What the wanted section says.
pub(super) fn provider(wanted: &Wanted<'_>, text: &str) -> Made {
    let name = wanted.profile.as_deref().unwrap_or("default");
    let Some(values) = section(text, name) else {
        return Err(wanted.missing(name));
    };
    let section = Section {
        source: wanted.source(name),
        values,
    };
    if section
        .get("enable")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"))
    {
        return Err(CredentialsError::not_configured(format!(
            "{} is not enabled",
            section.source
        )));
    }
    let kind = section.required("type")?;
    Ok(match kind {
        "access_key" => Arc::new(Stored(section.key()?)),
        "sts" => Arc::new(Stored(
            section.key()?.with_security_token(section.required("security_token")?),
        )),
        "ram_role_arn" => {
            let mut provider = RamRoleCredentials::new(section.required("role_arn")?, Stored(section.key()?))
                .with_variables(wanted.variables.clone());
            if let Some(name) = section.get("role_session_name") {
                provider = provider.session_name(name);
            }
            if let Some(duration) = section.duration()? {
                provider = provider.duration(duration);
            }
            if let Some(policy) = section.get("policy") {
                provider = provider.policy(policy);
            }
            if let Some(id) = section.get("external_id") {
                provider = provider.external_id(id);
            }
            if let Some(endpoint) = wanted.sts_endpoint.or_else(|| section.get("sts_endpoint")) {
                provider = provider.sts_endpoint(endpoint);
            }
            Arc::new(provider)
        }
        "oidc_role_arn" => {
            let mut provider = OidcRoleCredentials::new(
                section.required("role_arn")?,
                section.required("oidc_provider_arn")?,
                section.required("oidc_token_file_path")?,
            )
            .with_variables(wanted.variables.clone());
            if let Some(name) = section.get("role_session_name") {
                provider = provider.session_name(name);
            }
            if let Some(duration) = section.duration()? {
                provider = provider.duration(duration);
            }
            if let Some(policy) = section.get("policy") {
                provider = provider.policy(policy);
            }
            if let Some(endpoint) = wanted.sts_endpoint.or_else(|| section.get("sts_endpoint")) {
                provider = provider.sts_endpoint(endpoint);
            }
            Arc::new(provider)
        }
        "ecs_ram_role" => Arc::new(match section.get("role_name") {
            Some(name) => EcsRoleCredentials::new().role_name(name),
            None => EcsRoleCredentials::new(),
        }),
        "credentials_uri" => Arc::new(UriCredentials::new(section.required("credentials_uri")?)),
        other => {
            let message = format!(
                "{}: the type `{}` is not supported",
                section.source,
                other.escape_debug()
            );
            return Err(CredentialsError::new(message));
        }
    })
}

struct Section<'a> {
    source: String,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Section<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).copied().filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&'a str, CredentialsError> {
        self.get(name)
            .ok_or_else(|| CredentialsError::new(format!("{}: `{name}` is missing", self.source)))
    }

    fn key(&self) -> Result<Credentials, CredentialsError> {
        Ok(Credentials::new(
            self.required("access_key_id")?,
            self.required("access_key_secret")?,
        ))
    }

    fn duration(&self) -> Result<Option<Duration>, CredentialsError> {
        let name = "role_session_expiration";
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
            Err(_) => Err(CredentialsError::new(format!(
                "{}: `{name}` must be a number of seconds",
                self.source
            ))),
        }
    }
}

/// The values of a section; of a name that stands there twice, the last one. `None` when there is no such section.
fn section<'a>(text: &'a str, wanted: &str) -> Option<BTreeMap<&'a str, &'a str>> {
    let mut found: Option<BTreeMap<_, _>> = None;
    let mut is_inside = false;
    for line in ini::lines(text) {
        match line {
            Line::Section(name) => {
                is_inside = name == wanted;
                if is_inside {
                    found.get_or_insert_default();
                }
            }
            Line::Entry(name, value) if is_inside => {
                found.get_or_insert_default().insert(name, value);
            }
            Line::Entry(..) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_and_put_together() {
        let text = "a=0\n[default]\na=1\n[other]\na=2\n[default]\na=3\nb=4\n[empty]";
        assert_eq!(
            section(text, "default").unwrap(),
            BTreeMap::from([("a", "3"), ("b", "4")])
        );
        assert!(section(text, "empty").unwrap().is_empty());
        assert!(section(text, "none").is_none());
    }
}
