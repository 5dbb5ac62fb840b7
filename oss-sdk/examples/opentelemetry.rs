//! Exports the spans of calls and of their attempts with OpenTelemetry, here to the terminal.
//!
//! ```sh
//! cargo run -p oss-sdk --example opentelemetry
//! ```
//!
//! With `OSS_BUCKET`, settings and keys come from the environment, see `Config::from_env`, and it writes to that bucket.
//! Without it an emulator is started, and no account is needed.
//!
//! Another exporter takes the place of the one of the terminal; `oss_sdk::observe` lists the names of spans and fields.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use oss_emulator::Emulator;
use oss_sdk::{Client, Credentials, DeleteObjectRequest, GetObjectRequest, PutBucketRequest, PutObjectRequest};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(opentelemetry_stdout::SpanExporter::default())
        .build();
    let exporting = tracing_opentelemetry::layer().with_tracer(provider.tracer("example"));
    tracing::subscriber::set_global_default(Registry::default().with(exporting))?;

    let result = match std::env::var("OSS_BUCKET") {
        Ok(bucket) => work(&Client::from_env()?, &bucket).await,
        Err(_) => {
            let emulator = Emulator::start().await?;
            let client = Client::builder()
                .region("cn-hangzhou")
                .endpoint(emulator.endpoint())
                .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
                .build()?;
            client.put_bucket(PutBucketRequest::new("observed")).await?;
            work(&client, "observed").await
        }
    };
    // What was not exported yet is, also after a failure.
    provider.shutdown()?;
    Ok(result?)
}

/// Four calls, the third of which fails: its span says so.
async fn work(client: &Client, bucket: &str) -> Result<(), oss_sdk::Error> {
    let key = "oss-sdk-example/observed.txt";
    client
        .put_object(PutObjectRequest::new(bucket, key).body("watched"))
        .await?;
    let object = client.get_object(GetObjectRequest::new(bucket, key)).await?;
    // The span of the attempt ends when its payload is read.
    println!("{}", object.body.text().await?);
    let missing = GetObjectRequest::new(bucket, "oss-sdk-example/missing.txt");
    if let Err(error) = client.get_object(missing).await {
        println!("{error}");
    }
    client.delete_object(DeleteObjectRequest::new(bucket, key)).await?;
    Ok(())
}
