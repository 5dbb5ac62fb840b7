//! AssumeRole and AssumeRoleWithOIDC: mint temporary keys that the emulator's own verification accepts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Call, configuration};
use crate::access;
use crate::answer::Answer;
use crate::auth::Principal;
use crate::auth::keys::Session;
use crate::auth::sessions::{self, Wanted};
use crate::error::ServiceError;
use crate::oidc::Claims;
use crate::policy::Policy;
use crate::roles::{self, Asks};
use crate::time;
use crate::value::Record;

const DEFAULT_DURATION: u32 = 3600;
const MAX_POLICY: usize = 2048;

/// Runs an operation of the service.
pub(super) async fn run(call: &Call<'_>) -> Result<Answer, ServiceError> {
    match call.operation.name.as_str() {
        "AssumeRole" => assume_role(call).await,
        "AssumeRoleWithOIDC" => assume_role_with_oidc(call).await,
        _ => configuration::run(call).await,
    }
}

async fn assume_role(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let request = Request::read(call)?;
    if !access::may(&call.principal, "sts:AssumeRole", request.role_arn) {
        return Err(no_permission());
    }
    let (asks, account) = match &call.principal {
        Principal::Anonymous => return Err(no_permission()),
        Principal::Key { account, .. } => (ram(account, "root"), account),
        Principal::User(user) => (ram(&user.account, &format!("user/{}", user.name)), &user.account),
        Principal::Session(session) => {
            let who = format!("role/{}", session.role.name);
            (ram(&session.role.account, &who), &session.account)
        }
    };
    let mut facts = BTreeMap::new();
    if let Some(id) = call.input.text("external_id") {
        facts.insert("sts:ExternalId", vec![id.to_owned()]);
    }
    request.check_trust(call, &asks, &facts, no_permission)?;
    let account = if call.state.roles.are_known() {
        request.account
    } else {
        account.as_str()
    };
    let session = request.mint(call, account).await?;
    let values = request
        .answer(call, &session)
        .with_some("source_identity", call.input.text("source_identity"));
    Ok(Answer::ok(call.modelled(values)))
}

async fn assume_role_with_oidc(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let request = Request::read(call)?;
    let provider = call.input.text_or_empty("oidc_provider_arn");
    let token = call.input.text_or_empty("oidc_token");
    let claims = call.state.oidc.verify(provider, token, call.now)?;
    let facts = BTreeMap::from([
        ("oidc:iss", vec![claims.issuer.clone()]),
        ("oidc:aud", claims.audiences.clone()),
        ("oidc:sub", vec![claims.subject.clone()]),
    ]);
    let asks = Asks::Federated(provider.to_owned());
    request.check_trust(call, &asks, &facts, untrusted)?;
    let session = request.mint(call, &call.state.account_id).await?;
    let values = request
        .answer(call, &session)
        .with("oidc_token_info", token_info(&claims));
    Ok(Answer::ok(call.modelled(values)))
}

/// What both operations are asked.
struct Request<'r> {
    role_arn: &'r str,
    account: &'r str,
    role: &'r str,
    session: &'r str,
    policy: Option<(&'r str, Policy)>,
    duration: u32,
}

impl<'r> Request<'r> {
    fn read(call: &'r Call<'_>) -> Result<Self, ServiceError> {
        let role_arn = call.input.text_or_empty("role_arn");
        let (account, role) = roles::read_arn(role_arn, "role").ok_or_else(|| {
            ServiceError::new(
                400,
                "InvalidParameter.RoleArn",
                "The parameter RoleArn is wrongly formed.",
            )
        })?;
        let policy = match call.input.text("policy") {
            Some(document) if document.len() > MAX_POLICY => {
                return Err(ServiceError::new(
                    400,
                    "InvalidParameter.PolicySize",
                    format!("The size of Policy must be smaller than {MAX_POLICY} bytes."),
                ));
            }
            Some(document) => {
                let policy = Policy::parse(document).map_err(|why| {
                    ServiceError::new(
                        400,
                        "InvalidParameter.PolicyGrammar",
                        format!("The parameter Policy has not passed grammar check: {why}."),
                    )
                })?;
                Some((document, policy))
            }
            None => None,
        };
        let duration = call.input.integer("duration_seconds").map(u32::try_from);
        Ok(Self {
            role_arn,
            account,
            role,
            session: call.input.text_or_empty("role_session_name"),
            policy,
            duration: duration.and_then(Result::ok).unwrap_or(DEFAULT_DURATION),
        })
    }

