//! What the service would do to keep tables in order. The emulator keeps the settings and runs no task.

use serde::{Deserialize, Serialize};

use super::{Bucket, Call, bad_request, bucket as find_bucket, read, table, write};
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::store::{BucketMeta, Draft};
use crate::value::Record;

/// What the store keeps beside a bucket: its tasks.
const TASKS: &str = "maintenance";

/// The task of a bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct BucketTask {
    status: String,
    non_current_days: i64,
    unreferenced_days: i64,
}

impl Default for BucketTask {
    fn default() -> Self {
        Self {
            status: "enabled".to_owned(),
            non_current_days: 10,
            unreferenced_days: 3,
        }
    }
}

/// The tasks of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TableTasks {
    compaction: String,
    strategy: String,
    target_file_size_mb: i64,
    snapshots: String,
    max_snapshot_age_hours: i64,
    min_snapshots_to_keep: i64,
}

impl Default for TableTasks {
    fn default() -> Self {
        Self {
            compaction: "enabled".to_owned(),
            strategy: "auto".to_owned(),
            target_file_size_mb: 512,
            snapshots: "enabled".to_owned(),
            max_snapshot_age_hours: 120,
            min_snapshots_to_keep: 1,
        }
    }
}

pub(super) fn bucket(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = find_bucket(call)?;
    let task = task_of(call, &bucket)?;
    let detail = Record::new()
        .with("non_current_days", task.non_current_days)
        .with("unreferenced_days", task.unreferenced_days);
    let removal = Record::new()
        .with(
            "settings",
            Record::new().with("iceberg_unreferenced_file_removal", detail),
        )
        .with("status", task.status);
    Ok(Answer::ok(
        Record::new()
            .with(
                "configuration",
                Record::new().with("iceberg_unreferenced_file_removal", removal),
            )
            .with("table_bucket_arn", bucket.arn),
    ))
}

pub(super) async fn put_bucket(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = find_bucket(call)?;
    let (status, detail) = asked(call, "iceberg_unreferenced_file_removal")?;
    let change = move |draft: &mut Draft<'_>| {
        let mut task = kept_task(&draft.meta)?;
        set(&mut task.status, status);
        set(&mut task.non_current_days, detail.integer("non_current_days"));
        set(&mut task.unreferenced_days, detail.integer("unreferenced_days"));
        let text = String::from_utf8(write(&task)?).unwrap_or_default();
        draft.meta.extra.insert(TASKS.to_owned(), text);
        Ok::<_, ServiceError>(())
    };
    call.store().change_bucket(&bucket.container, change).await??;
    Ok(Answer::empty())
}

pub(super) fn table(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = find_bucket(call)?;
    let table = table::find(call, &bucket)?;
    let tasks = &table.tasks;
    let task = |name: &str, detail: Record, status: &str| {
        Record::new()
            .with("settings", Record::new().with(name, detail))
            .with("status", status)
    };
    let compaction = Record::new()
        .with("strategy", &tasks.strategy)
        .with("target_file_size_mb", tasks.target_file_size_mb);
    let snapshots = Record::new()
        .with("max_snapshot_age_hours", tasks.max_snapshot_age_hours)
        .with("min_snapshots_to_keep", tasks.min_snapshots_to_keep);
    let configuration = Record::new()
        .with(
            "iceberg_compaction",
            task("iceberg_compaction", compaction, &tasks.compaction),
        )
        .with(
            "iceberg_snapshot_management",
            task("iceberg_snapshot_management", snapshots, &tasks.snapshots),
        );
    Ok(Answer::ok(
        Record::new()
            .with("configuration", configuration)
            .with("table_arn", table.arn(&bucket)),
    ))
}

pub(super) async fn put_table(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = find_bucket(call)?;
    let is_compaction = call.input.text("type") == Some("icebergCompaction");
    let task = if is_compaction {
        "iceberg_compaction"
    } else {
        "iceberg_snapshot_management"
    };
    let (status, detail) = asked(call, task)?;
    let detail = detail.clone();
    for name in ["max_snapshot_age_hours", "min_snapshots_to_keep"] {
        if detail.integer(name).is_some_and(|number| number < 1) {
            return Err(bad_request("The settings of a task must be greater than 0."));
        }
    }
    table::update(call, &bucket, move |table, _| {
        let tasks = &mut table.tasks;
        if is_compaction {
            set(&mut tasks.compaction, status);
            set(&mut tasks.strategy, detail.text("strategy").map(str::to_owned));
            set(&mut tasks.target_file_size_mb, detail.integer("target_file_size_mb"));
        } else {
            set(&mut tasks.snapshots, status);
            set(
                &mut tasks.max_snapshot_age_hours,
                detail.integer("max_snapshot_age_hours"),
            );
            set(
                &mut tasks.min_snapshots_to_keep,
                detail.integer("min_snapshots_to_keep"),
            );
        }
        Ok(())
    })
    .await?;
    Ok(Answer::empty())
}

pub(super) fn job_status(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let bucket = find_bucket(call)?;
    let table = table::find(call, &bucket)?;
    let run = |status: &str| {
        let outcome = if status == "enabled" { "Not_Yet_Run" } else { "Disabled" };
        Record::new().with("status", outcome)
    };
    let status = Record::new()
        .with("iceberg_compaction", run(&table.tasks.compaction))
        .with("iceberg_snapshot_management", run(&table.tasks.snapshots))
        .with(
            "iceberg_unreferenced_file_removal",
            run(&task_of(call, &bucket)?.status),
        );
    Ok(Answer::ok(
        Record::new()
            .with("status", status)
            .with("table_arn", table.arn(&bucket)),
    ))
}

fn task_of(call: &Call<'_>, bucket: &Bucket) -> Result<BucketTask, ServiceError> {
    kept_task(&call.store().bucket(&bucket.container)?.meta)
}

fn kept_task(meta: &BucketMeta) -> Result<BucketTask, ServiceError> {
    match meta.extra.get(TASKS) {
        Some(stored) => read(stored.as_bytes()),
        None => Ok(BucketTask::default()),
    }
}

/// Status and settings that a request gives a task.
fn asked(call: &Call<'_>, task: &str) -> Result<(Option<String>, Record), ServiceError> {
    let empty = Record::new();
    let value = call.input.record("value").unwrap_or(&empty);
    let settings = value.record("settings");
    if settings.is_some_and(|settings| settings.names().any(|name| name != task)) {
        return Err(bad_request("The settings are those of another task."));
    }
    let status = value.text("status").map(str::to_owned);
    let detail = settings.and_then(|settings| settings.record(task));
    if status.is_none() && detail.is_none() {
        return Err(bad_request("The value has neither a status nor settings."));
    }
    Ok((status, detail.cloned().unwrap_or_default()))
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
