//! Scaffolds: entries that are valid but for the sentences that are still to be written.

#![cfg(all(feature = "yaml", feature = "templates"))]

use oss_codegen::api::Api;
use oss_codegen::scaffold::{Scaffold, scaffold};
use oss_codegen::{SourceFile, load};

const SERVICE: &str = "\
service: oss
protocol: rest-xml
product: oss
doc: Objects and buckets.
hosts:
  public: oss-{region}.aliyuncs.com
signing: bucket
";

const GROUP: &str = "\
service: oss
group: bucket_x
operations:
  GetBucketX:
    doc: Returns a setting of a bucket.
    http: GET /{bucket}?x
";

fn sources(extra: &[(&str, &str)]) -> Vec<SourceFile> {
    let file = |(path, text): (&str, &str)| SourceFile {
        path: format!("models/{path}"),
        text: text.to_owned(),
    };
    [("oss/service.yaml", SERVICE), ("oss/bucket_x.yaml", GROUP)]
        .into_iter()
        .chain(extra.iter().copied())
        .map(file)
        .collect()
}

fn api() -> Api {
    load(&sources(&[])).expect("a model")
}

fn wanted() -> Scaffold {
    Scaffold {
        operation: "ListBucketThings".to_owned(),
        http: "GET /{bucket}?things".to_owned(),
        group: None,
        request: vec![
            "max_keys:query:max-keys:integer".to_owned(),
            "owner_id:header:x-oss-owner:string:required".to_owned(),
        ],
        result: vec!["names:field:Names>Name:list<string>".to_owned()],
    }
}

#[test]
fn a_new_group_is_a_whole_file() {
    let entry = scaffold(&api().services[0], &wanted()).expect("an entry");
    assert_eq!(
        (entry.path.as_str(), entry.is_new_file),
        ("oss/bucket_things.yaml", true)
    );
    insta::assert_snapshot!("scaffold_new_file", entry.text);
}

#[test]
fn an_existing_group_gets_an_entry_below_operations() {
    let entry = scaffold(
        &api().services[0],
        &Scaffold {
            group: Some("bucket_x".to_owned()),
            ..wanted()
        },
    )
    .expect("an entry");
    assert!(!entry.is_new_file);
    assert!(entry.text.starts_with("  ListBucketThings:\n"), "{}", entry.text);
    let text = format!("{GROUP}{}", entry.text);
    let mut sources = sources(&[]);
    sources[1].text = text;
    let problems = load(&sources).expect_err("placeholders");
    assert!(problems.iter().all(|problem| problem.code == "M0404"), "{problems}");
}

#[test]
fn only_the_sentences_are_missing_and_the_lint_says_so() {
    let entry = scaffold(&api().services[0], &wanted()).expect("an entry");
    let problems = load(&sources(&[(&entry.path, &entry.text)])).expect_err("placeholders");
    assert_eq!(problems.len(), 4, "{problems}");
    assert!(problems.iter().all(|problem| problem.code == "M0404"), "{problems}");
}

#[test]
fn what_makes_no_entry_is_refused_with_the_reason() {
    let api = api();
    let service = &api.services[0];
    for (change, reason) in [
        (
            Scaffold {
                operation: "list_things".to_owned(),
                ..wanted()
            },
            "no name of an operation",
        ),
        (
            Scaffold {
                operation: "GetBucketX".to_owned(),
                ..wanted()
            },
            "already",
        ),
        (
            Scaffold {
                http: "FETCH /".to_owned(),
                ..wanted()
            },
            "no `http` line",
        ),
        (
            Scaffold {
                http: "GET /a\nb: c".to_owned(),
                ..wanted()
            },
            "no `http` line",
        ),
        (
            Scaffold {
                group: Some("../x".to_owned()),
                ..wanted()
            },
            "no name of a group",
        ),
        (
            Scaffold {
                request: vec!["name".to_owned()],
                ..wanted()
            },
            "no member",
        ),
        (
            Scaffold {
                request: vec!["Name:query:n:string".to_owned()],
                ..wanted()
            },
            "snake_case",
        ),
        (
            Scaffold {
                result: vec!["names:field::set<string>".to_owned()],
                ..wanted()
            },
            "no type",
        ),
    ] {
        let error = scaffold(service, &change).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}
