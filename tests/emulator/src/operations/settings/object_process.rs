//! Access points whose answers come from functions. They are kept and described; no function is ever called.

use serde::{Deserialize, Serialize};

use super::{access_point, items, policy as documents};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration as plain};
use crate::text;
use crate::time;
use crate::value::Record;

const PREFIX: &str = "accessPointForObjectProcess/";
const DEFAULT_PAGE: i64 = 100;

#[derive(Clone, Serialize, Deserialize)]
struct Point {
    alias: String,
    access_point: String,
    /// Seconds since 1970.
    created: i64,
    /// The document of the request that configured it last, as XML.
    configuration: String,
    /// Whether that document is one of creation.
    is_original: bool,
    policy: Option<String>,
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let name = call
        .input
        .text_or_empty("access_point_for_object_process_name")
        .to_owned();
    access_point::check_name(&name)?;
    let wanted = call
        .input
        .record("create_access_point_for_object_process_configuration");
    let access_point = wanted
        .map(|wanted| wanted.text_or_empty("access_point_name"))
        .unwrap_or_default()
        .to_owned();
    if !access_point::exists(call, &access_point)? {
        return Err(
            ServiceError::new(404, "NoSuchAccessPoint", "The bucket has no such access point.")
                .detail("AccessPointName", access_point),
        );
    }
    let account = call.bucket_info()?.meta.owner;
    let digest = text::sha256_hex(format!("{account}/{name}").as_bytes());
    let point = Point {
        alias: format!("{name}-{}-opapalias", &digest[..30]),
        access_point,
        created: time::unix_seconds(call.now),
        configuration: plain::serialise(call, &call.input).unwrap_or_default(),
        is_original: true,
        policy: None,
    };
    let (alias, taken) = (point.alias.clone(), name.clone());
    items::change(call, &format!("{PREFIX}{name}"), move |old: Option<Point>| match old {
        Some(_) => Err(ServiceError::new(
            409,
            "AccessPointForObjectProcessAlreadyExists",
            "The bucket has such an access point of this name.",
        )
        .detail("AccessPointForObjectProcessName", taken)),
        None => Ok((Some(point), ())),
    })
    .await?;
    Ok(Answer::ok(
        Record::new()
            .with("access_point_for_object_process_arn", arn(call, &account, &name))
            .with("access_point_for_object_process_alias", alias),
    ))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (name, point) = find(call)?;
    let account = call.bucket_info()?.meta.owner;
    let host = |kind: &str| {
        let region = &call.state.region;
        let host = call.state.host("oss", kind, region);
        format!("{name}-{account}.oss-object-process.{host}")
    };
    let configured = configured(call, &point)?;
    let values = Record::new()
        .with(
            "allow_anonymous_access_for_object_process",
            configured
                .text("allow_anonymous_access_for_object_process")
                .unwrap_or("false"),
        )
        .with("public_access_block_configuration", block(&configured))
        .with("access_point_name_for_object_process", name)
        .with("access_point_for_object_process_arn", arn(call, &account, name))
        .with("creation_date", point.created.to_string())
        .with(
            "access_point_for_object_process_status",
            access_point::status(point.created, call.now),
        )
        .with(
            "endpoints",
            Record::new()
                .with("public_endpoint", host("public"))
                .with("internal_endpoint", host("internal")),
        )
        .with("access_point_for_object_process_alias", &point.alias)
        .with("access_point_name", &point.access_point)
        .with("account_id", account);
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
    for bucket in call.store().list_buckets("", "", usize::MAX).buckets {
        if bucket.meta.owner != account {
            continue;
        }
        let own: Vec<(String, Point)> = items::all(call.store(), &bucket.name, PREFIX)?;
        for (name, point) in own {
            let configured = configured(call, &point)?;
            let shown = Record::new()
                .with("status", access_point::status(point.created, call.now))
                .with(
                    "allow_anonymous_access_for_object_process",
                    configured
                        .text("allow_anonymous_access_for_object_process")
                        .unwrap_or("false"),
                )
                .with("access_point_name_for_object_process", &name)
                .with("access_point_for_object_process_alias", &point.alias)
                .with("access_point_name", &point.access_point);
            points.push((format!("{}/{name}", bucket.name), shown));
        }
    }
    let most = usize::try_from(call.input.integer("max_keys").unwrap_or(DEFAULT_PAGE)).unwrap_or_default();
    let page = items::page(points, call.input.text("continuation_token"), most);
    let shown: Vec<Record> = page.items.into_iter().map(|(_, record)| record).collect();
    Ok(Answer::ok(
        Record::new()
            .with("account_id", account)
            .with("is_truncated", page.next.is_some())
            .with_some("next_continuation_token", page.next)
            .with(
                "access_points_for_object_process",
                Record::new().with("access_point_for_object_processes", shown),
            ),
    ))
}

pub(super) async fn put_configuration(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = plain::serialise(call, &call.input).unwrap_or_default();
    change(call, |point| {
        point.configuration = document;
        point.is_original = false;
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn configuration(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let (_, point) = find(call)?;
    let configured = configured(call, &point)?;
    Ok(Answer::ok(
        Record::new()
            .with_some(
                "object_process_configuration",
                configured.record("object_process_configuration").cloned(),
            )
            .with(
                "allow_anonymous_access_for_object_process",
                configured
                    .text("allow_anonymous_access_for_object_process")
                    .unwrap_or("false"),
            )
            .with("public_access_block_configuration", block(&configured)),
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

/// The members of the document that configured a point last.
fn configured(call: &Call<'_>, point: &Point) -> Result<Record, ServiceError> {
    let operation = if point.is_original {
        "CreateAccessPointForObjectProcess"
    } else {
        "PutAccessPointConfigForObjectProcess"
    };
    let operation = call.service.operation(operation);
    match operation.and_then(|operation| plain::whole_shape(&operation.request)) {
        Some((_, shape)) => plain::read_shape(call.service, shape, point.configuration.as_bytes()),
        None => Ok(Record::new()),
    }
}

fn block(configured: &Record) -> Record {
    let block = configured.record("public_access_block_configuration");
    Record::new().with(
        "block_public_access",
        block.is_some_and(|block| block.flag("block_public_access")),
    )
}

async fn change<F>(call: &Call<'_>, change: F) -> Result<(), ServiceError>
where
    F: FnOnce(&mut Point) + Send + 'static,
{
    let name = call
        .input
        .text_or_empty("access_point_for_object_process_name")
        .to_owned();
    items::change(call, &format!("{PREFIX}{name}"), move |old: Option<Point>| {
        let mut point = old.ok_or_else(|| missing(&name))?;
        change(&mut point);
        Ok((Some(point), ()))
    })
    .await
}

fn find<'c>(call: &'c Call<'_>) -> Result<(&'c str, Point), ServiceError> {
    let name = call.input.text_or_empty("access_point_for_object_process_name");
    let point: Option<Point> = items::find(call.store(), call.bucket()?, &format!("{PREFIX}{name}"))?;
    Ok((name, point.ok_or_else(|| missing(name))?))
}

fn missing(name: &str) -> ServiceError {
    ServiceError::new(
        404,
        "NoSuchAccessPointForObjectProcess",
        "The bucket has no such access point.",
    )
    .detail("AccessPointForObjectProcessName", name)
}

fn arn(call: &Call<'_>, account: &str, name: &str) -> String {
    format!(
        "acs:oss:{}:{account}:accesspointforobjectprocess/{name}",
        call.state.region
    )
}
