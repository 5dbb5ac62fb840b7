//! Operations: the `http` line, implied members, payloads and references by name.

use std::ops::RangeInclusive;

use crate::api::{BodyKind, Member, Method, Operation, Paginate, Place, QueryWhen, Resource, Trait, Type};
use crate::diagnostic::{Diagnostics, nearest};
use crate::lint::codes;
use crate::model::{self, ErrorCode, Named};
use crate::names::to_snake;
use crate::resolve::http;
use crate::resolve::members::{Members, Side};
use crate::spans::Cursor;

/// What operations need of their service.
pub(super) struct Facts<'a> {
    pub(super) reference: Option<&'a str>,
    /// `None` when `service.yaml` cannot be read.
    pub(super) errors: Option<&'a Named<ErrorCode>>,
}

const TRAITS: [(&str, Trait); 13] = [
    ("content_type_from_key", Trait::ContentTypeFromKey),
    ("upload_crc64", Trait::UploadCrc64),
    ("append_crc64", Trait::AppendCrc64),
    ("download_crc64", Trait::DownloadCrc64),
    ("resumable_download", Trait::ResumableDownload),
    ("callback", Trait::Callback),
    ("error_in_success", Trait::ErrorInSuccess),
    ("sort_parts", Trait::SortParts),
    ("slow", Trait::Slow),
    ("unsigned", Trait::Unsigned),
    ("result_by_content_type", Trait::ResultByContentType),
    ("select_frames", Trait::SelectFrames),
    ("meta_frames", Trait::MetaFrames),
];

/// Resolves one operation. The cursor stands at its entry.
pub(super) fn resolve(
    name: &str,
    model: &model::Operation,
    facts: &Facts<'_>,
    members: &Members<'_>,
    at: Cursor<'_>,
    diagnostics: &mut Diagnostics,
) -> Operation {
    let http::Http {
        method,
        resource,
        optional_bucket,
        query,
    } = http::parse(&model.http, at.child("http"), diagnostics);
    let declared = members.resolve(&model.request, Side::Request, at.child("request"), diagnostics);
    let mut request = with_implied(declared, &resource);
    if let Some(bucket) = request.iter_mut().find(|member| member.place == Place::Bucket) {
        bucket.required = !optional_bucket;
    }
    let result = members.resolve(&model.result, Side::Result, at.child("result"), diagnostics);
    let flags = query.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key);
    let mut subresources: Vec<String> = Vec::new();
    for key in flags.chain(&model.subresources) {
        if !subresources.contains(key) {
            subresources.push(key.clone());
        }
    }
    errors(&model.errors, facts, at.child("errors"), diagnostics);
    let reference = model.reference.clone();
    let paginate = model.paginate.as_ref().map(|paginate| Paginate {
        tokens: paginate
            .token
            .iter()
            .map(|(request, result)| (request.to_owned(), result.to_owned()))
            .collect(),
        more: paginate.more.clone(),
        items: paginate.items.clone(),
        limit: paginate.limit.clone(),
    });
    let trait_of = |word: &String| TRAITS.iter().find(|(name, _)| name == word).map(|(_, found)| *found);
    let traits: Vec<Trait> = model.traits.iter().filter_map(trait_of).collect();
    Operation {
        name: name.to_owned(),
        method_name: to_snake(name),
        doc: model.doc.trim().to_owned(),
        reference: reference.or_else(|| Some(facts.reference?.replace("{operation}", &name.to_lowercase()))),
        method,
        resource,
        query,
        headers: model
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        request_body: body_kind(&request),
        result_body: match traits.contains(&Trait::MetaFrames) {
            true => BodyKind::Frames,
            false => body_kind(&result),
        },
        request,
        result,
        request_root: model.request_root.clone(),
        result_root: model.result_root.clone(),
        content_md5: model.content_md5,
        success: success(model, at.child("success"), diagnostics),
        idempotent: model.idempotent.unwrap_or(method != Method::Post),
        presign: model.presign,
        paginate,
        query_when: query_when(model, at.child("query_when"), diagnostics),
        any_of: model.any_of.clone(),
        errors: model.errors.clone(),
        traits,
        subresources,
        since: model.since.clone(),
        deprecated: model.deprecated.clone(),
    }
}

