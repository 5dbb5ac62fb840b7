//! From region and settings to the address of a service, and from there to the URL of a bucket or object.

use std::net::{IpAddr, Ipv6Addr};

use crate::error::Error;
use crate::percent;
use crate::service::{BucketHost, ServiceSpec, SigningResource};

mod names;

pub(crate) use names::{account_id_rule, region_rule, table_bucket};

/// How a bucket is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressingStyle {
    /// `https://bucket.host/key`. The default, unless the endpoint is an IP address or `localhost`.
    VirtualHosted,
    /// `https://host/bucket/key`. Always used when the endpoint is an IP address.
    Path,
    /// `https://host/key`: the endpoint is a domain that is bound to the bucket.
    Cname,
}

/// Which of a region's hosts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum HostKind {
    #[default]
    Public,
    Internal,
    DualStack,
    Accelerate,
    AccelerateOverseas,
}

impl HostKind {
    /// Its name in [`ServiceSpec::hosts`].
    fn key(self) -> &'static str {
        match self {
            HostKind::Public => "public",
            HostKind::Internal => "internal",
            HostKind::DualStack => "dual_stack",
            HostKind::Accelerate => "accelerate",
            HostKind::AccelerateOverseas => "accelerate_overseas",
        }
    }
}

/// What an endpoint is resolved from. An explicit endpoint wins over region and kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EndpointOptions<'a> {
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) kind: HostKind,
    pub(crate) style: Option<AddressingStyle>,
    pub(crate) disable_ssl: bool,
}

/// The address of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    /// Host, in brackets if it is IPv6, and port if it is not the scheme's.
    authority: String,
    style: AddressingStyle,
    /// What was asked for, to resolve another endpoint the same way.
    wanted_style: Option<AddressingStyle>,
    disable_ssl: bool,
}

/// What a request is addressed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    pub(crate) bucket: Option<&'a str>,
    /// First label of a virtual-hosted address in place of the bucket's own.
    pub(crate) label: Option<&'a str>,
    /// Not encoded.
    pub(crate) key: Option<&'a str>,
    /// Percent-encoded path behind the bucket, of operations that have no key but a path.
    pub(crate) path: Option<&'a str>,
}

/// Where a request is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and percent-encoded path. It must be sent as it is: `//`, `.` and `..` are parts of keys.
    pub(crate) url: String,
    /// As in the `Host` header.
    pub(crate) host: String,
}

impl Endpoint {
    /// Resolves the endpoint of a service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of the setting.
    pub(crate) fn resolve(service: &ServiceSpec, options: &EndpointOptions<'_>) -> Result<Self, Error> {
        if let Some(endpoint) = options.endpoint.filter(|endpoint| !endpoint.is_empty()) {
            return Self::parse(endpoint, options.style, options.disable_ssl);
        }
        let has_region = options.region.is_some_and(|region| !region.is_empty());
        let central = service
            .host("central")
            .filter(|_| !has_region && options.kind == HostKind::Public);
        let template = central.or_else(|| service.host(options.kind.key())).ok_or_else(|| {
            let rule = format!("does not exist for the service `{}`", service.name);
            Error::config(options.kind.key(), rule)
        })?;
        let host = if template.contains("{region}") {
            let region = options.region.unwrap_or_default();
            if region.is_empty() {
                return Err(Error::config("region", "is required where there is no `endpoint`"));
            }
            if let Some(rule) = region_rule(region) {
                return Err(Error::config("region", rule));
            }
            template.replace("{region}", region)
        } else {
            template.to_owned()
        };
        Self::parse(&host, options.style, options.disable_ssl)
    }

    /// Another endpoint with the same settings.
    pub(crate) fn replaced(&self, endpoint: &str) -> Result<Self, Error> {
        Self::parse(endpoint, self.wanted_style, self.disable_ssl)
    }

    /// A domain that is bound to a bucket.
    pub(crate) fn bound(&self, domain: &str) -> Result<Self, Error> {
        let endpoint = Self::parse(domain, Some(AddressingStyle::Cname), self.disable_ssl)
            .map_err(|error| error.with_member("cname"))?;
        match endpoint.style {
            AddressingStyle::Cname => Ok(endpoint),
            _ => Err(Error::config(
                "cname",
                "must be a domain: no IP address is bound to a bucket",
            )),
        }
    }

