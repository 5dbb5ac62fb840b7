//! From host and path to bucket and key: path-style, virtual-hosted and CNAME addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::error::ServiceError;
use crate::text;

/// A host that addresses every bucket by path.
pub(crate) const LOCAL: &str = "localhost";
/// How all endpoints of the service end.
const SERVICE: &str = ".aliyuncs.com";

/// What the host name says about the service, before anything is known of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostKind {
    /// Nothing: an IP address, `localhost`, an own domain, a CNAME.
    Any,
    /// An address of the model service of this name.
    Service(&'static str),
}

/// What a request addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: HostKind,
    pub(crate) bucket: Option<String>,
    /// Decoded.
    pub(crate) key: Option<String>,
    /// Whether the host names the bucket.
    pub(crate) hosted: bool,
    /// The account that a virtual-hosted vectors address names.
    pub(crate) account: Option<String>,
}

impl Address {
    /// Takes `{bucket}-{account}` apart, for services that put both into the host.
    pub(crate) fn split_account(&mut self) {
        let label = self.bucket.as_deref().filter(|_| self.hosted && self.account.is_none());
        let Some((bucket, account)) = label.and_then(|label| label.rsplit_once('-')) else {
            return;
        };
        let is_account = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
        if is_account && is_bucket_name(bucket) {
            let (bucket, account) = (bucket.to_owned(), account.to_owned());
            self.bucket = Some(bucket);
            self.account = Some(account);
        }
    }
}

/// The names under which the emulator is reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Lower case, longest first.
    domains: Vec<String>,
    /// Host in lower case to bucket, as the emulator was set up.
    cnames: BTreeMap<String, String>,
    /// The same, as buckets were bound since, for as long as they are there.
    bound: BTreeMap<String, String>,
}

impl Names {
    pub(crate) fn new(domains: &[String], cnames: &BTreeMap<String, String>) -> Self {
        let mut domains: Vec<_> = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        domains.push(LOCAL.to_owned());
        domains.sort_by_key(|domain| std::cmp::Reverse(domain.len()));
        let cnames = cnames
            .iter()
            .map(|(host, bucket)| (host.to_ascii_lowercase(), bucket.clone()))
            .collect();
        Self {
            domains,
            cnames,
            bound: BTreeMap::new(),
        }
    }

    /// Binds a host for a bucket that asked for it.
    pub(crate) fn bind_asked(&mut self, host: &str, bucket: &str) {
        self.bound.insert(host.to_ascii_lowercase(), bucket.to_owned());
    }

    pub(crate) fn bind(&mut self, host: &str, bucket: &str) {
        self.cnames.insert(host.to_ascii_lowercase(), bucket.to_owned());
    }

    /// Whether a host is one of the emulator's own: a domain, or below one.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        let below = |domain: &String| {
            host.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.domains.iter().any(below)
    }

    /// Whether a host cannot be bound to a bucket: one of the service or of the emulator, or one that the emulator was set up to lead
    /// to another bucket.
    pub(crate) fn is_reserved(&self, host: &str, bucket: &str) -> bool {
        let elsewhere = self.cnames.get(host).is_some_and(|led_to| led_to != bucket);
        elsewhere || host.ends_with(SERVICE) || self.is_own(host)
    }

    /// Ends the binding of a host that a bucket asked for.
    pub(crate) fn release(&mut self, host: &str, bucket: &str) {
        let host = host.to_ascii_lowercase();
        if self.bound.get(&host).is_some_and(|bound| bound == bucket) {
            self.bound.remove(&host);
        }
    }

    /// Ends all bindings that a bucket asked for.
    pub(crate) fn release_bucket(&mut self, bucket: &str) {
        self.bound.retain(|_, bound| bound != bucket);
    }

    /// Ends all bindings that buckets asked for.
    pub(crate) fn release_all(&mut self) {
        self.bound.clear();
    }

    /// Finds bucket and key. `host` may carry a port, `path` is as sent.
    pub(crate) fn resolve(&self, host: &str, path: &str) -> Result<Address, ServiceError> {
        let host = without_port(host).to_ascii_lowercase();
        let host = host.as_str();
        if is_ip(host) || self.domains.iter().any(|domain| domain == host) {
            return path_style(HostKind::Any, path);
        }
        // How the emulator was set up goes first: bindings may be older, from when it had other names.
        if let Some(bucket) = self.cnames.get(host) {
            return virtual_hosted(HostKind::Any, bucket, path);
        }
        for domain in &self.domains {
            let prefix = host
                .strip_suffix(domain.as_str())
                .and_then(|rest| rest.strip_suffix('.'));
            if let Some(bucket) = prefix.filter(|prefix| !prefix.contains('.')) {
                return virtual_hosted(HostKind::Any, bucket, path);
            }
        }
        if let Some(bucket) = self.bound.get(host).filter(|_| !self.is_own(host)) {
            return virtual_hosted(HostKind::Any, bucket, path);
        }
        match service_host(host) {
            Some((kind, None)) => path_style(kind, path),
            Some((kind, Some(bucket))) => virtual_hosted(kind, bucket, path),
            None => Err(ServiceError::new(
                404,
                "NoSuchBucket",
                "The host is neither an address of the emulator nor bound to a bucket.",
            )
            .detail("BucketName", host)),
        }
    }
}

