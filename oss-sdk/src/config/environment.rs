//! Settings from `OSS_*` variables, over those of a profile where one is named.

use std::sync::Arc;
use std::time::Duration;

use super::{AddressingStyle, Config, CredentialsSource, SignatureVersion, profile};
use crate::credentials::EnvironmentCredentials;
use crate::error::Error;

impl Config {
    /// Settings from the environment. Variables that are not set or empty leave the default.
    ///
    /// | variable | setting |
    /// | --- | --- |
    /// | `OSS_REGION` | [`region`](Config::region) |
    /// | `OSS_ENDPOINT` | [`endpoint`](Config::endpoint) |
    /// | `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN` | credentials; read again for each request |
    /// | `OSS_ACCOUNT_ID` | [`account_id`](Config::account_id) |
    /// | `OSS_SIGNATURE_VERSION` | `v1` or `v4`: [`signature_version`](Config::signature_version) |
    /// | `OSS_ADDRESSING_STYLE` | `virtual`, `path` or `cname`: [`addressing_style`](Config::addressing_style) |
    /// | `OSS_RETRY_MAX_ATTEMPTS` | a number from 1 on: [`retry_attempts`](Config::retry_attempts) |
    /// | `OSS_INTERNAL`, `OSS_ACCELERATE`, `OSS_DUAL_STACK`, `OSS_DISABLE_SSL` | `true` or `false`: [`internal`](Config::internal), [`accelerate`](Config::accelerate), [`dual_stack`](Config::dual_stack), [`disable_ssl`](Config::disable_ssl) |
    /// | `OSS_CONNECT_TIMEOUT`, `OSS_IDLE_TIMEOUT`, `OSS_ATTEMPT_TIMEOUT`, `OSS_TIMEOUT` | seconds, such as `2.5`: [`connect_timeout`](Config::connect_timeout), [`idle_timeout`](Config::idle_timeout), [`attempt_timeout`](Config::attempt_timeout), [`timeout`](Config::timeout) |
    /// | `OSS_PROXY`, `OSS_NO_PROXY` | [`proxy`](Config::proxy), [`no_proxy`](Config::no_proxy) |
    /// | `OSS_PROFILE`, `OSS_CONFIG_FILE` | where either is set, what the other variables do not say comes from that profile, as of [`from_profile`](Config::from_profile) |
    ///
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count only with
    /// [`proxy_from_environment`](Config::proxy_from_environment).
    ///
    /// Credentials are those of `OSS_*` and no others: a program without them must not go on as whoever another file or the
    /// machine names. To look there, say so: `Config::from_env()?.default_credentials()` (feature `credentials`) takes the
    /// settings from here and the credentials from `credentials::DefaultCredentials`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the variable as its member, for a value that is not one
    /// of those, and for a value that is not UTF-8.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(Error::config(name, "must be UTF-8")),
        })
    }

    fn from_variables(variable: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let get = |name: &str| variable(name).map(|value| value.filter(|value| !value.is_empty()));
        let mut config = match (get("OSS_PROFILE")?, get(FILE)?) {
            (None, None) => Config::new(),
            (name, file) => {
                let [first, second] = super::HOME;
                let home = get(first)?.or(get(second)?);
                profile::read(name.as_deref().unwrap_or("default"), file, home)?
            }
        };
        set(&mut config.region, get("OSS_REGION")?);
        set(&mut config.endpoint, get("OSS_ENDPOINT")?);
        set(&mut config.account_id, get("OSS_ACCOUNT_ID")?);
        let name = "OSS_SIGNATURE_VERSION";
        set(&mut config.signature, choice(name, get(name)?, &SIGNATURES)?);
        let name = "OSS_ADDRESSING_STYLE";
        set(&mut config.addressing, choice(name, get(name)?, &STYLES)?);
        set(&mut config.retry_attempts, count("OSS_RETRY_MAX_ATTEMPTS", &get)?);
        config.internal = switch("OSS_INTERNAL", &get)?.unwrap_or(config.internal);
        config.accelerate = switch("OSS_ACCELERATE", &get)?.unwrap_or(config.accelerate);
        config.dual_stack = switch("OSS_DUAL_STACK", &get)?.unwrap_or(config.dual_stack);
        config.disable_ssl = switch("OSS_DISABLE_SSL", &get)?.unwrap_or(config.disable_ssl);
        set(&mut config.connect_timeout, seconds("OSS_CONNECT_TIMEOUT", &get)?);
        set(&mut config.idle_timeout, seconds("OSS_IDLE_TIMEOUT", &get)?);
        set(&mut config.attempt_timeout, seconds("OSS_ATTEMPT_TIMEOUT", &get)?);
        set(&mut config.timeout, seconds("OSS_TIMEOUT", &get)?);
        set(&mut config.proxy, get("OSS_PROXY")?);
        set(&mut config.no_proxy, get("OSS_NO_PROXY")?);
        // Half a key is a mistake that the provider tells of, not the absence of one.
        let mut has_key = false;
        for name in EnvironmentCredentials::OSS {
            has_key |= get(name)?.is_some();
        }
        if config.credentials.is_none() || has_key {
            config.credentials = Some(CredentialsSource::Provider(Arc::new(EnvironmentCredentials::new())));
        }
        Ok(config)
    }
}

