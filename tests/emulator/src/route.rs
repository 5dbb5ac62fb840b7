//! From a request to an operation: method, resource level, flags of the query and a few telling members.

use oss_codegen::api::{Api, Member, Method, Operation, Place, Protocol, Resource, Segment, Service};

use crate::address::HostKind;
use crate::error::ServiceError;
use crate::request::{Head, Query};

/// What a request is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static Operation,
}

/// Parameters that belong to signatures and are never part of an operation.
const SIGNATURE_PARAMETERS: &[&str] = &[
    "Expires",
    "OSSAccessKeyId",
    "Signature",
    "security-token",
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// Parameters that any request may carry and that change nothing here.
const IGNORED_PARAMETERS: &[&str] = &[
    "callback",
    "callback-var",
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-request-payer",
    "x-oss-traffic-limit",
];

/// Sub-resources of the service itself that REST requests post to.
const REST_POSTS: &[&str] = &["dataPipeline", "x-oss-write-get-object-response"];

/// Methods that some resource of the service takes.
const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// Whether the request speaks to an RPC service: `Action` in its query or form, or the service's own host.
pub(crate) fn is_rpc(head: &Head) -> bool {
    let may_be = head.bucket().is_none() && (head.method == "POST" || head.method == "GET");
    may_be
        && (head.address.host == HostKind::Service("sts")
            || head.query.has("Action")
            || head.method == "POST" && !REST_POSTS.iter().any(|name| head.query.has(name))
            || head.header("x-acs-action").is_some())
}

/// Finds the operation of an RPC request by its `Action`.
pub(crate) fn rpc(api: &'static Api, action: &str, version: &str) -> Result<Route, ServiceError> {
    let services = api
        .services
        .iter()
        .filter(|service| service.protocol == Protocol::RpcJson);
    let mut found =
        services.filter_map(|service| service.operation(action).map(|operation| Route { service, operation }));
    let route = found
        .next()
        .ok_or_else(|| ServiceError::not_implemented(format!("the action {action}")))?;
    if route
        .service
        .api_version
        .as_deref()
        .is_some_and(|wanted| wanted != version)
    {
        return Err(ServiceError::invalid_argument(
            "The Version is not that of the service.",
            "Version",
            version,
        ));
    }
    Ok(route)
}

/// Finds the operation of a REST request.
pub(crate) fn rest(api: &'static Api, head: &Head) -> Result<Route, ServiceError> {
    if !METHODS.contains(&head.method.as_str()) {
        return Err(ServiceError::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .detail("Method", head.method.as_str().chars().take(32).collect::<String>())
        .header("allow", METHODS.join(", ")));
    }
    let services = api
        .services
        .iter()
        .filter(|service| service.protocol != Protocol::RpcJson);
    // Who claims nothing, such as a reader of public objects, means the service of objects.
    let claimed = claimed_product(head).unwrap_or("oss");
    let services = services.filter(|service| match head.address.host {
        HostKind::Any => service.product == claimed,
        // Services without a host of their own share that of objects.
        HostKind::Service(name) => service.name == name || name == "oss" && service.product == "oss",
    });
    among(services, head)
}

/// Finds the operation of a REST request among those of a service.
pub(crate) fn within(service: &'static Service, head: &Head) -> Result<Route, ServiceError> {
    among(std::iter::once(service), head)
}

/// The product in the scope of the signature, which tells services of one address apart.
fn claimed_product(head: &Head) -> Option<&str> {
    let credential = match head.query.get("x-oss-credential") {
        Some(credential) => credential,
        None => head.header("authorization")?.split_once("Credential=")?.1,
    };
    let mut from_the_end = credential.split([',', ' ']).next()?.rsplit('/');
    (from_the_end.next() == Some("aliyun_v4_request")).then_some(())?;
    from_the_end.next()
}

fn among(services: impl Iterator<Item = &'static Service>, head: &Head) -> Result<Route, ServiceError> {
    let mut best: Option<(usize, Route)> = None;
    for service in services {
        for (_, operation) in service.operations() {
            if let Some(score) = score(operation, head) {
                // The first of equals stays: services are sorted, and `oss` comes before `vectors`, which has some of its paths.
                if best.is_none_or(|(highest, _)| score > highest) {
                    best = Some((score, Route { service, operation }));
                }
            }
        }
    }
    let unknown = || {
        let flags: Vec<_> = head
            .query
            .iter()
            .filter(|p| !is_signature(&p.name))
            .map(|p| p.name.as_str())
            .collect();
        let level = match (head.bucket(), head.key()) {
            (None, _) => "the service",
            (_, None) => "a bucket",
            _ => "an object",
        };
        let query = if flags.is_empty() {
            String::new()
        } else {
            format!(" with ?{}", flags.join("&"))
        };
        ServiceError::not_implemented(format!("{} of {level}{query}", head.method))
    };
    let (_, route) = best.ok_or_else(unknown)?;
    match leftover(route, &head.query) {
        None => Ok(route),
        Some(name) => Err(ServiceError::not_implemented(format!(
            "the sub-resource {name} in {} of this resource",
            head.method
        ))),
    }
}

fn is_signature(name: &str) -> bool {
    SIGNATURE_PARAMETERS.contains(&name)
}

fn is_ignored(name: &str) -> bool {
    is_signature(name) || IGNORED_PARAMETERS.contains(&name)
}

fn has_method(operation: &Operation, head: &Head) -> bool {
    operation.method.as_str() == head.method.as_str()
}

fn fits_level(operation: &Operation, head: &Head) -> bool {
    match &operation.resource {
        Resource::Service => head.bucket().is_none(),
        Resource::Bucket => {
            let is_needed = operation
                .request
                .iter()
                .any(|member| member.place == Place::Bucket && member.required);
            head.key().is_none() && (head.bucket().is_some() || !is_needed)
        }
        Resource::Object => head.key().is_some(),
        Resource::Path(template) => fits_path(template, &head.path),
    }
}

/// Whether a path has the literal segments of a template, and something where it has members.
fn fits_path(template: &[Segment], path: &str) -> bool {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    segments.len() == template.len()
        && segments.iter().zip(template).all(|(segment, wanted)| match wanted {
            Segment::Literal(text) => segment == text,
            Segment::Member(_) => !segment.is_empty(),
        })
}

/// How much of the request the operation explains; nothing if it is another one.
fn score(operation: &Operation, head: &Head) -> Option<usize> {
    if !has_method(operation, head) || !fits_level(operation, head) {
        return None;
    }
    let (mut flags, mut exact) = (0, 0);
    for (name, value) in &operation.query {
        let overridable = operation
            .request
            .iter()
            .any(|member| member.place == Place::Query && member.wire.first() == Some(name));
        match value {
            None if head.query.has(name) => flags += 1,
            None => return None,
            Some(_) if overridable => {}
            Some(value) if head.query.get(name) == Some(value) => {
                flags += 1;
                exact += 1;
            }
            Some(_)
                if operation
                    .query_when
                    .iter()
                    .any(|when| when.key == *name && head.query.get(name) == Some(when.value.as_str())) =>
            {
                flags += 1;
                exact += 1;
            }
            Some(_) => return None,
        }
    }
    let keys = operation
        .request
        .iter()
        .filter(|member| member.required && member.place == Place::Query);
    let keys: Vec<bool> = keys
        .map(|member| member.wire.first().is_some_and(|wire| head.query.has(wire)))
        .collect();
    let present = keys.iter().filter(|present| **present).count();
    if flags == 0 && !keys.is_empty() && present == 0 {
        return None;
    }
    let copies = operation
        .request
        .iter()
        .any(|member| member.place == Place::CopySourceKey);
    if copies != head.headers.contains_key("x-oss-copy-source")
        && (copies || operation.method == Method::Put && flags == 0)
    {
        return None;
    }
    let literals = match &operation.resource {
        Resource::Path(template) => template
            .iter()
            .filter(|segment| matches!(segment, Segment::Literal(_)))
            .count(),
        _ => 0,
    };
    // Of two operations with the same flags, the one whose other needs are met is meant.
    let lacks_header = |member: &&Member| {
        member.required
            && member.place == Place::Header
            && member
                .wire
                .first()
                .is_some_and(|wire| !head.headers.contains_key(wire.as_str()))
    };
    let missing = keys.len() - present + operation.request.iter().filter(lacks_header).count();
    Some((flags * 100 + exact * 20 + present * 10 + literals + usize::from(copies)).saturating_sub(missing * 8))
}

/// A sub-resource of the request that the operation does not know.
fn leftover(route: Route, query: &Query) -> Option<&str> {
    let knows = |name: &str| {
        let fixed = route.operation.query.iter().any(|(fixed, _)| fixed == name);
        let member = |member: &Member| {
            matches!(member.place, Place::Query | Place::QueryJson)
                && member.wire.iter().chain(&member.aliases).any(|wire| wire == name)
        };
        // No model has this switch of an upload, whose parts then come in order.
        let sequential = name == "sequential" && route.operation.name == "InitiateMultipartUpload";
        fixed || sequential || route.operation.request.iter().any(member)
    };
    query.iter().find_map(|parameter| {
        let name = parameter.name.as_str();
        // Parameters with values that nobody knows are ignored, as the service does; a bare flag asks for another resource.
        let counts = parameter.value.is_empty()
            || name.starts_with("x-oss-")
            || route.service.subresources.iter().any(|other| other == name);
        (counts && !is_ignored(name) && !knows(name)).then_some(name)
    })
}