/// Puts `bucket` and `key` first, declared or not, when the path has them.
fn with_implied(declared: Vec<Member>, resource: &Resource) -> Vec<Member> {
    let implied: &[(Place, &str, &str)] = match resource {
        Resource::Service | Resource::Path(_) => &[],
        Resource::Bucket => &[(Place::Bucket, "bucket", "The bucket.")],
        Resource::Object => &[
            (Place::Bucket, "bucket", "The bucket."),
            (Place::Key, "key", "Full name of the object, without a leading `/`."),
        ],
    };
    let mut members = Vec::with_capacity(declared.len() + implied.len());
    let mut rest = declared;
    for (place, name, doc) in implied {
        match rest.iter().position(|member| member.place == *place) {
            Some(index) => members.push(rest.remove(index)),
            // Another member of the name is a mistake, which the lint reports.
            None if rest.iter().any(|member| member.name == *name) => {}
            None => members.push(implied_member(place.clone(), name, doc)),
        }
    }
    members.append(&mut rest);
    members
}

fn implied_member(place: Place, name: &str, doc: &str) -> Member {
    Member {
        name: name.to_owned(),
        place,
        wire: Vec::new(),
        aliases: Vec::new(),
        ty: Type::String,
        required: true,
        default: None,
        range: None,
        length: None,
        max_items: None,
        pattern: None,
        prefix: None,
        bucket_arn: false,
        rest: false,
        sensitive: false,
        url_decoded: false,
        since: None,
        deprecated: None,
        doc: doc.to_owned(),
    }
}

/// What the payload is. The answer of a callback does not count: it replaces the payload of some answers only.
fn body_kind(members: &[Member]) -> BodyKind {
    let has = |place: Place| members.iter().any(|member| member.place == place);
    if has(Place::Stream) {
        BodyKind::Stream
    } else if has(Place::Text) {
        BodyKind::Text
    } else if has(Place::Body) || has(Place::Field) || has(Place::RootText) {
        BodyKind::Document
    } else {
        BodyKind::None
    }
}

/// Fixed query values that depend on members; one that cannot be read is reported and left out.
fn query_when(model: &model::Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Vec<QueryWhen> {
    let mut all = Vec::new();
    for (index, entry) in model.query_when.iter().enumerate() {
        let at = at.item(index);
        let pair = entry.query.split_once('=');
        match pair.filter(|(key, value)| http::is_query_key(key) && !value.is_empty() && http::is_query_value(value)) {
            Some((key, value)) => all.push(QueryWhen {
                member: entry.set.split('.').map(str::to_owned).collect(),
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            None if at.child("query").exists() => {
                let message = format!("`{}` is no fixed query value", entry.query.escape_debug());
                let problem = at.child("query").on_value(codes::QUERY_WHEN, message);
                diagnostics.push(problem.help("write `query: key=value` with letters, digits and `-_.~/`"));
            }
            // Absent: reported as a missing key.
            None => {}
        }
    }
    all
}

/// A status within bounds.
pub(super) fn status(number: i64, allowed: RangeInclusive<u16>) -> Option<u16> {
    u16::try_from(number).ok().filter(|status| allowed.contains(status))
}

fn success(model: &model::Operation, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Vec<u16> {
    let mut statuses: Vec<u16> = Vec::new();
    for (index, number) in model.success.iter().enumerate() {
        match status(*number, 200..=399) {
            Some(status) if !statuses.contains(&status) => statuses.push(status),
            Some(status) => {
                let problem = at
                    .item(index)
                    .on_value(codes::BAD_STATUS, format!("the status {status} is given twice"));
                diagnostics.push(problem.help("leave one out"));
            }
            None => {
                let problem = at
                    .item(index)
                    .on_value(codes::BAD_STATUS, format!("{number} is no status of a success"));
                diagnostics.push(problem.help("a success is 200 to 399; leave `success` out for every 2xx"));
            }
        }
    }
    statuses
}

/// Reports error codes that the service does not list. The cursor stands at their list.
pub(super) fn errors(given: &[String], facts: &Facts<'_>, at: Cursor<'_>, diagnostics: &mut Diagnostics) {
    let Some(known) = facts.errors else { return };
    for (index, code) in given.iter().enumerate() {
        if known.get(code).is_none() {
            let near = nearest(code, known.iter().map(|(code, _)| code));
            let help = near.map_or_else(
                || format!("add `{code}` to `errors` of `service.yaml`"),
                |near| format!("did you mean `{near}`? Otherwise add `{code}` to `errors` of `service.yaml`"),
            );
            let problem = at
                .item(index)
                .on_value(codes::UNKNOWN_ERROR, format!("unknown error code `{code}`"));
            diagnostics.push(problem.help(help));
        }
    }
}
