//! Settings from a profile of a file, in the form of the command line tool `ossutil`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::environment::{FILE, SIGNATURES, STYLES, choice, count, seconds, switch};
use super::{Config, CredentialsSource};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::ini::{self, Line};

/// Longest way from a profile over those that it takes more from.
const MAX_SOURCES: usize = 8;

impl Config {
    /// Settings of a profile of the file in `OSS_CONFIG_FILE`, else of `~/.ossutilconfig`, which the command line tool
    /// `ossutil` writes.
    ///
    /// It is an INI file whose sections are `[default]` and `[profile name]`. Names of settings are written in any case,
    /// with `-`, `_` or nothing between words; names that are not in this table are ignored.
    ///
    /// | name | setting |
    /// | --- | --- |
    /// | `region` | [`region`](Config::region) |
    /// | `endpoint` | [`endpoint`](Config::endpoint) |
    /// | `access-key-id`, `access-key-secret`, `sts-token` | [`credentials`](Config::credentials) |
    /// | `account-id` | [`account_id`](Config::account_id) |
    /// | `sign-version` | `v1` or `v4`: [`signature_version`](Config::signature_version) |
    /// | `addressing-style` | `virtual`, `path` or `cname`: [`addressing_style`](Config::addressing_style) |
    /// | `cloud-box-id` | [`cloud_box_id`](Config::cloud_box_id) |
    /// | `retry-max-attempts` | a number from 1 on: [`retry_attempts`](Config::retry_attempts) |
    /// | `connect-timeout` | seconds: [`connect_timeout`](Config::connect_timeout) |
    /// | `read-timeout` | seconds: [`idle_timeout`](Config::idle_timeout) |
    /// | `internal`, `accelerate` | `true` or `false`: [`internal`](Config::internal), [`accelerate`](Config::accelerate) |
    /// | `proxy` | [`proxy`](Config::proxy) |
    /// | `source-profile` | another profile, which says what this one does not |
    ///
    /// A profile without a key leaves the credentials to be set. So does one of another `mode` than `AK` and `StsToken`:
    /// for roles see `credentials::DefaultCredentials` and its relatives (feature `credentials`).
    ///
    /// ```no_run
    /// use oss_sdk::{Client, Config};
    ///
    /// let client = Client::new(Config::from_profile("production")?)?;
    /// # Ok::<(), oss_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when there is no such file or profile, and for a value that is not
    /// one of those, with its name as the member.
    pub fn from_profile(name: impl AsRef<str>) -> Result<Self, Error> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = super::HOME.into_iter().find_map(variable);
        read(name.as_ref(), variable(FILE), home)
    }

    /// The same of a given file.
    ///
    /// # Errors
    ///
    /// As [`from_profile`](Config::from_profile).
    pub fn from_profile_file(path: impl AsRef<Path>, name: impl AsRef<str>) -> Result<Self, Error> {
        read_file(path.as_ref(), name.as_ref())
    }
}

/// The settings of a profile in the named or the usual file.
pub(super) fn read(name: &str, file: Option<String>, home: Option<String>) -> Result<Config, Error> {
    let path = match (file, home) {
        (Some(file), _) => PathBuf::from(file),
        (None, Some(home)) => Path::new(&home).join(".ossutilconfig"),
        (None, None) => {
            let rule = format!("needs a file in `{FILE}`: there is no home directory to look for it in");
            return Err(Error::config("profile", rule));
        }
    };
    read_file(&path, name)
}

fn read_file(path: &Path, name: &str) -> Result<Config, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::config(
            "profile",
            format!("needs the file `{}`, which cannot be read", path.display()),
        )
        .with_source(error)
    })?;
    // The first failure is the one that is wrong; a key in the text is wiped with the rest of it.
    let text = zeroize::Zeroizing::new(text);
    Profile::find(&text, path, name)?.settings()
}

/// What a profile says, with what it takes from others.
struct Profile<'a> {
    /// By names in small letters without anything between words.
    values: BTreeMap<String, &'a str>,
}

impl<'a> Profile<'a> {
    fn find(text: &'a str, path: &Path, name: &str) -> Result<Self, Error> {
        let mut profile = Profile {
            values: BTreeMap::new(),
        };
        let mut next = name.to_owned();
        for _ in 0..=MAX_SOURCES {
            let Some(section) = section(text, &next) else {
                let rule = format!(
                    "`{}` does not exist in the file `{}`",
                    next.escape_debug(),
                    path.display()
                );
                return Err(Error::config("profile", rule));
            };
            let source = section.get("sourceprofile").copied().unwrap_or_default().to_owned();
            for (name, value) in section {
                profile.values.entry(name).or_insert(value);
            }
            if source.is_empty() {
                return Ok(profile);
            }
            next = source;
        }
        let rule = format!("`{}` takes more from others in a circle", name.escape_debug());
        Err(Error::config("profile", rule))
    }