/// A colon separates a port unless it stands inside a bare IPv6 address.
fn without_port(host: &str) -> &str {
    let Some((name, port)) = host.rsplit_once(':') else {
        return host;
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_bare_ipv6 = name.contains(':') && !name.ends_with(']');
    if is_port && !is_bare_ipv6 { name } else { host }
}

fn is_ip(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()) || host.parse::<IpAddr>().is_ok()
}

/// Takes `{bucket}.oss-{region}.aliyuncs.com` and its relatives apart. The label before `aliyuncs.com` says how many labels
/// belong to the endpoint; what stands before them is the bucket.
fn service_host(host: &str) -> Option<(HostKind, Option<&str>)> {
    let labels: Vec<&str> = host.strip_suffix(SERVICE)?.split('.').collect();
    // The last one: buckets may have such names as well.
    let oss_label = labels
        .iter()
        .rposition(|label| label.starts_with("oss-") || *label == "oss");
    let sts_label = labels
        .first()
        .is_some_and(|label| *label == "sts" || *label == "sts-vpc");
    let (kind, endpoint_starts) = match oss_label {
        Some(at) => match labels[at] {
            "oss" => (HostKind::Service("oss"), at.checked_sub(1)?),
            "oss-vectors" => (HostKind::Service("vectors"), at.checked_sub(1)?),
            "oss-tables" => (HostKind::Service("tables"), at.checked_sub(1)?),
            "oss-cloudbox" | "oss-cloudbox-control" => (HostKind::Service("oss"), at.checked_sub(2)?),
            _ => (HostKind::Service("oss"), at),
        },
        None if sts_label => (HostKind::Service("sts"), 0),
        None => return None,
    };
    match endpoint_starts {
        0 => Some((kind, None)),
        1 => Some((kind, labels.first().copied())),
        _ => None,
    }
}

fn path_style(host: HostKind, path: &str) -> Result<Address, ServiceError> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() {
        return match key {
            "" => Ok(Address {
                host,
                bucket: None,
                key: None,
                hosted: false,
                account: None,
            }),
            _ => Err(invalid_bucket_name("")),
        };
    }
    let bucket = text::decode(bucket).ok_or_else(|| invalid_bucket_name(bucket))?;
    address(host, &bucket, key)
}

fn virtual_hosted(host: HostKind, bucket: &str, path: &str) -> Result<Address, ServiceError> {
    let address = address(host, bucket, path.strip_prefix('/').unwrap_or(path))?;
    Ok(Address {
        hosted: true,
        ..address
    })
}

fn address(host: HostKind, bucket: &str, key: &str) -> Result<Address, ServiceError> {
    if !is_bucket_name(bucket) {
        return Err(invalid_bucket_name(bucket));
    }
    let key = match key {
        "" => None,
        key => Some(object_key(key)?),
    };
    Ok(Address {
        host,
        bucket: Some(bucket.to_owned()),
        key,
        hosted: false,
        account: None,
    })
}

fn invalid_bucket_name(bucket: &str) -> ServiceError {
    ServiceError::new(400, "InvalidBucketName", "The specified bucket is not valid.").detail("BucketName", bucket)
}

/// 3 to 63 of `a-z 0-9 -`, without a hyphen at either end.
pub(crate) fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// 1 to 1023 bytes, without NUL, not starting with a slash or a backslash.
pub(crate) fn is_object_key(key: &str) -> bool {
    (1..=1023).contains(&key.len()) && !key.contains('\0') && !key.starts_with(['/', '\\'])
}

