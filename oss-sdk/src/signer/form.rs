//! What is signed of an upload form, and what the signature adds to it.

use std::fmt;

use crate::post_policy::Draft;
use crate::time::Timestamp;

/// A form whose policy is to be signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FormRequest<'a> {
    /// Region of the V4 scope (or the id of the cloud box in its place).
    pub region: &'a str,
    /// Product of the V4 scope.
    pub product: &'a str,
    /// Time of signing.
    pub time: Timestamp,
    draft: &'a Draft,
}

impl<'a> FormRequest<'a> {
    pub(crate) fn new(draft: &'a Draft, region: &'a str, product: &'a str, time: Timestamp) -> Self {
        Self {
            region,
            product,
            time,
            draft,
        }
    }

    /// The policy in Base64, with the conditions that these fields have exactly these values.
    pub fn policy(&self, bound: &[(&str, &str)]) -> String {
        self.draft.to_base64(bound)
    }
}

/// A signed policy: what to add to the form.
#[derive(Clone, PartialEq, Eq)]
pub struct FormSignature {
    policy: String,
    fields: Vec<(String, String)>,
}

impl FormSignature {
    /// A policy in Base64, as it was signed.
    pub fn new(policy: impl Into<String>) -> Self {
        Self {
            policy: policy.into(),
            fields: Vec::new(),
        }
    }

    /// Adds a field of the form, such as the signature.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.fields.push((name.into(), value.into()));
    }

    /// The policy, and the fields beside it.
    pub(crate) fn into_parts(self) -> (String, Vec<(String, String)>) {
        (self.policy, self.fields)
    }
}

/// Shows no values: they are as good as a password for as long as they are valid.
impl fmt::Debug for FormSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("FormSignature")
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}
