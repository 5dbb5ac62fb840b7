//! Policies as documents: whether one is valid, and whether it opens something to everybody.

use serde_json::Value as Json;

use super::account;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::value::Record;

/// Refuses policies that are no policies, and public ones where public access is blocked.
pub(super) fn check(call: &Call<'_>) -> Result<(), ServiceError> {
    let policy = parse(call.input.text_or_empty("body"))?;
    if is_public(&policy) && account::is_blocked(call.state, call.bucket()?)? {
        return Err(ServiceError::access_denied(
            "Public access is blocked, so the policy cannot give permissions to everybody.",
        ));
    }
    Ok(())
}

/// Reads a policy.
pub(super) fn parse(text: &str) -> Result<Json, ServiceError> {
    let invalid =
        |why: &str| ServiceError::new(400, "InvalidPolicyDocument", format!("The policy is not valid: {why}."));
    let parsed: Json = serde_json::from_str(text).map_err(|error| invalid(&format!("it is not JSON: {error}")))?;
    if let Some(version) = parsed.get("Version")
        && version != "1"
    {
        return Err(invalid("its Version is not 1"));
    }
    let Some(Json::Array(statements)) = parsed.get("Statement") else {
        return Err(invalid("it has no list Statement"));
    };
    for statement in statements {
        match statement.get("Effect").and_then(Json::as_str) {
            Some("Allow" | "Deny") => {}
            _ => return Err(invalid("the Effect of a statement is neither Allow nor Deny")),
        }
        for names in [["Action", "NotAction"], ["Resource", "NotResource"]] {
            let given = names.iter().find_map(|name| statement.get(name));
            if texts(given).next().is_none() {
                return Err(invalid(&format!("a statement has no {}", names[0])));
            }
        }
    }
    Ok(parsed)
}

/// Whether a statement allows something to everybody without conditions.
fn is_public(policy: &Json) -> bool {
    let statements = policy.get("Statement").and_then(Json::as_array);
    statements.into_iter().flatten().any(|statement| {
        let allows = statement.get("Effect").and_then(Json::as_str) == Some("Allow");
        let everybody = texts(statement.get("Principal")).any(|principal| principal == "*");
        allows && everybody && statement.get("Condition").is_none()
    })
}

/// The texts of a text or of a list of texts.
fn texts(value: Option<&Json>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Json::String(text)) => (Some(text.as_str()), None),
        Some(Json::Array(items)) => (None, Some(items)),
        _ => (None, None),
    };
    one.into_iter()
        .chain(many.into_iter().flatten().filter_map(Json::as_str))
}

pub(super) fn status(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    let policy = call.store().config(bucket, "policy")?.ok_or_else(|| {
        ServiceError::new(404, "NoSuchBucketPolicy", "The bucket has no policy.").detail("BucketName", bucket)
    })?;
    let policy = parse(&String::from_utf8_lossy(&policy))?;
    Ok(Answer::ok(Record::new().with(
        "policy_status",
        Record::new().with("is_public", is_public(&policy)),
    )))
}
