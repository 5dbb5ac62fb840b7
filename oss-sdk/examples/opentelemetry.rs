//! Exports the spans of calls and of their attempts with OpenTelemetry, here to the terminal.
//!
//! Settings and keys come from the environment, see `Config::from_env`; `OSS_BUCKET` names a bucket to write to.
//!
//! ```sh
//! OSS_BUCKET=examplebucket cargo run -p oss-sdk --example opentelemetry
//! ```
//!
//! Another exporter takes the place of the one of the terminal; `oss_sdk::observe` lists the names of spans and fields.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use oss_sdk::{Client, DeleteObjectRequest, GetObjectRequest, PutObjectRequest};
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

    let client = Client::from_env()?;
    let bucket = std::env::var("OSS_BUCKET").map_err(|_| "set OSS_BUCKET to the name of a bucket to write to")?;
    let result = work(&client, &bucket).await;
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