fn set<T>(setting: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *setting = value;
    }
}

/// The variable that names the file of profiles.
pub(super) const FILE: &str = "OSS_CONFIG_FILE";

pub(super) const SIGNATURES: [(&str, SignatureVersion); 2] =
    [("v1", SignatureVersion::V1), ("v4", SignatureVersion::V4)];

pub(super) const STYLES: [(&str, AddressingStyle); 3] = [
    ("virtual", AddressingStyle::VirtualHosted),
    ("path", AddressingStyle::Path),
    ("cname", AddressingStyle::Cname),
];

/// Reads a variable, or a value of a profile; `None` when it is not set or empty.
pub(super) type Get<'g> = &'g dyn Fn(&str) -> Result<Option<String>, Error>;

pub(super) fn switch(variable: &str, get: Get<'_>) -> Result<Option<bool>, Error> {
    choice(variable, get(variable)?, &[("true", true), ("false", false)])
}

/// A number from 1 on.
pub(super) fn count(variable: &str, get: Get<'_>) -> Result<Option<u32>, Error> {
    let Some(text) = get(variable)? else { return Ok(None) };
    match text.parse() {
        Ok(count) if count > 0 => Ok(Some(count)),
        _ => {
            let rule = format!("must be a number from 1 on, it is `{}`", text.escape_debug());
            Err(Error::config(variable, rule))
        }
    }
}

pub(super) fn seconds(variable: &str, get: Get<'_>) -> Result<Option<Duration>, Error> {
    let Some(text) = get(variable)? else { return Ok(None) };
    let time = text
        .trim()
        .parse()
        .ok()
        .and_then(|time| Duration::try_from_secs_f64(time).ok());
    time.map(Some).ok_or_else(|| {
        let rule = format!("must be a number of seconds, it is `{}`", text.escape_debug());
        Error::config(variable, rule)
    })
}

