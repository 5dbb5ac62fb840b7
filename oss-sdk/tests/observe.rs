//! What a subscriber hears of calls against the emulator: stable names, everything worth knowing, and no secret.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_emulator::{Emulator, Fault, FaultAction};
use oss_sdk::retry::{FixedDelay, StandardRetry};
use oss_sdk::{
    Client, Credentials, GetObjectRequest, ListObjectsV2Request, PutBucketRequest, PutObjectRequest, SignatureVersion,
    observe,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Everything that is told by this crate, in the order in which spans end.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    spans: Vec<Span>,
    events: Vec<(String, Fields)>,
}

#[derive(Debug, Clone)]
struct Span {
    name: &'static str,
    parent: Option<&'static str>,
    fields: Fields,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ear {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target().starts_with("oss_sdk") {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let target = event.metadata().target().to_owned();
            self.0.lock().unwrap().events.push((target, fields));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if span.metadata().target() != "oss_sdk" {
            return;
        }
        let fields = span.extensions().get::<Fields>().unwrap().clone();
        let heard = Span {
            name: span.name(),
            parent: span.parent().map(|parent| parent.name()),
            fields,
        };
        self.0.lock().unwrap().spans.push(heard);
    }
}

impl Ear {
    /// Spans that ended since the last time.
    fn spans(&self) -> Vec<Span> {
        std::mem::take(&mut self.0.lock().unwrap().spans)
    }

    fn events(&self) -> Vec<(String, Fields)> {
        std::mem::take(&mut self.0.lock().unwrap().events)
    }

    /// Listens on this thread, on which everything runs.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(Registry::default().with(self.clone()))
    }
}

async fn start() -> (Emulator, Client) {
    let emulator = Emulator::start().await.unwrap();
    let client = client(&emulator, SignatureVersion::V4);
    client.put_bucket(PutBucketRequest::new("watched")).await.unwrap();
    (emulator, client)
}

fn client(emulator: &Emulator, version: SignatureVersion) -> Client {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
        .signature_version(version)
        .retry_policy(StandardRetry::new().with_backoff(FixedDelay::new(Duration::from_millis(1))))
        .build()
        .unwrap()
}

fn put() -> PutObjectRequest {
    PutObjectRequest::new("watched", "key").body("twelve bytes")
}

#[tokio::test]
async fn a_call_and_its_attempts_have_spans_with_stable_names() {
    let (emulator, client) = start().await;
    let ear = Ear::default();
    let _listening = ear.listen();
    emulator.faults().add(Fault::error(503, "ServiceUnavailable"));
    let stored = client.put_object(put()).await.unwrap();

    let [first, second, call] = ear.spans().try_into().unwrap();
    assert_eq!((first.name, first.parent), (observe::ATTEMPT, Some(observe::CALL)));
    let value = |name| first.fields.get(name);
    assert_eq!(
        (value("attempt"), value("method"), value("status")),
        (Some("1"), Some("PUT"), Some("503"))
    );
    assert_eq!(
        (value("error_kind"), value("error_code")),
        (Some("Service"), Some("ServiceUnavailable"))
    );
    assert_eq!((value("retry_reason"), value("delay_ms")), (Some("policy"), Some("1")));
    assert!(value("request_id").is_some_and(|id| !id.is_empty()));

    let value = |name| second.fields.get(name);
    assert_eq!((value("attempt"), value("status")), (Some("2"), Some("200")));
    assert_eq!((value("bytes_sent"), value("bytes_received")), (Some("12"), Some("0")));
    assert_eq!(
        (value("error_kind"), value("retry_reason"), value("delay_ms")),
        (None, None, None)
    );

    assert_eq!((call.name, call.parent), (observe::CALL, None));
    let value = |name| call.fields.get(name);
    assert_eq!((value("service"), value("operation")), (Some("oss"), Some("PutObject")));
    assert_eq!((value("bucket"), value("attempts")), (Some("watched"), Some("2")));
    assert_eq!(
        (value("status"), value("request_id")),
        (Some("200"), Some(stored.request_id()))
    );
    assert!(value("elapsed_ms").is_some_and(|elapsed| elapsed.parse::<u64>().is_ok()));
    assert_eq!((value("error_kind"), value("error_code")), (None, None));
}

#[tokio::test]
async fn a_span_tells_of_a_payload_when_it_was_read_or_dropped() {
    let (emulator, client) = start().await;
    let content = vec![7; 300_000];
    client.put_object(put().body(content.clone())).await.unwrap();
    let ear = Ear::default();
    let _listening = ear.listen();
    let get = || client.get_object(GetObjectRequest::new("watched", "key"));

    let object = get().await.unwrap();
    assert_eq!(ear.spans().len(), 0, "the payload is not read yet");
    object.body.bytes().await.unwrap();
    let [attempt, call] = ear.spans().try_into().unwrap();
    assert_eq!(attempt.fields.get("bytes_received"), Some("300000"));
    assert_eq!(call.fields.get("operation"), Some("GetObject"));

    let mut object = get().await.unwrap();
    let first = object.body.chunk().await.unwrap().unwrap().len();
    drop(object);
    let [attempt, _] = ear.spans().try_into().unwrap();
    assert_eq!(attempt.fields.get("bytes_received"), Some(first.to_string().as_str()));

    // A download that is continued: the attempt for the rest belongs to the same call.
    emulator.faults().add(Fault::new(FaultAction::TruncateBody(100_000)));
    assert_eq!(get().await.unwrap().body.bytes().await.unwrap(), content);
    let spans = ear.spans();
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == observe::ATTEMPT).collect();
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt.parent == Some(observe::CALL)));
    assert_eq!(spans.iter().filter(|span| span.name == observe::CALL).count(), 1);
}

