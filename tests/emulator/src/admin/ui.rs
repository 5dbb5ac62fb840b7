//! The web page at `/_ui`: signing in, and what the signed-in browser gets.

use http::{HeaderValue, Method};

use super::Admin;
use super::answers::{Refusal, Reply, reply};
use super::router::Ask;

/// Answers requests for the page.
///
/// `/_ui?token=...` changes the token for a cookie and goes on to `/_ui/`, so that the token stays neither in the address bar nor in
/// the history's `Referer`.
pub(super) fn answer(admin: &Admin, ask: Ask) -> Result<Reply, Refusal> {
    admin.guard.check_host(&ask.parts)?;
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    if let Some(token) = ask.query.get("token") {
        let cookie = admin.guard.login(token).ok_or_else(Refusal::unauthorized)?;
        let mut answer = reply(303, "text/plain; charset=utf-8", "");
        let headers = answer.headers_mut();
        headers.insert("location", HeaderValue::from_static("/_ui/"));
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.insert("set-cookie", cookie);
        }
        return Ok(answer);
    }
    admin.guard.admit(&ask.parts)?;
    Err(Refusal::not_found("There is nothing at this address."))
}
