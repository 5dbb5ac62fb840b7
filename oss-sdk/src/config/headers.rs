//! Headers that are not the caller's to set, because two of them, or a wrong one, would make another request of it.

use http::HeaderName;

/// Whose a header is, as the rest of a sentence; `None` for one that callers may set.
///
/// A second `Host` or a `Transfer-Encoding` lets a proxy see other requests than the server does; headers of one connection
/// are wrong on the next; and what a signature sets would be overwritten in silence.
pub(crate) fn owner(name: &HeaderName) -> Option<&'static str> {
    match name.as_str() {
        "host" => Some("it is that of the endpoint"),
        "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding" | "upgrade" => {
            Some("it belongs to the connection")
        }
        "proxy-authorization" => Some("it is that of `proxy`"),
        "authorization"
        | "date"
        | "x-oss-date"
        | "x-oss-security-token"
        | "x-acs-date"
        | "x-acs-signature-nonce"
        | "x-acs-security-token"
        | "x-acs-content-sha256" => Some("the signature sets it"),
        _ => None,
    }
}
