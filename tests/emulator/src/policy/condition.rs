//! Conditions of a statement: an operator, the key of a fact, and values that it is compared with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Facts;
use crate::text::wildcard;
use crate::time;

/// Keys that can be asked about. The emulator has no VPCs, second factors or access points, so theirs are known to be absent or false.
const KEYS: &[&str] = &[
    "acs:AccessId",
    "acs:CurrentTime",
    "acs:MFAPresent",
    "acs:SecureTransport",
    SOURCE_IP,
    SOURCE_VPC,
    "acs:SourceVpcId",
    "acs:SourceVpcIp",
    "acs:UserAgent",
    "oss:AccessPointNetworkOrigin",
    "oss:DataAccessPointAccount",
    "oss:DataAccessPointArn",
    "oss:Delimiter",
    "oss:Prefix",
    "oss:x-oss-acl",
    "oss:x-oss-object-acl",
];
/// Keys that end with the name of a tag.
const TAG_KEYS: &[&str] = &["oss:BucketTag/", "oss:ExistingObjectTag/", "oss:RequestObjectTag/"];
/// Keys that keep a statement from being public when their values are fixed.
const FIXING_KEYS: &[&str] = &["acs:AccessId", SOURCE_VPC, "acs:SourceVpcId", "acs:SourceVpcIp"];
const SOURCE_IP: &str = "acs:SourceIp";
const SOURCE_VPC: &str = "acs:SourceVpc";

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// How numbers and times are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What the fact has to be. Of several values one has to fit.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exact(Vec<String>),
    Folded(Vec<String>),
    Like(Vec<String>),
    Number(Relation, Vec<f64>),
    Time(Relation, Vec<SystemTime>),
    Bool(Vec<bool>),
    Ip(Vec<Network>),
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    key: String,
    test: Test,
    negated: bool,
}

// Values come from JSON, which has no NaN.
impl Eq for Condition {}

/// Reads the element `Condition`.
pub(super) fn parse(element: &Value) -> Result<Vec<Condition>, String> {
    let operators = element.as_object().ok_or("a Condition is not an object")?;
    if operators.is_empty() {
        return Err("a Condition has no operator".to_owned());
    }
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let keys = keys
            .as_object()
            .filter(|keys| !keys.is_empty())
            .ok_or_else(|| format!("the operator {operator} has no keys"))?;
        for (key, values) in keys {
            let known = KEYS.contains(&key.as_str())
                || TAG_KEYS
                    .iter()
                    .any(|prefix| key.strip_prefix(prefix).is_some_and(|tag| !tag.is_empty()));
            if !known {
                return Err(format!("the emulator does not know the condition key {key}"));
            }
            let (test, negated) = test(operator, &values_of(key, values)?)?;
            conditions.push(Condition {
                key: key.clone(),
                test,
                negated,
            });
        }
    }
    Ok(conditions)
}

/// Whether conditions name an address without saying which network it belongs to.
pub(super) fn address_without_network(conditions: &[Condition]) -> bool {
    let has = |key: &str| conditions.iter().any(|condition| condition.key == key);
    has(SOURCE_IP) && !has(SOURCE_VPC)
}

impl Condition {
    /// An absent fact fits no value, so operators that negate are content with it.
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        let fits = facts.get(&self.key).is_some_and(|fact| self.test.fits(fact));
        fits != self.negated
    }

    /// Whether it narrows a statement to known callers, by the rules for what counts as public.
    pub(super) fn fixes(&self) -> bool {
        if self.negated {
            return false;
        }
        match &self.test {
            Test::Exact(values) | Test::Folded(values) | Test::Like(values) => {
                FIXING_KEYS.contains(&self.key.as_str()) && values.iter().all(|value| !value.contains('*'))
            }
            Test::Ip(networks) => {
                self.key == SOURCE_IP
                    && networks
                        .iter()
                        .all(|network| network.bits >= if network.address.is_ipv4() { 8 } else { 32 })
            }
            _ => false,
        }
    }
}

