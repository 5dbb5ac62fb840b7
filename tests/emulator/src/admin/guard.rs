//! Who gets in: judged from the head of a request alone, before anything else looks at it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderMap, Method};

use super::answers::Refusal;
use super::options::AdminOptions;
use super::token::Token;
use crate::request::header;

/// How long a sign-in lasts.
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// Browsers that may be signed in at a time; the one that came first is signed out by the next.
const MOST_LOGINS: usize = 32;
/// Values of our cookie that a request is judged by: browsers send one, and each is compared with every sign-in.
const MOST_VALUES: usize = 4;

/// What requests are measured against.
pub(crate) struct Guard {
    token: Token,
    cookie_name: String,
    /// Values of the cookies that were given out, drawn for each sign-in, and when. The token itself never lies in a browser's store.
    logins: Mutex<VecDeque<(Token, Instant)>>,
    loopback_only: bool,
    /// Host names in lower case.
    names: Vec<String>,
    pub(super) open_metrics: bool,
}

impl Guard {
    pub(super) fn new(options: &AdminOptions, address: SocketAddr, token: &Token) -> Self {
        let mut names: Vec<_> = options.names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.push("localhost".to_owned());
        if options.host.parse::<IpAddr>().is_err() {
            // Whoever listens by a name is called by it.
            names.push(options.host.to_ascii_lowercase());
        }
        Self {
            token: token.clone(),
            // Cookies do not tell ports apart; the name does, so that two emulators on one machine do not share one.
            cookie_name: format!("oss-emulator-{}", address.port()),
            logins: Mutex::default(),
            loopback_only: address.ip().is_loopback(),
            names,
            open_metrics: options.open_metrics,
        }
    }

    /// Judges a request. What passes came to an address of ours, from a program or from a page of ours, and shows the token.
    pub(super) fn admit(&self, parts: &Parts) -> Result<(), Refusal> {
        self.check_host(parts)?;
        self.check_site(parts)?;
        self.check_token(parts)
    }

