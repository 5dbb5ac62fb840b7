//! An operation of the service, done for the page.

use std::fmt::Write as _;
use std::sync::PoisonError;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method};

use crate::admin::answers::Refusal;
use crate::admin::router::Ask;
use crate::answer::Rendered;
use crate::auth::Principal;
use crate::body::Body;
use crate::error::ServiceError;
use crate::operations::{self, Call};
use crate::request::{Head, Query, Transport};
use crate::state::State;
use crate::text;
use crate::value::Record;
use crate::{address, input};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Act<'a> {
    operation: &'static str,
    bucket: &'a str,
    key: Option<&'a str>,
    query: String,
    headers: HeaderMap,
    document: Option<(&'static str, Record)>,
}

impl<'a> Act<'a> {
    pub(super) fn on_bucket(operation: &'static str, bucket: &'a str) -> Self {
        Self {
            operation,
            bucket,
            key: None,
            query: String::new(),
            headers: HeaderMap::new(),
            document: None,
        }
    }

    /// On an object, or on one version of it.
    pub(super) fn on_object(operation: &'static str, bucket: &'a str, key: &'a str, version: Option<&str>) -> Self {
        let mut act = Self::on_bucket(operation, bucket);
        act.key = Some(key);
        if let Some(version) = version {
            // Nothing fails when writing to a text.
            let _ = write!(act.query, "versionId={}", text::encode(version));
        }
        act
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Result<Self, Refusal> {
        let value = value
            .parse()
            .map_err(|_| Refusal::bad_request(format!("`{value}` cannot stand in a header.")))?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// A member that stands in a document otherwise.
    pub(super) fn document(mut self, member: &'static str, record: Record) -> Self {
        self.document = Some((member, record));
        self
    }

    /// What a request says about its body: the type that the object shall have, and the length that quotas are held against.
    pub(super) fn content_of(mut self, ask: &Ask) -> Self {
        for name in [CONTENT_TYPE, CONTENT_LENGTH] {
            if let Some(value) = ask.parts.headers.get(&name) {
                self.headers.insert(name, value.clone());
            }
        }
        self
    }

    /// Does it.
    pub(super) async fn run(self, state: &State, body: &mut Body) -> Result<Rendered, Refusal> {
        let outcome = Box::pin(self.attempt(state, body)).await;
        if outcome.is_err() {
            // A browser that is still sending would see a reset instead of the reason.
            body.drain().await;
        }
        Ok(outcome?)
    }

    async fn attempt(self, state: &State, body: &mut Body) -> Result<Rendered, ServiceError> {
        let missing = || ServiceError::internal("The models lack an operation.");
        let service = state.api.service("oss").ok_or_else(missing)?;
        let operation = service.operation(self.operation).ok_or_else(missing)?;
        let mut path = format!("/{}", text::encode(self.bucket));
        if let Some(key) = self.key {
            path.push('/');
            path.push_str(&text::encode(key));
        }
        let address = {
            let names = state.names.read().unwrap_or_else(PoisonError::into_inner);
            names.resolve(address::LOCAL, &path)?
        };
        let head = Head {
            method: Method::from_bytes(operation.method.as_str().as_bytes()).map_err(|_| missing())?,
            host: address::LOCAL.to_owned(),
            path,
            query: Query::parse(&self.query)?,
            headers: self.headers,
            address,
            transport: Transport::default(),
        };
        let mut input = input::bind_head(service, operation, &head)?;
        if let Some((member, record)) = self.document {
            input.set(member, record);
        }
        let call = Call {
            state,
            service,
            operation,
            head: &head,
            input,
            principal: owner(state, self.bucket),
            body,
            now: state.clock.now(),
            request_id: &state.request_id(),
            is_form: false,
        };
        operations::run(call).await?.render(service, operation)
    }
}

/// Whose bucket it is, or the emulator's own account when there is no such bucket yet.
fn owner(state: &State, bucket: &str) -> Principal {
    let found = state.store.bucket(bucket);
    Principal::Key {
        account: found.map_or_else(|_| state.account_id.clone(), |bucket| bucket.meta.owner),
        access_key_id: "management".to_owned(),
    }
}
