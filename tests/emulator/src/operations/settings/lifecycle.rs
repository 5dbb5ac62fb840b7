//! Lifecycle rules: what is taken, what they mean for an object, and carrying them out when asked.

mod check;
mod rules;
mod run;

pub(in crate::operations) use rules::LAST_ACCESS;
pub(crate) use rules::{Rule, expiry_of};
pub use run::LifecycleReport;
pub(crate) use run::TRANSITION_TIME;
pub(crate) use run::run;

use oss_codegen::api::Service;

use super::overview;
use crate::answer::Answer;
use crate::error::ServiceError;
use crate::operations::{Call, configuration};
use crate::state::State;
use crate::time;
use crate::value::Record;

const KIND: &str = "lifecycle";
const MEMBER: &str = "lifecycle_configuration";

/// Stores rules, each with an ID; those by access time remember since when accesses are known.
pub(super) async fn put(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let empty = Record::new();
    let document = call.input.record(MEMBER).unwrap_or(&empty);
    let may_overlap = match call.input.text("allow_same_action_overlap") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(ServiceError::invalid_argument(
                "The header is true or false.",
                "x-oss-allow-same-action-overlap",
                other,
            ));
        }
    };
    let monitored = overview::setting(call, call.bucket()?, "accessmonitor", "Status")?;
    check::rules(document, monitored.as_deref() == Some("Enabled"), may_overlap)?;
    let named = document.records("rules").map(|rule| {
        let mut rule = rule.clone();
        if rule.text_or_empty("id").is_empty() {
            rule.set("id", call.state.request_id().to_ascii_lowercase());
        }
        if rule
            .records("transitions")
            .any(|transition| transition.flag("is_access_time"))
        {
            rule.set("atime_base", time::unix_seconds(call.now));
        }
        rule
    });
    let document = Record::new().with("rules", named.collect::<Vec<_>>());
    configuration::put_changed(call, &call.input.clone().with(MEMBER, document)).await
}

/// The rules of a bucket, on or off.
pub(crate) fn rules_of(state: &State, bucket: &str) -> Result<Vec<Rule>, ServiceError> {
    let Some(document) = state.store.config(bucket, KIND)? else {
        return Ok(Vec::new());
    };
    let service = state.api.service("oss");
    let shape = service
        .and_then(shape_of)
        .ok_or_else(|| ServiceError::internal("Lifecycle rules have no model."))?;
    let record = configuration::read_shape(shape.0, shape.1, &document)?;
    Ok(record.records("rules").map(Rule::read).collect())
}

fn shape_of(service: &Service) -> Option<(&Service, oss_codegen::api::ShapeId)> {
    let operation = service.operation("GetBucketLifecycle")?;
    let (_, shape) = configuration::whole_shape(&operation.result)?;
    Some((service, shape))
}
