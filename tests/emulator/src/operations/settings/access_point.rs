//! Access points: further entrances to a bucket, each with a policy and a block of its own.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{items, policy as documents};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::text;
use crate::time;
use crate::value::Record;

const PREFIX: &str = "accessPoint/";
/// How long a new access point is being made.
const MAKING: Duration = Duration::from_secs(5);
const MOST_OF_BUCKET: usize = 100;
const DEFAULT_PAGE: i64 = 100;

#[derive(Clone, Serialize, Deserialize)]
struct AccessPoint {
    alias: String,
    network_origin: String,
    vpc_id: Option<String>,
    /// Seconds since 1970.
    created: i64,
    policy: Option<String>,
    blocked: Option<bool>,
}

impl AccessPoint {
    fn status(&self, now: SystemTime) -> &'static str {
        status(self.created, now)
    }

    fn listed(&self, bucket: &str, name: &str, now: SystemTime) -> Record {
        let vpc = self.vpc_id.as_deref().map(|id| Record::new().with("vpc_id", id));
        Record::new()
            .with("network_origin", &self.network_origin)
            .with_some("vpc_configuration", vpc)
            .with("status", self.status(now))
            .with("bucket", bucket)
            .with("access_point_name", name)
            .with("alias", &self.alias)
    }
}

/// Whether something that takes a while to be made is ready.
pub(super) fn status(created: i64, now: SystemTime) -> &'static str {
    let ready = time::from_unix(created).unwrap_or(SystemTime::UNIX_EPOCH) + MAKING;
    if now < ready { "creating" } else { "enable" }
}

/// Whether a bucket has an access point of a name.
pub(super) fn exists(call: &Call<'_>, name: &str) -> Result<bool, ServiceError> {
    Ok(call
        .store()
        .config(call.bucket()?, &format!("{PREFIX}{name}"))?
        .is_some())
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let wanted = call.input.record("create_access_point_configuration").unwrap_or(&empty);
    let name = wanted.text_or_empty("access_point_name").to_owned();
    check_name(&name)?;
    let network_origin = wanted.text_or_empty("network_origin").to_owned();
    let vpc_id = wanted
        .record("vpc_configuration")
        .and_then(|vpc| vpc.text("vpc_id"))
        .filter(|id| !id.is_empty())
        .map(str::to_owned);
    if (network_origin == "vpc") != vpc_id.is_some() {
        return Err(ServiceError::invalid_argument(
            "An access point of a private network names it, others do not.",
            "VpcId",
            vpc_id.as_deref().unwrap_or_default(),
        ));
    }
    let bucket = call.bucket()?;
    let account = call.bucket_info()?.meta.owner;
    let digest = text::sha256_hex(format!("{account}/{bucket}/{name}").as_bytes());
    let point = AccessPoint {
        alias: format!("{name}-{}-ossalias", &digest[..30]),
        network_origin,
        vpc_id,
        created: time::unix_seconds(call.now),
        policy: None,
        blocked: None,
    };
    let alias = point.alias.clone();
    let wanted = name.clone();
    items::change_bucket(call, move |draft| {
        let kind = format!("{PREFIX}{wanted}");
        if draft.document(&kind).is_some() {
            return Err(ServiceError::new(
                409,
                "AccessPointAlreadyExists",
                "The bucket has an access point of this name.",
            )
            .detail("AccessPointName", wanted));
        }
        if draft.named(PREFIX).count() >= MOST_OF_BUCKET {
            return Err(ServiceError::invalid_argument(
                format!("A bucket has at most {MOST_OF_BUCKET} access points."),
                "AccessPointName",
                &wanted,
            ));
        }
        draft.put(kind, items::write(&point)?);
        Ok(())
    })
    .await?;
    Ok(Answer::ok(
        Record::new()
            .with("access_point_arn", arn(call, &account, &name))
            .with("alias", alias),
    ))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (name, point) = find(call)?;
    let info = call.bucket_info()?;
    let account = info.meta.owner;
    let host = |kind: &str| {
        let host = call.state.host("oss", kind, &call.state.region);
        format!("{name}-{account}.{host}")
    };
    let values = point
        .listed(&info.name, name, call.now)
        .with("access_point_arn", arn(call, &account, name))
        .with("creation_date", point.created.to_string())
        .with("account_id", &account)
        .with("public_access_block_configuration", blocked(&point))
        .with(
            "endpoints",
            Record::new()
                .with("public_endpoint", host("public"))
                .with("internal_endpoint", host("internal")),
        );
    Ok(Answer::ok(values))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (name, _) = find(call)?;
    call.store()
        .delete_config(call.bucket()?, &format!("{PREFIX}{name}"))
        .await?;
    Ok(Answer::no_content(Record::new()))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let account = call.principal.account().unwrap_or_default();
    let mut points = Vec::new();
    let buckets = match call.head.bucket() {
        Some(_) => vec![call.bucket_info()?],
        None => call.store().list_buckets("", "", usize::MAX).buckets,
    };
    for bucket in buckets.iter().filter(|bucket| bucket.meta.owner == account) {
        let own: Vec<(String, AccessPoint)> = items::all(call.store(), &bucket.name, PREFIX)?;
        points.extend(own.into_iter().map(|(name, point)| {
            let token = format!("{}/{name}", bucket.name);
            (token, point.listed(&bucket.name, &name, call.now))
        }));
    }
    let most = call.input.integer("max_keys").unwrap_or(DEFAULT_PAGE);
    let page = items::page(
        points,
        call.input.text("continuation_token"),
        usize::try_from(most).unwrap_or_default(),
    );
    let shown: Vec<Record> = page.items.into_iter().map(|(_, record)| record).collect();
    Ok(Answer::ok(
        Record::new()
            .with("max_keys", most)
            .with("is_truncated", page.next.is_some())
            .with_some("next_continuation_token", page.next)
            .with("account_id", account)
            .with("access_points", shown),
    ))
}

