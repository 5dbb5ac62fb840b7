//! The web page at `/_ui`: its files, and signing in.
//!
//! The files are the same for everybody and hold no secret, so they are given to whoever calls the listener by its name. What they
//! show comes from `/_admin`, which wants the cookie that signing in brings.

use http::{HeaderValue, Method};
use serde::Deserialize;

use super::Admin;
use super::answers::{Refusal, Reply, reply};
use super::router::Ask;

/// What the page may do: run its own script and speak to its own origin, and never make markup out of text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// Name, type and content of the page's files.
const FILES: [(&str, &str, &str); 4] = [
    ("", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    ),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// Answers requests for the page.
///
/// `/_ui?token=...` changes the token for a cookie and goes on to `/_ui/`, so that the token stays neither in the address bar nor in
/// the history's `Referer`; the page's own form posts it.
pub(super) async fn answer(admin: &Admin, mut ask: Ask) -> Result<Reply, Refusal> {
    admin.guard.check_host(&ask.parts)?;
    let path = ask.parts.uri.path().to_owned();
    match path.strip_prefix("/_ui").unwrap_or_default() {
        "/login" | "/logout" if ask.parts.method != Method::POST => return Err(Refusal::method("POST")),
        "/login" => {
            admin.guard.check_site(&ask.parts)?;
            let Login { token } = ask.json().await?;
            let cookie = admin.guard.login(&token).ok_or_else(Refusal::unauthorized)?;
            return Ok(with_cookie(reply(204, "text/plain; charset=utf-8", ""), &cookie));
        }
        "/logout" => {
            admin.guard.check_site(&ask.parts)?;
            let cookie = admin.guard.logout(&ask.parts.headers);
            return Ok(with_cookie(reply(204, "text/plain; charset=utf-8", ""), &cookie));
        }
        _ => {}
    }
    if ask.parts.method != Method::GET && ask.parts.method != Method::HEAD {
        return Err(Refusal::method("GET, HEAD"));
    }
    if let Some(token) = ask.query.get("token") {
        let cookie = admin.guard.login(token).ok_or_else(Refusal::unauthorized)?;
        return Ok(with_cookie(to_page(), &cookie));
    }
    let Some(name) = path.strip_prefix("/_ui/") else {
        return Ok(to_page());
    };
    let Some((_, content_type, content)) = FILES.iter().find(|(file, ..)| *file == name) else {
        return Err(Refusal::not_found("The page has no such file."));
    };
    let mut answer = reply(200, content_type, *content);
    answer
        .headers_mut()
        .insert("content-security-policy", HeaderValue::from_static(POLICY));
    Ok(answer)
}

fn to_page() -> Reply {
    let mut answer = reply(303, "text/plain; charset=utf-8", "");
    answer
        .headers_mut()
        .insert("location", HeaderValue::from_static("/_ui/"));
    answer
}

fn with_cookie(mut answer: Reply, cookie: &str) -> Reply {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert("set-cookie", cookie);
    }
    answer
}
