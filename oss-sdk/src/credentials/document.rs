//! Documents with credentials, as services, programs and tools write them.

use serde_json::{Map, Value};

use super::{Credentials, CredentialsError};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Members of a JSON object that came from `source`, which is named in errors. Values are never shown.
#[derive(Debug)]
pub(super) struct Document {
    source: String,
    members: Map<String, Value>,
}

impl Document {
    /// Reads an object.
    pub(super) fn parse(source: impl Into<String>, text: &[u8]) -> Result<Self, CredentialsError> {
        let source = source.into();
        let parsed = crate::json::parse(text);
        // The position of what is wrong is kept, but not a value that a secret may be part of.
        match parsed {
            Ok(Value::Object(members)) => Ok(Self { source, members }),
            Ok(_) => Err(CredentialsError::new(format!("{source} is not a JSON object"))),
            Err(error) => Err(CredentialsError::new(format!("{source} cannot be read")).with_source(error)),
        }
    }

    /// An object that was found in another.
    pub(super) fn of(source: impl Into<String>, members: Map<String, Value>) -> Self {
        Self {
            source: source.into(),
            members,
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Takes a text out; `None` when it is missing, empty or no text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Takes out a text that must be there.
    pub(super) fn required(&mut self, name: &str) -> Result<String, CredentialsError> {
        self.text(name)
            .ok_or_else(|| CredentialsError::new(format!("{}: `{name}` is missing", self.source)))
    }

    /// Takes out a whole number above zero.
    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        self.members
            .remove(name)
            .and_then(|value| value.as_u64())
            .filter(|number| *number > 0)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.members.remove(name) == Some(Value::Bool(true))
    }

    /// Takes an object out.
    pub(super) fn object(&mut self, name: &str) -> Option<Document> {
        match self.members.remove(name) {
            Some(Value::Object(members)) => Some(Document::of(self.source.clone(), members)),
            _ => None,
        }
    }

    /// Takes out the objects of a list.
    pub(super) fn objects(&mut self, name: &str) -> Vec<Map<String, Value>> {
        let Some(Value::Array(items)) = self.members.remove(name) else {
            return Vec::new();
        };
        let objects = items.into_iter().filter_map(|item| match item {
            Value::Object(members) => Some(members),
            _ => None,
        });
        objects.collect()
    }

    /// `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`, the last two where they apply.
    pub(super) fn key(&mut self) -> Result<Credentials, CredentialsError> {
        let mut credentials = Credentials::new(
            self.required("AccessKeyId")?,
            Secret::new(self.required("AccessKeySecret")?),
        );
        if let Some(token) = self.text("SecurityToken") {
            credentials = credentials.with_security_token(token);
        }
        let end = match self.members.remove("Expiration") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            // Without the cause, which shows the value.
            Some(Value::String(text)) => Some(Timestamp::parse_iso8601(&text).map_err(|_| self.wrong("Expiration"))?),
            Some(_) => return Err(self.wrong("Expiration")),
        };
        if let Some(end) = end {
            credentials = credentials.with_expiration(end);
        }
        Ok(credentials)
    }

    /// The same of a service whose credentials always end: without an end they would be asked for before every attempt.
    pub(super) fn temporary_key(&mut self) -> Result<Credentials, CredentialsError> {
        let credentials = self.key()?;
        if credentials.expiration().is_none() {
            return Err(CredentialsError::new(format!(
                "{}: `Expiration` is missing",
                self.source
            )));
        }
        Ok(credentials)
    }

    /// `access_key_id`, `access_key_secret` and `sts_token`, the names of the command line tool.
    pub(super) fn snake_case_key(&mut self) -> Result<Credentials, CredentialsError> {
        let id = self.required("access_key_id")?;
        let credentials = Credentials::new(id, Secret::new(self.required("access_key_secret")?));
        let Some(token) = self.text("sts_token") else {
            return Ok(credentials);
        };
        let credentials = credentials.with_security_token(token);
        let end = self
            .number("sts_expiration")
            .and_then(|seconds| Timestamp::from_unix(i64::try_from(seconds).ok()?));
        Ok(match end {
            Some(end) => credentials.with_expiration(end),
            None => credentials,
        })
    }

    fn wrong(&self, name: &str) -> CredentialsError {
        CredentialsError::new(format!("{}: `{name}` is not of its form", self.source))
    }
}
