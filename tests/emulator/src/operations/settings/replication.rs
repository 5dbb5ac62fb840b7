//! Replication rules: kept with their states. The emulator copies nothing by them, and its progress says so.

use std::time::{Duration, SystemTime};

use oss_codegen::api::{Service, ShapeId};
use serde::{Deserialize, Serialize};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, bucket, configuration};
use crate::store::Draft;
use crate::time;
use crate::value::{Record, Value};

const PREFIX: &str = "replication/";
const STARTING: Duration = Duration::from_secs(60);
const CLOSING: Duration = Duration::from_secs(60);
const MOST: usize = 100;

#[derive(Clone, Serialize, Deserialize)]
struct Rule {
    /// Seconds since 1970.
    created: i64,
    /// When the rule was deleted, in seconds since 1970.
    closed: Option<i64>,
    /// Name of the bucket that is copied to.
    target: String,
    /// The rule as XML.
    document: String,
}

impl Rule {
    fn is_gone(&self, now: SystemTime) -> bool {
        let closed = self.closed.and_then(time::from_unix);
        closed.is_some_and(|closed| now >= closed + CLOSING)
    }

    fn status(&self, now: SystemTime) -> &'static str {
        let created = time::from_unix(self.created).unwrap_or(SystemTime::UNIX_EPOCH);
        match self.closed {
            Some(_) => "closing",
            None if now < created + STARTING => "starting",
            None => "doing",
        }
    }
}

pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let document = call.input.record("replication_configuration").unwrap_or(&empty);
    let mut given = document.records("rules");
    let (Some(rule), None) = (given.next(), given.next()) else {
        return Err(too_many());
    };
    let target = check(call, rule)?;
    let id = match rule.text("id").filter(|id| !id.is_empty()) {
        Some(id) if id.contains('/') => return Err(taken(id)),
        Some(id) => id.to_owned(),
        None => call.state.request_id().to_ascii_lowercase(),
    };
    let historical = rule
        .text("historical_object_replication")
        .unwrap_or("enabled")
        .to_owned();
    let rule = rule
        .clone()
        .with("id", &id)
        .with("historical_object_replication", historical);
    let stored = Rule {
        created: time::unix_seconds(call.now),
        closed: None,
        target,
        document: write(call.service, &rule)?,
    };
    let (name, now) = (id.clone(), call.now);
    items::change_bucket(call, move |draft| {
        let rules = rules_among(draft, now)?;
        if rules.iter().any(|(_, other)| other.target == stored.target) {
            return Err(ServiceError::new(
                400,
                "BucketReplicationAlreadyExist",
                "There is a replication rule between the two buckets.",
            ));
        }
        if rules.len() >= MOST {
            return Err(ServiceError::new(
                400,
                "TooManyOutgoingReplication",
                "The bucket has too many replication rules.",
            ));
        }
        if rules.iter().any(|(other, _)| *other == name) {
            return Err(taken(&name));
        }
        draft.put(format!("{PREFIX}{name}"), items::write(&stored)?);
        Ok(())
    })
    .await?;
    Ok(Answer::ok(Record::new().with("replication_rule_id", id)))
}

fn taken(id: &str) -> ServiceError {
    ServiceError::invalid_argument("The ID of the rule is taken.", "ID", id)
}

