//! What loading makes of models: the obstacle course and the models of the project load, and everything is resolved.

#![cfg(feature = "yaml")]

use std::fs;
use std::path::Path;

use oss_codegen::api::{Api, BodyKind, Literal, Member, Place, Service, Shape, TimestampFormat, Type};
use oss_codegen::diagnostic::render::{Style, render};
use oss_codegen::{SourceFile, load, load_dir};

fn obstacle() -> Api {
    loaded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/obstacle"))
}

fn loaded(dir: &Path) -> Api {
    let sources = load_dir(dir).expect("files");
    load(&sources).unwrap_or_else(|problems| panic!("{}", render(&problems, &sources, Style::Plain)))
}

fn member<'a>(members: &'a [Member], name: &str) -> &'a Member {
    members
        .iter()
        .find(|member| member.name == name)
        .unwrap_or_else(|| panic!("no member `{name}`"))
}

fn shape<'a>(service: &'a Service, name: &str) -> &'a Shape {
    service
        .shapes
        .iter()
        .find(|shape| shape.name == name)
        .unwrap_or_else(|| panic!("no shape `{name}`"))
}

#[test]
fn the_models_of_the_project_load() {
    let api = loaded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../models"));
    assert!(
        api.service("oss")
            .is_some_and(|service| service.operations().count() > 0)
    );
}

#[test]
fn services_shapes_and_enums_are_sorted_and_ids_fit() {
    let api = obstacle();
    let names: Vec<&str> = api.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["json", "rpc", "xml"]);
    for service in &api.services {
        assert!(service.shapes.is_sorted_by_key(|shape| &shape.name));
        assert!(service.enums.is_sorted_by_key(|item| &item.name));
        assert!(service.groups.is_sorted_by_key(|group| &group.name));
    }
    let xml = api.service("xml").expect("a service");
    let parts = member(&xml.operation("CompleteThings").expect("an operation").request, "parts");
    assert!(matches!(&parts.ty, Type::List(item) if xml.shape(item.shape().expect("a shape")).name == "Part"));
    let keyword = member(&shape(xml, "Keywords").members, "fn");
    assert!(matches!(keyword.ty, Type::Enum(id) if xml.enumeration(id).name == "Keyword"));
}

#[test]
fn the_order_of_files_does_not_matter() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/obstacle");
    let mut sources = load_dir(&dir).expect("files");
    let forward = format!("{:?}", load(&sources).expect("a model"));
    sources.reverse();
    assert_eq!(format!("{:?}", load(&sources).expect("a model")), forward);
}

#[test]
fn bucket_and_key_come_first_declared_or_not() {
    let api = obstacle();
    let xml = api.service("xml").expect("a service");
    let put = &xml.operation("PutStream").expect("an operation").request;
    assert_eq!([&put[0].place, &put[1].place], [&Place::Bucket, &Place::Key]);
    assert_eq!(put[1].length, Some((1, 1023)));
    assert!(put[0].required && put[1].required);
    assert_eq!((put[2].name.as_str(), &put[2].ty), ("body", &Type::Stream));
}

#[test]
fn wire_names_and_types_that_the_model_leaves_out_are_derived() {
    let api = obstacle();
    let (xml, json) = (api.service("xml").expect("xml"), api.service("json").expect("json"));
    let list = &xml.operation("ListNumbers").expect("an operation").result;
    assert_eq!(member(list, "is_truncated").wire, ["IsTruncated"]);
    assert_eq!(member(list, "common_prefixes").wire, ["CommonPrefixes", "Prefix"]);
    let put = json.operation("PutValues").expect("an operation");
    assert_eq!(member(&put.request, "index_name").wire, ["indexName"]);
    assert_eq!(
        member(&put.request, "type").default.as_ref(),
        Some(&Literal::String("float32".to_owned()))
    );
    let row = json.operation("GetRow").expect("an operation");
    assert!(member(&row.request, "table_arn").required);
    assert_eq!(member(&row.request, "table_arn").ty, Type::String);
    let get = xml.operation("GetStream").expect("an operation");
    assert_eq!(
        member(&get.result, "last_modified").ty,
        Type::Timestamp(TimestampFormat::HttpDate)
    );
    assert_eq!(
        member(&shape(xml, "Value").members, "last_modified").ty,
        Type::Timestamp(TimestampFormat::UnixSeconds)
    );
    let role = api
        .service("rpc")
        .and_then(|rpc| rpc.operation("AssumeRole"))
        .expect("an operation");
    assert_eq!(member(&role.request, "role_arn").wire, ["RoleArn"]);
}

