//! Transitions of a bucket from one zone to several: tasks that take their time on the emulator's clock.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::items;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::Call;
use crate::store::{BucketInfo, Store};
use crate::time;
use crate::value::Record;

const PREFIX: &str = "redundancyTransition/";
/// How long a task waits, and how long it then works.
const QUEUE: Duration = Duration::from_secs(60);
const WORK: Duration = Duration::from_secs(3600);
const DEFAULT_PAGE: i64 = 20;

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Task {
    /// Seconds since 1970.
    created: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Queueing,
    Processing,
    Finished,
}

impl Task {
    fn created(self) -> SystemTime {
        time::from_unix(self.created).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn age(self, now: SystemTime) -> Duration {
        now.duration_since(self.created()).unwrap_or_default()
    }

    fn status(self, now: SystemTime) -> Status {
        match self.age(now) {
            age if age < QUEUE => Status::Queueing,
            age if age < QUEUE + WORK => Status::Processing,
            _ => Status::Finished,
        }
    }

    fn shown(self, bucket: &str, id: &str, now: SystemTime) -> Record {
        let record = Record::new()
            .with("bucket", bucket)
            .with("task_id", id)
            .with("create_time", time::iso8601_millis(self.created()));
        let status = self.status(now);
        let name = match status {
            Status::Queueing => "Queueing",
            Status::Processing => "Processing",
            Status::Finished => "Finished",
        };
        let record = record.with("status", name);
        if status == Status::Queueing {
            return record;
        }
        let started = self.created() + QUEUE;
        let record = record.with("start_time", time::iso8601_millis(started));
        if status == Status::Finished {
            return record
                .with("process_percentage", 100i64)
                .with("estimated_remaining_time", 0i64)
                .with("end_time", time::iso8601_millis(started + WORK));
        }
        let worked = self.age(now).saturating_sub(QUEUE).as_secs();
        // Hours that are left, begun ones counted.
        let left = WORK.as_secs().saturating_sub(worked).div_ceil(3600);
        record
            .with("process_percentage", worked * 100 / WORK.as_secs())
            .with("estimated_remaining_time", left)
    }
}

/// The redundancy of a bucket at a time: what a finished task made of it.
pub(in crate::operations) fn current(
    store: &Store,
    bucket: &BucketInfo,
    now: SystemTime,
) -> Result<String, ServiceError> {
    let tasks: Vec<(String, Task)> = items::all(store, &bucket.name, PREFIX)?;
    let finished = tasks.iter().any(|(_, task)| task.status(now) == Status::Finished);
    Ok(if finished {
        "ZRS".to_owned()
    } else {
        bucket.meta.redundancy.clone()
    })
}

pub(super) async fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let target = call.input.text_or_empty("target_redundancy_type").to_owned();
    let now = call.now;
    let id = call.state.request_id().to_ascii_lowercase();
    let kind = format!("{PREFIX}{id}");
    items::change_bucket(call, move |draft| {
        let tasks: Vec<(String, Task)> = items::among(draft, PREFIX)?;
        let is_done = tasks.iter().any(|(_, task)| task.status(now) == Status::Finished);
        if target != "ZRS" || is_done || draft.meta.redundancy == "ZRS" {
            return Err(ServiceError::invalid_argument(
                "Only a locally redundant bucket can be changed, and only to ZRS.",
                "x-oss-target-redundancy-type",
                &target,
            ));
        }
        if !tasks.is_empty() {
            return Err(conflict("The bucket is being changed already."));
        }
        let task = Task {
            created: time::unix_seconds(now),
        };
        draft.put(kind, items::write(&task)?);
        Ok(())
    })
    .await?;
    Ok(Answer::ok(Record::new().with(
        "bucket_data_redundancy_transition",
        Record::new().with("task_id", id),
    )))
}

pub(super) fn get(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let id = call.input.text_or_empty("redundancy_transition_taskid");
    let task = find(call, id)?;
    Ok(Answer::ok(Record::new().with(
        "bucket_data_redundancy_transition",
        task.shown(call.bucket()?, id, call.now),
    )))
}

pub(super) async fn delete(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let id = call.input.text_or_empty("redundancy_transition_taskid").to_owned();
    let now = call.now;
    items::change_bucket(call, move |draft| {
        let kind = format!("{PREFIX}{id}");
        let task: Task = items::read(draft.document(&kind).ok_or_else(|| no_task(&id))?)?;
        match task.status(now) {
            Status::Processing => return Err(conflict("The task is under way.")),
            Status::Queueing => {}
            // What the task has done stays when it is forgotten.
            Status::Finished => "ZRS".clone_into(&mut draft.meta.redundancy),
        }
        draft.remove(&kind);
        Ok(())
    })
    .await?;
    Ok(Answer::no_content(Record::new()))
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = call.bucket()?;
    let tasks: Vec<(String, Task)> = items::all(call.store(), bucket, PREFIX)?;
    let shown: Vec<Record> = tasks
        .iter()
        .map(|(id, task)| task.shown(bucket, id, call.now))
        .collect();
    Ok(listed(Record::new().with("bucket_data_redundancy_transition", shown)))
}

pub(super) fn list_all(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let account = call.principal.account().unwrap_or_default();
    let mut tasks = Vec::new();
    for bucket in call.store().list_buckets("", "", usize::MAX).buckets {
        if bucket.meta.owner != account {
            continue;
        }
        let own: Vec<(String, Task)> = items::all(call.store(), &bucket.name, PREFIX)?;
        tasks.extend(
            own.into_iter()
                .map(|(id, task)| (format!("{}/{id}", bucket.name), task.shown(&bucket.name, &id, call.now))),
        );
    }
    let most = usize::try_from(call.input.integer("max_keys").unwrap_or(DEFAULT_PAGE)).unwrap_or_default();
    let page = items::page(tasks, call.input.text("continuation_token"), most);
    let shown: Vec<Record> = page.items.into_iter().map(|(_, record)| record).collect();
    Ok(listed(
        Record::new()
            .with("bucket_data_redundancy_transition", shown)
            .with("is_truncated", page.next.is_some())
            .with_some("next_continuation_token", page.next),
    ))
}

fn listed(record: Record) -> Answer {
    Answer::ok(Record::new().with("list_bucket_data_redundancy_transition", record))
}

fn find(call: &Call<'_>, id: &str) -> Result<Task, ServiceError> {
    let task: Option<Task> = items::find(call.store(), call.bucket()?, &format!("{PREFIX}{id}"))?;
    task.ok_or_else(|| no_task(id))
}

fn no_task(id: &str) -> ServiceError {
    ServiceError::new(
        404,
        "BucketDataRedundancyTransitionTaskNotExist",
        "The bucket has no such task.",
    )
    .detail("TaskId", id)
}

fn conflict(why: &str) -> ServiceError {
    ServiceError::new(409, "BucketDataRedundancyTransitionTaskStatusConflict", why)
}
