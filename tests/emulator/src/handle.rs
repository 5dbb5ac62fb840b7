//! One request from head to answer: address, route, authenticate, authorise, bind, run, render; with faults in between.

mod web;

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use oss_codegen::api::{BodyKind, BucketHost, Protocol, Resource, SigningResource, Trait};

use crate::access::Access;
use crate::access_log::Entry;
use crate::address::HostKind;
use crate::answer::{Answer, Rendered, RenderedBody, insert};
use crate::auth::{self, Principal, rpc, table_arn};
use crate::body::{Body, INCOMPLETE};
use crate::cors;
use crate::document::MAX_DOCUMENT;
use crate::error::ServiceError;
use crate::fault::{FaultAction, Hit, Subject};
use crate::health;
use crate::input;
use crate::observe::Ending;
use crate::operations::{self, Call, own_buckets};
use crate::request::{Head, Query, Transport, header};
use crate::request_log::{RequestRecord, redact_header, redact_signed, redact_target};
use crate::route::{self, Route};
use crate::server::Abort;
use crate::state::State;
use crate::store::ContentStream;
use crate::store_error::locate;
use crate::{text, time};

/// Body of an answer.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

const CRC_HEADER: &str = "x-oss-hash-crc64ecma";

/// Answers a request, or breaks its connection when a fault says so.
pub(crate) async fn handle(state: &Arc<State>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Abort> {
    let (parts, incoming) = request.into_parts();
    let started = std::time::Instant::now();
    if health::asks(state, &parts) {
        return Ok(health::answer());
    }
    let mut exchange = Exchange::new(state, &parts, started);
    let outcome = exchange.run(parts, incoming).await;
    let (outcome, fault) = match outcome {
        Ok(outcome) => outcome,
        // The exchange is told of where it is dropped.
        Err(abort) => return Err(abort),
    };
    let code = outcome.as_ref().err().map(|error| error.code.clone());
    let status = outcome
        .as_ref()
        .map_or_else(|error| error.status, |rendered| rendered.status);
    if fault == Some(FaultAction::DropAnswer) {
        exchange.record.code = code;
        return Err(Abort);
    }
    let response = exchange.respond(outcome, fault, started.elapsed());
    let ending = exchange.end(status, code);
    Ok(response.map(|body| ending.at_end_of(body)))
}

/// What is known of a request while it is handled.
struct Exchange<'s> {
    state: &'s Arc<State>,
    remote: Option<IpAddr>,
    started: std::time::Instant,
    ended: bool,
    record: RequestRecord,
    host: String,
    /// What the page of a browser says it is from.
    origin: Option<String>,
    is_head: bool,
    protocol: Protocol,
    /// Whether error documents are those of the tables service.
    flat_errors: bool,
    /// Whether headers without a value are not covered by the signature.
    unsigned_empty: bool,
    /// The account whose resource the signature names.
    signed_account: Option<String>,
    now: SystemTime,
}

type Outcome = (Result<Rendered, ServiceError>, Option<FaultAction>);

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // A fault broke the connection, or the client went away before the answer.
            let code = self.record.code.take();
            self.end(0, code).tell(0);
        }
    }
}