/// One of several words, in any case.
pub(super) fn choice<T: Copy>(variable: &str, text: Option<String>, values: &[(&str, T)]) -> Result<Option<T>, Error> {
    let Some(text) = text else { return Ok(None) };
    match values.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<String> = values.iter().map(|(name, _)| format!("`{name}`")).collect();
            let rule = format!("must be {}, it is `{}`", names.join(" or "), text.escape_debug());
            Err(Error::config(variable, rule))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::ErrorKind;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Error> {
        let variables: BTreeMap<_, _> = pairs.iter().copied().collect();
        Config::from_variables(|name| Ok(variables.get(name).map(|value| (*value).to_owned())))
    }

    #[test]
    fn every_variable_is_taken() {
        let config = read(&[
            ("OSS_REGION", "cn-hangzhou"),
            ("OSS_ENDPOINT", "http://127.0.0.1:9000"),
            ("OSS_ACCOUNT_ID", "123"),
            ("OSS_SIGNATURE_VERSION", "V1"),
            ("OSS_ADDRESSING_STYLE", "path"),
            ("OSS_RETRY_MAX_ATTEMPTS", "7"),
            ("OSS_INTERNAL", "true"),
            ("OSS_ACCELERATE", "True"),
            ("OSS_DUAL_STACK", "TRUE"),
            ("OSS_DISABLE_SSL", "true"),
            ("OSS_CONNECT_TIMEOUT", "1"),
            ("OSS_IDLE_TIMEOUT", "2.5"),
            ("OSS_ATTEMPT_TIMEOUT", " 3"),
            ("OSS_TIMEOUT", "4"),
            ("OSS_PROXY", "http://user:pw@p:3128"),
            ("OSS_NO_PROXY", "a,b"),
        ])
        .unwrap();
        assert_eq!(config.region.as_deref(), Some("cn-hangzhou"));
        assert_eq!(config.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(config.account_id.as_deref(), Some("123"));
        assert_eq!(config.signature, Some(SignatureVersion::V1));
        assert_eq!(config.addressing, Some(AddressingStyle::Path));
        assert_eq!(config.retry_attempts, Some(7));
        assert!(config.internal && config.accelerate && config.dual_stack && config.disable_ssl);
        let times = [
            config.connect_timeout,
            config.idle_timeout,
            config.attempt_timeout,
            config.timeout,
        ];
        assert_eq!(
            times,
            [1000, 2500, 3000, 4000].map(|millis| Some(Duration::from_millis(millis)))
        );
        assert_eq!(config.proxy.as_deref(), Some("http://user:pw@p:3128"));
        assert_eq!(config.no_proxy.as_deref(), Some("a,b"));
        assert!(!config.proxy_from_env);
    }

    #[test]
    fn half_a_key_is_not_passed_over_for_the_profile() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, "[default]\naccess-key-id = id\naccess-key-secret = secret\n").unwrap();
        let file = file.to_str().unwrap();
        let fixed = read(&[(FILE, file)]).unwrap();
        assert!(matches!(fixed.credentials, Some(CredentialsSource::Fixed(_))));
        for half in EnvironmentCredentials::OSS {
            let config = read(&[(FILE, file), (half, "x")]).unwrap();
            assert!(
                matches!(config.credentials, Some(CredentialsSource::Provider(_))),
                "{half}"
            );
        }
    }

    #[test]
    fn variables_win_over_the_profile_that_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("settings");
        let text = "[default]\nregion=cn-beijing\naccessKeyId=id\naccessKeySecret=s\naddressing-style=path\n\
                    [profile other]\nregion=cn-shenzhen\n";
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let config = read(&[("OSS_CONFIG_FILE", file), ("OSS_REGION", "cn-hangzhou")]).unwrap();
        assert_eq!(config.region.as_deref(), Some("cn-hangzhou"));
        assert_eq!(config.addressing, Some(AddressingStyle::Path));
        assert!(matches!(config.credentials, Some(CredentialsSource::Fixed(_))));
        let config = read(&[("OSS_CONFIG_FILE", file), ("OSS_ACCESS_KEY_ID", "id")]).unwrap();
        assert!(matches!(config.credentials, Some(CredentialsSource::Provider(_))));
        let config = read(&[("OSS_CONFIG_FILE", file), ("OSS_PROFILE", "other")]).unwrap();
        assert_eq!(config.region.as_deref(), Some("cn-shenzhen"));
        assert!(matches!(config.credentials, Some(CredentialsSource::Provider(_))));
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let config = read(&[
            ("OSS_REGION", ""),
            ("OSS_SIGNATURE_VERSION", ""),
            ("OSS_RETRY_MAX_ATTEMPTS", ""),
        ])
        .unwrap();
        assert_eq!(
            (config.region, config.signature, config.retry_attempts),
            (None, None, None)
        );
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        let rows = [
            ("OSS_SIGNATURE_VERSION", "v2", "must be `v1` or `v4`, it is `v2`"),
            (
                "OSS_ADDRESSING_STYLE",
                "a\nb",
                "must be `virtual` or `path` or `cname`, it is `a\\nb`",
            ),
            ("OSS_RETRY_MAX_ATTEMPTS", "0", "must be a number from 1 on, it is `0`"),
            (
                "OSS_RETRY_MAX_ATTEMPTS",
                "many",
                "must be a number from 1 on, it is `many`",
            ),
            ("OSS_INTERNAL", "1", "must be `true` or `false`, it is `1`"),
            ("OSS_TIMEOUT", "-1", "must be a number of seconds, it is `-1`"),
            ("OSS_IDLE_TIMEOUT", "2s", "must be a number of seconds, it is `2s`"),
            ("OSS_CONNECT_TIMEOUT", "inf", "must be a number of seconds, it is `inf`"),
        ];
        for (variable, value, rule) in rows {
            let error = read(&[(variable, value)]).unwrap_err();
            assert_eq!(
                (error.kind(), error.member(), error.message()),
                (ErrorKind::Config, Some(variable), rule)
            );
        }
    }
}
