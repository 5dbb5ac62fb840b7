//! Domain names of buckets: a token proves who owns a name, then it can be bound, and requests to it reach the bucket.
//!
//! The service looks for the token in the DNS, which a local server cannot: having asked for the token is proof enough here.

use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::state::State;
use crate::store::{BucketInfo, Draft};
use crate::value::Record;
use crate::{text, time};

const TOKENS: &str = "cname-token/";
const TOKEN_LIFE: Duration = Duration::from_secs(72 * 3600);
const MOST: usize = 100;

#[derive(Clone, Serialize, Deserialize)]
struct Token {
    token: String,
    /// Seconds since 1970.
    expires: i64,
}

/// What is kept beside a bound name.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Binding {
    modified: String,
    certificate: Option<Certificate>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Certificate {
    created: String,
    id: String,
    source: String,
    fingerprint: Option<String>,
}

/// Makes all bound names reach their buckets, when the emulator starts.
pub(crate) fn bind_all(state: &State) {
    for bucket in state.store.list_buckets("", "", usize::MAX).buckets {
        for domain in bucket.meta.cnames.keys() {
            bind(state, domain, &bucket.name);
        }
    }
}

/// Makes a bound name reach its bucket, if it is still bound to it: who released it meanwhile waits here until that is settled, so that
/// no name outlives what is stored.
fn bind(state: &State, domain: &str, bucket: &str) {
    let mut names = state.names.write().unwrap_or_else(PoisonError::into_inner);
    let stored = state.store.bucket(bucket);
    if stored.is_ok_and(|info| info.meta.cnames.contains_key(domain)) {
        names.bind_asked(domain, bucket);
    }
}

pub(super) async fn create_token(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let domain = domain(call)?;
    let now = time::unix_seconds(call.now);
    let fresh = Token {
        token: call.state.request_id().to_ascii_lowercase(),
        expires: time::unix_seconds(call.now + TOKEN_LIFE),
    };
    let wanted = domain.clone();
    let token = items::change_bucket(call, move |draft| {
        let mut valid: Vec<(String, Token)> = items::among(draft, TOKENS)?;
        valid.retain(|(_, token)| token.expires > now);
        if let Some((_, token)) = valid.iter().find(|(name, _)| *name == wanted) {
            return Ok(token.clone());
        }
        if valid.len() >= MOST {
            return Err(ServiceError::new(
                400,
                "TooManyCnameToken",
                "There are too many unused tokens for domain names.",
            ));
        }
        draft.put(format!("{TOKENS}{wanted}"), items::write(&fresh)?);
        Ok(fresh)
    })
    .await?;
    Ok(shown_token(call, &domain, &token))
}

pub(super) fn token(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let domain = checked(call, call.input.text_or_empty("cname"))?;
    let token = valid_token(call, &domain)?.ok_or_else(|| {
        ServiceError::new(
            404,
            "CnameTokenNotFound",
            "There is no valid token for the domain name.",
        )
        .detail("Cname", &domain)
    })?;
    Ok(shown_token(call, &domain, &token))
}

fn shown_token(call: &Call<'_>, domain: &str, token: &Token) -> Answer {
    let expires = time::from_unix(token.expires).unwrap_or(call.now);
    Answer::ok(
        Record::new().with(
            "cname_token",
            Record::new()
                .with("bucket", call.head.bucket().unwrap_or_default())
                .with("cname", domain)
                .with("token", &token.token)
                .with("expire_time", time::http_date(expires)),
        ),
    )
}

fn valid_token(call: &Call<'_>, domain: &str) -> Result<Option<Token>, ServiceError> {
    let token: Option<Token> = items::find(call.store(), call.bucket()?, &format!("{TOKENS}{domain}"))?;
    Ok(token.filter(|token| token.expires > time::unix_seconds(call.now)))
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (domain, bucket) = (domain(call)?, call.bucket()?);
    if cname(call).flag("is_wild_card") {
        return Err(ServiceError::not_implemented("IsWildCard of PutCname"));
    }
    let claim = Claim {
        domain: domain.clone(),
        account: call.principal.account().unwrap_or_default().to_owned(),
        now: call.now,
        certificate: cname(call).record("certificate_configuration").cloned(),
        generated: format!("{}-{}", call.state.request_id().to_ascii_lowercase(), call.state.region),
    };
    let bound = call
        .store()
        .claim_host(bucket, &domain, |draft, other| claim.bind(draft, other));
    bound.await??;
    bind(call.state, &domain, bucket);
    Ok(Answer::empty())
}