impl<'s> Exchange<'s> {
    fn new(state: &'s Arc<State>, parts: &Parts, started: std::time::Instant) -> Self {
        state.metrics.begin();
        let target = parts
            .uri
            .path_and_query()
            .map_or_else(|| parts.uri.path().to_owned(), |target| target.as_str().to_owned());
        let headers = parts.headers.iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                redact_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())),
            )
        });
        // A target in absolute form replaces the header, as HTTP demands.
        let host = parts
            .uri
            .authority()
            .map(ToString::to_string)
            .or_else(|| header(&parts.headers, "host").map(str::to_owned));
        Self {
            state,
            remote: parts.extensions.get::<Transport>().and_then(|transport| transport.peer),
            started,
            ended: false,
            record: RequestRecord {
                method: parts.method.to_string(),
                target: redact_target(&target),
                headers: headers.collect(),
                operation: None,
                bucket: None,
                key: None,
                status: 0,
                code: None,
                request_id: state.request_id(),
                principal: None,
                string_to_sign: None,
                fault: None,
                bytes_in: 0,
                duration: Duration::ZERO,
                time: time::iso8601_millis(state.clock.now()),
            },
            host: host.unwrap_or_default(),
            origin: header(&parts.headers, "origin").map(str::to_owned),
            is_head: parts.method == http::Method::HEAD,
            protocol: Protocol::RestXml,
            flat_errors: false,
            unsigned_empty: false,
            signed_account: None,
            now: state.clock.now(),
        }
    }

    /// Remembers the request. What it returns is told when the last byte of the answer is out.
    fn end(&mut self, status: u16, code: Option<String>) -> Ending {
        self.ended = true;
        self.record.status = status;
        self.record.code = code;
        self.record.duration = self.started.elapsed();
        // The log takes the record; the entry takes what it needs of it.
        let record = std::mem::take(&mut self.record);
        let ending = Ending {
            state: Arc::clone(self.state),
            started: self.started,
            entry: Entry {
                time: record.time.clone(),
                request_id: record.request_id.clone(),
                remote: self.remote.map(|remote| remote.to_string()),
                method: record.method.clone(),
                target: record.target.clone(),
                operation: record.operation.clone(),
                bucket: record.bucket.clone(),
                key: record.key.clone(),
                status: record.status,
                code: record.code.clone(),
                bytes_in: record.bytes_in,
                bytes_out: 0,
                duration_us: 0,
                principal: record.principal.clone(),
                fault: record.fault.clone(),
            },
        };
        self.state.log.push(record);
        ending
    }

    async fn run(&mut self, parts: Parts, incoming: Incoming) -> Result<Outcome, Abort> {
        let headers = parts.headers.clone();
        let mut head = match self.read_head(parts) {
            Ok(head) => head,
            Err(error) => {
                Body::new(incoming, &headers, None).drain().await;
                return Ok((Err(error), None));
            }
        };
        if route::is_rpc(&head) {
            return self.run_rpc(head, incoming).await;
        }
        let route = route::rest(self.state.api, &head).map(|route| self.settle(route, &head));
        let service = route.as_ref().ok().map(|route| route.service);
        if let Ok(route) = &route {
            self.protocol = route.service.protocol;
            self.flat_errors = route.service.signing == SigningResource::TableArn;
            self.record.operation = Some(route.operation.name.clone());
            if route.service.bucket_host == BucketHost::BucketAndAccount {
                head.address.split_account();
            }
        }
        if let Ok(route) = &route
            && matches!(route.operation.resource, Resource::Path(_))
        {
            // What looks like a bucket and a key are segments of another kind of path.
            head.address.bucket = None;
            head.address.key = None;
        }
        self.record.bucket = head.bucket().map(str::to_owned);
        self.record.key = head.key().map(str::to_owned);
        let fault = self.meet_fault().await?;
        let mut body = Body::new(
            incoming,
            &head.headers,
            fault.as_ref().and_then(FaultAction::break_after),
        )
        .throttled(fault.as_ref().and_then(FaultAction::rate));
        let outcome = match fault.as_ref().and_then(FaultAction::error) {
            Some(error) => Err(error),
            None => Box::pin(self.run_web(route, &head, &mut body))
                .await
                .map_err(|error| own_buckets::documented(service, error)),
        };
        // A client that is still sending would see a reset instead of the error.
        let has_ended = outcome.is_ok() || body.drain().await;
        self.record.bytes_in = body.bytes_read();
        if !has_ended {
            body.linger();
        }
        if fault.as_ref().and_then(FaultAction::break_after).is_some()
            && outcome.as_ref().is_err_and(|error| error.code == INCOMPLETE)
        {
            return Err(Abort);
        }
        Ok((outcome, fault))
    }

    fn read_head(&self, parts: Parts) -> Result<Head, ServiceError> {
        if self.host.is_empty() {
            return Err(ServiceError::new(400, "BadRequest", "The request has no Host header."));
        }
        if parts.headers.get_all("host").iter().count() > 1 {
            return Err(ServiceError::new(
                400,
                "BadRequest",
                "The request has more than one Host header.",
            ));
        }
        let path = parts.uri.path().to_owned();
        let address = {
            let names = self
                .state
                .names
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            names.resolve(&self.host, &path)?
        };
        Ok(Head {
            method: parts.method,
            host: self.host.clone(),
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            path,
            transport: parts.extensions.get().copied().unwrap_or_default(),
            headers: parts.headers,
            address,
        })
    }

    /// Takes the fault that this request meets, and suffers what comes before handling.
    async fn meet_fault(&mut self) -> Result<Option<FaultAction>, Abort> {
        let record = &self.record;
        let hit = self.state.faults.take(Subject {
            operation: record.operation.as_deref(),
            method: &record.method,
            bucket: record.bucket.as_deref(),
            key: record.key.as_deref(),
        });
        let Some(hit) = hit else {
            return Ok(None);
        };
        let wait = hit.wait();
        let Hit { id, action, .. } = hit;
        tracing::warn!(
            fault = %action,
            rule = id,
            method = %record.method,
            target = %record.target,
            operation = record.operation.as_deref(),
            request_id = %record.request_id,
            "a fault is injected"
        );
        self.state.metrics.fault(action.name());
        self.record.fault = Some(action.to_string());
        let fault = Some(action);
        match &fault {
            Some(FaultAction::ResetOnArrival) => return Err(Abort),
            Some(FaultAction::Stall) => std::future::pending::<()>().await,
            Some(FaultAction::Delay(_) | FaultAction::Latency { .. }) => tokio::time::sleep(wait).await,
            Some(FaultAction::ClockOffset(seconds)) => {
                let shift = Duration::from_secs(seconds.unsigned_abs());
                let shifted = if *seconds < 0 {
                    self.now.checked_sub(shift)
                } else {
                    self.now.checked_add(shift)
                };
                self.now = shifted.unwrap_or(self.now);
            }
            _ => {}
        }
        Ok(fault)
    }

    /// Vector buckets share addresses and flags with buckets of objects where the host does not tell them apart. What the
    /// signature names decides then.
    fn settle(&mut self, route: Route, head: &Head) -> Route {
        let ambiguous = route.service.name == "oss"
            && head.address.host == HostKind::Any
            && head.key().is_none()
            && auth::is_v4(&head.headers, &head.query);
        let vectors = self.state.api.service("vectors").filter(|_| ambiguous);
        let Some(other) = vectors.and_then(|vectors| route::within(vectors, head).ok()) else {
            return route;
        };
        let mut head = head.clone();
        head.address.split_account();
        match self.authenticate(Some(&other), &head) {
            Ok(_) => other,
            Err(_) => route,
        }
    }

    async fn run_rest(
        &mut self,
        route: Result<Route, ServiceError>,
        head: &Head,
        body: &mut Body,
    ) -> Result<Rendered, ServiceError> {
        let principal = self.authenticate(route.as_ref().ok(), head)?;
        let mut head = Cow::Borrowed(head);
        if self.unsigned_empty {
            head = Cow::Owned(head.without_empty());
        }
        if let Some(account) = self.signed_account.take()
            && head.address.account.is_none()
        {
            // At path-style addresses only the signature says whose bucket is meant.
            head.to_mut().address.account = Some(account);
        }
        let head = head.as_ref();
        let Route { service, operation } = route?;
        if own_buckets::has(service) {
            own_buckets::admit(service, &principal, head)?;
        } else {
            self.authorise(&principal, &service.name, operation.name.as_str(), head)?;
        }
        let mut call = Call {
            state: self.state,
            service,
            operation,
            head,
            input: input::bind_head(service, operation, head)?,
            principal,
            body,
            now: self.now,
            request_id: &self.record.request_id,
            is_form: false,
        };
        if matches!(operation.request_body, BodyKind::Document | BodyKind::Text) {
            let document = call.body.collect(operations::document_limit(operation)).await?;
            check_document_md5(&document, head)?;
            input::bind_body(service, operation, &document, &mut call.input)
                .map_err(|error| cors::too_many_rules(&operation.name, &document, error))?;
        }
        let answer: Answer = Box::pin(operations::run(call))
            .await
            .map_err(|error| locate(error, head))?;
        answer.render(service, operation)
    }

    fn authenticate(&mut self, route: Option<&Route>, head: &Head) -> Result<Principal, ServiceError> {
        let oss = self.state.api.service("oss");
        let service = route
            .map(|route| route.service)
            .or(oss)
            .ok_or_else(|| ServiceError::internal("There is no model of oss."))?;
        let resource = match service.signing {
            SigningResource::TableArn => {
                let resource = table_arn::resource(&self.state.region, &head.path, &head.query);
                Some(resource.ok_or_else(|| ServiceError::invalid_argument("The path is not UTF-8.", "path", ""))?)
            }
            _ => None,
        };
        let accounts = match head.address.account.as_deref() {
            // The signature has to mean the bucket that the host means.
            Some(account) => vec![account],
            None => self.state.keys.accounts(&self.state.account_id),
        };
        let parts = auth::Parts {
            method: head.method.as_str(),
            bucket: head.bucket(),
            key: head.key(),
            query: &head.query,
            headers: &head.headers,
        };
        let signed = auth::Signed::default();
        let context = auth::Context {
            keys: &self.state.keys,
            now: self.now,
            region: &self.state.region,
            product: &service.product,
            arn_accounts: if service.signing == SigningResource::VectorArn {
                &accounts
            } else {
                &[]
            },
            host_names_account: head.address.account.is_some(),
            resource: resource.as_deref(),
            subresources: &service.subresources,
            signed: &signed,
        };
        let principal = auth::authenticate(parts, context)?;
        self.recognise(&principal, &signed);
        Ok(principal)
    }

    fn authenticate_rpc(&mut self, parts: rpc::Parts<'_>) -> Result<Principal, ServiceError> {
        let signed = auth::Signed::default();
        let context = rpc::Context {
            keys: &self.state.keys,
            nonces: &self.state.nonces,
            now: self.now,
            signed: &signed,
        };
        let principal = rpc::authenticate(parts, context)?;
        self.recognise(&principal, &signed);
        Ok(principal)
    }

    /// Remembers who sent the request, and how that was proved.
    fn recognise(&mut self, principal: &Principal, signed: &auth::Signed) {
        self.unsigned_empty = signed.leaves_out_empty();
        self.signed_account = signed.account();
        self.record.string_to_sign = signed.take().map(|text| redact_signed(&text));
        self.record.principal = principal.name();
    }

    fn authorise(
        &self,
        principal: &Principal,
        service: &str,
        operation: &str,
        head: &Head,
    ) -> Result<(), ServiceError> {
        let access = Access {
            state: self.state,
            principal,
            head,
            now: self.now,
        };
        access.admit(service, operation).map_err(|error| locate(error, head))
    }

    /// Where parameters, or headers in their place, lead to; nothing when they do not name an action.
    fn route_rpc(&mut self, head: &Head, parameters: &Query) -> Option<Result<Route, ServiceError>> {
        let named = |parameter: &str, name: &str| parameters.get(parameter).or_else(|| head.header(name));
        let action = named("Action", "x-acs-action").filter(|action| !action.is_empty())?;
        let version = named("Version", "x-acs-version").unwrap_or_default();
        let route = route::rpc(self.state.api, action, version);
        if let Ok(route) = &route {
            self.record.operation = Some(route.operation.name.clone());
        }
        Some(route)
    }

    async fn run_rpc(&mut self, head: Head, incoming: Incoming) -> Result<Outcome, Abort> {
        self.protocol = Protocol::RpcJson;
        // An action that the head names is known before the body comes, so its fault reaches the body, too.
        let versioned = head.query.has("Version") || head.header("x-acs-version").is_some();
        let early = self.route_rpc(&head, &head.query).filter(|_| versioned);
        let mut fault = match early.is_some() {
            true => self.meet_fault().await?,
            false => None,
        };
        let mut body = Body::new(
            incoming,
            &head.headers,
            fault.as_ref().and_then(FaultAction::break_after),
        )
        .throttled(fault.as_ref().and_then(FaultAction::rate));
        let document = body.collect(MAX_DOCUMENT).await;
        if document.is_err() {
            body.drain().await;
        }
        self.record.bytes_in = body.bytes_read();
        let breaks = |fault: &Option<FaultAction>| fault.as_ref().and_then(FaultAction::break_after);
        let document = match document {
            Ok(document) => document,
            Err(error) if error.code == INCOMPLETE && breaks(&fault).is_some() => return Err(Abort),
            Err(error) => return Ok((Err(error), fault)),
        };
        let form = match std::str::from_utf8(&document).ok().map(Query::parse) {
            Some(Ok(form)) => form,
            _ => {
                let error = ServiceError::invalid_argument("The body is not a form.", "body", "");
                return Ok((Err(error), fault));
            }
        };
        let all = head.query.clone().joined(form.clone());
        let route = match early {
            Some(route) => route,
            None => {
                let route = self.route_rpc(&head, &all).unwrap_or_else(|| {
                    let what = format!("{} of the service without an Action", head.method);
                    Err(ServiceError::not_implemented(what))
                });
                fault = self.meet_fault().await?;
                if breaks(&fault).is_some_and(|limit| self.record.bytes_in >= limit) {
                    return Err(Abort);
                }
                route
            }
        };
        if let Some(error) = fault.as_ref().and_then(FaultAction::error) {
            return Ok((Err(error), fault));
        }
        let parts = rpc::Parts {
            method: head.method.as_str(),
            path: &head.path,
            query: &head.query,
            form: &form,
            headers: &head.headers,
            body: &document,
        };
        let documented = route.as_ref().ok().map(|route| route.service);
        let principal = match &route {
            Ok(route) if !route.operation.has(Trait::Unsigned) => self.authenticate_rpc(parts),
            _ => Ok(Principal::Anonymous),
        };
        let run = async {
            let Route { service, operation } = route?;
            let principal = principal?;
            let input = input::bind_rpc(service, operation, &all)?;
            let call = Call {
                state: self.state,
                service,
                operation,
                head: &head,
                input,
                principal,
                body: &mut body,
                now: self.now,
                request_id: &self.record.request_id,
                is_form: false,
            };
            Box::pin(operations::run(call)).await?.render(service, operation)
        };
        let outcome = run.await.map_err(|mut error: ServiceError| {
            // The services do not agree on the status of a code; each model knows its own.
            let known = documented.and_then(|service| service.errors.iter().find(|known| known.code == error.code));
            error.status = known.map_or(error.status, |known| known.status);
            error
        });
        Ok((outcome, fault))
    }

    fn respond(
        &self,
        outcome: Result<Rendered, ServiceError>,
        fault: Option<FaultAction>,
        elapsed: Duration,
    ) -> Response<AnswerBody> {
        let rendered = outcome.unwrap_or_else(|error| self.render_error(&error));
        let mut headers = rendered.headers;
        let request_id = &self.record.request_id;
        insert(&mut headers, "server", "AliyunOSS");
        insert(&mut headers, "date", &time::http_date(self.now));
        insert(&mut headers, "x-oss-request-id", request_id);
        insert(&mut headers, "x-oss-server-time", &elapsed.as_millis().to_string());
        let (bucket, origin) = (self.record.bucket.as_deref(), self.origin.as_deref());
        cors::decorate(self.state, bucket, origin, &self.record.method, &mut headers);
        if fault == Some(FaultAction::WrongCrc) {
            let wrong = header(&headers, CRC_HEADER)
                .and_then(|crc| crc.parse::<u64>().ok())
                .map_or(1, |crc| !crc);
            insert(&mut headers, CRC_HEADER, &wrong.to_string());
        }
        let bodiless = self.is_head || rendered.status == 204 || rendered.status == 304;
        let body = match rendered.body {
            _ if bodiless => Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync(),
            RenderedBody::Full(bytes) => {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let length = fault.as_ref().map_or(length, |fault| fault.length(length));
                headers.insert("content-length", HeaderValue::from(length));
                match &fault {
                    Some(fault) if fault.spoils() => {
                        streamed(Box::pin(stream::once(async move { Ok(bytes) })), Some(fault))
                    }
                    _ => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
                }
            }
            RenderedBody::Stream(payload) => {
                let length = fault
                    .as_ref()
                    .map_or(payload.length, |fault| fault.length(payload.length));
                headers.insert("content-length", HeaderValue::from(length));
                streamed(payload.stream, fault.as_ref())
            }
            RenderedBody::Open(stream) => streamed(stream, fault.as_ref()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }

    fn render_error(&self, error: &ServiceError) -> Rendered {
        let request_id = &self.record.request_id;
        let mut headers = HeaderMap::new();
        for (name, value) in &error.headers {
            insert(&mut headers, name, value);
        }
        insert(&mut headers, "x-oss-ec", &error.ec());
        let (content_type, document) = match self.protocol {
            Protocol::RestXml => ("application/xml", error.xml(request_id, &self.host)),
            Protocol::RestJson if self.flat_errors => {
                insert(&mut headers, "x-oss-error-type", &error.code);
                ("application/json", error.flat_json(request_id))
            }
            Protocol::RestJson => ("application/json", error.json(request_id, &self.host)),
            Protocol::RpcJson => ("application/json;charset=utf-8", error.rpc(request_id, &self.host)),
        };
        if self.is_head {
            insert(&mut headers, "x-oss-err", &text::base64(document.as_bytes()));
        }
        let body = if error.status == 304 {
            Bytes::new()
        } else {
            Bytes::from(document)
        };
        if !body.is_empty() && !self.is_head {
            insert(&mut headers, "content-type", content_type);
        }
        Rendered {
            status: error.status,
            headers,
            body: RenderedBody::Full(body),
        }
    }
}

fn streamed(stream: ContentStream, fault: Option<&FaultAction>) -> AnswerBody {
    let stream = match fault {
        Some(fault) => fault.spoil(stream),
        None => stream,
    };
    StreamBody::new(stream.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}

fn check_document_md5(document: &[u8], head: &Head) -> Result<(), ServiceError> {
    use md5::{Digest as _, Md5};
    operations::check_md5(head.header("content-md5"), &Md5::digest(document))
}
