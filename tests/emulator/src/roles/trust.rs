//! The trust policy of a role: who may assume it, and under which conditions.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::wildcard;

/// Facts that conditions may ask about.
const KEYS: &[&str] = &["sts:ExternalId", "oidc:iss", "oidc:aud", "oidc:sub"];

/// Who wants to assume a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Somebody of an account: `acs:ram::{account}:user/{name}`, `...:role/{name}` or `...:root`.
    Ram { account: String, arn: String },
    /// The holder of a token of an identity provider, by the provider's ARN.
    Federated(String),
    /// A service of the cloud.
    Service(&'static str),
}

/// A trust policy that can be evaluated.
#[derive(Debug)]
pub(crate) struct Trust {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    allow: bool,
    ram: Vec<String>,
    federated: Vec<String>,
    services: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    key: &'static str,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Operator {
    negated: bool,
    comparison: Comparison,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equals,
    EqualsIgnoringCase,
    Like,
}

impl Trust {
    /// Trusts whoever belongs to an account.
    pub(crate) fn of_account(account: &str) -> Self {
        let statement = Statement {
            allow: true,
            ram: vec![format!("acs:ram::{account}:root")],
            federated: Vec::new(),
            services: Vec::new(),
            conditions: Vec::new(),
        };
        Self {
            statements: vec![statement],
        }
    }

    /// Reads a trust policy; the error says what is wrong with it.
    pub(crate) fn parse(document: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(document).map_err(|error| format!("it is not JSON: {error}"))?;
        if root.get("Version").and_then(Value::as_str) != Some("1") {
            return Err("its Version is not \"1\"".to_owned());
        }
        let statements = root
            .get("Statement")
            .and_then(Value::as_array)
            .ok_or("it has no list Statement")?;
        Ok(Self {
            statements: statements.iter().map(statement).collect::<Result<_, _>>()?,
        })
    }

    /// Whether somebody may assume the role. Facts that a request lacks are not in `facts`.
    pub(crate) fn admits(&self, asks: &Asks, facts: &BTreeMap<&str, Vec<String>>) -> bool {
        let applying = || {
            self.statements.iter().filter(|statement| {
                statement.names(asks) && statement.conditions.iter().all(|condition| condition.holds(facts))
            })
        };
        applying().any(|statement| statement.allow) && applying().all(|statement| statement.allow)
    }
}

impl Statement {
    fn names(&self, asks: &Asks) -> bool {
        match asks {
            Asks::Ram { account, arn } => {
                let root = format!("acs:ram::{account}:root");
                self.ram
                    .iter()
                    .any(|trusted| *trusted == root || trusted.eq_ignore_ascii_case(arn))
            }
            Asks::Federated(provider) => self.federated.contains(provider),
            Asks::Service(service) => self.services.iter().any(|trusted| trusted == service),
        }
    }
}

impl Condition {
    /// A fact with several values, such as the audiences of a token, satisfies by any of them. One that is missing satisfies
    /// what is negated only.
    fn holds(&self, facts: &BTreeMap<&str, Vec<String>>) -> bool {
        let found = facts.get(self.key).is_some_and(|facts| {
            facts.iter().any(|fact| {
                self.values.iter().any(|value| match self.operator.comparison {
                    Comparison::Equals => value == fact,
                    Comparison::EqualsIgnoringCase => value.eq_ignore_ascii_case(fact),
                    Comparison::Like => wildcard(value, fact),
                })
            })
        });
        found != self.operator.negated
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let fields = value.as_object().ok_or("a statement is not an object")?;
    let known = ["Action", "Condition", "Effect", "Principal", "Sid"];
    if let Some(other) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("the emulator does not evaluate {other}"));
    }
    let allow = match value.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("the Effect of a statement is neither Allow nor Deny".to_owned()),
    };
    let actions = texts(value.get("Action"), "Action")?;
    if !actions
        .iter()
        .any(|action| wildcard(&action.to_ascii_lowercase(), "sts:assumerole"))
    {
        return Err("a statement is not about sts:AssumeRole".to_owned());
    }
    let principals = value
        .get("Principal")
        .and_then(Value::as_object)
        .ok_or("a statement has no Principal")?;
    if let Some(other) = principals
        .keys()
        .find(|name| !["Federated", "RAM", "Service"].contains(&name.as_str()))
    {
        return Err(format!("there are no principals of the kind {other}"));
    }
    let of_kind = |kind: &str| match principals.get(kind) {
        Some(names) => texts(Some(names), kind),
        None => Ok(Vec::new()),
    };
    Ok(Statement {
        allow,
        ram: of_kind("RAM")?,
        federated: of_kind("Federated")?,
        services: of_kind("Service")?,
        conditions: conditions(value.get("Condition"))?,
    })
}

