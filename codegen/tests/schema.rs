//! `models/schema.json`: every model file is valid by it, structural mistakes are not, and it knows the loader's keys.

#![cfg(feature = "yaml")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use oss_codegen::load_dir;
use oss_codegen::model::keys::{
    CONDITION, ENUM, GROUP, Kind, MEMBER, OPERATION, PAGINATE, QUERY_WHEN, Record, SERVICE, SHAPE, TRAITS, WAITER,
};
use serde_json::Value;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn schema() -> Value {
    let text = fs::read_to_string(models().join("schema.json")).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("a schema")
}

fn instance(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

fn errors(validator: &Validator, text: &str) -> Vec<String> {
    let instance = instance(text);
    validator
        .iter_errors(&instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_schema_itself_is_valid() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn every_model_file_is_valid() {
    let validator = validator();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/obstacle");
    for dir in [models(), fixtures] {
        let sources = load_dir(&dir).expect("models");
        assert!(!sources.is_empty(), "{}", dir.display());
        for source in sources {
            assert_eq!(
                errors(&validator, &source.text),
                Vec::<String>::new(),
                "{}",
                source.path
            );
        }
    }
}

#[test]
fn models_that_are_wrong_in_structure_are_refused() {
    let validator = validator();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut seen = 0;
    for entry in fs::read_dir(dir).expect("the directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        // These codes are about keys and kinds of values, which the schema states too.
        let structural = [
            "M0004",
            "M0005_missing",
            "M0006",
            "M0007",
            "M0105",
            "M0201_unknown",
            "M0401",
        ];
        if !structural.iter().any(|code| name.starts_with(code)) {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).expect("a text");
        assert!(!errors(&validator, &text).is_empty(), "{name} is valid by the schema");
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn the_schema_has_the_keys_of_the_loader() {
    let schema = schema();
    let of = |name: &str| &schema["$defs"][name];
    let records: [(&str, &Record); 10] = [
        ("service_file", &SERVICE),
        ("group_file", &GROUP),
        ("operation", &OPERATION),
        ("member", &MEMBER),
        ("paginate", &PAGINATE),
        ("query_when", &QUERY_WHEN),
        ("waiter", &WAITER),
        ("condition", &CONDITION),
        ("shape", &SHAPE),
        ("enum", &ENUM),
    ];
    for (name, record) in records {
        let keys: BTreeSet<&str> = record.keys.iter().map(|key| key.name).collect();
        let listed: BTreeSet<&str> = of(name)["properties"]
            .as_object()
            .expect("properties")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(listed, keys, "{name}");
        let required: BTreeSet<&str> = record
            .keys
            .iter()
            .filter(|key| key.required)
            .map(|key| key.name)
            .collect();
        let listed: BTreeSet<&str> = of(name)["required"]
            .as_array()
            .expect("required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(listed, required, "{name}");
        for key in record.keys {
            if let Kind::Word(words) = &key.kind {
                assert_eq!(
                    of(name)["properties"][key.name]["enum"],
                    Value::from(words.words.to_vec()),
                    "{}",
                    key.name
                );
            }
        }
    }
    let traits: Vec<&str> = of("trait")["oneOf"]
        .as_array()
        .expect("traits")
        .iter()
        .filter_map(|item| item["const"].as_str())
        .collect();
    assert_eq!(traits, TRAITS.words);
}

#[test]
fn every_key_has_a_description_for_editors() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for (name, definition) in definitions {
        let described = |value: &Value| {
            let reference = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
            value["description"].is_string()
                || reference.is_some_and(|name| definitions[name]["description"].is_string())
        };
        for (key, value) in definition["properties"].as_object().into_iter().flatten() {
            assert!(described(value), "{name}.{key}");
        }
    }
}
