//! The `http` line of an operation: method, path template and fixed query.

use crate::api::{Method, Resource, Segment};
use crate::diagnostic::{Diagnostics, nearest};
use crate::lint::codes;
use crate::spans::Cursor;

const METHODS: [(&str, Method); 6] = [
    ("GET", Method::Get),
    ("PUT", Method::Put),
    ("HEAD", Method::Head),
    ("POST", Method::Post),
    ("DELETE", Method::Delete),
    ("OPTIONS", Method::Options),
];

/// The path of an operation on a bucket or, without one, on the service.
const OPTIONAL_BUCKET: &str = "/{bucket?}";

/// What an `http` line says.
pub(super) struct Http {
    pub(super) method: Method,
    pub(super) resource: Resource,
    /// Without a bucket the request goes to the service.
    pub(super) optional_bucket: bool,
    pub(super) query: Vec<(String, Option<String>)>,
}

/// Reads `METHOD /path?flag&key=value`. The cursor stands at the value.
pub(super) fn parse(line: &str, at: Cursor<'_>, diagnostics: &mut Diagnostics) -> Http {
    let mut refuse = |message: String, help: String| {
        // An absent line is reported as a missing key.
        if at.exists() {
            diagnostics.push(at.on_value(codes::BAD_HTTP, message).help(help));
        }
    };
    let (word, target) = line.split_once(' ').unwrap_or((line, "/"));
    let method = METHODS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, method)| *method);
    if method.is_none() {
        let near = nearest(word, METHODS.map(|(name, _)| name)).unwrap_or("GET");
        refuse(
            format!("unknown method `{word}`"),
            format!("write `{near} /...`: a method, one space and a path"),
        );
    }
    // The question mark of an optional bucket begins no query.
    let rest = target.strip_prefix(OPTIONAL_BUCKET);
    let (path, query) = match rest {
        Some(rest) => (OPTIONAL_BUCKET, rest.strip_prefix('?')),
        None => target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query))),
    };
    let resource = match path {
        "/" => Resource::Service,
        "/{bucket}" | OPTIONAL_BUCKET => Resource::Bucket,
        "/{bucket}/{key}" => Resource::Object,
        _ => match segments(path) {
            Ok(segments) => Resource::Path(segments),
            Err(message) => {
                refuse(
                    message,
                    "write `/`, `/{bucket}`, `/{bucket?}`, `/{bucket}/{key}` or segments such as `/tables/{name}`"
                        .into(),
                );
                Resource::Service
            }
        },
    };
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    for pair in query.map(|query| query.split('&')).into_iter().flatten() {
        let (key, value) = pair
            .split_once('=')
            .map_or((pair, None), |(key, value)| (key, Some(value.to_owned())));
        if !is_query_key(key) || !value.as_deref().is_none_or(is_query_value) {
            let help =
                "fixed query keys are letters, digits and `-_.~`, and values may have `/` too; `?flag&key=value`";
            refuse(format!("`{pair}` is no fixed query"), help.into());
        } else if pairs.iter().any(|(other, _)| other == key) {
            refuse(
                format!("the query key `{key}` is given twice"),
                "keep one of them".into(),
            );
        } else {
            pairs.push((key.to_owned(), value));
        }
    }
    Http {
        method: method.unwrap_or(Method::Get),
        resource,
        optional_bucket: path == OPTIONAL_BUCKET,
        query: pairs,
    }
}

/// Whether text can be a key of a fixed query as it stands.
pub(super) fn is_query_key(text: &str) -> bool {
    !text.is_empty() && is_query_value(text) && !text.contains('/')
}

/// Whether text can be a value of a fixed query; it is percent-encoded when it is sent.
pub(super) fn is_query_value(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~/".contains(c))
}

fn segments(path: &str) -> Result<Vec<Segment>, String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("the path `{path}` does not start with `/`"));
    };
    let mut segments = Vec::new();
    for segment in rest.split('/') {
        let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        segments.push(match name {
            Some(name) if !name.is_empty() && !name.contains(['{', '}']) => {
                let member = Segment::Member(name.to_owned());
                if segments.contains(&member) {
                    return Err(format!("the placeholder `{{{name}}}` is given twice"));
                }
                member
            }
            _ if segment.is_empty() => {
                return Err(format!("the path `{path}` has an empty segment"));
            }
            _ if segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c)) => {
                Segment::Literal(segment.to_owned())
            }
            _ => return Err(format!("`{segment}` is neither text nor one placeholder")),
        });
    }
    Ok(segments)
}
