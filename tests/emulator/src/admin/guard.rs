//! Who gets in: judged from the head of a request alone, before anything else looks at it.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::{HeaderMap, Method};

use super::answers::Refusal;
use super::options::AdminOptions;
use super::token::Token;
use crate::request::header;
use crate::text;

/// What requests are measured against.
pub(crate) struct Guard {
    token: Token,
    cookie_name: String,
    cookie_value: String,
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
            cookie_value: token.cookie(),
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
        let cookies = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        cookies.flat_map(|line| line.split(';')).any(|pair| {
            pair.trim()
                .split_once('=')
                .is_some_and(|(name, value)| name == self.cookie_name && text::same_secret(value, &self.cookie_value))
        })
    }

    /// The cookie of the page for a right token.
    pub(super) fn login(&self, token: &str) -> Option<String> {
        self.token.is(token).then(|| self.cookie(&self.cookie_value, 43_200))
    }

    /// The cookie that replaces it by nothing.
    pub(super) fn logout(&self) -> String {
        self.cookie("", 0)
    }

    fn cookie(&self, value: &str, seconds: u32) -> String {
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
