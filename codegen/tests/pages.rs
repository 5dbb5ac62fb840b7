//! The pages of the API: what they say of a small model, and that all their links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use oss_codegen::api::{Api, Operation};
use oss_codegen::emit::pages;
use oss_codegen::emit::{Files, Options};

const DIRECTORY: &str = "docs/api";

fn api(models: &str) -> Api {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join(models);
    let sources = oss_codegen::load_dir(&models).unwrap_or_else(|error| panic!("{error}"));
    oss_codegen::load(&sources).unwrap_or_else(|problems| panic!("{problems}"))
}

fn emit(models: &str) -> Files {
    pages::emit(&api(models), &Options::sdk_code("oss_sdk"), DIRECTORY)
}

/// Models with few things, models with every name and structure that is hard, and the real ones.
const MODELS: [&str; 3] = ["tests/fixtures/small", "tests/fixtures/obstacle", "../models"];

#[test]
fn the_pages_of_a_small_model() {
    for (path, text) in emit("tests/fixtures/small") {
        let name = path
            .trim_start_matches("docs/api/")
            .trim_end_matches(".md")
            .replace('/', "__");
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("pages__{name}"), text);
        });
    }
}

#[test]
fn every_page_says_that_it_is_generated_and_has_one_newline_at_its_end() {
    for models in MODELS {
        for (path, text) in emit(models) {
            assert!(text.starts_with(pages::MARKER), "{path}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
            assert!(!text.contains("\n\n\n"), "{path}");
            assert!(!text.lines().any(|line| line.ends_with(' ')), "{path}");
        }
    }
}

#[test]
fn every_relative_link_leads_to_a_heading_of_a_page() {
    for models in MODELS {
        let files = emit(models);
        let anchors: BTreeMap<&str, BTreeSet<String>> = files
            .iter()
            .map(|(path, text)| (path.as_str(), anchors(text)))
            .collect();
        let mut count = 0;
        for (path, text) in &files {
            for target in targets(text)
                .into_iter()
                .filter(|target| !target.starts_with("https://"))
            {
                let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
                let file = if file.is_empty() {
                    path.clone()
                } else {
                    resolve(path, file)
                };
                let Some(anchors) = anchors.get(file.as_str()) else {
                    panic!("{path}: `{target}` leads to no page")
                };
                let is_known = anchor.is_empty() || anchors.contains(anchor);
                assert!(is_known, "{path}: `{target}` leads to no heading");
                count += 1;
            }
        }
        assert!(count > files.len(), "{models}: only {count} links were found");
    }
}

#[test]
fn a_name_of_the_model_gets_the_first_anchor_of_its_name() {
    for models in MODELS {
        for (path, text) in emit(models) {
            let own = ["behaviour", "errors", "example", "request", "result"];
            let mut seen = BTreeSet::new();
            for heading in headings(&text) {
                let slug = pages::slug(heading);
                let is_repeated = !seen.insert(slug.clone());
                assert!(
                    !is_repeated || own.contains(&slug.as_str()),
                    "{path}: two headings `{heading}`"
                );
            }
        }
    }
}

#[test]
fn every_row_of_a_table_has_the_cells_of_its_head() {
    for models in MODELS {
        for (path, text) in emit(models) {
            let mut columns = None;
            for line in text.lines() {
                if !line.starts_with('|') {
                    columns = None;
                    continue;
                }
                let cells = line.replace("\\|", "").matches('|').count();
                assert_eq!(*columns.get_or_insert(cells), cells, "{path}: {line}");
            }
        }
    }
}

#[test]
fn nothing_of_the_models_is_left_out() {
    let api = api("../models");
    let files = pages::emit(&api, &Options::sdk_code("oss_sdk"), DIRECTORY);
    for service in &api.services {
        let page = |group: &str| &files[&format!("{DIRECTORY}/{}/{group}.md", service.name)];
        let home = page("README");
        for (group, operation) in service.operations() {
            let section = section(page(&group.name), operation);
            for member in operation.request.iter().chain(&operation.result) {
                let row = format!("\n| `{}` |", oss_codegen::names::rust_field(&member.name));
                assert!(section.contains(&row), "{}: {row}", operation.name);
            }
            for code in &operation.errors {
                assert!(
                    section.contains(&format!("\n| `{code}` |")),
                    "{}: {code}",
                    operation.name
                );
            }
            assert!(section.contains(&format!("\n```http\n{}\n", pages::http_line(operation))));
            assert!(section.contains("\n```rust,no_run\nuse "), "{}", operation.name);
            assert!(home.contains(&format!("[{}]({}.md#", operation.name, group.name)));
        }
        for shape in &service.shapes {
            assert!(
                page(&shape.group).contains(&format!("\n### {}", shape.name)),
                "{}",
                shape.name
            );
        }
        for found in &service.enums {
            assert!(
                page(&found.group).contains(&format!("\n### {}", found.name)),
                "{}",
                found.name
            );
        }
        for waiter in &service.waiters {
            let heading = format!("\n### `wait_until_{}`", waiter.name);
            assert!(page(&waiter.group).contains(&heading), "{heading}");
        }
        for error in &service.errors {
            assert!(home.contains(&format!("\n| `{}` | {} |", error.code, error.status)));
        }
    }
}

#[test]
fn another_crate_name_stands_everywhere() {
    let files = pages::emit(&api("tests/fixtures/small"), &Options::sdk_code("renamed"), DIRECTORY);
    for (path, text) in files {
        assert!(!text.contains("oss_sdk"), "{path}");
    }
}

/// The part of a page that is about one operation.
fn section<'a>(page: &'a str, operation: &Operation) -> &'a str {
    let heading = format!("\n## {}\n", operation.name);
    let start = page
        .find(&heading)
        .unwrap_or_else(|| panic!("no section {}", operation.name));
    let rest = &page[start + heading.len()..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// Lines of a page that are not in fenced blocks.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn headings(text: &str) -> impl Iterator<Item = &str> {
    lines(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim_start())
}

/// Anchors of all headings; repeated ones get a number as they do where the pages are shown.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    headings(text)
        .map(|heading| {
            let slug = pages::slug(heading);
            let count = counts.entry(slug.clone()).or_default();
            *count += 1;
            match *count {
                1 => slug,
                count => format!("{slug}-{}", count - 1),
            }
        })
        .collect()
}

/// Targets of all links outside of code.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in lines(text) {
        let outside: Vec<&str> = line.split('`').step_by(2).collect();
        // The text of a link may be a code span, so that its parts are in pieces next to each other.
        let line = outside.concat();
        for (start, _) in line.match_indices("](") {
            let rest = &line[start + 2..];
            targets.push(rest[..rest.find(')').expect("a link has an end")].to_owned());
        }
    }
    targets
}

/// A path relative to the directory of a page.
fn resolve(page: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
