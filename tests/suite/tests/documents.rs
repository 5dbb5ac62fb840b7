//! What the documents say is shown by a test that exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Cells of the rows of a document's tables, without heads.
fn rows(document: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in document.lines() {
        if !line.starts_with('|') {
            in_table = false;
        } else if line.starts_with("| ---") {
            in_table = true;
        } else if in_table {
            let cells = line.trim_matches('|').split(" | ");
            rows.push(cells.map(|cell| cell.trim().to_owned()).collect());
        }
    }
    rows
}

/// `path::test` between backticks.
fn named_tests(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|quoted| quoted.split_once(".rs::"))
        .map(|(path, test)| (format!("{path}.rs"), test.to_owned()))
        .collect()
}

/// Finds nothing wrong, or names what is missing.
fn check_tests(text: &str, missing: &mut BTreeSet<String>) -> usize {
    let tests = named_tests(text);
    for (path, test) in &tests {
        let source = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        let is_test = source.lines().any(|line| {
            let line = line.trim();
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            let function = function.is_some_and(|rest| rest.strip_prefix(test.as_str()).is_some_and(starts_arguments));
            // A test that is made by a macro stands there by its name alone.
            function || line.trim_end_matches(&[',', ';', '}'][..]).trim() == test
        });
        if !is_test {
            missing.insert(format!("{path}::{test}"));
        }
    }
    tests.len()
}

fn starts_arguments(rest: &str) -> bool {
    rest.starts_with('(') || rest.starts_with('<')
}

#[test]
fn every_feature_is_shown_or_has_a_reason() {
    let rows = rows(&read("docs/features.md"));
    let numbers: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(numbers, (1..=100).map(|number| number.to_string()).collect::<Vec<_>>());
    let mut missing = BTreeSet::new();
    for row in &rows {
        let [number, feature, .., rust, shown] = &row[..] else {
            panic!("row {row:?}");
        };
        let tests = check_tests(shown, &mut missing);
        match rust.as_str() {
            "yes" => assert!(tests > 0, "{number} {feature} names no test"),
            "partly" | "no" | "next" => assert!(shown.len() > 10, "{number} {feature} has no reason"),
            other => panic!("{number} {feature}: {other}"),
        }
    }
    assert!(missing.is_empty(), "there are no such tests: {missing:#?}");
}

#[test]
fn every_defence_is_shown() {
    let rows = rows(&read("SECURITY.md"));
    assert!(rows.len() > 20, "{} rows", rows.len());
    let mut missing = BTreeSet::new();
    for row in &rows {
        assert_eq!(row.len(), 3, "{row:?}");
        let tests = check_tests(&row[2], &mut missing);
        assert!(tests > 0, "{} names no test", row[0]);
    }
    assert!(missing.is_empty(), "there are no such tests: {missing:#?}");
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    let mut missing = BTreeSet::new();
    let text =
        "`tests/suite/tests/documents.rs::every_defence`, `tests/suite/tests/documents.rs::every_defence_is_shown`";
    assert_eq!(check_tests(text, &mut missing), 2);
    let missing: Vec<String> = missing.into_iter().collect();
    assert_eq!(missing, ["tests/suite/tests/documents.rs::every_defence"]);
    let row = rows("| a | b |\n| --- | --- |\n| 1 | x \\| y |\n");
    assert_eq!(row, [["1", "x \\| y"]]);
}
