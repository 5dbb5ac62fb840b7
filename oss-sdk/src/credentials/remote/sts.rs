//! Requests to the Security Token Service, for the providers that assume a role.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::super::document::Document;
use super::super::variables::Variables;
use super::super::{Credentials, CredentialsContext, CredentialsError};
use super::{Answer, exchange};
use crate::endpoint::{AddressingStyle, Endpoint, EndpointOptions, Target, region_rule};
use crate::percent;
use crate::random;
use crate::service::{Protocol, ServiceSpec, SigningResource};
use crate::signer::{Signer, SignerAcs3, SigningRequest};
use crate::time::Timestamp;
use crate::transport::TransportRequest;

static SERVICE: ServiceSpec = ServiceSpec::new("sts", Protocol::RpcJson).signing(SigningResource::Acs3);

const VERSION: &str = "2015-04-01";
const LIMIT: Duration = Duration::from_secs(10);

/// What a session is named when nobody names it.
const SESSION_NAME: &str = "oss-sdk-rust";

/// Where the service is: an endpoint, or the region's, or the one for all.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) vpc: Option<bool>,
    pub(super) variables: Variables,
}

impl Place {
    pub(super) fn new(variables: Variables) -> Self {
        Self {
            endpoint: None,
            region: None,
            vpc: None,
            variables,
        }
    }

    fn endpoint(&self) -> Result<Endpoint, CredentialsError> {
        let region = match &self.region {
            Some(region) => Some(region.clone()),
            None => self.variables.get("ALIBABA_CLOUD_STS_REGION")?,
        };
        let vpc = self
            .vpc
            .unwrap_or_else(|| self.variables.flag("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"));
        let host = match (&self.endpoint, region) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(region)) => {
                if let Some(rule) = region_rule(&region) {
                    return Err(CredentialsError::of_field("sts_region", rule));
                }
                format!("sts{}.{region}.aliyuncs.com", if vpc { "-vpc" } else { "" })
            }
            (None, None) => "sts.aliyuncs.com".to_owned(),
        };
        let options = EndpointOptions {
            endpoint: Some(&host),
            style: Some(AddressingStyle::Path),
            ..EndpointOptions::default()
        };
        Endpoint::resolve(&SERVICE, &options)
            .map_err(|error| CredentialsError::of_field("sts_endpoint", error.message().to_owned()))
    }
}

/// What both ways of assuming a role have in common.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) role_arn: String,
    pub(super) name: Option<String>,
    pub(super) duration: Duration,
    pub(super) policy: Option<String>,
}

impl Session {
    pub(super) fn new(role_arn: String) -> Self {
        Self {
            role_arn,
            name: None,
            duration: Duration::from_secs(3600),
            policy: None,
        }
    }

    /// Begins the form, after a look at what the service would refuse.
    pub(super) fn form(&self) -> Result<String, CredentialsError> {
        let name = self.name.as_deref().unwrap_or(SESSION_NAME);
        let is_named = (2..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte));
        if !is_named {
            let rule = "must be 2 to 64 letters, digits and `.@-_`";
            return Err(CredentialsError::of_field("role_session_name", rule));
        }
        if !self.role_arn.starts_with("acs:ram::") || !self.role_arn.contains(":role/") {
            let rule = "must be of the form `acs:ram::{account}:role/{name}`";
            return Err(CredentialsError::of_field("role_arn", rule));
        }
        let seconds = self.duration.as_secs();
        if !(900..=43_200).contains(&seconds) {
            let rule = format!("must be 900 to 43200 seconds, it is {seconds}");
            return Err(CredentialsError::of_field("duration", rule));
        }
        let mut form = String::new();
        percent::push_query(&mut form, "RoleArn", Some(&self.role_arn));
        percent::push_query(&mut form, "RoleSessionName", Some(name));
        percent::push_query(&mut form, "DurationSeconds", Some(&seconds.to_string()));
        if let Some(policy) = &self.policy {
            percent::push_query(&mut form, "Policy", Some(policy));
        }
        Ok(form)
    }
}

/// Why there are no credentials of a role.
pub(super) struct Refused {
    pub(super) error: CredentialsError,
    /// The key that asked is not known or over.
    pub(super) is_key_refused: bool,
}

impl From<CredentialsError> for Refused {
    fn from(error: CredentialsError) -> Self {
        Self {
            error,
            is_key_refused: false,
        }
    }
}