pub(super) async fn put_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let policy = call.input.text_or_empty("body").to_owned();
    documents::parse(&policy)?;
    change(call, |point| point.policy = Some(policy)).await?;
    Ok(Answer::empty())
}

pub(super) fn policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let policy = find(call)?
        .1
        .policy
        .ok_or_else(|| ServiceError::new(404, "NoSuchAccessPointPolicy", "The access point has no policy."))?;
    Ok(Answer::ok(Record::new().with("body", policy)))
}

pub(super) async fn delete_policy(call: &Call<'_>) -> Result<Answer, ServiceError> {
    change(call, |point| point.policy = None).await?;
    Ok(Answer::no_content(Record::new()))
}

pub(super) async fn put_block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = call.input.record("public_access_block_configuration");
    let block = document.is_some_and(|document| document.flag("block_public_access"));
    change(call, move |point| point.blocked = Some(block)).await?;
    Ok(Answer::empty())
}

pub(super) fn block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (_, point) = find(call)?;
    Ok(Answer::ok(
        Record::new().with("public_access_block_configuration", blocked(&point)),
    ))
}

pub(super) async fn delete_block(call: &Call<'_>) -> Result<Answer, ServiceError> {
    change(call, |point| point.blocked = None).await?;
    Ok(Answer::no_content(Record::new()))
}

fn blocked(point: &AccessPoint) -> Record {
    Record::new().with("block_public_access", point.blocked.unwrap_or_default())
}

async fn change<F>(call: &Call<'_>, change: F) -> Result<(), ServiceError>
where
    F: FnOnce(&mut AccessPoint) + Send + 'static,
{
    let name = call.input.text_or_empty("access_point_name").to_owned();
    items::change(call, &format!("{PREFIX}{name}"), move |old: Option<AccessPoint>| {
        let mut point = old.ok_or_else(|| missing(&name))?;
        change(&mut point);
        Ok((Some(point), ()))
    })
    .await
}

fn find<'c>(call: &'c Call<'_>) -> Result<(&'c str, AccessPoint), ServiceError> {
    let name = call.input.text_or_empty("access_point_name");
    let point: Option<AccessPoint> = items::find(call.store(), call.bucket()?, &format!("{PREFIX}{name}"))?;
    Ok((name, point.ok_or_else(|| missing(name))?))
}

fn missing(name: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchAccessPoint", "The bucket has no such access point.").detail("AccessPointName", name)
}

fn arn(call: &Call<'_>, account: &str, name: &str) -> String {
    format!("acs:oss:{}:{account}:accesspoint/{name}", call.state.region)
}

/// Lower-case letters, digits and inner hyphens; the ending of aliases is reserved.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    let inner = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !name.is_empty() && inner && !name.starts_with('-') && !name.ends_with('-') && !name.ends_with("-ossalias") {
        return Ok(());
    }
    Err(ServiceError::invalid_argument(
        "An access point has a name of lower-case letters, digits and inner hyphens.",
        "AccessPointName",
        name,
    ))
}