/// Decodes a key as it stands in a path or the target of a link.
pub(crate) fn object_key(raw: &str) -> Result<String, ServiceError> {
    let invalid =
        || ServiceError::new(400, "InvalidObjectName", "The specified object is not valid.").detail("ObjectName", raw);
    text::decode(raw).filter(|key| is_object_key(key)).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let cnames = BTreeMap::from([("Static.example.com".to_owned(), "site".to_owned())]);
        Names::new(&["oss.test".to_owned()], &cnames)
    }

    fn found(host: &str, path: &str) -> (Option<String>, Option<String>) {
        let address = names().resolve(host, path).unwrap();
        (address.bucket, address.key)
    }

    fn pair(bucket: &str, key: &str) -> (Option<String>, Option<String>) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (some(bucket), some(key))
    }

    #[test]
    fn addresses_of_every_style_name_bucket_and_key() {
        for (host, path, bucket, key) in [
            ("127.0.0.1:9000", "/", "", ""),
            ("127.0.0.1:9000", "/bucket", "bucket", ""),
            ("127.0.0.1", "/bucket/", "bucket", ""),
            ("[::1]:9000", "/bucket/a//b/../c", "bucket", "a//b/../c"),
            ("[::1]", "/bucket/x//", "bucket", "x//"),
            ("localhost:9000", "/bucket/a%20b", "bucket", "a b"),
            ("LOCALHOST", "/bucket/k", "bucket", "k"),
            ("oss.test", "/bucket/k", "bucket", "k"),
            ("bucket.localhost:9000", "/k", "bucket", "k"),
            ("bucket.oss.test", "/", "bucket", ""),
            ("bucket.oss-cn-hangzhou.aliyuncs.com", "/k", "bucket", "k"),
            (
                "bucket.oss-cn-hangzhou-internal.aliyuncs.com",
                "/k//k",
                "bucket",
                "k//k",
            ),
            ("oss-cn-hangzhou.aliyuncs.com", "/", "", ""),
            ("cn-hangzhou.oss.aliyuncs.com", "/", "", ""),
            ("bucket.cn-hangzhou.oss.aliyuncs.com", "/k", "bucket", "k"),
            ("bucket.oss-accelerate.aliyuncs.com", "/k", "bucket", "k"),
            ("oss-logs.oss-cn-hangzhou.aliyuncs.com", "/k", "oss-logs", "k"),
            ("bucket.cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com", "/k", "bucket", "k"),
            ("static.EXAMPLE.com", "/dir/k", "site", "dir/k"),
        ] {
            assert_eq!(found(host, path), pair(bucket, key), "{host} {path}");
        }
    }

    #[test]
    fn names_that_buckets_asked_for_take_no_other_away() {
        let mut names = names();
        for host in [
            "static.example.com",
            "other.oss.test",
            "a.b.oss.test",
            "Files.Example.com",
        ] {
            names.bind_asked(host, "theirs");
        }
        let bucket = |host: &str| names.resolve(host, "/").ok().and_then(|address| address.bucket);
        for (host, expected) in [
            ("static.example.com", Some("site")),
            ("other.oss.test", Some("other")),
            ("a.b.oss.test", None),
            ("files.example.com", Some("theirs")),
        ] {
            assert_eq!(bucket(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn vectors_hosts_name_the_account() {
        for (host, kind) in [
            (
                "my-bucket-123.cn-hangzhou.oss-vectors.aliyuncs.com",
                HostKind::Service("vectors"),
            ),
            ("my-bucket-123.localhost", HostKind::Any),
        ] {
            let mut address = names().resolve(host, "/").unwrap();
            assert_eq!(address.host, kind);
            assert_eq!(address.bucket.as_deref(), Some("my-bucket-123"));
            address.split_account();
            assert_eq!(address.bucket.as_deref(), Some("my-bucket"));
            assert_eq!(address.account.as_deref(), Some("123"));
        }
        let mut address = names().resolve("localhost", "/my-bucket-123/").unwrap();
        address.split_account();
        assert_eq!(address.bucket.as_deref(), Some("my-bucket-123"));
    }

    #[test]
    fn sts_hosts_are_known() {
        for host in [
            "sts.aliyuncs.com",
            "sts.cn-hangzhou.aliyuncs.com",
            "sts-vpc.cn-hangzhou.aliyuncs.com",
        ] {
            assert_eq!(
                names().resolve(host, "/").unwrap().host,
                HostKind::Service("sts"),
                "{host}"
            );
        }
    }

    #[test]
    fn bad_names_are_refused_with_their_code() {
        for (host, path, code) in [
            ("unknown.example.org", "/", "NoSuchBucket"),
            ("127.0.0.1", "/ab", "InvalidBucketName"),
            ("127.0.0.1", "/Bucket/k", "InvalidBucketName"),
            ("127.0.0.1", "/-bucket", "InvalidBucketName"),
            ("127.0.0.1", "//bucket", "InvalidBucketName"),
            ("127.0.0.1", "/bucket/%00", "InvalidObjectName"),
            ("127.0.0.1", "/bucket/%FF", "InvalidObjectName"),
            ("127.0.0.1", "/bucket/%5Ca", "InvalidObjectName"),
            ("a.b.oss-cn-hangzhou.aliyuncs.com", "/", "NoSuchBucket"),
            ("oss-login.bank.example", "/", "NoSuchBucket"),
            ("bucket.oss-cn-hangzhou.example.com", "/k", "NoSuchBucket"),
            ("oss-cn-hangzhou.notaliyuncs.com", "/", "NoSuchBucket"),
        ] {
            assert_eq!(names().resolve(host, path).unwrap_err().code, code, "{host} {path}");
        }
        let long = format!("/bucket/{}", "k".repeat(1024));
        assert_eq!(
            names().resolve("127.0.0.1", &long).unwrap_err().code,
            "InvalidObjectName"
        );
    }
}