/// Asks for the credentials of a role; signed, unless the form itself says who asks.
pub(super) async fn assume(
    context: &CredentialsContext,
    place: &Place,
    action: &'static str,
    form: &str,
    signed_by: Option<&Credentials>,
) -> Result<Credentials, Refused> {
    let endpoint = place.endpoint()?;
    let mut time = context.now();
    let mut is_set_right = false;
    loop {
        let request = request(&endpoint, action, form, signed_by, time)?;
        let whom = format!("STS ({})", endpoint.host());
        let answer = exchange(&**context.transport(), request, LIMIT, &whom)
            .await
            .map_err(CredentialsError::from)?;
        let mut document = match Document::parse(format!("the answer of {whom}"), &answer.body) {
            Ok(document) => document,
            Err(_) if answer.status != 200 => return Err(unknown(&answer, &whom).into()),
            Err(error) => return Err(error.into()),
        };
        if answer.status == 200 {
            let Some(mut key) = document.object("Credentials") else {
                return Err(CredentialsError::new(format!("{} has no `Credentials`", document.source())).into());
            };
            return Ok(key.temporary_key()?);
        }
        let code = document.text("Code").unwrap_or_default();
        // Our clock is wrong, and theirs is in the answer.
        if code.starts_with("InvalidTimeStamp")
            && !is_set_right
            && let Some(theirs) = date(&answer.headers)
        {
            is_set_right = true;
            time = theirs;
            continue;
        }
        return Err(refused(&answer, &mut document, action, &code));
    }
}

fn request(
    endpoint: &Endpoint,
    action: &'static str,
    form: &str,
    signed_by: Option<&Credentials>,
    time: Timestamp,
) -> Result<TransportRequest, CredentialsError> {
    let inexpressible = |error: crate::error::Error| CredentialsError::new("STS cannot be asked").with_source(error);
    let address = endpoint
        .address(&SERVICE, &Target::default(), None)
        .map_err(inexpressible)?;
    let mut headers = HeaderMap::new();
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form_type);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert("x-acs-action", HeaderValue::from_static(action));
    headers.insert("x-acs-version", HeaderValue::from_static(VERSION));
    let nonce = random::nonce();
    match signed_by {
        Some(credentials) => {
            let mut signing = SigningRequest::new(&Method::POST, &SERVICE, &headers, time);
            signing.host = &address.host;
            signing.body = form.as_bytes();
            signing.nonce = &nonce;
            let signature = SignerAcs3::new()
                .sign(&signing, credentials)
                .map_err(|error| inexpressible(error.into()))?;
            for (name, value) in signature.headers {
                headers.insert(name, value);
            }
        }
        None => {
            for (name, value) in [
                ("x-acs-date", time.to_iso8601_seconds()),
                ("x-acs-signature-nonce", nonce),
            ] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(HeaderName::from_static(name), value);
                }
            }
        }
    }
    let mut request = TransportRequest::new(Method::POST, address.url);
    request.headers = headers;
    request.body = form.to_owned().into();
    Ok(request)
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    Timestamp::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn unknown(answer: &Answer, whom: &str) -> CredentialsError {
    let message = format!("{whom} answered with status {}", answer.status.as_u16());
    if answer.may_pass() {
        CredentialsError::retryable(message)
    } else {
        CredentialsError::new(message)
    }
}

fn refused(answer: &Answer, document: &mut Document, action: &str, code: &str) -> Refused {
    let mut message = format!("STS refused {action}: `{}`", code.escape_debug());
    if let Some(text) = document.text("Message") {
        message.push_str(&format!(": {}", text.escape_debug()));
    }
    if let Some(id) = document.text("RequestId") {
        message.push_str(&format!(" (request id {})", id.escape_debug()));
    }
    if let Some(hint) = hint(code) {
        message.push_str("; ");
        message.push_str(hint);
    }
    let may_pass = answer.may_pass() || code.starts_with("Throttling") || code == "ServiceUnavailable";
    Refused {
        error: if may_pass {
            CredentialsError::retryable(message)
        } else {
            CredentialsError::new(message)
        },
        is_key_refused: code.starts_with("InvalidSecurityToken") || code.starts_with("InvalidAccessKeyId"),
    }
}

/// What helps against a refusal, where that is not obvious.
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "NoPermission" => {
            "the key must be of a RAM user or role, not of the account itself, be allowed `sts:AssumeRole`, and be trusted by \
             the role"
        }
        "InvalidParameter.DurationSeconds" => "a session may last as long as the role's longest, by default an hour",
        "EntityNotExist.Role" => "the ARN names the account by its number and the role by its name",
        "InvalidParameter.PolicySize" => "a session policy has at most 2048 characters",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
