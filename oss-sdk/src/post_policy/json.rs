//! The policy as JSON. It has few forms, so it is written here and not by a crate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{KeyRule, PostPolicy};
use crate::time::Timestamp;

/// A policy that lacks nothing but the conditions of its signature.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Up to the last condition.
    text: String,
}

impl Draft {
    pub(super) fn new(policy: &PostPolicy, bucket: &str, expiration: Timestamp) -> Self {
        let mut text = String::with_capacity(512);
        text.push_str("{\"expiration\":");
        string(&mut text, &expiration.to_iso8601());
        text.push_str(",\"conditions\":[");
        equals(&mut text, "bucket", bucket);
        text.push(',');
        match &policy.key_rule {
            KeyRule::Exact => operation(&mut text, "eq", "key", &policy.key),
            KeyRule::Prefix(prefix) => operation(&mut text, "starts-with", "key", prefix),
        }
        if let Some((least, most)) = policy.size {
            text.push_str(&format!(",[\"content-length-range\",{least},{most}]"));
        }
        for condition in &policy.conditions {
            text.push(',');
            condition.write(&mut text);
        }
        for (name, value) in &policy.fields {
            text.push(',');
            operation(&mut text, "eq", name, value);
        }
        Draft { text }
    }

    /// The whole policy in Base64, with these fields bound to their values.
    pub(crate) fn to_base64(&self, bound: &[(&str, &str)]) -> String {
        let mut text = self.text.clone();
        for (name, value) in bound {
            text.push(',');
            equals(&mut text, name, value);
        }
        text.push_str("]}");
        BASE64.encode(text)
    }
}

/// `{"name":"value"}`.
fn equals(out: &mut String, name: &str, value: &str) {
    out.push('{');
    string(out, name);
    out.push(':');
    string(out, value);
    out.push('}');
}

/// `["operator","$field","operand"]`.
pub(super) fn operation(out: &mut String, operator: &str, field: &str, operand: &str) {
    begin(out, operator, field);
    string(out, operand);
    out.push(']');
}

/// `["operator","$field",["operand","operand"]]`.
pub(super) fn operation_with_list(out: &mut String, operator: &str, field: &str, operands: &[String]) {
    begin(out, operator, field);
    out.push('[');
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(out, operand);
    }
    out.push_str("]]");
}

fn begin(out: &mut String, operator: &str, field: &str) {
    out.push('[');
    string(out, operator);
    out.push_str(",\"$");
    escaped(out, field);
    out.push_str("\",");
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// Quotes, backslashes and control characters are escaped (RFC 8259, section 7).
fn escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_so_that_it_stays_one_string() {
        for (found, expected) in [
            ("plain", r#""plain""#),
            (r#"a","b":"c"#, r#""a\",\"b\":\"c""#),
            (r"back\slash", r#""back\\slash""#),
            ("line\nbreak\u{1}", "\"line\\u000abreak\\u0001\""),
            ("日本 ü/$", "\"日本 ü/$\""),
        ] {
            let mut out = String::new();
            string(&mut out, found);
            assert_eq!(out, expected);
        }
    }
}
