//! Any modelled operation by its name, JSON in and JSON out.
//!
//! Members have the names of the models, in snake_case. Timestamps are RFC 3339; a payload is `{"$text": "..."}`,
//! `{"$base64": "..."}` or `{"$file": "path"}`. A result has its members, the `status_code` and the `request_id`;
//! members that the service did not send are left out.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use oss_sdk::{Config, dynamic};
//! use serde_json::json;
//!
//! let clients = dynamic::Clients::new(Config::from_env()?);
//! let input = json!({"bucket": "examplebucket", "key": "hello.txt", "body": {"$text": "hi oss"}});
//! let output = clients.call("oss", "PutObject", input).await?;
//! println!("{output}");
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::body::ResponseBody;
use crate::client::{CallOptions, Core, encode, start_call};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::future::BoxFuture;
use crate::json::{FromJson, Names, ToJson, differences};
use crate::operation::{Operation, OperationInput, ResultMeta, ServiceSpec};
use crate::presign::{Expires, PresignedRequest, presign};

/// A result that can be given out as JSON. Generated.
#[doc(hidden)]
pub trait Output: ToJson {
    /// Status, headers and request id.
    fn meta(&self) -> &ResultMeta;

    /// The payload, if the result has one.
    fn stream(&mut self) -> Option<&mut ResponseBody> {
        None
    }
}

type CallByName = fn(Arc<Core>, Value, CallOptions) -> BoxFuture<'static, Result<Value, DynamicError>>;

/// One operation of a service's table. Generated.
#[doc(hidden)]
pub struct Entry {
    name: &'static str,
    call: CallByName,
    input: fn(Value) -> Result<OperationInput, DynamicError>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}

