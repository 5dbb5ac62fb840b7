//! The wire form of every operation: a minimal and a filled request, an answer, and the result it becomes.
//!
//! The samples are generated from the models, so a change of a model shows up here as a change of HTTP. Review it with
//! `cargo insta review`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use oss_suite::generated::wire;

const SNAPSHOTS: &str = "snapshots";

#[tokio::test]
async fn every_operation_has_its_wire_form() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(file!());
    let mut different = Vec::new();
    for case in wire::cases() {
        let text = case.render().await;
        settings.set_snapshot_path(Path::new(SNAPSHOTS).join(case.service));
        // The first difference must not hide the others.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(case.operation, text));
        }));
        if outcome.is_err() {
            different.push(format!("{}/{}", case.service, case.operation));
        }
    }
    assert!(different.is_empty(), "changed: {}", different.join(", "));
}

#[tokio::test]
async fn every_sample_is_sent_and_understood() {
    for case in wire::cases() {
        let text = case.render().await;
        assert!(!text.contains("nothing was sent"), "{case:?}: {text}");
        assert!(!text.contains("\nerror: "), "{case:?}: {text}");
    }
}

#[test]
fn there_is_no_snapshot_without_an_operation() {
    let known: BTreeSet<String> = wire::cases()
        .iter()
        .map(|case| format!("{}/{}.snap", case.service, case.operation))
        .collect();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(SNAPSHOTS);
    for service in ["agentic", "dataprocess", "oss", "sts", "tables", "vectors"] {
        for entry in std::fs::read_dir(directory.join(service)).unwrap() {
            let name = format!("{service}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(known.contains(&name), "{name} belongs to no operation; delete it");
        }
    }
}
