//! Payloads: at most one, only where HTTP has one, and roots for documents made of fields.

use super::{Side, Subject, codes};
use crate::api::{BodyKind, Member, Method, Place, Protocol};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spans::Cursor;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for list in subject.member_lists() {
        let Some(operation) = list.owner.operation else {
            continue;
        };
        one_of_each(&list.declared().collect::<Vec<_>>(), diagnostics);
        let (kind, what) = match list.owner.side {
            Side::Request => (operation.request_body, "request"),
            _ => (operation.result_body, "answer"),
        };
        let bodiless = match list.owner.side {
            Side::Request => matches!(operation.method, Method::Get | Method::Head | Method::Options),
            _ => operation.method == Method::Head,
        };
        if bodiless && kind != BodyKind::None {
            let payload = list
                .declared()
                .find(|(member, _)| is_payload(&member.place) || member.place == Place::Field);
            let at = payload.map_or(list.at, |(_, at)| at);
            let message = format!("the {what} of {} has no payload", operation.method.as_str());
            let help = "put the member into `query` or `header`, or change the method in `http`";
            diagnostics.push(at.on_key(codes::BODY_WITHOUT_PAYLOAD, message).help(help));
        }
    }
    roots(subject, diagnostics);
}

/// Whether a place takes the whole payload.
fn is_payload(place: &Place) -> bool {
    matches!(place, Place::Body | Place::Text | Place::Stream | Place::RootText)
}

fn one_of_each(members: &[(&Member, Cursor<'_>)], diagnostics: &mut Diagnostics) {
    let mut payloads = members.iter().filter(|(member, _)| is_payload(&member.place));
    if let Some(first) = payloads.next() {
        for second in payloads {
            diagnostics.push(twice(first, second, "the whole payload"));
        }
        if let Some(field) = members.iter().find(|(member, _)| member.place == Place::Field) {
            let problem = field.1.on_key(
                codes::ONE_PAYLOAD,
                format!(
                    "`{}` is a field of the document, but `{}` is the whole payload",
                    field.0.name, first.0.name
                ),
            );
            let problem = problem.related(first.1.file(), first.1.key_span(), "the whole payload");
            diagnostics
                .push(problem.help("state the place with `in`, or put the field into the shape of the document"));
        }
    }
    let copies = |member: &Member| matches!(member.place, Place::CopySourceBucket | Place::CopySourceVersionId);
    let has_key = members.iter().any(|(member, _)| member.place == Place::CopySourceKey);
    if let Some((member, at)) = members.iter().find(|(member, _)| copies(member) && !has_key) {
        let message = format!("`{}` is a part of a copy source without a key", member.name);
        let problem = at.child("in").on_value(codes::BAD_PLACE, message);
        diagnostics.push(problem.help("add a member `in: copy_source.key`"));
    }
    for place in [
        Place::CopySourceBucket,
        Place::CopySourceKey,
        Place::CopySourceVersionId,
        Place::Callback,
    ] {
        let mut same = members.iter().filter(|(member, _)| member.place == place);
        if let Some(first) = same.next() {
            for second in same {
                diagnostics.push(twice(first, second, "in one place"));
            }
        }
    }
}

fn twice((first, first_at): &(&Member, Cursor<'_>), (second, at): &(&Member, Cursor<'_>), what: &str) -> Diagnostic {
    at.on_key(
        codes::ONE_PAYLOAD,
        format!("`{}` and `{}` are both {what}", first.name, second.name),
    )
    .related(first_at.file(), first_at.key_span(), "the first one")
    .help("keep one of them, or move the other to `query` or `header`")
}

fn roots(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    for (operation, at) in subject.operations() {
        let has = |members: &[Member], place: Place| members.iter().any(|member| member.place == place);
        let fields = has(&operation.request, Place::Field);
        if subject.service.protocol == Protocol::RestXml && fields && operation.request_root.is_none() {
            let message = "the request is made of fields but names no root element";
            let problem = at.child("request").on_key(codes::ROOT, message);
            diagnostics
                .push(problem.help("add `request_root: Name`, or make a shape of the fields and put it `in: body`"));
        }
        let answer = has(&operation.result, Place::Field) || has(&operation.result, Place::RootText);
        for (key, root, used) in [
            ("request_root", &operation.request_root, fields),
            ("result_root", &operation.result_root, answer),
        ] {
            if root.is_some() && !used {
                let problem = at
                    .child(key)
                    .on_key(codes::ROOT, format!("`{key}` is the parent of no member"));
                diagnostics.push(problem.help("leave it out; a member `in: body` has the root of its shape"));
            }
        }
    }
}