impl Test {
    fn fits(&self, fact: &str) -> bool {
        match self {
            Test::Exact(values) => values.iter().any(|value| value == fact),
            Test::Folded(values) => values.iter().any(|value| value.to_lowercase() == fact.to_lowercase()),
            Test::Like(values) => values.iter().any(|value| wildcard(value, fact)),
            Test::Number(relation, values) => fact.parse::<f64>().is_ok_and(|fact| {
                values
                    .iter()
                    .any(|value| fact.partial_cmp(value).is_some_and(|order| relation.holds(order)))
            }),
            Test::Time(relation, values) => {
                time::parse_iso8601(fact).is_some_and(|fact| values.iter().any(|value| relation.holds(fact.cmp(value))))
            }
            Test::Bool(values) => fact.parse::<bool>().is_ok_and(|fact| values.contains(&fact)),
            Test::Ip(networks) => fact
                .parse::<IpAddr>()
                .is_ok_and(|fact| networks.iter().any(|network| network.contains(fact))),
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order.is_eq(),
            Relation::Less => order.is_lt(),
            Relation::LessOrEqual => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most)?,
            None => most,
        };
        Some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.bits.min(32);
                u64::from(network.to_bits()) >> shift == u64::from(address.to_bits()) >> shift
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                self.bits == 0 || differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

fn values_of(key: &str, values: &Value) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let found = match values {
        Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>(),
        value => text(value).map(|text| vec![text]),
    };
    let found = found
        .filter(|found| !found.is_empty())
        .ok_or_else(|| format!("the condition key {key} has no values"))?;
    match found.iter().find(|value| value.contains("${")) {
        Some(variable) => Err(format!("the emulator knows no variables, and {variable} is one")),
        None => Ok(found),
    }
}

fn test(operator: &str, values: &[String]) -> Result<(Test, bool), String> {
    let relation = |name: &str| match name {
        "Equals" | "NotEquals" => Some(Relation::Equal),
        "LessThan" => Some(Relation::Less),
        "LessThanEquals" => Some(Relation::LessOrEqual),
        "GreaterThan" => Some(Relation::Greater),
        "GreaterThanEquals" => Some(Relation::GreaterOrEqual),
        _ => None,
    };
    let negated = operator.contains("Not");
    let wrong = |value: &String| format!("{value} is no value for {operator}");
    let parsed = match operator {
        "StringEquals" | "StringNotEquals" => Test::Exact(values.to_vec()),
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => Test::Folded(values.to_vec()),
        "StringLike" | "StringNotLike" => Test::Like(values.to_vec()),
        "Bool" => Test::Bool(each(values, |value| value.to_ascii_lowercase().parse().ok(), wrong)?),
        "IpAddress" | "NotIpAddress" => Test::Ip(each(values, Network::parse, wrong)?),
        _ => {
            let number = operator.strip_prefix("Numeric").and_then(relation);
            let date = operator.strip_prefix("Date").and_then(relation);
            match (number, date) {
                (Some(relation), _) => Test::Number(relation, each(values, |value| value.parse().ok(), wrong)?),
                (_, Some(relation)) => Test::Time(relation, each(values, instant, wrong)?),
                _ => return Err(format!("the emulator does not know the condition operator {operator}")),
            }
        }
    };
    Ok((parsed, negated))
}

/// Reads `2026-01-31T08:05:09Z` or `2026-01-31T16:05:09+08:00`.
fn instant(text: &str) -> Option<SystemTime> {
    if text.ends_with('Z') {
        return time::parse_iso8601(text);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let local = time::parse_iso8601(&format!("{local}Z"))?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset_by = Duration::from_secs(u64::from(hours) * 3600 + u64::from(minutes) * 60);
    match offset.as_bytes().first()? {
        b'+' => local.checked_sub(offset_by),
        b'-' => local.checked_add(offset_by),
        _ => None,
    }
}

fn each<T>(
    values: &[String],
    read: impl Fn(&str) -> Option<T>,
    wrong: impl Fn(&String) -> String,
) -> Result<Vec<T>, String> {
    values
        .iter()
        .map(|value| read(value).ok_or_else(|| wrong(value)))
        .collect()
}
