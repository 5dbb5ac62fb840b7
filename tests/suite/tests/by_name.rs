//! Every operation by its name, from JSON to JSON, with the answers of the wire snapshots.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use oss_emulator::interpreter;
use oss_emulator::model::{Operation, Place};
use oss_sdk::dynamic::{Clients, DynamicError};
use oss_sdk::{Client, Config, Credentials, FixedClock, GetObjectRequest, Timestamp};
use oss_suite::generated::wire;
use oss_suite::wire::Case;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

fn clients(case: &Case) -> Clients {
    Clients::new(
        Config::new()
            .region("cn-hangzhou")
            .account_id("1234567890123456")
            .credentials(Credentials::new("ak", "sk"))
            .retry_attempts(1)
            .transport(case.recorded()),
    )
}

/// Operations of the models by service and name, with their samples.
fn operations() -> Vec<(Case, &'static Operation)> {
    let mut cases: BTreeMap<_, _> = wire::cases()
        .into_iter()
        .map(|case| ((case.service, case.operation), case))
        .collect();
    let mut found = Vec::new();
    for service in &interpreter::api().unwrap().services {
        for (_, operation) in service.operations() {
            let case = cases.remove(&(service.name.as_str(), operation.name.as_str()));
            found.push((
                case.unwrap_or_else(|| panic!("{} has no sample", operation.name)),
                operation,
            ));
        }
    }
    assert!(cases.is_empty(), "{cases:?}");
    found
}

#[tokio::test]
async fn nothing_given_names_what_is_missing() {
    for (case, operation) in operations() {
        let outcome = clients(&case).call(case.service, case.operation, json!({})).await;
        let required: Vec<&str> = operation
            .request
            .iter()
            .filter(|member| member.required && member.place != Place::Local)
            .chain(
                operation
                    .request
                    .iter()
                    .filter(|member| operation.any_of.iter().flatten().any(|name| *name == member.name)),
            )
            .map(|member| member.name.as_str())
            .collect();
        match outcome {
            Ok(output) => assert!(required.is_empty(), "{case:?} needs {required:?} and gave {output}"),
            Err(error) => {
                assert!(error.is_bad_input(), "{case:?}: {error}");
                let text = error.to_string();
                assert!(
                    required.iter().any(|name| text.contains(&format!("`{name}`"))),
                    "{case:?}: {text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_is_required_suffices() {
    for (case, operation) in operations() {
        let service = interpreter::api().unwrap().service(case.service).unwrap();
        let input = oss_suite::arbitrary::minimal_request(service, operation);
        let input = input.new_tree(&mut TestRunner::deterministic()).unwrap().current();
        let output = clients(&case).call(case.service, case.operation, input.clone()).await;
        let output = output.unwrap_or_else(|error| panic!("{case:?} with {input}: {error}"));
        assert!(
            output["status_code"]
                .as_u64()
                .is_some_and(|status| (200..300).contains(&status)),
            "{case:?}: {output}"
        );
    }
}

#[tokio::test]
async fn a_member_that_is_unknown_or_of_another_type_is_named() {
    for (case, operation) in operations() {
        let service = interpreter::api().unwrap().service(case.service).unwrap();
        let input = oss_suite::arbitrary::minimal_request(service, operation);
        let mut input = input.new_tree(&mut TestRunner::deterministic()).unwrap().current();
        input["no_such_member"] = json!(1);
        let error = clients(&case)
            .call(case.service, case.operation, input)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("`no_such_member`"), "{case:?}: {error}");
        for member in &operation.request {
            let mut input = Value::Object(serde_json::Map::new());
            input[&member.name] = json!([[{"$no": ["such", "form"]}]]);
            let outcome = clients(&case).call(case.service, case.operation, input).await;
            assert!(outcome.is_err(), "{case:?} takes anything as {}", member.name);
        }
    }
}

#[tokio::test]
async fn a_name_gives_the_same_url_as_a_type() {
    let time = Timestamp::parse_iso8601("2026-01-02T03:04:05Z").unwrap();
    let config = Config::new()
        .region("cn-hangzhou")
        .credentials(Credentials::new("ak", "sk"))
        .clock(FixedClock::new(time));
    let expires = Duration::from_secs(600);
    let client = Client::new(config.clone()).unwrap();
    let request = GetObjectRequest::new("bucket", "a key").response_content_type("text/css");
    let typed = client.get_object(request).presign(expires).await.unwrap();
    let input = json!({"bucket": "bucket", "key": "a key", "response_content_type": "text/css"});
    let named = client
        .presign_by_name("GetObject", input.clone(), expires)
        .await
        .unwrap();
    assert_eq!(named, typed);
    let clients = Clients::new(config);
    assert_eq!(
        clients.presign("oss", "GetObject", input, expires).await.unwrap(),
        typed
    );
    let unknown = clients
        .presign("oss", "GetObjekt", json!({}), expires)
        .await
        .unwrap_err();
    assert!(unknown.to_string().contains("GetObject"), "{unknown}");
    let wrong = client.presign_by_name("GetObject", json!({"bucket": 1}), expires).await;
    assert!(matches!(wrong, Err(DynamicError::Input(_))), "{wrong:?}");
}
