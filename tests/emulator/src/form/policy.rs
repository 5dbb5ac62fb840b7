//! Policies of forms: until when a form may be sent, and what its fields must be.

use std::time::SystemTime;

use serde_json::Value as Json;

use super::Fields;
use crate::error::ServiceError;
use crate::{text, time};

/// A policy that was read and is well-formed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    expiration: SystemTime,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    /// As the policy has it, for the refusal.
    source: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equals(String, String),
    StartsWith(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Length(u64, u64),
}

impl Policy {
    /// Reads a policy: JSON in Base64.
    pub(super) fn parse(base64: &str) -> Result<Self, ServiceError> {
        let bytes = text::base64_decode(base64).ok_or_else(|| invalid("it is not Base64"))?;
        let json: Json = serde_json::from_slice(&bytes).map_err(|error| invalid(&format!("Invalid JSON: {error}")))?;
        let object = json
            .as_object()
            .ok_or_else(|| invalid("Invalid JSON: it is not an object"))?;
        let expiration = object
            .get("expiration")
            .ok_or_else(|| invalid("Policy missing expiration"))?
            .as_str()
            .and_then(time::parse_iso8601)
            .ok_or_else(|| invalid("Invalid 'expiration' value"))?;
        let conditions = object
            .get("conditions")
            .ok_or_else(|| invalid("Policy missing conditions"))?
            .as_array()
            .ok_or_else(|| invalid("Invalid 'conditions' value: must be a List"))?;
        Ok(Self {
            expiration,
            conditions: conditions.iter().map(condition).collect::<Result<_, _>>()?,
        })
    }

    /// Least and greatest size of the file.
    pub(super) fn sizes(&self) -> (Option<u64>, Option<u64>) {
        self.conditions
            .iter()
            .fold((None, None), |sizes, condition| match condition.test {
                Test::Length(least, most) => (
                    Some(sizes.0.map_or(least, |other: u64| other.max(least))),
                    Some(sizes.1.map_or(most, |other: u64| other.min(most))),
                ),
                _ => sizes,
            })
    }

    /// Holds the fields of a form against the policy.
    pub(super) fn check(&self, bucket: &str, fields: &Fields, now: SystemTime) -> Result<(), ServiceError> {
        if now >= self.expiration {
            return Err(ServiceError::access_denied(
                "Invalid according to Policy: Policy expired.",
            ));
        }
        if fields.get("x-oss-signature-version").is_some() {
            self.check_binding()?;
        }
        for condition in &self.conditions {
            let value = |name: &str| match name {
                "bucket" => bucket.to_owned(),
                name => fields.get(name).unwrap_or_default().to_owned(),
            };
            let holds = match &condition.test {
                Test::Equals(name, wanted) => value(name) == *wanted,
                Test::StartsWith(name, start) => value(name).starts_with(start.as_str()),
                Test::In(name, allowed) => allowed.contains(&value(name)),
                Test::NotIn(name, denied) => !denied.contains(&value(name)),
                Test::Length(..) => true,
            };
            if !holds {
                return Err(ServiceError::access_denied(format!(
                    "Invalid according to Policy: Policy Condition failed: {}",
                    condition.source
                )));
            }
        }
        Ok(())
    }
}

impl Policy {
    /// A V4 signature covers nothing but the policy: what else belongs to it must be there, or anybody could change it.
    fn check_binding(&self) -> Result<(), ServiceError> {
        for part in ["x-oss-signature-version", "x-oss-credential", "x-oss-date"] {
            let binds = |condition: &Condition| matches!(&condition.test, Test::Equals(name, _) if name == part);
            if !self.conditions.iter().any(binds) {
                return Err(ServiceError::access_denied(format!(
                    "Invalid according to Policy: there is no condition that {part} equals a value."
                )));
            }
        }
        Ok(())
    }
}

/// Reads `{"name": "value"}` or `["operator", ...]`.
fn condition(json: &Json) -> Result<Condition, ServiceError> {
    let test = match json {
        Json::Object(object) => {
            let mut properties = object.iter();
            match (properties.next(), properties.next()) {
                (Some((name, Json::String(value))), None) => Test::Equals(name.to_ascii_lowercase(), value.clone()),
                (Some(_), None) => return Err(invalid("Invalid Simple-Condition: the value must be a String")),
                _ => {
                    return Err(invalid(
                        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified",
                    ));
                }
            }
        }
        Json::Array(items) => match items.as_slice() {
            [Json::String(operator), rest @ ..] => operation(&operator.to_ascii_lowercase(), rest)?,
            _ => return Err(invalid("Invalid Condition: it has no operator")),
        },
        _ => return Err(invalid("Invalid Condition: it is neither a List nor an Object")),
    };
    Ok(Condition {
        source: json.to_string(),
        test,
    })
}