    /// Whether the role lets somebody in, and for so long. Where no role is configured, each does.
    fn check_trust(
        &self,
        call: &Call<'_>,
        asks: &Asks,
        facts: &BTreeMap<&str, Vec<String>>,
        refusal: fn() -> ServiceError,
    ) -> Result<(), ServiceError> {
        if !call.state.roles.are_known() {
            return Ok(());
        }
        let role = call.state.roles.find(self.account, self.role).ok_or_else(|| {
            ServiceError::new(
                404,
                "EntityNotExist.Role",
                format!("The role not exists: {}.", self.role_arn),
            )
        })?;
        if !role.trust.admits(asks, facts) {
            return Err(refusal());
        }
        if self.duration > role.max_session_duration {
            return Err(ServiceError::new(
                400,
                "InvalidParameter.DurationSeconds",
                format!(
                    "The Min/Max value of DurationSeconds is 15min/{}min.",
                    role.max_session_duration / 60
                ),
            ));
        }
        Ok(())
    }

    async fn mint(&self, call: &Call<'_>, account: &str) -> Result<Arc<Session>, ServiceError> {
        let state = call.state;
        // A role that nobody configured is one of whoever asks, whatever its ARN says: it must not pass for another account's.
        let known = state.roles.are_known();
        let wanted = Wanted {
            account,
            role_account: if known { self.account } else { account },
            role: self.role,
            session: self.session,
            policy: self.policy.clone(),
            expires: call.now + Duration::from_secs(u64::from(self.duration)),
        };
        let minted = sessions::mint(&state.keys, &state.store, &state.roles, wanted, call.now).await;
        minted.map_err(ServiceError::from)
    }

    fn answer(&self, call: &Call<'_>, session: &Session) -> Record {
        let (account, role, name) = (self.account, self.role, self.session);
        let user = Record::new()
            .with("arn", format!("acs:ram::{account}:role/{role}/{name}"))
            .with("assumed_role_id", format!("{}:{name}", roles::role_id(account, role)));
        let credentials = Record::new()
            .with("access_key_id", &session.access_key_id)
            .with("access_key_secret", &session.secret)
            .with("security_token", &session.token)
            .with("expiration", session.expires);
        Record::new()
            .with("request_id", call.request_id)
            .with("assumed_role_user", user)
            .with("credentials", credentials)
    }
}

fn token_info(claims: &Claims) -> Record {
    Record::new()
        .with("client_ids", claims.audiences.join(","))
        .with("expiration_time", time::iso8601(claims.expires))
        .with("issuance_time", time::iso8601(claims.issued))
        .with("issuer", &claims.issuer)
        .with("subject", &claims.subject)
        .with("verification_info", "Success")
}

fn ram(account: &str, who: &str) -> Asks {
    Asks::Ram {
        account: account.to_owned(),
        arn: format!("acs:ram::{account}:{who}"),
    }
}

fn no_permission() -> ServiceError {
    ServiceError::new(
        403,
        "NoPermission",
        "You are not authorized to do this action. You should be authorized by RAM.",
    )
}

fn untrusted() -> ServiceError {
    ServiceError::new(
        401,
        "AuthenticationFail.NoPermission",
        "This operation is forbidden by permission system: the role does not trust the provider or the token.",
    )
}
