//! The INI file of the other SDKs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::remote::{EcsRoleCredentials, OidcRoleCredentials, RamRoleCredentials, UriCredentials};
use super::super::{Credentials, CredentialsError};
use super::{Made, Stored, Wanted};

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
            let mut provider = RamRoleCredentials::new(section.required("role_arn")?, Stored(section.key()?));
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
            );
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
    for line in text.lines() {
        let line = without_comment(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_inside = name.trim() == wanted;
            if is_inside {
                found.get_or_insert_default();
            }
        } else if let (true, Some((name, value))) = (is_inside, line.split_once('=')) {
            found.get_or_insert_default().insert(name.trim(), value.trim());
        }
    }
    found
}

/// A comment begins with `#` or `;` at the beginning of a line, or with `#` behind a blank.
fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['#', ';']) {
        return "";
    }
    let comment = line
        .char_indices()
        .find(|(at, character)| *character == '#' && line[..*at].ends_with(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_and_blanks_are_read() {
        let text = "\u{20}; first\n[default] # the usual one\r\ntype = access_key\n  access_key_id=a#b \t# comment\n\n\
                    # access_key_id = no\nnonsense\n[ other ]\ntype=sts\n[default]\nx = 1 = 2\n[empty]";
        let default = section(text, "default").unwrap();
        let expected = [("access_key_id", "a#b"), ("type", "access_key"), ("x", "1 = 2")];
        assert_eq!(default, BTreeMap::from(expected));
        assert_eq!(section(text, "other").unwrap(), BTreeMap::from([("type", "sts")]));
        assert!(section(text, "empty").unwrap().is_empty());
        assert!(section(text, "none").is_none());
    }
}
