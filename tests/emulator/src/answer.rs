//! From the values of a result to an HTTP answer, by the operation's model.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use oss_codegen::api::{BodyKind, Operation, Place, Protocol, Service, Type};

use crate::document::{fields, json, scalar, xml};
use crate::error::ServiceError;
use crate::store::ContentStream;
use crate::value::{Record, Value};

/// What an operation came to: values by member name, and what models do not describe.
pub(crate) struct Answer {
    pub(crate) status: u16,
    values: Record,
    headers: Vec<(&'static str, String)>,
    payload: Option<RenderedBody>,
    url_encode: bool,
    /// Lists whose items are mixed in the document: the list of each item in turn.
    mixed: Vec<&'static str>,
}

/// A streamed payload of known length.
pub(crate) struct Payload {
    pub(crate) length: u64,
    pub(crate) stream: ContentStream,
}

/// The parts of an HTTP answer.
pub(crate) struct Rendered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RenderedBody,
}

pub(crate) enum RenderedBody {
    Full(Bytes),
    Stream(Payload),
    /// A stream whose length nobody knows yet.
    Open(ContentStream),
}

impl Answer {
    /// A success with the values of the result's members.
    pub(crate) fn ok(values: Record) -> Self {
        Self {
            status: 200,
            values,
            headers: Vec::new(),
            payload: None,
            url_encode: false,
            mixed: Vec::new(),
        }
    }

    /// A success without values.
    pub(crate) fn empty() -> Self {
        Self::ok(Record::new())
    }

    /// A success of a deletion.
    pub(crate) fn no_content(values: Record) -> Self {
        Self {
            status: 204,
            ..Self::ok(values)
        }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header that no model has.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn payload(mut self, length: u64, stream: ContentStream) -> Self {
        self.payload = Some(RenderedBody::Stream(Payload { length, stream }));
        self
    }

    /// A payload whose length nobody knows yet.
    pub(crate) fn open_payload(mut self, stream: ContentStream) -> Self {
        self.payload = Some(RenderedBody::Open(stream));
        self
    }

    /// Percent-encodes the members that the model marks for it, as `encoding-type=url` asks.
    pub(crate) fn url_encoded(mut self, wanted: bool) -> Self {
        self.url_encode = wanted;
        self
    }

    /// Mixes the items of several lists: `order` names the list of each item in turn.
    pub(crate) fn mixed(mut self, order: Vec<&'static str>) -> Self {
        self.mixed = order;
        self
    }

    /// Writes the answer as the model says. A value that the model has no member for is a mistake of ours and becomes an error.
    pub(crate) fn render(self, service: &Service, operation: &Operation) -> Result<Rendered, ServiceError> {
        if let Some(stray) = self
            .values
            .names()
            .find(|name| !operation.result.iter().any(|member| member.name == **name))
        {
            return Err(ServiceError::internal(format!(
                "The model of {} has no result member {stray}.",
                operation.name
            )));
        }
        let mut headers = HeaderMap::new();
        for member in &operation.result {
            let (Some(value), Some(wire)) = (self.values.get(&member.name), member.wire.first()) else {
                continue;
            };
            match (&member.place, value) {
                (Place::Header, value) => {
                    if let Some(text) = scalar::write(&member.ty, value) {
                        insert(&mut headers, wire, &text);
                    }
                }
                (Place::HeaderMap, Value::Map(entries)) => {
                    for (name, value) in entries {
                        if let Value::Text(text) = value {
                            insert(&mut headers, &format!("{wire}{name}"), text);
                        }
                    }
                }
                _ => {}
            }
        }
        for (name, value) in &self.headers {
            insert(&mut headers, name, value);
        }
        let body = match self.payload {
            Some(payload) => payload,
            None => {
                let document = document(service, operation, &self.values, self.url_encode, &self.mixed);
                if let Some((content_type, _)) = &document {
                    insert(&mut headers, "content-type", content_type);
                }
                RenderedBody::Full(document.map(|(_, text)| Bytes::from(text)).unwrap_or_default())
            }
        };
        Ok(Rendered {
            status: self.status,
            headers,
            body,
        })
    }
}

/// The document of a result with its content type.
fn document(
    service: &Service,
    operation: &Operation,
    values: &Record,
    url_encode: bool,
    mixed: &[&str],
) -> Option<(&'static str, String)> {
    let is_xml = service.protocol == Protocol::RestXml;
    match operation.result_body {
        BodyKind::None | BodyKind::Stream | BodyKind::Frames => None,
        BodyKind::Text => {
            let member = operation.result.iter().find(|member| member.place == Place::Text)?;
            Some(("application/json", values.text_or_empty(&member.name).to_owned()))
        }
        BodyKind::Document if is_xml => Some((
            "application/xml",
            xml_document(service, operation, values, url_encode, mixed),
        )),
        BodyKind::Document => {
            let whole = operation.result.iter().find(|member| member.place == Place::Body);
            let inner = match whole.map(|member| (values.get(&member.name), &member.ty)) {
                Some((Some(Value::Record(record)), Type::Shape(id))) => {
                    let members: Vec<_> = service.shape(*id).members.iter().collect();
                    serde_json::Value::Object(json::write(service, &members, record))
                }
                Some((Some(Value::Json(json)), _)) => json.clone(),
                _ => serde_json::Value::Object(json::write(service, &fields(&operation.result), values)),
            };
            let document = match &operation.result_root {
                Some(root) => serde_json::json!({ root.as_str(): inner }),
                None => inner,
            };
            Some(("application/json", document.to_string()))
        }
    }
}

fn xml_document(service: &Service, operation: &Operation, values: &Record, url_encode: bool, mixed: &[&str]) -> String {
    let root = operation.result_root.as_deref();
    if let Some(member) = operation.result.iter().find(|member| member.place == Place::RootText) {
        let text = values
            .get(&member.name)
            .and_then(|value| scalar::write(&member.ty, value))
            .unwrap_or_default();
        return xml::write_text(root.unwrap_or(&operation.name), &text);
    }
    match operation
        .result
        .iter()
        .find(|member| member.place == Place::Body)
        .map(|member| (member, &member.ty))
    {
        Some((member, Type::Shape(id))) => {
            let shape = service.shape(*id);
            let members: Vec<_> = shape.members.iter().collect();
            let empty = Record::new();
            xml::write(
                service,
                root.unwrap_or(&shape.wire),
                &members,
                values.record(&member.name).unwrap_or(&empty),
                url_encode,
            )
        }
        _ => {
            let fallback = match operation.name.as_str() {
                // Models take any root here, but a client of the service takes only this one.
                "SimpleQuery" | "SemanticQuery" => "MetaQuery".to_owned(),
                name => format!("{name}Result"),
            };
            xml::write_mixed(
                service,
                root.unwrap_or(&fallback),
                &fields(&operation.result),
                values,
                url_encode,
                mixed,
            )
        }
    }
}

/// Sets a header; a value that cannot stand in one is left out rather than sent broken.
pub(crate) fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::from_bytes(name.as_bytes()),
        HeaderValue::from_bytes(value.as_bytes()),
    ) {
        headers.insert(name, value);
    }
}