    /// Path and query of the text are ignored; a scheme wins over `disable_ssl`.
    fn parse(text: &str, wanted_style: Option<AddressingStyle>, disable_ssl: bool) -> Result<Self, Error> {
        let wrong = |rule: &str| Error::config("endpoint", rule);
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => ("https", rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => ("http", rest),
            Some(_) => return Err(wrong("must begin with `https://`, `http://` or the host")),
            None => (if disable_ssl { "http" } else { "https" }, text),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(wrong("must not contain a user name or password"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong("must have a port from 1 to 65535, or none"))?;
        let host = host.to_ascii_lowercase();
        let ip = ip_address(&host);
        if ip.is_none() && !names::is_host_name(&host) {
            return Err(wrong(
                "must have the host of a DNS name or an IP address, such as `oss-cn-hangzhou.aliyuncs.com`",
            ));
        }
        let style = match (wanted_style, ip) {
            // There is no name to put a bucket before, and none that could be bound to one.
            (_, Some(_)) => AddressingStyle::Path,
            (Some(wanted), None) => wanted,
            (None, None) if host == "localhost" => AddressingStyle::Path,
            (None, None) => AddressingStyle::VirtualHosted,
        };
        let is_default = matches!((scheme, port), (_, None) | ("https", Some(443)) | ("http", Some(80)));
        let authority = match port {
            Some(port) if !is_default => format!("{host}:{port}"),
            _ => host,
        };
        Ok(Self {
            scheme,
            authority,
            style,
            wanted_style,
            disable_ssl,
        })
    }

    /// Host without port.
    pub(crate) fn host(&self) -> &str {
        split_port(&self.authority).map_or(&self.authority, |(host, _)| host)
    }

    /// The address that the host is.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        ip_address(self.host())
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// Scheme and authority, e.g. `https://oss-cn-hangzhou.aliyuncs.com`.
    #[cfg(test)]
    fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// The id of the cloud box that the host belongs to. Its requests are signed with the id in place of the region and
    /// for the product `oss-cloudbox`.
    pub(crate) fn cloud_box_id(&self) -> Option<&str> {
        let mut labels = self.host().split('.');
        let id = labels.next()?;
        let _region = labels.next()?;
        let service = labels.next()?;
        let is_cloud_box = id.starts_with("cb-")
            && matches!(service, "oss-cloudbox" | "oss-cloudbox-control")
            && labels.eq(["aliyuncs", "com"]);
        is_cloud_box.then_some(id)
    }

    /// Where a request for `target` is sent.
    ///
    /// # Errors
    ///
    /// When the bucket's host needs what is not known: the account, or a bucket that is an ARN.
    pub(crate) fn address(
        &self,
        service: &ServiceSpec,
        target: &Target<'_>,
        account_id: Option<&str>,
    ) -> Result<Address, Error> {
        let mut host = String::with_capacity(self.authority.len() + 64);
        let mut path = String::with_capacity(128);
        path.push('/');
        match (target.bucket, self.style) {
            (None, _) | (Some(_), AddressingStyle::Cname) => {}
            // Paths of table services name the bucket where they need it.
            (Some(_), AddressingStyle::Path) if service.signing == SigningResource::TableArn => {}
            (Some(bucket), AddressingStyle::Path) => {
                percent::push_path(&mut path, bucket);
                path.push('/');
            }
            (Some(bucket), AddressingStyle::VirtualHosted) => {
                push_label(&mut host, service, target.label.unwrap_or(bucket), account_id)?;
                host.push('.');
            }
        }
        host.push_str(&self.authority);
        if let Some(key) = target.key {
            percent::push_path(&mut path, key);
        } else if let Some(encoded) = target.path {
            path.push_str(encoded);
        }
        let mut url = String::with_capacity(self.scheme.len() + 3 + host.len() + path.len());
        url.push_str(self.scheme);
        url.push_str("://");
        url.push_str(&host);
        url.push_str(&path);
        Ok(Address { url, host })
    }
}

/// The first label of a virtual-hosted address.
fn push_label(host: &mut String, service: &ServiceSpec, bucket: &str, account_id: Option<&str>) -> Result<(), Error> {
    let start = host.len();
    if service.signing == SigningResource::TableArn {
        let (account, name) = table_bucket(bucket).map_err(|rule| Error::invalid_input("table_bucket_arn", rule))?;
        host.push_str(name);
        host.push('-');
        host.push_str(account);
    } else {
        host.push_str(bucket);
        if service.bucket_host == BucketHost::BucketAndAccount {
            let account = account_id.filter(|account| !account.is_empty());
            host.push('-');
            host.push_str(account.ok_or_else(|| {
                Error::config("account_id", format!("is required by the service `{}`", service.name))
            })?);
        }
    }
    let label = host.len() - start;
    if label > 63 {
        let rule = format!(
            "is too long: the first label of the host would be `{}` with {label} characters, and can have 63",
            &host[start..]
        );
        return Err(Error::invalid_input("bucket", rule));
    }
    Ok(())
}

/// Takes a port off an authority; `None` when there is a colon but no port behind it.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[after_host..].rfind(':') {
        // A second colon without brackets: a bare IPv6 address.
        Some(_) if after_host == 0 && authority.matches(':').count() > 1 => Some((authority, None)),
        Some(colon) => {
            let port = authority[after_host + colon + 1..]
                .parse()
                .ok()
                .filter(|port| *port != 0)?;
            Some((&authority[..after_host + colon], Some(port)))
        }
        None => Some((authority, None)),
    }
}

/// An IPv4 address, or an IPv6 address in brackets.
fn ip_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests;
