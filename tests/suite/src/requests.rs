//! Requests as the SDK sends them, without a network: sample inputs for every operation, and what an input becomes on the
//! wire. Comparisons with other clients build on it.

use std::sync::{Arc, Mutex, PoisonError};

use oss_emulator::interpreter;
use oss_emulator::model::{Operation, Service};
use oss_sdk::dynamic::Clients;
use oss_sdk::transport::{
    Transport, TransportError, TransportErrorKind, TransportFuture, TransportRequest, TransportResponse,
};
use oss_sdk::{Config, Credentials};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config as Cases, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::arbitrary;

/// Region of all requests.
pub const REGION: &str = "cn-hangzhou";

/// Account of all requests.
pub const ACCOUNT_ID: &str = "1234567890123456";

/// An input of an operation.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The service.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// Which of the operation's samples it is.
    pub name: String,
    /// Members by the names of the models.
    pub input: Value,
}

/// Inputs of every operation of every service, the same on every run: one with what is required, `filled` ones with every
/// member, and `random` ones with any members.
///
/// # Errors
///
/// When the models are broken.
pub fn samples(filled: u8, random: u8) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for service in &interpreter::api()?.services {
        for (_, operation) in service.operations() {
            let mut add = |name: String, seed: u8, strategy: BoxedStrategy<Value>| {
                samples.push(Sample {
                    service: &service.name,
                    operation: &operation.name,
                    name,
                    input: pick(&strategy, seed)?,
                });
                Ok::<_, String>(())
            };
            add("minimal".to_owned(), 0, arbitrary::minimal_request(service, operation))?;
            several(
                "filled",
                filled,
                service,
                operation,
                arbitrary::filled_request,
                &mut add,
            )?;
            several("random", random, service, operation, arbitrary::request, &mut add)?;
        }
    }
    Ok(samples)
}

type Strategies = fn(&'static Service, &'static Operation) -> BoxedStrategy<Value>;

fn several(
    name: &str,
    count: u8,
    service: &'static Service,
    operation: &'static Operation,
    strategy: Strategies,
    add: &mut impl FnMut(String, u8, BoxedStrategy<Value>) -> Result<(), String>,
) -> Result<(), String> {
    (1..=count).try_for_each(|seed| add(format!("{name} {seed}"), seed, strategy(service, operation)))
}

/// One value, chosen by the seed alone.
fn pick(strategy: &BoxedStrategy<Value>, seed: u8) -> Result<Value, String> {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let tree = strategy.new_tree(&mut TestRunner::new_with_rng(Cases::default(), random));
    tree.map(|tree| tree.current()).map_err(|reason| reason.to_string())
}

/// Keeps each request and answers with nothing.
#[derive(Debug, Default, Clone)]
struct Keep(Arc<Mutex<Option<Value>>>);

impl Transport for Keep {
    fn send(&self, mut sent: TransportRequest) -> TransportFuture<'_> {
        Box::pin(async move {
            let mut payload = Vec::new();
            while let Some(chunk) = std::future::poll_fn(|cx| sent.body.poll_chunk(cx)).await {
                let chunk = chunk.map_err(|error| TransportError::new(TransportErrorKind::Body, error))?;
                payload.extend_from_slice(&chunk);
            }
            let headers = sent.headers.iter();
            let headers =
                headers.map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
            let request = json!({
                "method": sent.method.as_str(),
                "url": sent.url.to_string(),
                "headers": headers.collect::<Vec<_>>(),
                "body": String::from_utf8_lossy(&payload),
            });
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
            Ok(TransportResponse::new(oss_sdk::http::StatusCode::OK, ""))
        })
    }
}

/// Clients whose requests go nowhere.
#[derive(Debug)]
pub struct Recorder {
    kept: Keep,
    clients: Clients,
}

impl Recorder {
    /// Clients for the public addresses, or for this endpoint.
    pub fn new(endpoint: Option<&str>) -> Self {
        let kept = Keep::default();
        let mut config = Config::new()
            .region(REGION)
            .account_id(ACCOUNT_ID)
            .credentials(Credentials::new("ak", "sk"))
            .retry_attempts(1)
            .transport(kept.clone());
        if let Some(endpoint) = endpoint {
            config = config.endpoint(endpoint);
        }
        Self {
            kept,
            clients: Clients::new(config),
        }
    }

    /// The request that an input becomes: method, URL, headers and body.
    ///
    /// # Errors
    ///
    /// Why nothing was sent.
    pub async fn request(&self, service: &str, operation: &str, input: Value) -> Result<Value, String> {
        // Whether the empty answer makes sense is another matter.
        let outcome = self.clients.call(service, operation, input).await;
        let sent = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        sent.ok_or_else(|| match outcome {
            Err(error) => error.to_string(),
            Ok(_) => "nothing was sent".to_owned(),
        })
    }
}