/// Refuses rules that cannot be; the name of the bucket to copy to otherwise.
fn check(call: &Call<'_>, rule: &Record) -> Result<String, ServiceError> {
    let empty = Record::new();
    let destination = rule.record("destination").unwrap_or(&empty);
    let (target, location) = (
        destination.text_or_empty("bucket"),
        destination.text_or_empty("location"),
    );
    let region = location.strip_prefix("oss-").unwrap_or_default();
    if !bucket::knows_region(call.state, region) {
        return Err(ServiceError::new(
            400,
            "BadReplicationLocation",
            "There is no such region to replicate to.",
        )
        .detail("Location", location));
    }
    let own = call.bucket_info()?;
    let found = call.store().bucket(target).ok();
    let Some(found) = found.filter(|found| found.meta.owner == own.meta.owner && target != own.name) else {
        return Err(
            ServiceError::new(400, "InvalidTargetBucket", "The bucket to replicate to cannot be one.")
                .detail("BucketName", target),
        );
    };
    if found.meta.region != region {
        return Err(ServiceError::new(
            400,
            "InvalidTargetLocation",
            "The bucket to replicate to lies in another region.",
        )
        .detail("Location", location));
    }
    let encrypted = rule
        .record("source_selection_criteria")
        .and_then(|criteria| criteria.record("sse_kms_encrypted_objects"))
        .is_some_and(|objects| objects.text("status") == Some("Enabled"));
    if encrypted && !(rule.has("sync_role") && rule.has("encryption_configuration")) {
        return Err(ServiceError::new(
            400,
            "MissingArgument",
            "Copies of encrypted objects need a role and a key.",
        ));
    }
    if let Some(action) = rule.text("action") {
        let known = action
            .split(',')
            .all(|one| matches!(one, "ALL" | "PUT" | "DELETE" | "ABORT"));
        if !known {
            return Err(ServiceError::invalid_argument(
                "The action is not known.",
                "Action",
                action,
            ));
        }
    }
    Ok(target.to_owned())
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let mut shown = Vec::new();
    for (_, rule) in rules(call)? {
        shown.push(read(call.service, &rule)?.with("status", rule.status(call.now)));
    }
    if shown.is_empty() {
        return Err(none(call));
    }
    Ok(Answer::ok(
        Record::new().with("replication_configuration", Record::new().with("rules", shown)),
    ))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let document = call.input.record("replication_rules");
    let ids = document.map(|document| document.list("ids")).unwrap_or_default();
    let [Value::Text(id)] = ids else {
        return Err(too_many());
    };
    let now = time::unix_seconds(call.now);
    items::change(call, &format!("{PREFIX}{id}"), move |old: Option<Rule>| {
        let closed = old.map(|old| Rule {
            closed: old.closed.or(Some(now)),
            ..old
        });
        Ok((closed, ()))
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn progress(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let id = call.input.text_or_empty("rule_id");
    let rules = rules(call)?;
    if rules.is_empty() {
        return Err(none(call));
    }
    let (_, rule) = rules.iter().find(|(other, _)| other == id).ok_or_else(|| no_rule(id))?;
    let record = read(call.service, rule)?;
    let status = rule.status(call.now);
    let copied = (status == "doing").then(|| Record::new().with("historical_object", "0.00"));
    let members = [
        "destination",
        "historical_object_replication",
        "id",
        "prefix_set",
        "action",
    ];
    let shown = members.iter().fold(Record::new(), |shown, name| {
        shown.with_some(name, record.get(name).cloned())
    });
    let shown = shown.with("status", status).with_some("progress", copied);
    Ok(Answer::ok(Record::new().with(
        "replication_progress",
        Record::new().with("rules", vec![shown]),
    )))
}

pub(super) fn locations(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let own = call.bucket_info()?.meta.region;
    let regions = bucket::regions_of(call.state);
    let names: Vec<Value> = regions.iter().map(|region| format!("oss-{region}").into()).collect();
    let others: Vec<Value> = regions
        .iter()
        .filter(|region| **region != own)
        .map(|region| format!("oss-{region}").into())
        .collect();
    let types = others.iter().map(|location| {
        let types = vec![Value::from("oss_acc")];
        Record::new()
            .with("location", location.clone())
            .with("transfer_types", Record::new().with("types", types))
    });
    let types: Vec<Record> = types.collect();
    let record = Record::new()
        .with("locations", names)
        .with(
            "location_transfer_type_constraint",
            Record::new().with("location_transfer_types", types),
        )
        .with("location_rtc_constraint", Record::new().with("locations", others));
    Ok(Answer::ok(Record::new().with("replication_location", record)))
}

pub(super) async fn put_rtc(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let document = call.input.record("rtc_configuration").unwrap_or(&empty);
    let id = document.text_or_empty("id").to_owned();
    let rtc = document.record("rtc").cloned().unwrap_or_default();
    if rtc.text("status") == Some("enabling") {
        return Err(ServiceError::invalid_argument(
            "Time control is either enabled or disabled.",
            "Status",
            "enabling",
        ));
    }
    let (service, now, unreplicated) = (call.service, call.now, none(call));
    items::change_bucket(call, move |draft| {
        let rules = rules_among(draft, now)?;
        if rules.is_empty() {
            return Err(unreplicated);
        }
        let (_, rule) = rules
            .iter()
            .find(|(other, _)| *other == id)
            .ok_or_else(|| no_rule(&id))?;
        let changed = Rule {
            document: write(service, &read(service, rule)?.with("rtc", rtc))?,
            ..rule.clone()
        };
        draft.put(format!("{PREFIX}{id}"), items::write(&changed)?);
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

/// The rules that are not gone yet.
fn rules(call: &Call<'_>) -> Result<Vec<(String, Rule)>, ServiceError> {
    let mut rules: Vec<(String, Rule)> = items::all(call.store(), call.bucket()?, PREFIX)?;
    rules.retain(|(_, rule)| !rule.is_gone(call.now));
    Ok(rules)
}

/// The same of a bucket that is being changed.
fn rules_among(draft: &Draft<'_>, now: SystemTime) -> Result<Vec<(String, Rule)>, ServiceError> {
    let mut rules: Vec<(String, Rule)> = items::among(draft, PREFIX)?;
    rules.retain(|(_, rule)| !rule.is_gone(now));
    Ok(rules)
}

fn shape(service: &Service) -> Result<ShapeId, ServiceError> {
    let shapes = &service.shapes;
    let found = shapes.iter().position(|shape| shape.name == "ReplicationRule");
    found
        .map(ShapeId)
        .ok_or_else(|| ServiceError::internal("Replication rules have no model."))
}

fn write(service: &Service, rule: &Record) -> Result<String, ServiceError> {
    let document = configuration::write_shape(service, shape(service)?, rule);
    Ok(String::from_utf8_lossy(&document).into_owned())
}

fn read(service: &Service, rule: &Rule) -> Result<Record, ServiceError> {
    configuration::read_shape(service, shape(service)?, rule.document.as_bytes())
}

fn too_many() -> ServiceError {
    ServiceError::new(
        400,
        "TooManyReplicationRules",
        "A request has exactly one replication rule.",
    )
}

fn none(call: &Call<'_>) -> ServiceError {
    ServiceError::new(404, "NoSuchReplicationConfiguration", "The bucket is not replicated.")
        .detail("BucketName", call.head.bucket().unwrap_or_default())
}

fn no_rule(id: &str) -> ServiceError {
    ServiceError::new(404, "NoSuchReplicationRule", "The bucket has no such replication rule.").detail("RuleId", id)
}

/// Whether a rule of the bucket copies through the accelerated network.
pub(super) fn uses_acceleration(call: &Call<'_>) -> Result<bool, ServiceError> {
    for (_, rule) in rules(call)? {
        let record = read(call.service, &rule)?;
        let destination = record.record("destination");
        if destination.is_some_and(|destination| destination.text("transfer_type") == Some("oss_acc")) {
            return Ok(true);
        }
    }
    Ok(false)
}
