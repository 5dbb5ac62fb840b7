//! The head of a request: method, address, query and headers, read but not yet judged.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, Method};

use crate::address::Address;
use crate::error::ServiceError;
use crate::text;

/// One query parameter, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// Empty for a bare flag.
    pub(crate) value: String,
}

/// The query of a request, in the order sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<Parameter>);

impl Query {
    /// Decodes a query; a plus is a blank, as in forms.
    pub(crate) fn parse(raw: &str) -> Result<Self, ServiceError> {
        let parameters = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |part: &str| {
                text::decode(&part.replace('+', "%20")).ok_or_else(|| {
                    ServiceError::invalid_argument("The query is not UTF-8 after percent-decoding.", name, value)
                })
            };
            Ok(Parameter {
                name: decode(name)?,
                value: decode(value)?,
            })
        });
        Ok(Self(parameters.collect::<Result<_, ServiceError>>()?))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|parameter| parameter.name == name)
            .map(|parameter| parameter.value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter()
    }

    /// Both queries, one after the other: RPC parameters stand in the query and in the form.
    pub(crate) fn joined(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// How a request reached us. The listener attaches it to each request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transport {
    /// Whether the connection is encrypted: what policies know as `acs:SecureTransport`.
    pub(crate) secure: bool,
    /// Who is at the other end: what policies know as `acs:SourceIp`.
    pub(crate) peer: Option<IpAddr>,
}

/// Everything of a request but its body.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) host: String,
    /// As sent, not normalised.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) address: Address,
    pub(crate) transport: Transport,
}

impl Head {
    pub(crate) fn bucket(&self) -> Option<&str> {
        self.address.bucket.as_deref()
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.address.key.as_deref()
    }

    /// The same without the headers that have no value, among those that signatures cover.
    pub(crate) fn without_empty(&self) -> Self {
        let mut head = self.clone();
        let covered = |name: &str| name.starts_with("x-oss-") || matches!(name, "content-type" | "content-md5");
        let empty = |name: &HeaderName| {
            covered(name.as_str())
                && self
                    .headers
                    .get_all(name)
                    .iter()
                    .all(|value| value.as_bytes().trim_ascii().is_empty())
        };
        for name in self.headers.keys().filter(|name| empty(name)) {
            head.headers.remove(name);
        }
        head
    }

    /// Value of a header, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Value of a header as text, whatever UTF-8 it holds.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get(name)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_in_order() {
        let query = Query::parse("acl&prefix=a%2Fb+c&empty=&acl=2").unwrap();
        let pairs: Vec<_> = query.iter().map(|p| (p.name.as_str(), p.value.as_str())).collect();
        assert_eq!(pairs, [("acl", ""), ("prefix", "a/b c"), ("empty", ""), ("acl", "2")]);
        assert_eq!(query.get("acl"), Some(""));
        assert!(!query.has("b"));
    }

    #[test]
    fn a_query_that_is_not_text_is_refused() {
        assert_eq!(Query::parse("a=%FF").unwrap_err().code, "InvalidArgument");
    }
}
