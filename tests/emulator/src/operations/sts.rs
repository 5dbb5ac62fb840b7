//! AssumeRole: mints temporary keys that the emulator's own verification accepts.

use std::time::Duration;

use super::{Call, configuration};
use crate::answer::Answer;
use crate::auth::Principal;
use crate::error::ServiceError;
use crate::policy::{Policy, Verdict};
use crate::text;
use crate::value::Record;

const DEFAULT_DURATION: i64 = 3600;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match call.operation.name.as_str() {
        "AssumeRole" => assume_role(call),
        _ => configuration::run(call).await,
    }
}

fn assume_role(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let input = &call.input;
    let role_arn = input.text_or_empty("role_arn");
    let session_name = input.text_or_empty("role_session_name");
    let (role_account, role) = read_arn(role_arn).ok_or_else(|| {
        ServiceError::new(
            400,
            "InvalidParameter.RoleArn",
            "The specified RoleArn is not acs:ram::{account}:role/{name}.",
        )
    })?;
    let policy = input.text("policy").map(Policy::parse).transpose();
    let policy = policy.map_err(|why| {
        ServiceError::new(
            400,
            "InvalidParameter.PolicyGrammar",
            format!("The parameter Policy has not passed grammar check: {why}."),
        )
    })?;
    if let Principal::Session(session) = &call.principal
        && session
            .policy
            .as_ref()
            .is_some_and(|policy| policy.evaluate("sts:AssumeRole", role_arn) != Verdict::Allowed)
    {
        return Err(ServiceError::new(
            403,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        ));
    }
    let account = call.principal.account().unwrap_or_default();
    let duration = u64::try_from(input.integer("duration_seconds").unwrap_or(DEFAULT_DURATION)).unwrap_or_default();
    let expires = call.now + Duration::from_secs(duration);
    let session = call.state.keys.mint(account, expires, policy);
    // The service numbers roles; a stable number per role is all that a client can see of it.
    let role_id: u64 = text::sha256_hex(role_arn.as_bytes())
        .bytes()
        .fold(3, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000_000_000);
    let user = Record::new()
        .with("arn", format!("acs:ram::{role_account}:role/{role}/{session_name}"))
        .with("assumed_role_id", format!("3{role_id:017}:{session_name}"));
    let credentials = Record::new()
        .with("access_key_id", &session.access_key_id)
        .with("access_key_secret", &session.secret)
        .with("security_token", &session.token)
        .with("expiration", session.expires);
    let values = Record::new()
        .with("request_id", call.request_id)
        .with("assumed_role_user", user)
        .with("credentials", credentials)
        .with_some("source_identity", input.text("source_identity"));
    Ok(Answer::ok(call.modelled(values)))
}

fn read_arn(arn: &str) -> Option<(&str, &str)> {
    let (account, role) = arn.strip_prefix("acs:ram::")?.split_once(":role/")?;
    let name_fits = (1..=64).contains(&role.len())
        && role
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
    let account_fits = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    (name_fits && account_fits).then_some((account, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_are_taken_apart() {
        assert_eq!(read_arn("acs:ram::123:role/demo"), Some(("123", "demo")));
        for arn in [
            "",
            "acs:ram::123:role/",
            "acs:ram::x:role/a",
            "acs:ram:123:role/a",
            "acs:ram::123:user/a",
            "acs:ram::123:role/a b",
        ] {
            assert_eq!(read_arn(arn), None, "{arn}");
        }
    }
}
