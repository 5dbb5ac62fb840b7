//! What the runtime knows of a service as a whole: hosts, protocol, signing. Generated code has one [`ServiceSpec`] per service.

/// How requests and answers of a service are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// REST with XML documents.
    RestXml,
    /// REST with JSON documents.
    RestJson,
    /// `Action=` parameters in a form, JSON answers.
    RpcJson,
}

/// What the signature calls the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningResource {
    /// `/bucket/key`.
    Bucket,
    /// `/acs:ossvector:{region}:{account}:{bucket}/{key}`.
    VectorArn,
    /// `/{table bucket ARN}/{key}`; the key is percent-encoded already when it arrives.
    TableArn,
    /// ACS3-HMAC-SHA256, the signature of RPC services.
    Acs3,
}

/// First label of a virtual-hosted address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketHost {
    /// `{bucket}`.
    Bucket,
    /// `{bucket}-{account_id}`.
    BucketAndAccount,
}

/// Facts of a service, built in a `const` or `static`.
///
/// ```
/// use oss_sdk::service::{Protocol, ServiceSpec};
///
/// static SERVICE: ServiceSpec = ServiceSpec::new("oss", Protocol::RestXml)
///     .hosts(&[("public", "oss-{region}.aliyuncs.com")])
///     .subresources(&["acl", "cors"]);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceSpec {
    /// Name in the models, e.g. `oss`.
    pub name: &'static str,
    /// How documents are written.
    pub protocol: Protocol,
    /// Product in the scope of signature V4.
    pub product: &'static str,
    /// `Version` parameter of RPC services.
    pub api_version: Option<&'static str>,
    /// Host templates by kind (`public`, `internal`, `dual_stack`, ...); `{region}` is replaced. `central` is used where no
    /// region is known.
    pub hosts: &'static [(&'static str, &'static str)],
    /// First label of a virtual-hosted address.
    pub bucket_host: BucketHost,
    /// Template of what the service calls a bucket that callers give a short name; with `{bucket}`, `{account_id}` and
    /// `{region}`.
    pub bucket_name: Option<&'static str>,
    /// Template of another first label, for clients that use aliases; with `{bucket}`.
    pub alias_host: Option<&'static str>,
    /// What the signature calls the resource.
    pub signing: SigningResource,
    /// Query keys that signature V1 signs besides every `x-oss-*`, sorted by byte.
    pub subresources: &'static [&'static str],
    /// Stands in the user agent before the caller's suffix.
    pub user_agent_tag: Option<&'static str>,
}

impl ServiceSpec {
    /// A service of a name, with product `oss`, buckets as first label and signed as `/bucket/key`.
    pub const fn new(name: &'static str, protocol: Protocol) -> Self {
        Self {
            name,
            protocol,
            product: "oss",
            api_version: None,
            hosts: &[],
            bucket_host: BucketHost::Bucket,
            bucket_name: None,
            alias_host: None,
            signing: SigningResource::Bucket,
            subresources: &[],
            user_agent_tag: None,
        }
    }

    /// Sets the product of the V4 scope.
    #[must_use]
    pub const fn product(mut self, product: &'static str) -> Self {
        self.product = product;
        self
    }

    /// Sets the `Version` parameter of an RPC service.
    #[must_use]
    pub const fn api_version(mut self, version: &'static str) -> Self {
        self.api_version = Some(version);
        self
    }

    /// Sets the host templates by kind.
    #[must_use]
    pub const fn hosts(mut self, hosts: &'static [(&'static str, &'static str)]) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets the first label of a virtual-hosted address.
    #[must_use]
    pub const fn bucket_host(mut self, bucket_host: BucketHost) -> Self {
        self.bucket_host = bucket_host;
        self
    }

    /// Sets the template of what the service calls a bucket; `{bucket}`, `{account_id}` and `{region}` are replaced.
    #[must_use]
    pub const fn bucket_name(mut self, template: &'static str) -> Self {
        self.bucket_name = Some(template);
        self
    }

    /// Sets the template of the first label for clients that use aliases; `{bucket}` is replaced.
    #[must_use]
    pub const fn alias_host(mut self, template: &'static str) -> Self {
        self.alias_host = Some(template);
        self
    }

    /// Sets what the signature calls the resource.
    #[must_use]
    pub const fn signing(mut self, signing: SigningResource) -> Self {
        self.signing = signing;
        self
    }

    /// Sets the query keys that signature V1 signs, sorted by byte.
    #[must_use]
    pub const fn subresources(mut self, subresources: &'static [&'static str]) -> Self {
        self.subresources = subresources;
        self
    }

    /// Sets the service's part of the user agent.
    #[must_use]
    pub const fn user_agent_tag(mut self, tag: &'static str) -> Self {
        self.user_agent_tag = Some(tag);
        self
    }

    /// The host template of a kind, if the service has hosts of that kind.
    pub(crate) fn host(&self, kind: &str) -> Option<&'static str> {
        self.hosts
            .iter()
            .find(|(name, _)| *name == kind)
            .map(|(_, template)| *template)
    }
}
