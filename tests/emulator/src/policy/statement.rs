//! One statement of a policy: who may, or may not, do what with what, and when.

use serde_json::Value;

use super::condition::{self, Condition};
use super::principal::Principals;
use super::resource::Pattern;
use super::{Asker, Question, Verdict, texts};
use crate::text::wildcard;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    allow: bool,
    /// Patterns in lower case.
    actions: Vec<String>,
    /// `NotAction`: all actions but those.
    other_actions: bool,
    resources: Vec<Pattern>,
    /// `NotResource`: all resources but those.
    other_resources: bool,
    /// In bucket policies only.
    principals: Option<Principals>,
    conditions: Vec<Condition>,
}

impl Statement {
    /// Reads a statement about whoever holds the policy.
    pub(super) fn of_identity(value: &Value) -> Result<Self, String> {
        read(value, false)
    }

    /// Reads a statement that names its principals.
    pub(super) fn of_bucket(value: &Value) -> Result<Self, String> {
        let statement = read(value, true)?;
        if condition::address_without_network(&statement.conditions) {
            return Err("a condition on acs:SourceIp needs another on acs:SourceVpc beside it".to_owned());
        }
        Ok(statement)
    }

    pub(super) fn judge(&self, question: &Question<'_>) -> Verdict {
        let action = question.action.to_ascii_lowercase();
        let mut names = std::iter::once(question.resource).chain(question.aliases.iter().map(String::as_str));
        let names_it = names.any(|name| self.resources.iter().any(|pattern| pattern.matches(name)));
        let applies = self.concerns(question.asker, question.owner)
            && self.actions.iter().any(|pattern| wildcard(pattern, &action)) != self.other_actions
            && names_it != self.other_resources
            && self.conditions.iter().all(|condition| condition.holds(question.facts));
        match (applies, self.allow) {
            (false, _) => Verdict::Silent,
            (true, true) => Verdict::Allowed,
            (true, false) => Verdict::Denied,
        }
    }

    /// Whether it opens something to everybody: judged by principals and conditions, never by actions and resources.
    pub(super) fn is_public(&self) -> bool {
        let named = self.principals.as_ref().is_none_or(Principals::fixed);
        self.allow && !named && !self.conditions.iter().any(Condition::fixes)
    }

    /// A statement about everyone spares the owner unless it has conditions, so that owners do not lock themselves out.
    fn concerns(&self, asker: &Asker, owner: &str) -> bool {
        let Some(principals) = &self.principals else {
            return true;
        };
        let is_owner = matches!(asker, Asker::Account(account) if account == owner);
        if is_owner && principals.everyone() && self.conditions.is_empty() {
            return false;
        }
        principals.include(asker)
    }
}

fn read(value: &Value, of_bucket: bool) -> Result<Statement, String> {
    let fields = value.as_object().ok_or("a statement of the policy is not an object")?;
    let known = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let foreign = |name: &&String| !(known.contains(&name.as_str()) || of_bucket && *name == "Principal");
    if let Some(other) = fields.keys().find(foreign) {
        return Err(format!("the emulator does not evaluate {other} in this kind of policy"));
    }
    let allow = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("the Effect of a statement is neither Allow nor Deny".to_owned()),
    };
    let (actions, other_actions) = one_of(value, "Action", "NotAction")?;
    if let Some(odd) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
        return Err(format!("the action {odd} names no service"));
    }
    let (resources, other_resources) = one_of(value, "Resource", "NotResource")?;
    let principals = fields.get("Principal").map(Principals::parse).transpose()?;
    if of_bucket && principals.is_none() {
        return Err("a statement of the policy has no Principal".to_owned());
    }
    Ok(Statement {
        allow,
        actions: actions.iter().map(|action| action.to_ascii_lowercase()).collect(),
        other_actions,
        resources: resources
            .iter()
            .map(|text| Pattern::parse(text))
            .collect::<Result<_, _>>()?,
        other_resources,
        principals,
        conditions: fields
            .get("Condition")
            .map(condition::parse)
            .transpose()?
            .unwrap_or_default(),
    })
}

/// The texts of one of two elements, and whether it was the second.
fn one_of(statement: &Value, name: &str, inverse: &str) -> Result<(Vec<String>, bool), String> {
    let (name, found, inverted) = match (statement.get(name), statement.get(inverse)) {
        (Some(found), None) => (name, found, false),
        (None, Some(found)) => (inverse, found, true),
        _ => return Err(format!("a statement of the policy needs one of {name} and {inverse}")),
    };
    let found = texts(name, found)?;
    if found.is_empty() {
        return Err(format!("{name} of a statement is empty"));
    }
    Ok((found, inverted))
}