/// A domain name that a bucket shall have.
struct Claim {
    domain: String,
    account: String,
    now: SystemTime,
    certificate: Option<Record>,
    /// ID of a certificate that comes without one.
    generated: String,
}

impl Claim {
    /// Binds the name, with the token or what was bound before as the proof. Done when it happens, so that a name that two
    /// buckets ask for goes to one.
    fn bind(self, draft: &mut Draft<'_>, other: Option<BucketInfo>) -> Result<(), ServiceError> {
        let refused =
            |status, code: &str, why: &str| Err(ServiceError::new(status, code, why).detail("Cname", &self.domain));
        match other {
            Some(other) if other.meta.owner == self.account => {
                return refused(409, "CnameAlreadyExists", "The domain name is bound to another bucket.");
            }
            Some(_) => return refused(403, "CnameDenied", "The domain name is bound by another account."),
            None => {}
        }
        let kind = format!("{TOKENS}{}", self.domain);
        let mut binding = match draft.meta.cnames.get(&self.domain) {
            Some(kept) if !kept.is_empty() => items::read(kept.as_bytes())?,
            known => {
                let token: Option<Token> = draft.document(&kind).map(items::read).transpose()?;
                let is_proven = token.is_some_and(|token| token.expires > time::unix_seconds(self.now));
                if known.is_none() && !is_proven {
                    let why = "The ownership of the domain name is not proven: create a token for it first.";
                    return refused(403, "NeedVerifyDomainOwnership", why);
                }
                Binding {
                    modified: time::iso8601_millis(self.now),
                    certificate: None,
                }
            }
        };
        if let Some(wanted) = &self.certificate {
            binding.certificate = self.certificate(wanted, binding.certificate)?;
        }
        let kept = String::from_utf8_lossy(&items::write(&binding)?).into_owned();
        draft.meta.cnames.insert(self.domain, kept);
        draft.remove(&kind);
        Ok(())
    }

    /// The certificate that a name has after a request. Its secret part is not kept: the emulator does not serve it.
    fn certificate(&self, wanted: &Record, old: Option<Certificate>) -> Result<Option<Certificate>, ServiceError> {
        if wanted.flag("delete_certificate") {
            return Ok(None);
        }
        let invalid = |why: &str| ServiceError::invalid_argument(why, "CertificateConfiguration", "");
        if let Some(old) = &old
            && !wanted.flag("force")
            && wanted.text("previous_cert_id") != Some(old.id.as_str())
        {
            return Err(invalid("The domain name has another certificate."));
        }
        let pem = wanted.text("certificate");
        if pem.is_some() != wanted.has("private_key") {
            return Err(invalid("A certificate and its private key must be given together."));
        }
        let fingerprint = pem
            .map(|pem| fingerprint(pem).ok_or_else(|| invalid("The certificate is not PEM.")))
            .transpose()?;
        if fingerprint.is_none() && !wanted.has("cert_id") {
            return Err(invalid("There is neither a certificate nor the ID of one."));
        }
        let source = if pem.is_some() { "Upload" } else { "CAS" };
        Ok(Some(Certificate {
            created: time::http_date(self.now),
            id: wanted
                .text("cert_id")
                .map_or_else(|| self.generated.clone(), str::to_owned),
            source: source.to_owned(),
            fingerprint,
        }))
    }
}

