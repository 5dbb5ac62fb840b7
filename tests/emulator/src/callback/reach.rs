//! Where callbacks may go: to other programs of this machine, and only while nobody else can reach the emulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::address::LOCAL;

/// What callbacks may reach. Whoever may upload chooses their address, so they must not open what the machine keeps to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Whether the emulator listens on loopback addresses only.
    is_private: bool,
    own_ports: Vec<u16>,
}

impl Reach {
    /// The reach of an emulator whose service and other listeners have these addresses.
    pub(crate) fn new(
        service: impl IntoIterator<Item = SocketAddr>,
        others: impl IntoIterator<Item = SocketAddr>,
    ) -> Self {
        let service: Vec<_> = service.into_iter().collect();
        Self {
            is_private: service.iter().all(|address| address.ip().is_loopback()),
            own_ports: service
                .into_iter()
                .chain(others)
                .map(|address| address.port())
                .collect(),
        }
    }

    /// The addresses that a host stands for. Names are not looked up: an answer could be another one the next time.
    pub(super) fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let refused = |why: &str| Err(format!("Error status : -1. {why} Nothing was sent."));
        if !self.is_private {
            return refused("The emulator makes callbacks only while it listens on loopback addresses itself.");
        }
        let ips: Vec<IpAddr> = match host.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() => vec![ip],
            Err(_) if host.eq_ignore_ascii_case(LOCAL) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => {
                return refused(&format!(
                    "The emulator makes callbacks to loopback addresses and {LOCAL} only, and {host} is another."
                ));
            }
        };
        if self.own_ports.contains(&port) {
            return refused("The emulator makes no callbacks to itself.");
        }
        Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_other_programs_of_this_machine_are_reached() {
        let reach = Reach::new([at("127.0.0.1:9000")], [at("127.0.0.1:9001")]);
        for host in ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"] {
            assert!(reach.addresses(host, 80).is_ok(), "{host}");
            for own in [9000, 9001] {
                assert!(reach.addresses(host, own).is_err(), "{host} {own}");
            }
        }
        for host in [
            "",
            "0.0.0.0",
            "::",
            "10.0.0.1",
            "::ffff:127.0.0.1",
            "127.1",
            "2130706433",
            "localhost.",
            "a.localhost",
            "example.com",
        ] {
            assert!(reach.addresses(host, 80).is_err(), "{host}");
        }
    }

    #[test]
    fn an_emulator_that_others_reach_makes_none() {
        for service in ["0.0.0.0:9000", "10.0.0.1:9000", "[::]:9000"] {
            let reach = Reach::new([at("127.0.0.1:9000"), at(service)], []);
            assert!(reach.addresses("127.0.0.1", 80).is_err(), "{service}");
        }
        // The management listener may be open: it wants a token, and takes no uploads from elsewhere.
        let reach = Reach::new([at("127.0.0.1:9000")], [at("0.0.0.0:9001")]);
        assert!(reach.addresses("127.0.0.1", 80).is_ok());
    }
}