#[test]
fn payloads_statuses_and_repeatability_are_decided() {
    let api = obstacle();
    let xml = api.service("xml").expect("a service");
    for (name, request, result) in [
        ("PutKeywords", BodyKind::Document, BodyKind::None),
        ("PutStream", BodyKind::Stream, BodyKind::None),
        ("GetStream", BodyKind::None, BodyKind::Stream),
        ("PutPolicy", BodyKind::Text, BodyKind::None),
        ("GetLocation", BodyKind::None, BodyKind::Document),
        ("CompleteThings", BodyKind::Document, BodyKind::None),
    ] {
        let operation = xml.operation(name).expect("an operation");
        assert_eq!(
            (operation.request_body, operation.result_body),
            (request, result),
            "{name}"
        );
    }
    assert!(!xml.operation("AppendStream").expect("an operation").idempotent);
    assert!(xml.operation("CompleteThings").expect("an operation").idempotent);
    assert_eq!(xml.operation("ListObjectsV2").expect("an operation").success, [200]);
    let reference = xml.operation("GetOwner").expect("an operation").reference.as_deref();
    assert_eq!(reference, Some("https://example.com/xml/getowner"));
}

#[test]
fn directions_recursion_and_decoding_reach_through_shapes() {
    let api = obstacle();
    let xml = api.service("xml").expect("a service");
    let flags = |name: &str| {
        let shape = shape(xml, name);
        (shape.input, shape.output, shape.recursive, shape.url_decoded)
    };
    assert_eq!(flags("Tree"), (true, true, true, true));
    assert_eq!(flags("Twin"), (true, true, true, true));
    assert_eq!(flags("Value"), (true, true, false, true));
    assert_eq!(flags("Part"), (true, false, false, false));
    assert_eq!(flags("Keywords"), (true, true, false, true));
    let json = api.service("json").expect("a service");
    assert!(shape(json, "Value").recursive, "one of its members needs a box");
    assert!(!shape(json, "Data").recursive);
}

#[test]
fn subresources_are_those_of_the_service_and_all_flags() {
    let api = obstacle();
    let xml = api.service("xml").expect("a service");
    assert!(xml.subresources.is_sorted());
    for key in ["acl", "versionId", "keywords", "append", "policy"] {
        assert!(xml.subresources.iter().any(|known| known == key), "{key}");
    }
    assert!(
        !xml.subresources.iter().any(|known| known == "list-type"),
        "a fixed value is no sub-resource"
    );
}

#[test]
fn variants_are_derived_or_named() {
    let api = obstacle();
    let xml = api.service("xml").expect("a service");
    let keyword = xml.enums.iter().find(|item| item.name == "Keyword").expect("an enum");
    let variants: Vec<&str> = keyword.values.iter().map(|value| value.variant.as_str()).collect();
    assert_eq!(
        variants,
        [
            "Async",
            "Self_",
            "V2d",
            "V1_0",
            "V1_2",
            "Aes256",
            "TlsV1_2",
            "PublicReadWrite",
            "OssObjectCreatedPutObject",
            "All",
            "None",
            "Ok",
            "True"
        ]
    );
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = load_dir(&dir.path().join("missing")).expect_err("no directory");
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(std::error::Error::source(&error).is_some());

    fs::create_dir(dir.path().join("oss")).expect("a directory");
    fs::write(dir.path().join("oss/latin.yaml"), [0xe9, b'\n']).expect("a file");
    let error = load_dir(dir.path()).expect_err("no UTF-8");
    assert!(error.path.ends_with("oss/latin.yaml"), "{error}");
}

#[test]
fn a_directory_is_read_by_service_and_group_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().join("models");
    fs::create_dir_all(root.join("oss")).expect("a directory");
    fs::write(root.join("schema.json"), "{}").expect("a file");
    fs::write(root.join("oss/notes.txt"), "no model").expect("a file");
    fs::write(root.join("oss/b.yaml"), "b").expect("a file");
    fs::write(root.join("oss/a.yaml"), "a").expect("a file");
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(
        load_dir(&root).expect("files"),
        [file("models/oss/a.yaml", "a"), file("models/oss/b.yaml", "b")]
    );
}

#[test]
fn nothing_loads_as_nothing() {
    assert!(load(&[]).expect("an empty model").services.is_empty());
}
