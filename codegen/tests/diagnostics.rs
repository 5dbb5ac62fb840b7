//! Broken models and what is said about them: one snapshot for each file of `tests/broken`.
//!
//! A file is the group `broken` of the service `oss`, or several files under `# file:` lines. It is named by the code that
//! it is for.

#![cfg(feature = "yaml")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::{Diagnostics, SourceFile, lint, load};

const SERVICE: &str = "\
service: oss
protocol: rest-xml
product: oss
doc: Objects and buckets.
hosts:
  public: oss-{region}.aliyuncs.com
signing: bucket
errors:
  NoSuchBucket: {status: 404, doc: There is no bucket of the name.}
";

/// Names and sources of all broken models.
fn fixtures() -> Vec<(String, Vec<SourceFile>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut fixtures: Vec<_> = fs::read_dir(dir)
        .expect("the directory of broken models")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, sources(&fs::read_to_string(path).expect("a text")))
        })
        .collect();
    fixtures.sort_by(|a, b| a.0.cmp(&b.0));
    fixtures
}

fn sources(text: &str) -> Vec<SourceFile> {
    let mut sources: Vec<SourceFile> = Vec::new();
    if !text.starts_with("# file: ") {
        sources.push(SourceFile {
            path: "models/oss/broken.yaml".to_owned(),
            text: String::new(),
        });
    }
    for line in text.lines() {
        match (line.strip_prefix("# file: "), sources.last_mut()) {
            (None, Some(source)) => source.text.extend([line, "\n"]),
            (path, _) => {
                let path = path.expect("a path first").to_owned();
                sources.push(SourceFile {
                    path,
                    text: String::new(),
                });
            }
        }
    }
    let uses_oss = sources.iter().any(|source| source.path.starts_with("models/oss/"));
    let service = "models/oss/service.yaml";
    if uses_oss && sources.iter().all(|source| source.path != service) {
        sources.push(SourceFile {
            path: service.to_owned(),
            text: SERVICE.to_owned(),
        });
    }
    sources
}

fn problems(name: &str, sources: &[SourceFile]) -> Diagnostics {
    load(sources).err().unwrap_or_else(|| panic!("`{name}` loads"))
}

#[test]
fn each_broken_model_is_explained() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, sources) in fixtures() {
            let problems = problems(&name, &sources);
            insta::assert_snapshot!(name.as_str(), render(&problems, &sources, Style::Plain));
        }
    });
}

#[test]
fn each_broken_model_has_the_problem_that_it_is_named_by() {
    for (name, sources) in fixtures() {
        let code = name.split('_').next().unwrap_or_default();
        let found: BTreeSet<&str> = problems(&name, &sources).iter().map(|problem| problem.code).collect();
        assert!(found.contains(code) || !code.starts_with('M'), "{name}: {found:?}");
    }
}

#[test]
fn each_code_has_a_broken_model_and_an_explanation() {
    let covered: BTreeSet<&str> = fixtures()
        .iter()
        .flat_map(|(name, sources)| problems(name, sources).iter().map(|p| p.code).collect::<Vec<_>>())
        .collect();
    let known: BTreeSet<&str> = lint::rules().iter().map(|rule| rule.code).collect();
    assert_eq!(covered, known);
    assert!(lint::rules().is_sorted_by_key(|rule| rule.code));
    for rule in lint::rules() {
        assert!(
            oss_codegen::explain(rule.code).is_some_and(|text| text.ends_with('.')),
            "{}",
            rule.code
        );
        assert!(!rule.title.is_empty());
    }
    assert_eq!(oss_codegen::explain("M9999"), None);
}

#[test]
fn all_problems_of_a_file_are_reported_in_one_run() {
    let (name, sources) = fixtures()
        .into_iter()
        .find(|(name, _)| name == "many_errors")
        .expect("the model with many errors");
    let problems = problems(&name, &sources);
    let codes: BTreeSet<&str> = problems.iter().map(|problem| problem.code).collect();
    for code in [
        "M0002", "M0004", "M0105", "M0107", "M0205", "M0206", "M0303", "M0305", "M0401", "M0403", "M0501", "M0502",
        "M0503",
    ] {
        assert!(codes.contains(code), "{code} is missing in {codes:?}");
    }
    let places: Vec<_> = problems
        .iter()
        .map(|problem| (&problem.file, problem.span.line, problem.span.column))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_problem_has_a_remedy_and_a_place_in_its_file() {
    for (name, sources) in fixtures() {
        for problem in &problems(&name, &sources) {
            assert!(problem.help.is_some(), "{name}: {problem}");
            let source = sources
                .iter()
                .find(|source| source.path == problem.file)
                .expect("a known file");
            assert!(
                (1..=source.text.lines().count().max(1)).contains(&problem.span.line),
                "{name}: {problem}"
            );
        }
    }
}

#[test]
fn any_prefix_and_any_damage_of_a_model_is_no_panic() {
    // Cutting and overwriting gives a few thousand damaged files; each loads or is explained.
    let (_, sources) = fixtures()
        .into_iter()
        .find(|(name, _)| name == "many_errors")
        .expect("the model");
    let text = &sources[0].text;
    for (index, _) in text.char_indices().step_by(5) {
        for damage in ["", "{", ": ", "- ", "\"", "\t", "é", "&a ", "*a", "\n"] {
            let damaged = match damage {
                "" => text[..index].to_owned(),
                _ => format!("{}{damage}{}", &text[..index], &text[index..]),
            };
            let sources = [
                SourceFile {
                    text: damaged,
                    ..sources[0].clone()
                },
                sources[1].clone(),
            ];
            let rendered = load(&sources)
                .err()
                .map(|problems| render(&problems, &sources, Style::Plain));
            assert!(rendered.is_none_or(|text| text.contains("error")));
        }
    }
}
