//! Forms by which browsers upload objects: what they may send, and the signature over it.
//!
//! A page that lets its visitors upload needs no key in it and no server that passes the bytes on: the application signs
//! a form, and the visitor's browser sends it with the file to the service. The [`PostPolicy`] says what may be
//! uploaded, [`Client::presign_post`](crate::Client::presign_post) makes the [`PostForm`] of it.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use oss_sdk::PostPolicy;
//!
//! # async fn example(client: &oss_sdk::Client) -> Result<(), oss_sdk::Error> {
//! let policy = PostPolicy::for_prefix("examplebucket", "uploads/visitor-17/")
//!     .content_length(1..=10 * 1024 * 1024)
//!     .content_types(["image/png", "image/jpeg"])
//!     .metadata("visitor", "17")
//!     .success_action_status(201);
//! let form = client.presign_post(policy, Duration::from_secs(600)).await?;
//! println!("POST {}", form.url);
//! for (name, value) in &form.fields {
//!     println!("{name}={value}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What the form's holder can change
//!
//! Every field of the form has exactly the value that was signed, or one that its condition allows; a changed one is
//! refused by the service. Fields that the policy does not name can be **added**, `x-oss-object-acl` among them. Where
//! that matters give them a value with [`field`](PostPolicy::field), such as `x-oss-object-acl` `default`.
//!
//! Whoever has the form can send it any number of times while it is valid. To keep an object from being replaced add the
//! field `x-oss-forbid-overwrite` with the value `true`.
//!
//! Rules and fields are those of the operation `PostObject` in the service's reference. One form carries one file of at
//! most 5 GiB. For a page of another origin the bucket needs a rule with `PutBucketCors`.

use std::fmt;
use std::ops::RangeInclusive;

use crate::error::Error;

mod condition;
mod form;
mod json;

pub use self::condition::Condition;
pub use self::form::PostForm;
pub(crate) use self::form::sign;
pub(crate) use self::json::Draft;

/// What the service puts the name of the visitor's file in place of.
const FILENAME: &str = "${filename}";

/// Largest object of a form.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// Content type of the object, whatever the browser says about the file.
const CONTENT_TYPE: &str = "x-oss-content-type";

