//! RAM policies: read from JSON, evaluated for an action on a resource.
//!
//! Understood are `Effect`, `Action`, `NotAction`, `Resource` and `NotResource` with wildcards. A statement with a `Condition` or
//! any other element is refused when the policy is read, since to ignore it could grant too much.

use serde_json::Value;

use crate::text::wildcard;

/// What a policy says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement speaks of it.
    Silent,
}

/// A policy that can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    allow: bool,
    actions: Patterns,
    resources: Patterns,
}

/// Patterns, or everything but what they match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Patterns {
    patterns: Vec<String>,
    inverted: bool,
}

impl Patterns {
    fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| wildcard(pattern, text)) != self.inverted
    }
}

impl Policy {
    /// Reads a policy; the error says what is wrong with it.
    pub(crate) fn parse(document: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(document).map_err(|error| format!("the policy is not JSON: {error}"))?;
        if root.get("Version").and_then(Value::as_str) != Some("1") {
            return Err("the Version of the policy is not \"1\"".to_owned());
        }
        let statements = root
            .get("Statement")
            .and_then(Value::as_array)
            .ok_or("the policy has no list Statement")?;
        Ok(Self {
            statements: statements.iter().map(statement).collect::<Result<_, _>>()?,
        })
    }

    /// What the policy says about `action` on any of the names of a resource.
    pub(crate) fn evaluate(&self, action: &str, resource: &str) -> Verdict {
        let action = action.to_ascii_lowercase();
        let applies =
            |statement: &&Statement| statement.actions.matches(&action) && statement.resources.matches(resource);
        let mut verdict = Verdict::Silent;
        for statement in self.statements.iter().filter(applies) {
            if !statement.allow {
                return Verdict::Denied;
            }
            verdict = Verdict::Allowed;
        }
        verdict
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let fields = value.as_object().ok_or("a statement of the policy is not an object")?;
    let known = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"];
    if let Some(other) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("the emulator does not evaluate {other} in a policy"));
    }
    let allow = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("the Effect of a statement is neither Allow nor Deny".to_owned()),
    };
    let mut actions = patterns(value, "Action", "NotAction")?;
    for pattern in &mut actions.patterns {
        pattern.make_ascii_lowercase();
    }
    Ok(Statement {
        allow,
        actions,
        resources: patterns(value, "Resource", "NotResource")?,
    })
}

fn patterns(statement: &Value, name: &str, inverse: &str) -> Result<Patterns, String> {
    let (found, inverted) = match (statement.get(name), statement.get(inverse)) {
        (Some(found), None) => (found, false),
        (None, Some(found)) => (found, true),
        _ => {
            return Err(format!("a statement of the policy needs one of {name} and {inverse}"));
        }
    };
    let texts = match found {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => {
            let texts = items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>();
            texts.ok_or_else(|| format!("{name} of a statement holds something that is not text"))?
        }
        _ => {
            return Err(format!("{name} of a statement is neither text nor a list of texts"));
        }
    };
    Ok(Patterns {
        patterns: texts,
        inverted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ_ONLY: &str = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":["oss:Get*","oss:ListObjects"],"Resource":"acs:oss:*:*:data*"},
        {"Effect":"Deny","Action":"oss:*","Resource":["acs:oss:*:*:data/secret/*"]}]}"#;

    #[test]
    fn deny_beats_allow_and_silence_is_no_permission() {
        let policy = Policy::parse(READ_ONLY).unwrap();
        for (action, resource, verdict) in [
            ("oss:GetObject", "acs:oss:cn:1:data/a", Verdict::Allowed),
            ("oss:getobject", "acs:oss:cn:1:data/a", Verdict::Allowed),
            ("oss:GetObject", "acs:oss:cn:1:data/secret/a", Verdict::Denied),
            ("oss:PutObject", "acs:oss:cn:1:data/a", Verdict::Silent),
            ("oss:GetObject", "acs:oss:cn:1:other/a", Verdict::Silent),
        ] {
            assert_eq!(policy.evaluate(action, resource), verdict, "{action} {resource}");
        }
    }

    #[test]
    fn inverted_lists_mean_everything_else() {
        let policy = Policy::parse(
            r#"{"Version":"1","Statement":[{"Effect":"Allow","NotAction":"oss:Delete*","Resource":"*"}]}"#,
        )
        .unwrap();
        assert_eq!(policy.evaluate("oss:GetObject", "x"), Verdict::Allowed);
        assert_eq!(policy.evaluate("oss:DeleteObject", "x"), Verdict::Silent);
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused() {
        for document in [
            "",
            "[]",
            r#"{"Version":"2","Statement":[]}"#,
            r#"{"Version":"1"}"#,
            r#"{"Version":"1","Statement":[1]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":[1],"Resource":"*"}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}"#,
        ] {
            assert!(Policy::parse(document).is_err(), "{document}");
        }
    }
}