#[tokio::test]
async fn a_call_that_fails_says_how() {
    let (_emulator, client) = start().await;
    let ear = Ear::default();
    let _listening = ear.listen();
    client
        .get_object(GetObjectRequest::new("watched", "none"))
        .await
        .unwrap_err();
    let spans = ear.spans();
    let call = spans.last().unwrap();
    assert_eq!(
        (call.fields.get("error_kind"), call.fields.get("error_code")),
        (Some("Service"), Some("NoSuchKey"))
    );
    assert_eq!(
        (call.fields.get("status"), call.fields.get("attempts")),
        (Some("404"), Some("1"))
    );

    // Refused before anything was sent: there is no attempt.
    client
        .get_object(GetObjectRequest::new("no/bucket", "none"))
        .await
        .unwrap_err();
    let [call] = ear.spans().try_into().unwrap();
    assert_eq!(
        (call.fields.get("error_kind"), call.fields.get("attempts")),
        (Some("InvalidInput"), Some("0"))
    );
}

#[tokio::test]
async fn the_wire_is_shown_without_what_is_private() {
    let (emulator, client) = start().await;
    let ear = Ear::default();
    let _listening = ear.listen();
    let request = put().content_type("text/plain").metadata([("owner", "pr1vate")]);
    client.put_object(request).await.unwrap();
    let wire: Vec<_> = ear
        .events()
        .into_iter()
        .filter(|(target, _)| target == observe::WIRE)
        .collect();
    let [(_, request), (_, response)] = wire.try_into().unwrap();
    assert_eq!(
        (request.get("message"), request.get("method")),
        (Some("request"), Some("PUT"))
    );
    assert!(request.get("url").unwrap().ends_with("/watched/key"), "{request:?}");
    let headers = request.get("headers").unwrap();
    assert!(headers.contains("content-type: text/plain"), "{headers}");
    for hidden in ["authorization: [hidden]", "x-oss-meta-owner: [hidden]"] {
        assert!(headers.contains(hidden), "{headers}");
    }
    assert_eq!(
        (response.get("message"), response.get("status")),
        (Some("response"), Some("200"))
    );
    assert!(
        response.get("headers").unwrap().contains("x-oss-hash-crc64ecma: "),
        "{response:?}"
    );
    drop(emulator);
}

#[tokio::test]
async fn nothing_secret_is_told_at_any_level() {
    let (emulator, _) = start().await;
    let ear = Ear::default();
    let _listening = ear.listen();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = client(&emulator, version);
        client.put_object(put()).await.unwrap();
        client
            .get_object(GetObjectRequest::new("watched", "key"))
            .await
            .unwrap()
            .body
            .bytes()
            .await
            .unwrap();
        client
            .list_objects_v2(ListObjectsV2Request::new("watched"))
            .await
            .unwrap();
        client
            .get_object(GetObjectRequest::new("watched", "none"))
            .await
            .unwrap_err();
        let link = client
            .get_object(GetObjectRequest::new("watched", "key"))
            .presign(Duration::from_secs(60))
            .await
            .unwrap();
        let strange = Credentials::new(emulator.access_key_id(), "another5ec4e7").with_security_token("t0ken");
        let stranger = Client::builder()
            .region("cn-hangzhou")
            .endpoint(emulator.endpoint())
            .credentials(strange)
            .signature_version(version)
            .build()
            .unwrap();
        stranger.put_object(put()).await.unwrap_err();

        let (spans, events) = (ear.spans(), ear.events());
        assert!(
            spans.len() >= 10 && events.len() >= 15,
            "{} {}",
            spans.len(),
            events.len()
        );
        let told = format!("{spans:?} {events:?}");
        let signature = link.url.split(['?', '&']).find_map(|pair| {
            pair.strip_prefix("x-oss-signature=")
                .or_else(|| pair.strip_prefix("Signature="))
        });
        for secret in [
            emulator.access_key_secret(),
            "another5ec4e7",
            "t0ken",
            signature.unwrap(),
            "Signature=",
        ] {
            assert!(!told.contains(secret), "{secret} is told");
        }
    }
}

#[tokio::test]
async fn whoever_does_not_listen_that_closely_hears_the_calls_alone() {
    let (_emulator, client) = start().await;
    let ear = Ear::default();
    let calls_only = ear
        .clone()
        .with_filter(tracing_subscriber::filter::LevelFilter::from_level(Level::INFO));
    let _listening = tracing::subscriber::set_default(Registry::default().with(calls_only));
    client.put_object(put()).await.unwrap();
    let [call] = ear.spans().try_into().unwrap();
    assert_eq!(call.name, observe::CALL);
    assert_eq!(ear.events().len(), 0);
}
