//! Conditions on the fields of a form.

use super::json;
use crate::error::Error;

/// Longest value of a field, in bytes.
const LONGEST: usize = 64 * 1024;

/// Fields that belong to the signature or to the form itself.
const RESERVED: [&str; 11] = [
    "bucket",
    "file",
    "ossaccesskeyid",
    "policy",
    "signature",
    "submit",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// What a field must be that the page fills in. For a field with one value see [`PostPolicy::field`].
///
/// [`PostPolicy::field`]: super::PostPolicy::field
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The field begins so.
    StartsWith {
        /// Name of the field.
        field: String,
        /// The beginning; an empty one allows every value.
        prefix: String,
    },
    /// The field is one of these.
    OneOf {
        /// Name of the field.
        field: String,
        /// The values, at least one.
        values: Vec<String>,
    },
    /// The field is none of these.
    NoneOf {
        /// Name of the field.
        field: String,
        /// The values, at least one.
        values: Vec<String>,
    },
}

impl Condition {
    /// The field begins so.
    pub fn starts_with(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Condition::StartsWith {
            field: field.into(),
            prefix: prefix.into(),
        }
    }

    /// The field is one of these.
    pub fn one_of(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Condition::OneOf {
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// The field is none of these. A form without the field is allowed.
    pub fn none_of(field: impl Into<String>, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Condition::NoneOf {
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// Name of the field.
    pub fn field(&self) -> &str {
        match self {
            Condition::StartsWith { field, .. } | Condition::OneOf { field, .. } | Condition::NoneOf { field, .. } => {
                field
            }
        }
    }

    /// Whether a form without the field is refused.
    pub(super) fn needs_field(&self) -> bool {
        match self {
            Condition::StartsWith { prefix, .. } => !prefix.is_empty(),
            Condition::OneOf { .. } => true,
            Condition::NoneOf { .. } => false,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        check_name(self.field())?;
        match self {
            Condition::StartsWith { field, prefix } => check_value(field, prefix),
            Condition::OneOf { field, values } | Condition::NoneOf { field, values } => {
                if values.is_empty() {
                    return Err(Error::invalid_input(
                        field,
                        "must have at least one value in its condition",
                    ));
                }
                values.iter().try_for_each(|value| check_value(field, value))
            }
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        match self {
            Condition::StartsWith { field, prefix } => json::operation(out, "starts-with", field, prefix),
            Condition::OneOf { field, values } => json::operation_with_list(out, "in", field, values),
            Condition::NoneOf { field, values } => json::operation_with_list(out, "not-in", field, values),
        }
    }
}

/// The name of a field that a caller may set. It stands in a header of the form, so it must not break out of it.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if name.is_empty() || name.len() > 255 || !name.bytes().all(is_plain) {
        let rule = "must have a name of 1 to 255 of `A-Z`, `a-z`, `0-9`, `-`, `_`, `.` and `:`";
        return Err(Error::invalid_input("field", rule));
    }
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Error::invalid_input(name, "is a field that signing or the page adds"));
    }
    Ok(())
}

/// The value of a field. Most become headers of the object.
pub(super) fn check_value(name: &str, value: &str) -> Result<(), Error> {
    if value.len() > LONGEST {
        let rule = format!("must have at most {LONGEST} bytes, it has {}", value.len());
        return Err(Error::invalid_input(name, rule));
    }
    if value.contains(char::is_control) {
        return Err(Error::invalid_input(name, "must not contain control characters"));
    }
    Ok(())
}