/// What a form may upload.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a policy does nothing until a form is made of it"]
pub struct PostPolicy {
    bucket: String,
    /// The form's field.
    key: String,
    key_rule: KeyRule,
    size: Option<(u64, u64)>,
    conditions: Vec<Condition>,
    /// Fields with the values that they must have.
    fields: Vec<(String, String)>,
    endpoint: Option<(String, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyRule {
    /// The field as it is.
    Exact,
    Prefix(String),
}

impl PostPolicy {
    /// Allows one object with this key.
    pub fn for_key(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self::new(bucket.into(), key.into(), KeyRule::Exact)
    }

    /// Allows objects whose keys begin with `prefix`; an empty one allows every key.
    ///
    /// The form says `${filename}` behind the prefix, for which the service takes the name of the visitor's file. The
    /// page may put another key into the field `key`, as long as it begins like this.
    pub fn for_prefix(bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self::new(bucket.into(), format!("{prefix}{FILENAME}"), KeyRule::Prefix(prefix))
    }

    fn new(bucket: String, key: String, key_rule: KeyRule) -> Self {
        Self {
            bucket,
            key,
            key_rule,
            size: None,
            conditions: Vec::new(),
            fields: Vec::new(),
            endpoint: None,
        }
    }

    /// Sets the least and the greatest size of the file, in bytes, at most 5 GiB. Without it any size is allowed, none
    /// included.
    pub fn content_length(mut self, bytes: RangeInclusive<u64>) -> Self {
        self.size = Some(bytes.into_inner());
        self
    }

    /// Gives the object this content type, whatever the browser says about the file.
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        self.field(CONTENT_TYPE, content_type)
    }

    /// Allows these content types. The page has to put one of them into the field `x-oss-content-type`; it is what the
    /// object gets, whatever its bytes are.
    pub fn content_types(self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.condition(Condition::one_of(CONTENT_TYPE, allowed))
    }

    /// Allows content types that begin so, as `image/`. The page has to put one into the field `x-oss-content-type`.
    pub fn content_type_prefix(self, prefix: impl Into<String>) -> Self {
        self.condition(Condition::starts_with(CONTENT_TYPE, prefix))
    }

    /// Sets the status of the answer to a successful upload: 200 or 204 without a document, 201 with one that names the
    /// object. The service's default is 204.
    pub fn success_action_status(self, status: u16) -> Self {
        self.field("success_action_status", status.to_string())
    }

    /// Sends the browser to this URL after a successful upload, with `bucket`, `key` and `etag` in its query.
    pub fn success_action_redirect(self, url: impl Into<String>) -> Self {
        self.field("success_action_redirect", url)
    }

    /// Gives the object a metadata entry; the name is without `x-oss-meta-`.
    pub fn metadata(self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.field(format!("x-oss-meta-{}", name.as_ref()), value)
    }

    /// Adds any other field with the value that it must have, such as `Cache-Control`, `x-oss-storage-class`,
    /// `x-oss-object-acl`, `callback` or a variable `x:name` of it.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a condition on a field that the page fills in, or another one on the key.
    pub fn condition(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Addresses this form to another endpoint than the client's, as [`Call::endpoint`](crate::Call::endpoint) does:
    /// the public one, for a client that uses the internal one.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some((endpoint.into(), false));
        self
    }

    /// Addresses this form to a domain that is bound to the bucket, such as `https://img.example.com`.
    pub fn cname(mut self, domain: impl Into<String>) -> Self {
        self.endpoint = Some((domain.into(), true));
        self
    }
}

/// Without the values of fields.
impl fmt::Debug for PostPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("PostPolicy")
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("size", &self.size)
            .field("conditions", &self.conditions)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

impl PostPolicy {
    /// Refuses what no service would accept, or what would not mean what its writer thinks.
    fn check(&self) -> Result<(), Error> {
        match &self.key_rule {
            KeyRule::Exact if self.key.contains(FILENAME) => {
                let rule = "must not contain `${filename}`, which is known to the browser only; use `for_prefix`";
                return Err(Error::invalid_input("key", rule));
            }
            KeyRule::Prefix(prefix) if prefix.contains(FILENAME) => {
                return Err(Error::invalid_input("prefix", "must not contain `${filename}`"));
            }
            KeyRule::Exact if self.key.is_empty() => return Err(Error::invalid_input("key", "must not be empty")),
            KeyRule::Exact | KeyRule::Prefix(_) => condition::check_value("key", &self.key)?,
        }
        if let Some((least, most)) = self.size {
            if least > most {
                let rule = format!("must not begin behind its end, it is {least}..={most}");
                return Err(Error::invalid_input("content_length", rule));
            }
            if most > LARGEST {
                let rule = format!("must end at 5 GiB ({LARGEST} bytes) or before, it ends at {most}");
                return Err(Error::invalid_input("content_length", rule));
            }
        }
        for (index, (name, value)) in self.fields.iter().enumerate() {
            condition::check_name(name)?;
            condition::check_value(name, value)?;
            if name.eq_ignore_ascii_case("key") {
                return Err(Error::invalid_input("key", "is given to `for_key` or `for_prefix`"));
            }
            if (self.fields[..index].iter()).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
                return Err(Error::invalid_input(name, "must not be given twice"));
            }
            check_known(name, value)?;
        }
        for condition in &self.conditions {
            condition.check()?;
            if self.has_field(condition.field()) {
                return Err(Error::invalid_input(
                    condition.field(),
                    "must not have both a value and a condition",
                ));
            }
        }
        Ok(())
    }

    fn has_field(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// Fields whose values the service takes from a fixed set.
fn check_known(name: &str, value: &str) -> Result<(), Error> {
    let rule = match name.to_ascii_lowercase().as_str() {
        "success_action_status" if !["200", "201", "204"].contains(&value) => {
            format!("must be 200, 201 or 204, it is {value}")
        }
        "success_action_redirect" if !value.starts_with("https://") && !value.starts_with("http://") => {
            "must begin with `https://` or `http://`".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::invalid_input(name, rule))
}

#[cfg(test)]
mod tests;
