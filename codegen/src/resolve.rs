//! Model files to [`Api`]: names become ids, defaults become values, and what follows from the whole is computed.
//!
//! Each pass is a file below. A pass reports what it cannot resolve and goes on with something harmless, so that one
//! run finds all problems.

mod defaults;
mod directions;
mod http;
mod limits;
mod members;
mod names;
mod operations;
mod places;
mod recursion;
mod references;
mod subresources;
mod waiters;

use std::collections::BTreeMap;

use crate::api::{Api, BucketHost, Enum, EnumValue, ErrorCode, Group, Protocol, Service, Shape, SigningResource};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lint::codes;
use crate::model::ServiceFile;
use crate::model::file::File;
use crate::names::variant_name;
use crate::resolve::members::{Members, Side};
use crate::spans::{Cursor, Span};

pub use names::Index;

/// Resolves all files. The index leads from resolved things back to where they stand.
pub fn resolve<'a>(files: &'a [File<'a>], diagnostics: &mut Diagnostics) -> (Api, Index<'a>) {
    let mut by_service: BTreeMap<&str, Vec<&File<'a>>> = BTreeMap::new();
    for file in files {
        by_service.entry(file.service).or_default().push(file);
    }
    let mut index = Index::default();
    let mut services = Vec::new();
    for (name, files) in by_service {
        index.add(name, &files, diagnostics);
        services.push(service(name, &files, &index, diagnostics));
    }
    (Api { services }, index)
}

fn service(name: &str, files: &[&File<'_>], index: &Index<'_>, diagnostics: &mut Diagnostics) -> Service {
    let unknown = ServiceFile::default();
    let (model, at) = match files.iter().find(|file| file.stem == "service") {
        Some(file) => match file.service_file() {
            Some((model, at)) => (model, Some(at)),
            None => (&unknown, None),
        },
        None => {
            if let Some(file) = files.first() {
                let message = format!("the service `{name}` has no `service.yaml`");
                let problem = Diagnostic::new(codes::NO_SERVICE, file.path, Span::point(1, 1), message);
                diagnostics.push(problem.help("add it beside this file; docs/model-format.md has an example"));
            }
            (&unknown, None)
        }
    };
    let protocol = match model.protocol.as_str() {
        "rest-json" => Protocol::RestJson,
        "rpc-json" => Protocol::RpcJson,
        _ => Protocol::RestXml,
    };
    let facts = operations::Facts {
        reference: model.reference.as_deref(),
        errors: at.map(|_| &model.errors),
    };
    let types = index.types(name);
    let members = Members {
        protocol,
        types: &types,
    };
    let mut groups = Vec::new();
    let mut shapes = Vec::new();
    let mut enums = Vec::new();
    let mut all_waiters = Vec::new();
    for file in files {
        let Some((group, top)) = file.group_file() else {
            continue;
        };
        for (shape, model) in group.shapes.iter() {
            let at = top.path(&["shapes", shape]);
            if !index.is_first(name, shape, at) {
                continue;
            }
            shapes.push(Shape {
                name: shape.to_owned(),
                wire: model.wire.clone().unwrap_or_else(|| shape.to_owned()),
                doc: model.doc.clone(),
                members: members.resolve(&model.members, Side::Shape, at.child("members"), diagnostics),
                group: file.stem.to_owned(),
                input: false,
                output: false,
                recursive: false,
                url_decoded: false,
                query_json: false,
                one_of: model.one_of,
                exclusive: model.exclusive.clone(),
            });
        }
        for (name_of_enum, model) in group.enums.iter() {
            if index.is_first(name, name_of_enum, top.path(&["enums", name_of_enum])) {
                enums.push(enumeration(name_of_enum, model, file.stem));
            }
        }
        if file.stem != "common" {
            let operations = group
                .operations
                .iter()
                .map(|(operation, model)| {
                    let at = top.path(&["operations", operation]);
                    operations::resolve(operation, model, &facts, &members, at, diagnostics)
                })
                .collect();
            for (waiter, model) in group.waiters.iter() {
                let at = top.path(&["waiters", waiter]);
                if index.is_first_waiter(name, waiter, at) {
                    all_waiters.push(waiters::resolve(waiter, model, file.stem, &facts, at, diagnostics));
                }
            }
            groups.push(Group {
                name: file.stem.to_owned(),
                source: file.path.to_owned(),
                operations,
            });
        }
    }
    // The ids were given in this order.
    shapes.sort_by(|a, b| a.name.cmp(&b.name));
    enums.sort_by(|a, b| a.name.cmp(&b.name));
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    all_waiters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut service = Service {
        name: name.to_owned(),
        doc: model.doc.clone(),
        protocol,
        product: model.product.clone(),
        api_version: model.api_version.clone(),
        hosts: model
            .hosts
            .iter()
            .map(|(kind, host)| (kind.to_owned(), host.to_owned()))
            .collect(),
        bucket_host: match model.bucket_host.as_deref() {
            Some("{bucket}-{account_id}") => BucketHost::BucketAndAccount,
            _ => BucketHost::Bucket,
        },
        bucket_name: model.bucket_name.clone(),
        alias_host: model.alias_host.clone(),
        signing: match model.signing.as_str() {
            "vector_arn" => SigningResource::VectorArn,
            "table_arn" => SigningResource::TableArn,
            "acs3" => SigningResource::Acs3,
            _ => SigningResource::Bucket,
        },
        subresources: model.subresources.clone(),
        errors: at.map(|at| error_codes(model, at, diagnostics)).unwrap_or_default(),
        groups,
        waiters: all_waiters,
        shapes,
        enums,
    };
    recursion::mark(&mut service);
    directions::mark(&mut service);
    subresources::collect(&mut service, &model.unsigned);
    service
}

fn enumeration(name: &str, model: &crate::model::Enum, group: &str) -> Enum {
    let value = |(wire, value): (&str, &crate::model::EnumValue)| EnumValue {
        wire: wire.to_owned(),
        variant: value.variant().map_or_else(|| variant_name(wire), str::to_owned),
        doc: value.doc().to_owned(),
    };
    Enum {
        name: name.to_owned(),
        doc: model.doc.clone(),
        values: model.values.iter().map(value).collect(),
        group: group.to_owned(),
    }
}

fn error_codes(model: &ServiceFile, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Vec<ErrorCode> {
    let mut errors = Vec::new();
    for (code, error) in model.errors.iter() {
        let at = at.path(&["errors", code, "status"]);
        let status = operations::status(error.status, 200..=599).unwrap_or_else(|| {
            if at.exists() {
                let message = format!("{} is no status of an error", error.status);
                diagnostics.push(
                    at.on_value(codes::BAD_STATUS, message)
                        .help("error codes come with 200 to 599"),
                );
            }
            500
        });
        errors.push(ErrorCode {
            code: code.to_owned(),
            status,
            doc: error.doc.clone(),
        });
    }
    errors.sort_by(|a, b| a.code.cmp(&b.code));
    errors
}
