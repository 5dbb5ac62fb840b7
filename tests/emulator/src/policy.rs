//! Policies of the service: read from JSON, judged for a question.
//!
//! The same language serves policies of users and roles, of sessions and of buckets; those of buckets also say whom they are about. What
//! cannot be judged is refused when a policy is read, since to ignore a part of it could grant too much.

mod condition;
mod principal;
mod resource;
mod statement;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use principal::Asker;
use statement::Statement;

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

impl Verdict {
    /// Of two policies that both apply: a denial counts most, silence least.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            (Self::Allowed, _) | (_, Self::Allowed) => Self::Allowed,
            _ => Self::Silent,
        }
    }
}

/// What conditions can ask about: values by the names of condition keys, such as `acs:SourceIp`. What a request does not have is absent.
pub(crate) type Facts = BTreeMap<String, String>;

/// What is asked of a policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'q> {
    /// Such as `oss:GetObject`, in any case.
    pub(crate) action: &'q str,
    /// Full name, such as `acs:oss:cn-hangzhou:123:bucket/key`.
    pub(crate) resource: &'q str,
    /// Further full names of the same resource, where the service has several.
    pub(crate) aliases: &'q [String],
    pub(crate) asker: &'q Asker,
    /// The account that owns the resource.
    pub(crate) owner: &'q str,
    pub(crate) facts: &'q Facts,
}

/// A policy that can be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

impl Policy {
    /// Reads the policy of a user, a role or a session; the error says what is wrong with it.
    pub(crate) fn parse(document: &str) -> Result<Self, String> {
        read(document, Statement::of_identity)
    }

    /// What the policy says about an action on a resource when nothing else is known of the request.
    #[cfg(test)]
    pub(crate) fn evaluate(&self, action: &str, resource: &str) -> Verdict {
        self.judge(&Question {
            action,
            resource,
            aliases: &[],
            asker: &Asker::Anonymous,
            owner: "",
            facts: &Facts::new(),
        })
    }

    /// What the policy says.
    pub(crate) fn judge(&self, question: &Question<'_>) -> Verdict {
        judge(&self.statements, question)
    }

    /// The same without statements that open something to everybody, which do not count while public access is blocked.
    pub(crate) fn judge_without_public(&self, question: &Question<'_>) -> Verdict {
        judge(
            self.statements.iter().filter(|statement| !statement.is_public()),
            question,
        )
    }

    /// Whether it opens something to everybody.
    pub(crate) fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }
}

/// Reads the policy of a bucket.
pub(crate) fn bucket(document: &str) -> Result<Policy, String> {
    read(document, Statement::of_bucket)
}

/// Reads the policy of a table bucket or a table. Some pages of the service write actions of its tables as `osstables:GetTable`, and
/// principals as RAM does: `acs:ram::{account}:root` and `acs:ram::{account}:role/{role}`.
pub(crate) fn of_tables(document: &str) -> Result<Policy, String> {
    let mut root: Value = serde_json::from_str(document).map_err(|error| format!("the policy is not JSON: {error}"))?;
    let statements = root.get_mut("Statement").and_then(Value::as_array_mut);
    for statement in statements.into_iter().flatten() {
        for (name, rewritten) in [
            ("Action", plain_action as fn(&str) -> Option<String>),
            ("NotAction", plain_action),
            ("Principal", plain_principal),
        ] {
            let texts = match statement.get_mut(name) {
                Some(Value::Array(items)) => items.iter_mut().collect(),
                Some(text) => vec![text],
                None => Vec::new(),
            };
            for text in texts {
                if let Some(other) = text.as_str().and_then(rewritten) {
                    *text = Value::String(other);
                }
            }
        }
    }
    of_value(&root, Statement::of_bucket)
}

fn plain_action(text: &str) -> Option<String> {
    // Actions are the same in any case.
    let (service, name) = text.split_once(':')?;
    service.eq_ignore_ascii_case("osstables").then(|| format!("oss:{name}"))
}

fn plain_principal(text: &str) -> Option<String> {
    let (account, rest) = text.strip_prefix("acs:ram::")?.split_once(':')?;
    match rest.split_once('/') {
        None if rest == "root" => Some(account.to_owned()),
        Some(("role", role)) => Some(format!("arn:sts::{account}:assumed-role/{role}/*")),
        _ => None,
    }
}

fn judge<'s>(statements: impl IntoIterator<Item = &'s Statement>, question: &Question<'_>) -> Verdict {
    let mut verdict = Verdict::Silent;
    for statement in statements {
        verdict = verdict.or(statement.judge(question));
    }
    verdict
}

fn read(document: &str, statement: fn(&Value) -> Result<Statement, String>) -> Result<Policy, String> {
    let root: Value = serde_json::from_str(document).map_err(|error| format!("the policy is not JSON: {error}"))?;
    of_value(&root, statement)
}

fn of_value(root: &Value, statement: fn(&Value) -> Result<Statement, String>) -> Result<Policy, String> {
    let fields = root.as_object().ok_or("the policy is not a JSON object")?;
    if let Some(other) = fields
        .keys()
        .find(|name| !matches!(name.as_str(), "Version" | "Statement"))
    {
        return Err(format!("a policy has no element {other}"));
    }
    if root.get("Version").and_then(Value::as_str) != Some("1") {
        return Err("the Version of the policy is not \"1\"".to_owned());
    }
    let statements = root
        .get("Statement")
        .and_then(Value::as_array)
        .ok_or("the policy has no list Statement")?;
    Ok(Policy {
        statements: statements.iter().map(statement).collect::<Result<_, _>>()?,
    })
}

/// The texts of an element that is a text or a list of texts.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("{name} of a statement holds something that is not text")),
        _ => Err(format!("{name} of a statement is neither text nor a list of texts")),
    }
}

#[cfg(test)]
mod tests;
