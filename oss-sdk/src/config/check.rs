//! Settings that contradict each other, or that cannot have an effect: refused when the client is made.
//!
//! Each rule is the rest of a sentence that begins with the setting's name. What needs more than the settings themselves,
//! such as the region's host, is checked where it is computed.

use std::net::IpAddr;
use std::time::Duration;

use super::{AddressingStyle, Config, SignatureVersion};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::transport::TlsVersion;

/// Settings that a transport of the caller's would have to follow and cannot know of.
type OfTransport = (&'static str, bool);

impl Config {
    /// Checks the settings against each other and against the address that they led to.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let rules = [
            self.wrong_addressing(endpoint),
            self.wrong_signature(),
            self.wrong_retry(),
            self.wrong_time(),
            self.wrong_bandwidth(),
            self.wrong_transport(endpoint),
        ];
        match rules.into_iter().flatten().next() {
            Some((setting, rule)) => Err(Error::config(setting, rule)),
            None => Ok(()),
        }
    }

    fn wrong_addressing(&self, endpoint: &Endpoint) -> Option<(&'static str, String)> {
        let is_given = self.endpoint.as_deref().is_some_and(|endpoint| !endpoint.is_empty());
        if let Some(style @ (AddressingStyle::Cname | AddressingStyle::VirtualHosted)) = self.addressing
            && endpoint.ip().is_some()
        {
            let rule = format!("`{style:?}` contradicts `endpoint`: an IP address has no name for buckets");
            return Some(("addressing_style", rule));
        }
        if is_given && self.disable_ssl && endpoint.is_secure() {
            let rule = "contradicts `endpoint`, which is `https`".to_owned();
            return Some(("disable_ssl", rule));
        }
        for (is_set, name) in [
            (self.accelerate, "accelerate"),
            (self.accelerate_overseas, "accelerate_overseas"),
        ] {
            if is_set && self.addressing == Some(AddressingStyle::Path) {
                let rule = "`Path` contradicts a host of transfer acceleration, which finds the bucket by its name";
                return Some(("addressing_style", format!("{rule} (`{name}`)")));
            }
        }
        None
    }

    fn wrong_signature(&self) -> Option<(&'static str, String)> {
        if self.signer.is_some() && self.signature.is_some() {
            return Some(("signature_version", "contradicts `signer`".to_owned()));
        }
        if self.signature == Some(SignatureVersion::V1) {
            if !self.additional_headers.is_empty() {
                let rule = "has no effect with signature V1, which signs a fixed set".to_owned();
                return Some(("additional_signed_header", rule));
            }
            if self.cloud_box_id.is_some() {
                let rule = "has no effect with signature V1, which has no scope".to_owned();
                return Some(("cloud_box_id", rule));
            }
        }
        None
    }

    fn wrong_retry(&self) -> Option<(&'static str, String)> {
        match self.retry_attempts {
            Some(0) => Some(("retry_attempts", "must be at least 1, it is 0".to_owned())),
            Some(2..) if self.never_retries => {
                let rule = "contradicts `retry_policy`: `NoRetry` makes 1 attempt".to_owned();
                Some(("retry_attempts", rule))
            }
            _ => None,
        }
    }

    fn wrong_time(&self) -> Option<(&'static str, String)> {
        let times = [
            ("connect_timeout", self.connect_timeout),
            ("attempt_timeout", self.attempt_timeout),
            ("timeout", self.timeout),
        ];
        if let Some((setting, _)) = times.iter().find(|(_, time)| *time == Some(Duration::ZERO)) {
            return Some((setting, "must be longer than zero".to_owned()));
        }
        // What can never be reached was meant otherwise.
        let pairs = [
            (
                ("connect_timeout", self.connect_timeout),
                ("attempt_timeout", self.attempt_timeout),
            ),
            (("connect_timeout", self.connect_timeout), ("timeout", self.timeout)),
            // A payload may be silent for longer than an attempt may take to its head, so these two do not contradict.
            (("idle_timeout", self.idle_timeout), ("timeout", self.timeout)),
            (("attempt_timeout", self.attempt_timeout), ("timeout", self.timeout)),
        ];
        pairs.iter().find_map(|((inner, short), (outer, long))| {
            let (short, long) = ((*short)?, (*long)?);
            (short > long).then(|| {
                let (short, long) = (short.as_secs_f64(), long.as_secs_f64());
                (
                    *inner,
                    format!("of {short} s has no effect: `{outer}` of {long} s comes first"),
                )
            })
        })
    }

    fn wrong_bandwidth(&self) -> Option<(&'static str, String)> {
        [
            ("upload_limit", self.upload_limit),
            ("download_limit", self.download_limit),
        ]
        .into_iter()
        .find_map(|(setting, limit)| Some((setting, limit?.rule()?.to_owned())))
    }

    fn wrong_transport(&self, endpoint: &Endpoint) -> Option<(&'static str, String)> {
        let settings = self.of_transport();
        let first = settings.iter().find(|(_, is_set)| *is_set);
        if let Some((setting, _)) = first {
            if self.transport.is_some() {
                let rule = "contradicts `transport`, which has settings of its own".to_owned();
                return Some((setting, rule));
            }
            if !cfg!(feature = "reqwest") {
                return Some((setting, "has no effect without the feature `reqwest`".to_owned()));
            }
        }
        let of_tls = [
            (
                "tls_minimum",
                self.tls_minimum.is_some_and(|version| version != TlsVersion::default()),
            ),
            ("root_certificate_pem", !self.root_certificates.is_empty()),
            ("danger_accept_invalid_certificates", self.skip_verify),
        ];
        if !cfg!(feature = "rustls")
            && let Some((setting, _)) = of_tls.iter().find(|(_, is_set)| *is_set)
        {
            return Some((setting, "needs the feature `rustls`".to_owned()));
        }
        if self.skip_verify && !self.root_certificates.is_empty() {
            let rule = "contradicts `danger_accept_invalid_certificates`, which trusts everybody".to_owned();
            return Some(("root_certificate_pem", rule));
        }
        if self.proxy.is_some() && self.proxy_from_env {
            return Some(("proxy_from_environment", "contradicts `proxy`".to_owned()));
        }
        if self.no_proxy.is_some() && self.proxy.is_none() {
            let rule = if self.proxy_from_env {
                "contradicts `proxy_from_environment`, which has `NO_PROXY`"
            } else {
                "has no effect without `proxy`"
            };
            return Some(("no_proxy", rule.to_owned()));
        }
        if self.max_connections == Some(0) {
            return Some(("max_connections", "must be at least 1, it is 0".to_owned()));
        }
        let has_proxy = self.proxy.is_some() || self.proxy_from_env;
        if let (Some(local), Some(remote), false) = (self.local_address, endpoint.ip(), has_proxy)
            && local.is_ipv4() != remote.is_ipv4()
        {
            let (local, remote) = (family(local), family(remote));
            return Some((
                "local_address",
                format!("is {local} and has no way to `endpoint`, which is {remote}"),
            ));
        }
        None
    }

    fn of_transport(&self) -> [OfTransport; 12] {
        [
            ("connect_timeout", self.connect_timeout.is_some()),
            ("proxy", self.proxy.is_some()),
            ("proxy_from_environment", self.proxy_from_env),
            ("no_proxy", self.no_proxy.is_some()),
            ("max_connections", self.max_connections.is_some()),
            ("max_idle_connections", self.max_idle_connections.is_some()),
            ("idle_connection_timeout", self.idle_connection_timeout.is_some()),
            ("tcp_keepalive", self.tcp_keepalive.is_some()),
            ("local_address", self.local_address.is_some()),
            ("tls_minimum", self.tls_minimum.is_some()),
            ("root_certificate_pem", !self.root_certificates.is_empty()),
            ("danger_accept_invalid_certificates", self.skip_verify),
        ]
    }
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

#[cfg(test)]
mod tests;