fn conditions(value: Option<&Value>) -> Result<Vec<Condition>, String> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let mut conditions = Vec::new();
    for (name, keys) in value.as_object().ok_or("a Condition is not an object")? {
        let operator = operator(name).ok_or_else(|| format!("the emulator does not evaluate {name}"))?;
        for (key, values) in keys.as_object().ok_or("an operator of a Condition has no keys")? {
            let key = KEYS
                .iter()
                .find(|known| known.eq_ignore_ascii_case(key))
                .ok_or_else(|| format!("the emulator does not evaluate {key}"))?;
            conditions.push(Condition {
                key,
                operator,
                values: texts(Some(values), key)?,
            });
        }
    }
    Ok(conditions)
}

fn operator(name: &str) -> Option<Operator> {
    let (negated, comparison) = match name {
        "StringEquals" => (false, Comparison::Equals),
        "StringNotEquals" => (true, Comparison::Equals),
        "StringEqualsIgnoreCase" => (false, Comparison::EqualsIgnoringCase),
        "StringNotEqualsIgnoreCase" => (true, Comparison::EqualsIgnoringCase),
        "StringLike" => (false, Comparison::Like),
        "StringNotLike" => (true, Comparison::Like),
        _ => return None,
    };
    Some(Operator { negated, comparison })
}

fn texts(value: Option<&Value>, name: &str) -> Result<Vec<String>, String> {
    match value {
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| format!("{name} holds something that is not text")),
        _ => Err(format!("{name} is neither text nor a list of texts")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ram(account: &str, who: &str) -> Asks {
        Asks::Ram {
            account: account.to_owned(),
            arn: format!("acs:ram::{account}:{who}"),
        }
    }

    fn facts(key: &'static str, values: &[&str]) -> BTreeMap<&'static str, Vec<String>> {
        BTreeMap::from([(key, values.iter().map(|value| (*value).to_owned()).collect())])
    }

    #[test]
    fn accounts_users_and_services_are_trusted_by_name() {
        let trust = Trust::parse(
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"RAM":["acs:ram::1:root","acs:ram::2:user/ann"],"Service":["ecs.aliyuncs.com"]}},
            {"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"RAM":"acs:ram::1:user/bob"}}]}"#,
        )
        .unwrap();
        let none = BTreeMap::new();
        for (asks, expected) in [
            (ram("1", "user/ann"), true),
            (ram("1", "user/bob"), false),
            (ram("2", "user/ann"), true),
            (ram("2", "user/bob"), false),
            (ram("3", "root"), false),
            (Asks::Service("ecs.aliyuncs.com"), true),
            (Asks::Federated("acs:ram::1:oidc-provider/p".to_owned()), false),
        ] {
            assert_eq!(trust.admits(&asks, &none), expected, "{asks:?}");
        }
    }

    #[test]
    fn conditions_must_all_hold() {
        let trust = |condition: &str| {
            Trust::parse(&format!(
                r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"RAM":"acs:ram::1:root"}},"Condition":{condition}}}]}}"#
            ))
            .unwrap()
        };
        let asks = ram("1", "root");
        let equals = trust(r#"{"StringEquals":{"sts:ExternalId":["a","b"]}}"#);
        assert!(equals.admits(&asks, &facts("sts:ExternalId", &["b"])));
        assert!(!equals.admits(&asks, &facts("sts:ExternalId", &["c"])));
        assert!(!equals.admits(&asks, &BTreeMap::new()));
        let like = trust(r#"{"StringLike":{"oidc:sub":"repo:*"},"StringNotEquals":{"oidc:aud":"x"}}"#);
        assert!(like.admits(&asks, &facts("oidc:sub", &["repo:a"])));
        assert!(!like.admits(&asks, &facts("oidc:aud", &["x"])));
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused() {
        for document in [
            "",
            r#"{"Version":"1"}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:Get","Principal":{"RAM":"a"}}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"a"}}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":1}}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"a"},
                "Condition":{"IpAddress":{"acs:SourceIp":"1.1.1.1"}}}]}"#,
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":"a"},
                "Condition":{"StringEquals":{"acs:other":"1"}}}]}"#,
        ] {
            assert!(Trust::parse(document).is_err(), "{document}");
        }
    }
}