impl Entry {
    /// The operation of a request.
    pub const fn new<O>(name: &'static str) -> Self
    where
        O: Operation + FromJson + 'static,
        O::Output: Output,
    {
        Entry {
            name,
            call: call::<O>,
            input: input::<O>,
        }
    }
}

fn call<O>(core: Arc<Core>, input: Value, options: CallOptions) -> BoxFuture<'static, Result<Value, DynamicError>>
where
    O: Operation + FromJson + 'static,
    O::Output: Output,
{
    Box::pin(async move {
        let operation: O = read(input)?;
        let mut result = start_call(&core, &operation, options).await?;
        let body = match result.stream() {
            Some(body) => Some(std::mem::take(body).bytes().await?),
            None => None,
        };
        let mut output = match result.to_json(Names::Model) {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if let Some(body) = body {
            let body = match std::str::from_utf8(&body) {
                Ok(text) => json!({"$text": text}),
                Err(_) => json!({"$base64": BASE64.encode(&body)}),
            };
            output.insert("body".to_owned(), body);
        }
        let meta = result.meta();
        output.insert("status_code".to_owned(), meta.status().into());
        // Some documents hold it themselves.
        output.entry("request_id").or_insert_with(|| meta.request_id().into());
        Ok(Value::Object(output))
    })
}

fn read<O: FromJson>(input: Value) -> Result<O, DynamicError> {
    O::from_json(without_text_forms(input), Names::Model).map_err(|error| DynamicError::Input(error.to_string()))
}

/// The request as the pipeline takes it.
fn input<O: Operation + FromJson>(input: Value) -> Result<OperationInput, DynamicError> {
    Ok(encode(&read::<O>(input)?))
}

/// Replaces `{"$text": "..."}` by the text: raw bodies that are text have the type of a text.
fn without_text_forms(mut input: Value) -> Value {
    let members = input.as_object_mut().into_iter().flat_map(Map::values_mut);
    for member in members {
        if let Value::Object(form) = member
            && form.len() == 1
            && let Some(text @ Value::String(_)) = form.get_mut("$text")
        {
            *member = text.take();
        }
    }
    input
}

/// Makes calls to all services with one set of settings.
///
/// A service's client is made when it is first called.
pub struct Clients {
    config: Config,
    cores: Mutex<Vec<(&'static str, Arc<Core>)>>,
}

impl Clients {
    /// Clients with these settings, which are checked when a service is called.
    pub fn new(config: Config) -> Self {
        Clients {
            config,
            cores: Mutex::new(Vec::new()),
        }
    }

    /// Carries out `operation` of `service` once, with the retries of the settings, and reads its answer whole.
    ///
    /// # Errors
    ///
    /// See [`DynamicError`].
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, DynamicError> {
        self.call_at(None, service, operation, input).await
    }

    /// The same at another endpoint than that of the settings.
    ///
    /// # Errors
    ///
    /// See [`DynamicError`].
    pub async fn call_at(
        &self,
        endpoint: Option<&str>,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, DynamicError> {
        let (spec, entries) = table(service)?;
        let entry = find(service, entries, operation)?;
        let core = self.core(spec)?;
        let options = CallOptions {
            endpoint: endpoint.map(str::to_owned),
            ..CallOptions::default()
        };
        (entry.call)(core, input, options).await
    }

    /// Makes a URL that carries out `operation` of `service` for whoever holds it, as
    /// [`Client::presign`](crate::Client::presign) does. Nothing is sent.
    ///
    /// # Errors
    ///
    /// See [`DynamicError`].
    pub async fn presign(
        &self,
        service: &str,
        operation: &str,
        input: Value,
        expires: impl Into<Expires>,
    ) -> Result<PresignedRequest, DynamicError> {
        let (spec, entries) = table(service)?;
        let input = (find(service, entries, operation)?.input)(input)?;
        let core = self.core(spec)?;
        Ok(presign(&core, input, CallOptions::default(), expires.into()).await?)
    }

    fn core(&self, service: &'static ServiceSpec) -> Result<Arc<Core>, Error> {
        let mut cores = self.cores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, core)) = cores.iter().find(|(name, _)| *name == service.name) {
            return Ok(Arc::clone(core));
        }
        let core = Core::new(self.config.clone(), service)?;
        cores.push((service.name, Arc::clone(&core)));
        Ok(core)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A call with a client that is there already.
pub(crate) async fn by_name(core: &Arc<Core>, operation: &str, input: Value) -> Result<Value, DynamicError> {
    let (spec, entries) = table(core.service.name)?;
    (find(spec.name, entries, operation)?.call)(Arc::clone(core), input, CallOptions::default()).await
}

/// A URL for a call with a client that is there already.
pub(crate) async fn presign_by_name(
    core: &Arc<Core>,
    operation: &str,
    input: Value,
    expires: Expires,
) -> Result<PresignedRequest, DynamicError> {
    let (spec, entries) = table(core.service.name)?;
    let input = (find(spec.name, entries, operation)?.input)(input)?;
    Ok(presign(core, input, CallOptions::default(), expires).await?)
}

type Table = (&'static ServiceSpec, &'static [Entry]);

fn tables() -> Vec<Table> {
    use crate::generated;

    vec![
        (&generated::oss::SERVICE, generated::oss::OPERATIONS),
        #[cfg(feature = "agentic")]
        (&generated::agentic::SERVICE, generated::agentic::OPERATIONS),
        #[cfg(feature = "dataprocess")]
        (&generated::dataprocess::SERVICE, generated::dataprocess::OPERATIONS),
        #[cfg(feature = "sts")]
        (&generated::sts::SERVICE, generated::sts::OPERATIONS),
        #[cfg(feature = "tables")]
        (&generated::tables::SERVICE, generated::tables::OPERATIONS),
        #[cfg(feature = "vectors")]
        (&generated::vectors::SERVICE, generated::vectors::OPERATIONS),
    ]
}

fn table(service: &str) -> Result<Table, DynamicError> {
    let tables = tables();
    let names = tables.iter().map(|(spec, _)| spec.name);
    let nearest = nearest(service, names);
    tables
        .into_iter()
        .find(|(spec, _)| spec.name == service)
        .ok_or_else(|| DynamicError::UnknownService {
            service: service.to_owned(),
            nearest,
        })
}

fn find(service: &str, entries: &'static [Entry], operation: &str) -> Result<&'static Entry, DynamicError> {
    entries
        .iter()
        .find(|entry| entry.name == operation)
        .ok_or_else(|| DynamicError::UnknownOperation {
            service: service.to_owned(),
            operation: operation.to_owned(),
            nearest: nearest(operation, entries.iter().map(|entry| entry.name)),
        })
}

/// The name that was probably meant.
fn nearest(wanted: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // A name of a caller can be of any length, and the comparison takes the product of both lengths.
    if wanted.len() > 100 {
        return None;
    }
    names
        .map(|name| {
            (
                differences(&wanted.to_ascii_lowercase(), &name.to_ascii_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= name.len() / 2)
        .min()
        .map(|(_, name)| name)
}

/// Why a call by name failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum DynamicError {
    /// There is no such service, or its feature is off.
    UnknownService {
        /// The name that was given.
        service: String,
        /// A name that is similar.
        nearest: Option<&'static str>,
    },
    /// The service has no such operation.
    UnknownOperation {
        /// The service.
        service: String,
        /// The name that was given.
        operation: String,
        /// A name that is similar.
        nearest: Option<&'static str>,
    },
    /// The input is not what the operation takes; the text names the member.
    Input(String),
    /// The call failed.
    Call(Error),
}

impl DynamicError {
    /// Whether the caller is at fault and nothing was sent: a wrong name, member, payload or setting.
    pub fn is_bad_input(&self) -> bool {
        match self {
            DynamicError::Call(error) => matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Config | ErrorKind::Credentials | ErrorKind::Body
            ),
            _ => true,
        }
    }

    /// The error as `{"status_code", "code", "message", "request_id", "ec"}`. What is not known is `null`; an error that
    /// did not come from the service has its kind as its code.
    pub fn to_json(&self) -> Value {
        let DynamicError::Call(error) = self else {
            return json!({
                "status_code": null,
                "code": "InvalidInput",
                "message": self.to_string(),
                "request_id": null,
                "ec": null,
            });
        };
        let (code, message) = match error.code() {
            Some(code) => (code.to_owned(), error.message().to_owned()),
            None => (format!("{:?}", error.kind()), error.to_string()),
        };
        json!({
            "status_code": error.status(),
            "code": code,
            "message": message,
            "request_id": error.request_id(),
            "ec": error.ec(),
        })
    }
}

impl From<Error> for DynamicError {
    fn from(error: Error) -> Self {
        DynamicError::Call(error)
    }
}

impl fmt::Display for DynamicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = match self {
            DynamicError::UnknownService { service, nearest } => {
                write!(f, "there is no service `{}`", service.escape_debug())?;
                nearest
            }
            DynamicError::UnknownOperation {
                service,
                operation,
                nearest,
            } => {
                write!(
                    f,
                    "the service `{service}` has no operation `{}`",
                    operation.escape_debug()
                )?;
                nearest
            }
            DynamicError::Input(message) => return f.write_str(message),
            DynamicError::Call(error) => return fmt::Display::fmt(error, f),
        };
        match nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DynamicError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DynamicError::Call(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_megabyte_is_compared_with_none() {
        let name = "PutObject".repeat(100_000);
        assert_eq!(nearest(&name, ["PutObject"].into_iter()), None);
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let rows = [
            (
                "oss",
                "PutObjct",
                "the service `oss` has no operation `PutObjct`; did you mean `PutObject`?",
            ),
            (
                "oss",
                "getobject",
                "the service `oss` has no operation `getobject`; did you mean `GetObject`?",
            ),
            ("oss", "Xyz", "the service `oss` has no operation `Xyz`"),
            ("os", "PutObject", "there is no service `os`; did you mean `oss`?"),
            ("o\ns", "PutObject", "there is no service `o\\ns`; did you mean `oss`?"),
        ];
        for (service, operation, expected) in rows {
            let error = match table(service) {
                Ok((_, entries)) => find(service, entries, operation).map(|_| ()).unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.to_string(), expected);
        }
    }
}
