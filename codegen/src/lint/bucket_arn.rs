//! Members that name the bucket by its ARN: texts of requests, in services that are signed for such a bucket.

use super::{Side, Subject, codes};
use crate::api::{Place, SigningResource, Type};
use crate::diagnostic::Diagnostics;

pub(super) fn check(subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let signed = subject.service.signing == SigningResource::TableArn;
    for list in subject.member_lists() {
        for (member, at) in list.declared().filter(|(member, _)| member.bucket_arn) {
            let at = at.child("bucket_arn");
            let problem = if list.owner.side != Side::Request {
                Some((
                    "only a member of a request says where it is sent",
                    "leave `bucket_arn` out",
                ))
            } else if member.ty != Type::String {
                Some(("an ARN is text", "write `type: string`"))
            } else if !matches!(member.place, Place::Path | Place::Query | Place::Header | Place::Field) {
                Some((
                    "a member in this place is no ARN",
                    "put it into `path`, `query` or the document",
                ))
            } else if !signed {
                Some((
                    "requests of this service are not signed for an ARN",
                    "leave `bucket_arn` out, or write `signing: table_arn` in `service.yaml`",
                ))
            } else {
                None
            };
            if let Some((message, help)) = problem {
                diagnostics.push(at.on_key(codes::BUCKET_ARN, message).help(help));
            }
        }
    }
}
