//! A rule: which requests suffer an action, and how often.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FaultAction, Subject};
use crate::text;

/// A rule: requests that match every given field suffer the action, the first `skip` excepted, `times` times.
///
/// As text it is a list of `name=value` with commas between, as the flag `--fault` takes it:
///
/// ```
/// use oss_emulator::Fault;
/// let fault: Fault = "operation=GetObject,prefix=logs/,action=status:503:ServiceBusy,times=2".parse()?;
/// assert_eq!(fault.to_string(), "action=status:503:ServiceBusy,operation=GetObject,prefix=logs/,times=2");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub(super) action: FaultAction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(default)]
    pub(super) skip: u64,
    #[serde(default = "once", serialize_with = "write_times", deserialize_with = "read_times")]
    pub(super) times: u64,
    #[serde(default = "certain", deserialize_with = "read_probability")]
    pub(super) probability: f64,
    #[serde(default)]
    pub(super) seed: u64,
}

/// How `times` says that there is no end.
const ALWAYS: &str = "always";

fn once() -> u64 {
    1
}

fn certain() -> f64 {
    1.0
}

impl Fault {
    /// A rule that hits the next request, whatever it is.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            operation: None,
            method: None,
            bucket: None,
            key: None,
            prefix: None,
            pattern: None,
            skip: 0,
            times: once(),
            probability: certain(),
            seed: 0,
        }
    }

    /// An error answer without `Retry-After`.
    pub fn error(status: u16, code: impl Into<String>) -> Self {
        Self::new(FaultAction::Error {
            status,
            code: code.into(),
            retry_after: None,
        })
    }

    /// Only requests of this operation.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only requests for this bucket and what is in it.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Only requests for this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Only requests for keys that start with this.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Only requests for keys that fit a pattern: `*` is any run of characters, `?` any one.
    #[must_use]
    pub fn key_pattern(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// Lets that many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Hits that many requests; by default one.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// Hits every matching request from then on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// Hits a matching request with this probability, from 0 to 1; by default 1. The choices follow from [`Fault::seed`].
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = if probability.is_nan() {
            certain()
        } else {
            probability.clamp(0.0, 1.0)
        };
        self
    }

    /// Where chance starts from: the same seed makes the same choices for the same requests; by default 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    pub(super) fn matches(&self, subject: Subject<'_>) -> bool {
        let fits =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        let key_fits = |wanted: &Option<String>, test: fn(&str, &str) -> bool| {
            wanted
                .as_deref()
                .is_none_or(|wanted| subject.key.is_some_and(|key| test(wanted, key)))
        };
        fits(&self.operation, subject.operation)
            && fits(&self.method, Some(subject.method))
            && fits(&self.bucket, subject.bucket)
            && fits(&self.key, subject.key)
            && key_fits(&self.prefix, |prefix, key| key.starts_with(prefix))
            && key_fits(&self.pattern, text::wildcard)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "action={}", self.action)?;
        let named = [
            ("operation", &self.operation),
            ("method", &self.method),
            ("bucket", &self.bucket),
            ("key", &self.key),
            ("prefix", &self.prefix),
            ("pattern", &self.pattern),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, ",{name}={value}")?;
            }
        }
        if self.skip > 0 {
            write!(f, ",skip={}", self.skip)?;
        }
        match self.times {
            1 => {}
            u64::MAX => write!(f, ",times={ALWAYS}")?,
            times => write!(f, ",times={times}")?,
        }
        if self.probability < 1.0 {
            write!(f, ",probability={}", self.probability)?;
        }
        if self.seed > 0 {
            write!(f, ",seed={}", self.seed)?;
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut action = None;
        let mut fault = Self::new(FaultAction::Stall);
        for pair in text.split(',') {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}` is not of the form NAME=VALUE"))?;
            let number = || {
                value
                    .parse()
                    .map_err(|_| format!("`{name}` must be a whole number, not `{value}`"))
            };
            fault = match name.trim() {
                "action" => {
                    action = Some(value.parse()?);
                    fault
                }
                "operation" => fault.operation(value),
                "method" => fault.method(value),
                "bucket" => fault.bucket(value),
                "key" => fault.key(value),
                "prefix" => fault.key_prefix(value),
                "pattern" => fault.key_pattern(value),
                "skip" => fault.skip(number()?),
                "times" if value == ALWAYS => fault.always(),
                "times" => fault.times(number()?),
                "probability" => fault.probability(probability(value.parse().ok())?),
                "seed" => fault.seed(number()?),
                other => return Err(format!("`{other}` is no part of a fault")),
            };
        }
        fault.action = action.ok_or("the fault has no `action`")?;
        Ok(fault)
    }
}

fn probability(value: Option<f64>) -> Result<f64, String> {
    value
        .filter(|value| (0.0..=1.0).contains(value))
        .ok_or_else(|| "`probability` must be a number from 0 to 1".to_owned())
}

fn read_probability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    probability(Some(f64::deserialize(deserializer)?)).map_err(serde::de::Error::custom)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn write_times<S: Serializer>(times: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match *times {
        u64::MAX => serializer.serialize_str(ALWAYS),
        times => serializer.serialize_u64(times),
    }
}

fn read_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Times {
        Count(u64),
        Word(String),
    }
    match Times::deserialize(deserializer)? {
        Times::Count(count) => Ok(count),
        Times::Word(word) if word == ALWAYS => Ok(u64::MAX),
        Times::Word(word) => Err(serde::de::Error::custom(format!(
            "`times` must be a whole number or `{ALWAYS}`, not `{word}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_documents_say_the_same() {
        let text = "action=latency:20ms:5ms,operation=GetObject,method=GET,bucket=b,key=k,prefix=a/,pattern=*.txt,skip=2,\
                    times=always,probability=0.5,seed=42";
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault.to_string(), text);
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault, "{json}");
        let short: Fault = serde_json::from_str(r#"{"action": "wrong-crc"}"#).unwrap();
        assert_eq!(short, Fault::new(FaultAction::WrongCrc));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, part) in [
            ("", "NAME=VALUE"),
            ("operation=GetObject", "no `action`"),
            ("action=explode", "explode"),
            ("action=stall,when=now", "`when`"),
            ("action=stall,times=often", "`times`"),
            ("action=stall,probability=2", "from 0 to 1"),
            ("action=stall,probability=NaN", "from 0 to 1"),
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        for json in [
            "{}",
            r#"{"action": "stall", "when": 1}"#,
            r#"{"action": "stall", "times": "often"}"#,
            r#"{"action": "stall", "probability": -1}"#,
        ] {
            assert!(serde_json::from_str::<Fault>(json).is_err(), "{json}");
        }
    }
}