    /// A value; an empty one is none.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.values.get(&plain(name)).copied().unwrap_or_default();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn settings(&self) -> Result<Config, Error> {
        let get = |name: &str| Ok(self.get(name));
        let mut config = Config::new();
        config.region = self.get("region");
        config.endpoint = self.get("endpoint");
        config.account_id = self.get("account-id");
        config.cloud_box_id = self.get("cloud-box-id");
        config.proxy = self.get("proxy");
        config.signature = choice("sign-version", self.get("sign-version"), &SIGNATURES)?;
        config.addressing = choice("addressing-style", self.get("addressing-style"), &STYLES)?;
        config.retry_attempts = count("retry-max-attempts", &get)?;
        config.connect_timeout = seconds("connect-timeout", &get)?;
        config.idle_timeout = seconds("read-timeout", &get)?;
        config.internal = switch("internal", &get)?.unwrap_or_default();
        config.accelerate = switch("accelerate", &get)?.unwrap_or_default();
        config.credentials = self.credentials()?;
        Ok(config)
    }

    fn credentials(&self) -> Result<Option<CredentialsSource>, Error> {
        let mode = self.get("mode").unwrap_or_default().to_ascii_lowercase();
        let Some(id) = self.get("access-key-id") else {
            return Ok(None);
        };
        if !["", "ak", "ststoken"].contains(&mode.as_str()) {
            return Ok(None);
        }
        let Some(secret) = self.get("access-key-secret") else {
            return Err(Error::config("access-key-secret", "is missing beside `access-key-id`"));
        };
        let credentials = Credentials::new(id, secret);
        Ok(Some(CredentialsSource::Fixed(match self.get("sts-token") {
            Some(token) => credentials.with_security_token(token),
            None => credentials,
        })))
    }
}

/// A name of a setting without what can be written in several ways.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '-' | '_'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// The values of a profile's section; of a name that stands there twice, the last one.
fn section<'a>(text: &'a str, wanted: &str) -> Option<BTreeMap<String, &'a str>> {
    let mut found: Option<BTreeMap<_, _>> = None;
    let mut is_inside = false;
    for line in ini::lines(text) {
        match line {
            Line::Section(title) => {
                let mut words = title.split_whitespace();
                let name = match (words.next(), words.next(), words.next()) {
                    (Some(kind), Some(name), None) if kind.eq_ignore_ascii_case("profile") => name,
                    (Some(name), None, _) if name.eq_ignore_ascii_case("default") => name,
                    _ => "",
                };
                is_inside = !name.is_empty() && name.eq_ignore_ascii_case(wanted);
                if is_inside {
                    found.get_or_insert_default();
                }
            }
            Line::Entry(name, value) if is_inside => {
                found.get_or_insert_default().insert(plain(name), value);
            }
            Line::Entry(..) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{AddressingStyle, SignatureVersion};
    use crate::error::ErrorKind;

    const TEXT: &str = "
[default]
accessKeyId = id
access_key_secret = 5ec4e7
STS-Token = t
region = cn-hangzhou        # of the company
loglevel = debug

[profile Production]
source_profile = default
region = cn-beijing
endpoint = https://oss.example.com
addressing-style = CNAME
sign-version = v1
connect-timeout = 3
read-timeout = 40
retry-max-attempts = 5
proxy = http://user:5ec4e7@proxy:3128
account_id = 42

[profile role]
mode = EcsRamRole
accessKeyId = left behind

[profile circle]
source-profile = circle
[profile half]
accesskeyid = id
[profile odd]
addressing-style = mixed
[profile hasty]
connect-timeout = soon
[buckets b]
region = elsewhere
";

    fn profile(name: &str) -> Result<Config, Error> {
        Profile::find(TEXT, Path::new("file"), name).and_then(|profile| profile.settings())
    }

    #[test]
    fn settings_are_read_in_every_spelling_and_taken_from_others() {
        let config = profile("default").unwrap();
        assert_eq!(config.region.as_deref(), Some("cn-hangzhou"));
        let Some(CredentialsSource::Fixed(key)) = &config.credentials else {
            panic!("a key stands there");
        };
        assert_eq!(
            (key.access_key_id(), key.access_key_secret().expose()),
            ("id", "5ec4e7")
        );
        assert_eq!(key.security_token().unwrap().expose(), "t");

        let config = profile("production").unwrap();
        assert_eq!(config.region.as_deref(), Some("cn-beijing"));
        assert_eq!(config.endpoint.as_deref(), Some("https://oss.example.com"));
        assert_eq!(config.addressing, Some(AddressingStyle::Cname));
        assert_eq!(config.signature, Some(SignatureVersion::V1));
        assert_eq!(config.connect_timeout, Some(Duration::from_secs(3)));
        assert_eq!(config.idle_timeout, Some(Duration::from_secs(40)));
        assert_eq!(config.retry_attempts, Some(5));
        assert_eq!(config.account_id.as_deref(), Some("42"));
        assert!(config.proxy.is_some() && config.credentials.is_some());
        assert!(!format!("{config:?}").contains("5ec4e7"));
        assert!(profile("role").unwrap().credentials.is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let rows = [
            ("nobody", "profile", "`nobody` does not exist in the file `file`"),
            ("b", "profile", "`b` does not exist in the file `file`"),
            ("circle", "profile", "`circle` takes more from others in a circle"),
            ("half", "access-key-secret", "is missing beside `access-key-id`"),
            (
                "odd",
                "addressing-style",
                "must be `virtual` or `path` or `cname`, it is `mixed`",
            ),
            ("hasty", "connect-timeout", "must be a number of seconds, it is `soon`"),
        ];
        for (name, member, rule) in rows {
            let error = profile(name).unwrap_err();
            assert_eq!(
                (error.kind(), error.member(), error.message()),
                (ErrorKind::Config, Some(member), rule)
            );
        }
        let error = Config::from_profile_file("/no/such/file", "default").unwrap_err();
        assert_eq!(error.member(), Some("profile"));
        assert_eq!(read("default", None, None).unwrap_err().member(), Some("profile"));
    }
}
