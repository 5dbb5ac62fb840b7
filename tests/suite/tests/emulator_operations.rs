//! Every operation of the models against the emulator: what it does not carry out stands in its README, and no request that
//! the models allow makes it fail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use oss_emulator::Emulator;
use oss_emulator::interpreter;
use oss_emulator::model::{Place, Service};
use oss_sdk::dynamic::Clients;
use oss_sdk::{Config, Credentials};
use oss_suite::requests::samples;
use serde_json::{Value, json};

const BUCKET: &str = "every-operation";
const KEY: &str = "object";
const BEGIN: &str = "<!-- not carried out: begin -->\n";
const END: &str = "<!-- not carried out: end -->";

/// Where requests of a service go: each has a bucket and an object to meet.
async fn prepare(clients: &Clients, service: &str) {
    let bucket = json!({"bucket": BUCKET});
    let made = match service {
        "agentic" => clients.call("agentic", "CreateAgenticBucket", bucket).await,
        "vectors" => clients.call("vectors", "PutVectorBucket", bucket).await,
        "tables" => {
            clients
                .call("tables", "CreateTableBucket", json!({"name": BUCKET}))
                .await
        }
        _ => clients.call("oss", "PutBucket", bucket).await,
    };
    // What is there already, or cannot be made, shows in the outcome of the requests.
    let _ = made;
    if service == "oss" {
        let object = json!({"bucket": BUCKET, "key": KEY, "body": {"$text": "a,b\n1,2\n"}});
        let _ = clients.call("oss", "PutObject", object).await;
    }
}

/// Points an input at what [`prepare`] made.
fn aim(service: &Service, operation: &str, mut input: Value) -> Value {
    let members = service
        .operation(operation)
        .into_iter()
        .flat_map(|found| &found.request);
    for member in members {
        match member.place {
            Place::Bucket => input[&member.name] = json!(BUCKET),
            Place::Key => input[&member.name] = json!(KEY),
            _ => {}
        }
    }
    input
}

#[tokio::test]
async fn what_is_not_carried_out_is_in_the_readme_and_nothing_fails() {
    let emulator = Emulator::start().await.unwrap();
    let clients = Clients::new(
        Config::new()
            .region(emulator.region())
            .endpoint(emulator.endpoint())
            .account_id(emulator.account_id())
            .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
            .retry_attempts(1),
    );
    let api = interpreter::api().unwrap();
    let mut refused: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let mut failures = Vec::new();
    for sample in samples(2, 4).unwrap() {
        let service = api.service(sample.service).unwrap();
        prepare(&clients, sample.service).await;
        let input = aim(service, sample.operation, sample.input);
        let outcome = clients.call(sample.service, sample.operation, input.clone()).await;
        let error = outcome.err().map(|error| error.to_json());
        let status = error
            .as_ref()
            .and_then(|error| error["status_code"].as_u64())
            .unwrap_or(200);
        let is_refused = status == 501;
        if status >= 500 && !is_refused {
            failures.push(format!(
                "{} with {input}: {}",
                sample.operation,
                error.unwrap_or_default()
            ));
        }
        *refused.entry((sample.service, sample.operation)).or_insert(true) &= is_refused;
    }
    assert!(
        failures.is_empty(),
        "{} requests failed:\n{}",
        failures.len(),
        failures.join("\n")
    );

    let missing: BTreeSet<(&str, &str)> = refused
        .into_iter()
        .filter(|(_, refused)| *refused)
        .map(|(id, _)| id)
        .collect();
    let mut text = String::from("| service | answered with `501 NotImplemented` |\n| --- | --- |\n");
    for service in &api.services {
        let names: Vec<String> = missing
            .iter()
            .filter(|(of, _)| *of == service.name)
            .map(|(_, name)| format!("`{name}`"))
            .collect();
        let all = service.operations().count();
        let names = if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        };
        text.push_str(&format!("| {} ({all} operations) | {names} |\n", service.name));
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulator/README.md");
    let page = std::fs::read_to_string(&readme).unwrap();
    let (head, rest) = page
        .split_once(BEGIN)
        .expect("the README has the mark where the table begins");
    let (_, tail) = rest
        .split_once(END)
        .expect("the README has the mark where the table ends");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&readme, format!("{head}{BEGIN}{text}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        rest.starts_with(&text),
        "the README of the emulator has another table; UPDATE_README=1 writes it:\n{text}"
    );
}
