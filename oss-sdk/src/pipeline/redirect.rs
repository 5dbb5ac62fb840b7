//! Redirects, for clients that follow them: a request is signed again where it came from, and goes anywhere else bare.
//!
//! They are followed here and not by the HTTP stack, which would repeat the signature of one URL at another, and carry
//! tokens to whatever host an answer names.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, LOCATION, RANGE, USER_AGENT,
};
use http::{Method, StatusCode};

use super::{Prepared, attempt};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::limits::Activity;
use crate::percent;
use crate::transport::{TransportBody, TransportRequest, TransportResponse};

/// Redirects of one request.
const MOST: usize = 5;

/// What a stranger is told: which part of what is wanted, and in which form.
const HARMLESS: [HeaderName; 10] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    RANGE,
    USER_AGENT,
];

/// The answer at the end of the redirects that begin with this answer, and whether it is that of a stranger.
pub(super) async fn follow(
    prepared: &Prepared,
    credentials: &Credentials,
    mut response: TransportResponse,
    is_from_stranger: &mut bool,
) -> Result<TransportResponse, Error> {
    let input = &prepared.input;
    let may_follow =
        prepared.core.follows_redirects && matches!(input.method, Method::GET | Method::HEAD) && input.body.is_empty();
    if !may_follow {
        return Ok(response);
    }
    let mut url = prepared.url.clone();
    let mut is_at_home = true;
    for followed in 0.. {
        let Some(location) = location(&response) else {
            return Ok(response);
        };
        if followed == MOST {
            return Err(refused(format!("more than {MOST} redirects"), &response));
        }
        let next = resolve(&url, &location).map_err(|rule| refused(format!("the redirect {rule}"), &response))?;
        // The payload of the redirect is of no use, and its connection may be the only one that there may be.
        response.body = TransportBody::empty();
        // Who was sent away is not trusted with a signature on the way back either.
        is_at_home = is_at_home && origin(&next) == origin(&prepared.url);
        tracing::debug!(
            operation = prepared.name(),
            origin = origin(&next),
            signed = is_at_home,
            "redirected"
        );
        let mut request = TransportRequest::new(input.method.clone(), next.as_str());
        if is_at_home {
            let moved = moved(prepared, &next).ok_or_else(|| {
                refused(
                    "the redirect leads to where no request can be signed for".to_owned(),
                    &response,
                )
            })?;
            request.url.clone_from(&moved.url);
            request.headers = moved.input.headers.clone();
            attempt::sign(&moved, credentials, &mut request.headers, prepared.core.now())?;
        } else {
            request.headers = bare(prepared);
        }
        *is_from_stranger = !is_at_home;
        response = attempt::send(prepared, request, Activity::new()).await?;
        url = next;
    }
    Ok(response)
}

fn refused(message: String, response: &TransportResponse) -> Error {
    Error::new(ErrorKind::Transport, message)
        .with_retryable(false)
        .with_answer(response.status, &response.headers)
}

/// Where an answer redirects to.
fn location(response: &TransportResponse) -> Option<String> {
    let redirects = matches!(
        response.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers.get(LOCATION).filter(|_| redirects)?;
    Some(location.to_str().ok()?.trim().to_owned()).filter(|location| !location.is_empty())
}

/// Scheme, host and port, in lower case and with the port only where it is not the scheme's.
fn origin(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let origin = url[..end].to_ascii_lowercase();
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).map_or(origin.clone(), str::to_owned)
}

/// The absolute URL that a `Location` means in an answer from `base`; an error is the rest of a sentence.
fn resolve(base: &str, location: &str) -> Result<String, String> {
    let location = location.split('#').next().unwrap_or_default();
    if !location.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters that no URL has".to_owned());
    }
    let scheme = base.split(':').next().unwrap_or_default();
    let home = origin(base);
    let has_scheme = location
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let url = if let Some(rest) = location.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if has_scheme {
        location.to_owned()
    } else if location.starts_with('/') {
        format!("{home}{location}")
    } else {
        return Err("names neither a URL nor a path from the root".to_owned());
    };
    let (wanted, rest) = url.split_once("://").unwrap_or((&url, ""));
    let wanted = wanted.to_ascii_lowercase();
    match wanted.as_str() {
        "https" => {}
        "http" if scheme == "http" => {}
        "http" => return Err(format!("from `{home}` to `{}` gives up encryption", origin(&url))),
        _ => return Err("leads to something else than `http` and `https`".to_owned()),
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err("names no host".to_owned());
    }
    if authority.contains('@') {
        return Err("holds a user name or password".to_owned());
    }
    let behind = &rest[authority.len()..];
    let slash = if behind.starts_with('/') { "" } else { "/" };
    Ok(format!("{wanted}://{authority}{slash}{behind}"))
}

/// The request at another path of where it came from. `None` when that is not in the same bucket.
fn moved(prepared: &Prepared, url: &str) -> Option<Prepared> {
    let path_of = |url: &str| {
        let behind = url.find("://").map(|at| &url[at + 3..])?;
        let path = &behind[behind.find('/')?..];
        Some(path.split('?').next().unwrap_or_default().to_owned())
    };
    let input = &prepared.input;
    if input.path.is_some() {
        return None;
    }
    // What stands before the key is the root, or the bucket in path style.
    let mut key = String::new();
    percent::push_path(&mut key, input.key.as_deref().unwrap_or_default());
    let path = path_of(&prepared.url)?;
    let prefix = path.strip_suffix(key.as_str())?;
    let wanted = path_of(url)?;
    let key = percent::decode(wanted.strip_prefix(prefix)?)?.into_owned();
    if input.bucket.is_none() && !key.is_empty() {
        return None;
    }
    let mut query = String::new();
    if let Some((_, text)) = url.split_once('?') {
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            percent::push_query(&mut query, &percent::decode(name)?, Some(&*percent::decode(value)?));
        }
    }
    let mut target = prepared.url[..prepared.url.len() - behind_origin(&prepared.url).len()].to_owned();
    target.push_str(prefix);
    percent::push_path(&mut target, &key);
    if !query.is_empty() {
        target.push('?');
        target.push_str(&query);
    }
    let mut moved = prepared.with_headers(|_| {});
    moved.input.key = Some(key).filter(|key| !key.is_empty());
    moved.query = query;
    moved.url = target;
    Some(moved)
}

/// Path and query.
fn behind_origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find(['/', '?']).map_or("", |at| &url[start + at..])
}

/// Headers for somebody whom the client does not know.
fn bare(prepared: &Prepared) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &prepared.input.headers {
        if HARMLESS.contains(name) && !prepared.core.default_headers.contains_key(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests;