/// SHA-1 of the first certificate of a chain, as pairs of digits.
fn fingerprint(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = text::base64_decode(&body).filter(|der| !der.is_empty())?;
    let pairs: Vec<String> = Sha1::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect();
    Some(pairs.join(":"))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let info = call.bucket_info()?;
    let mut cnames = Vec::new();
    for (domain, kept) in &info.meta.cnames {
        let binding: Binding = match kept.as_str() {
            "" => Binding::default(),
            kept => items::read(kept.as_bytes())?,
        };
        let certificate = binding.certificate.map(|certificate| {
            Record::new()
                .with("type", &certificate.source)
                .with("cert_id", &certificate.id)
                .with("status", "Enabled")
                .with("creation_date", &certificate.created)
                .with_some("fingerprint", certificate.fingerprint)
        });
        cnames.push(
            Record::new()
                .with("domain", domain)
                .with("last_modified", &binding.modified)
                .with("status", "Enabled")
                .with_some("certificate", certificate),
        );
    }
    Ok(Answer::ok(
        Record::new()
            .with("bucket", &info.name)
            .with("owner", &info.meta.owner)
            .with("cnames", cnames),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    // Also a name that could not be bound any more: the emulator may have other names than it had.
    let (domain, bucket) = (host_name(cname(call).text_or_empty("domain"))?, call.bucket()?);
    if call.bucket_info()?.meta.cnames.contains_key(&domain) {
        let name = domain.clone();
        call.store()
            .update_bucket(bucket, move |meta| drop(meta.cnames.remove(&name)))
            .await?;
        let mut names = call.state.names.write().unwrap_or_else(PoisonError::into_inner);
        names.release(&domain, bucket);
    }
    Ok(Answer::empty())
}

fn cname<'c>(call: &'c Call<'_>) -> &'c Record {
    static NONE: std::sync::LazyLock<Record> = std::sync::LazyLock::new(Record::new);
    let document = call.input.record("bucket_cname_configuration");
    document.and_then(|document| document.record("cname")).unwrap_or(&NONE)
}

fn domain(call: &Call<'_>) -> Result<String, ServiceError> {
    checked(call, cname(call).text_or_empty("domain"))
}

/// A host name that can be bound to the bucket of a request.
fn checked(call: &Call<'_>, domain: &str) -> Result<String, ServiceError> {
    let lower = host_name(domain)?;
    // Below the emulator's own domains, names are addresses of buckets: binding one would take it from its bucket.
    let names = call.state.names.read().unwrap_or_else(PoisonError::into_inner);
    if names.is_reserved(&lower, call.bucket()?) {
        return Err(
            ServiceError::new(403, "CnameIsForbidden", "The domain name is reserved by the service.")
                .detail("Cname", &lower),
        );
    }
    Ok(lower)
}

/// A host name with at least two labels, in lower case.
fn host_name(domain: &str) -> Result<String, ServiceError> {
    let lower = domain.trim().to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_name = lower.len() <= 253 && lower.contains('.') && lower.split('.').all(label);
    if !is_name || lower.parse::<std::net::IpAddr>().is_ok() {
        return Err(ServiceError::invalid_argument(
            "The domain is no host name.",
            "Domain",
            domain,
        ));
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Emulator;
    use crate::store::{BucketMeta, NewBucket};

    #[tokio::test]
    async fn a_name_that_was_released_before_it_was_bound_is_not_bound() {
        let emulator = Emulator::start().await.unwrap();
        let state = emulator.state();
        let meta = BucketMeta {
            cnames: BTreeMap::from([("kept.example.com".to_owned(), String::new())]),
            ..BucketMeta::default()
        };
        let new = NewBucket {
            meta,
            ..NewBucket::default()
        };
        state.store.create_bucket_with("bucket", new).await.unwrap();
        for (domain, bucket) in [
            ("kept.example.com", "bucket"),
            ("deleted.example.com", "bucket"),
            ("gone.example.com", "deleted-bucket"),
        ] {
            bind(state, domain, bucket);
        }
        let leads = |host: &str| state.names.read().unwrap().resolve(host, "/").is_ok();
        assert!(leads("kept.example.com"));
        assert!(!leads("deleted.example.com"));
        assert!(!leads("gone.example.com"));
    }
}