fn operation(operator: &str, operands: &[Json]) -> Result<Test, ServiceError> {
    if operator == "content-length-range" {
        let [least, most] = operands else {
            return Err(invalid("Invalid content-length-range: wrong number of arguments"));
        };
        let number = |json: &Json| {
            json.as_u64()
                .or_else(|| json.as_str()?.parse().ok())
                .ok_or_else(|| invalid("Invalid content-length-range: invalid type"))
        };
        let (least, most) = (number(least)?, number(most)?);
        return match least <= most {
            true => Ok(Test::Length(least, most)),
            false => Err(invalid("Invalid content-length-range: the minimum exceeds the maximum")),
        };
    }
    let [Json::String(name), operand] = operands else {
        return Err(invalid("Invalid Condition: wrong number of arguments or invalid type"));
    };
    // `$` marks fields of the form; the service's own examples for `not-in` come without it, too.
    let name = name.strip_prefix('$').unwrap_or(name).to_ascii_lowercase();
    let list = || {
        let items = operand.as_array()?.iter().map(|item| item.as_str().map(str::to_owned));
        items.collect::<Option<Vec<_>>>()
    };
    let text = operand.as_str().map(str::to_owned);
    let wrong_type = || invalid("Invalid Condition: invalid type of the value");
    match operator {
        "eq" => Ok(Test::Equals(name, text.ok_or_else(wrong_type)?)),
        "starts-with" => Ok(Test::StartsWith(name, text.ok_or_else(wrong_type)?)),
        "in" => Ok(Test::In(name, list().ok_or_else(wrong_type)?)),
        "not-in" => Ok(Test::NotIn(name, list().ok_or_else(wrong_type)?)),
        other => Err(invalid(&format!("Invalid Condition: unknown operator {other}"))),
    }
}

fn invalid(why: &str) -> ServiceError {
    ServiceError::new(400, "InvalidPolicyDocument", format!("Invalid Policy: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(conditions: &str) -> Result<Policy, ServiceError> {
        let json = format!("{{\"expiration\":\"2024-01-01T00:00:00.000Z\",\"conditions\":[{conditions}]}}");
        Policy::parse(&text::base64(json.as_bytes()))
    }

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn conditions_hold_or_name_themselves() {
        let form = fields(&[("key", "user/a.png"), ("x-oss-meta-a", "b")]);
        let before = time::parse_iso8601("2023-12-31T00:00:00Z").unwrap();
        for (conditions, holds) in [
            ("", true),
            (r#"{"bucket":"bucket"}"#, true),
            (r#"{"bucket":"other"}"#, false),
            (r#"["eq","$bucket","bucket"]"#, true),
            (r#"["starts-with","$key","user/"]"#, true),
            (r#"["starts-with","$key","other/"]"#, false),
            (r#"["starts-with","$key",""]"#, true),
            (r#"["eq","$X-Oss-Meta-A","b"]"#, true),
            (r#"["in","$key",["user/a.png"]]"#, true),
            (r#"["in","$content-type",["image/png"]]"#, false),
            (r#"["not-in","$cache-control",["no-cache"]]"#, true),
            (r#"["not-in","$key",["user/a.png"]]"#, false),
            (r#"["content-length-range",1,10]"#, true),
        ] {
            let found = policy(conditions).unwrap().check("bucket", &form, before);
            assert_eq!(found.is_ok(), holds, "{conditions}");
            if let Err(error) = found {
                assert_eq!(error.code, "AccessDenied");
                assert!(error.message.contains(conditions), "{}", error.message);
            }
        }
        let after = time::parse_iso8601("2024-01-01T00:00:00Z").unwrap();
        let expired = policy("").unwrap().check("bucket", &form, after).unwrap_err();
        assert!(expired.message.contains("expired"));
    }

    #[test]
    fn malformed_policies_are_refused() {
        for conditions in [
            "1",
            "[]",
            "{}",
            r#"{"a":"b","c":"d"}"#,
            r#"{"a":1}"#,
            r#"["eq","$key"]"#,
            r#"["eq","$key",1]"#,
            r#"["like","$key","a"]"#,
            r#"["not-in","cache-control","no-cache"]"#,
            r#"["content-length-range","test",10]"#,
            r#"["content-length-range",11,10]"#,
            r#"["content-length-range",11]"#,
        ] {
            assert_eq!(
                policy(conditions).unwrap_err().code,
                "InvalidPolicyDocument",
                "{conditions}"
            );
        }
        for document in [
            "",
            "[]",
            "{}",
            r#"{"expiration":"soon","conditions":[]}"#,
            r#"{"expiration":"2024-01-01T00:00:00Z"}"#,
        ] {
            assert!(Policy::parse(&text::base64(document.as_bytes())).is_err(), "{document}");
        }
        assert!(Policy::parse("%%%").is_err());
    }

    #[test]
    fn sizes_narrow_each_other() {
        let policy = policy(r#"["content-length-range",1,10],["content-length-range",5,20]"#).unwrap();
        assert_eq!(policy.sizes(), (Some(5), Some(10)));
    }
}
