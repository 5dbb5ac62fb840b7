//! `http = "PUT /{bucket}?cors"`: method, path and fixed query.

use oss_codegen::api::{Method, Resource, Segment};
use syn::LitStr;

/// What the text says.
pub(crate) struct Http {
    pub(crate) method: Method,
    pub(crate) resource: Resource,
    pub(crate) query: Vec<(String, Option<String>)>,
}

const METHODS: [Method; 6] = [
    Method::Get,
    Method::Put,
    Method::Head,
    Method::Post,
    Method::Delete,
    Method::Options,
];

/// Parses the text; the error says what to write instead.
pub(crate) fn parse(literal: &LitStr) -> syn::Result<Http> {
    let text = literal.value();
    let problem = |message: &str| syn::Error::new(literal.span(), message);
    let Some((method, target)) = text.split_once(' ') else {
        return Err(problem("write a method and a path, such as `PUT /{bucket}?cors`"));
    };
    let method = METHODS
        .into_iter()
        .find(|known| known.as_str() == method)
        .ok_or_else(|| problem("the method must be GET, PUT, HEAD, POST, DELETE or OPTIONS"))?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (target, ""),
    };
    if target.contains(char::is_whitespace) {
        return Err(problem(
            "the path must not contain blanks; fields stand in braces, such as `/{bucket}/{key}`",
        ));
    }
    let Some(path) = path.strip_prefix('/') else {
        return Err(problem("the path must start with `/`"));
    };
    let query = query.split('&').filter(|parameter| !parameter.is_empty());
    let query = query.map(|parameter| match parameter.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (parameter.to_owned(), None),
    });
    Ok(Http {
        method,
        resource: resource(path).map_err(|message| problem(&message))?,
        query: query.collect(),
    })
}

fn resource(path: &str) -> Result<Resource, String> {
    match path {
        "" => return Ok(Resource::Service),
        "{bucket}" | "{bucket}/" => return Ok(Resource::Bucket),
        "{bucket}/{key}" => return Ok(Resource::Object),
        _ => {}
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name @ ("bucket" | "key")) => {
                return Err(format!(
                    "`{{{name}}}` stands only in `/{{bucket}}` and `/{{bucket}}/{{key}}`"
                ));
            }
            Some(name) if syn::parse_str::<syn::Ident>(name).is_ok() => segments.push(Segment::Member(name.to_owned())),
            None if !segment.is_empty() && !segment.contains(['{', '}']) => {
                segments.push(Segment::Literal(segment.to_owned()));
            }
            _ => {
                return Err(format!("`{segment}` is neither a fixed segment nor a field in braces"));
            }
        }
    }
    Ok(Resource::Path(segments))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parsed(text: &str) -> syn::Result<Http> {
        parse(&LitStr::new(text, Span::call_site()))
    }

    #[test]
    fn method_path_and_query_are_told_apart() {
        let http = parsed("GET /{bucket}?list-type=2&versions").unwrap();
        assert_eq!((http.method, http.resource), (Method::Get, Resource::Bucket));
        assert_eq!(
            http.query,
            [
                ("list-type".to_owned(), Some("2".to_owned())),
                ("versions".to_owned(), None)
            ]
        );
        assert_eq!(parsed("GET /").unwrap().resource, Resource::Service);
        assert_eq!(parsed("PUT /{bucket}/{key}").unwrap().resource, Resource::Object);
        let segments = [Segment::Literal("tables".to_owned()), Segment::Member("arn".to_owned())];
        assert_eq!(
            parsed("GET /tables/{arn}").unwrap().resource,
            Resource::Path(segments.to_vec())
        );
    }

    #[test]
    fn wrong_texts_are_refused() {
        for (text, message) in [
            ("PUT", "write a method and a path"),
            ("put /", "the method must be"),
            ("PUT {bucket}", "the path must start with"),
            ("PUT /a b", "must not contain blanks"),
            ("PUT /x/{bucket}", "stands only in"),
            ("PUT /{a", "is neither"),
            ("PUT /a//b", "is neither"),
            ("PUT /{1}", "is neither"),
        ] {
            let error = parsed(text).err().unwrap().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