    /// A page of another site can make its own name resolve to our address; then the browser calls us by that name.
    pub(super) fn check_host(&self, parts: &Parts) -> Result<(), Refusal> {
        let mut hosts = parts.headers.get_all("host").iter();
        let (host, more) = (hosts.next().and_then(|value| value.to_str().ok()), hosts.next());
        // A target in absolute form replaces the header, so it has to be judged as well.
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let fits = host.is_some_and(|host| self.is_ours(host)) && authority.is_none_or(|name| self.is_ours(name));
        if fits && more.is_none() {
            return Ok(());
        }
        Err(Refusal::new(
            403,
            "HostNotAllowed",
            "The Host header must be an address of this listener or a name that it was told to accept.",
        ))
    }

    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
            _ => (host, ""),
        };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match inner.unwrap_or(name).parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || !self.loopback_only,
            Err(_) => self.names.iter().any(|other| name.eq_ignore_ascii_case(other)),
        }
    }

    /// Browsers say where a request comes from; programs do not.
    pub(super) fn check_site(&self, parts: &Parts) -> Result<(), Refusal> {
        let foreign = Refusal::new(403, "ForeignOrigin", "Requests of other sites are not accepted.");
        if parts.headers.contains_key("origin") {
            let host = header(&parts.headers, "host").unwrap_or_default();
            let origin = header(&parts.headers, "origin").unwrap_or_default();
            let own = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            if !own.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
                return Err(foreign);
            }
        }
        let is_own_page = |site: &str| site == "same-origin" || site == "none";
        match header(&parts.headers, "sec-fetch-site") {
            Some(site) if !is_own_page(site) => Err(foreign),
            None if parts.headers.contains_key("sec-fetch-site") => Err(foreign),
            _ => Ok(()),
        }
    }

    fn check_token(&self, parts: &Parts) -> Result<(), Refusal> {
        let headers = &parts.headers;
        if headers.contains_key("authorization") {
            let shown = header(headers, "authorization").and_then(|value| value.split_once(' '));
            let is_right = shown.is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer") && self.token.is(token.trim()) // blanks belong to no token
            });
            return if is_right { Ok(()) } else { Err(Refusal::unauthorized()) };
        }
        if !self.has_cookie(headers) {
            return Err(Refusal::unauthorized());
        }
        // A cookie comes along by itself, so whatever changes something must also say that our page sent it. Every browser does.
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        if reads || headers.contains_key("origin") || headers.contains_key("sec-fetch-site") {
            return Ok(());
        }
        Err(Refusal::new(
            403,
            "ForeignOrigin",
            "A change by cookie must tell its Origin; programs send the token as `Authorization: Bearer`.",
        ))
    }

    /// Whether the request shows the cookie that [`Guard::login`] gave out.
    pub(super) fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        self.cookies(headers).any(|value| {
            let good = |(cookie, since): &(Token, Instant)| since.elapsed() < LIFE && cookie.is(value);
            logins.iter().any(good)
        })
    }

    /// The first values of our cookie in a request.
    fn cookies<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
        let lines = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let pairs = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let values = pairs.filter_map(|(name, value)| (name == self.cookie_name).then_some(value));
        values.take(MOST_VALUES)
    }

    /// A new cookie of the page for a right token.
    pub(super) fn login(&self, token: &str) -> Option<String> {
        if !self.token.is(token) {
            return None;
        }
        let cookie = Token::drawn().ok()?;
        let header = self.cookie(cookie.as_str(), LIFE.as_secs());
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|(_, since)| since.elapsed() < LIFE);
        if logins.len() >= MOST_LOGINS {
            logins.pop_front();
        }
        logins.push_back((cookie, Instant::now()));
        Some(header)
    }

    /// Ends the sign-in of a request. What it returns is the cookie that replaces it by nothing.
    pub(super) fn logout(&self, headers: &HeaderMap) -> String {
        let shown: Vec<_> = self.cookies(headers).collect();
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.retain(|(cookie, _)| !shown.iter().any(|value| cookie.is(value)));
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: u64) -> String {
        let name = &self.cookie_name;
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, options: AdminOptions) -> Guard {
        Guard::new(
            &options,
            address.parse().unwrap(),
            &Token::given("0123456789abcdef").unwrap(),
        )
    }

    #[test]
    fn each_sign_in_has_a_cookie_of_its_own() {
        let guard = guard("127.0.0.1:9001", AdminOptions::new());
        assert!(guard.login("another-token-of-16").is_none());
        let sign_in = || {
            let cookie = guard.login("0123456789abcdef").unwrap();
            let pair = cookie.split(';').next().unwrap().to_owned();
            HeaderMap::from_iter([(http::header::COOKIE, pair.parse().unwrap())])
        };
        let (first, second) = (sign_in(), sign_in());
        assert_ne!(first, second);
        assert!(guard.has_cookie(&first) && guard.has_cookie(&second));
        guard.logout(&first);
        assert!(!guard.has_cookie(&first) && guard.has_cookie(&second));
        for _ in 0..MOST_LOGINS {
            sign_in();
        }
        assert!(!guard.has_cookie(&second));
        assert!(guard.logins.lock().unwrap().len() <= MOST_LOGINS);
    }

    #[test]
    fn a_request_tries_few_cookies() {
        let guard = guard("127.0.0.1:9001", AdminOptions::new());
        let cookie = guard.login("0123456789abcdef").unwrap();
        let right = cookie.split(';').next().unwrap();
        let after = |wrong: usize| {
            let pairs = format!("{}other=1; {right}", "oss-emulator-9001=guess; ".repeat(wrong));
            HeaderMap::from_iter([(http::header::COOKIE, pairs.parse().unwrap())])
        };
        assert!(guard.has_cookie(&after(0)) && guard.has_cookie(&after(MOST_VALUES - 1)));
        assert!(!guard.has_cookie(&after(MOST_VALUES)) && !guard.has_cookie(&after(1000)));
    }

    #[test]
    fn only_own_addresses_and_names_are_hosts() {
        let loopback = guard("127.0.0.1:9001", AdminOptions::new().allow_host("emulator"));
        for host in [
            "127.0.0.1:9001",
            "127.0.0.1",
            "[::1]:9001",
            "localhost:9001",
            "LOCALHOST",
            "Emulator:9001",
        ] {
            assert!(loopback.is_ours(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9001",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.7:9001",
            "localhost:x",
            "user@localhost",
            "[::1",
            "[localhost]:9001x",
        ] {
            assert!(!loopback.is_ours(host), "{host}");
        }
        let open = guard("0.0.0.0:9001", AdminOptions::new().host("0.0.0.0"));
        assert!(open.is_ours("10.0.0.7:9001") && open.is_ours("[fd00::1]:9001"));
        assert!(!open.is_ours("evil.example:9001"));
    }
}
