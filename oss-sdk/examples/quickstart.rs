//! Sends a file into a bucket and back, and shows what happened.
//!
//! ```console
//! cargo run -p oss-sdk --example quickstart -- path/to/a/file
//! ```
//!
//! Without `OSS_*` variables it starts the emulator in this process, so it needs no account. With `OSS_REGION` (or
//! `OSS_ENDPOINT`), `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET` it uses the real service, in a bucket that it creates
//! and deletes.

#![expect(
    clippy::disallowed_methods,
    reason = "an application reads the clock; the SDK takes it from its settings"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use oss_emulator::Emulator;
use oss_sdk::{
    Client, Credentials, DeleteBucketRequest, DeleteObjectRequest, GetObjectRequest, ListObjectsV2Request,
    PutBucketRequest, PutObjectRequest, body::Body,
};

type Problem = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let file = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"),
    };
    let begun = Instant::now();
    // Kept to the end: dropping it stops the server.
    let (client, _emulator) = connect().await?;
    let bucket = format!(
        "quickstart-{}",
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()
    );
    step(
        "create the bucket",
        &bucket,
        client.put_bucket(PutBucketRequest::new(&bucket)).await.map(drop),
    )?;
    // Whatever happens in between, the bucket goes away again.
    let travelled = travel(&client, &bucket, &file).await;
    if let Err(error) = client.delete_object(DeleteObjectRequest::new(&bucket, KEY)).await {
        eprintln!("the object is left behind: {error}");
    }
    step(
        "delete the bucket",
        &bucket,
        client.delete_bucket(DeleteBucketRequest::new(&bucket)).await.map(drop),
    )?;
    travelled?;
    println!("all of it took {:.2?}", begun.elapsed());
    Ok(())
}

const KEY: &str = "quick start/file";

/// The real service when the environment names one, else the emulator.
async fn connect() -> Result<(Client, Option<Emulator>), Problem> {
    if std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("OSS_")) {
        return Ok((Client::from_env()?, None));
    }
    let emulator = Emulator::start().await?;
    println!("no OSS_* variables: using the emulator at {}", emulator.endpoint());
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
        .build()?;
    Ok((client, Some(emulator)))
}

async fn travel(client: &Client, bucket: &str, file: &Path) -> Result<(), Problem> {
    let size = std::fs::metadata(file)?.len();

    let bar = ProgressBar::new(size);
    bar.set_style(ProgressStyle::with_template(
        "  {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}",
    )?);
    let position = bar.clone();
    let started = Instant::now();
    let put = client
        .put_object(PutObjectRequest::new(bucket, KEY).body(Body::from_file(file)))
        .on_progress(move |progress| position.set_position(progress.transferred))
        .await?;
    bar.finish();
    let rate = size as f64 / (1024.0 * 1024.0) / started.elapsed().as_secs_f64();
    println!("uploaded {} ({size} bytes, {rate:.0} MiB/s)", file.display());
    println!(
        "  CRC-64 {} compared with the service's",
        put.hash_crc64.as_deref().unwrap_or("unknown")
    );

    let mut objects = client.list_objects_v2(ListObjectsV2Request::new(bucket)).items();
    while let Some(object) = objects.try_next().await? {
        println!("listed   {} ({} bytes)", object.key, object.size);
    }

    let range = client
        .get_object(GetObjectRequest::new(bucket, KEY).range_header("bytes=0-15"))
        .await?;
    println!("read     the first {} bytes", range.body.bytes().await?.len());

    let back = std::env::temp_dir().join(format!("{bucket}.back"));
    let started = Instant::now();
    client
        .get_object(GetObjectRequest::new(bucket, KEY))
        .await?
        .body
        .save_to(&back)
        .await?;
    let rate = size as f64 / (1024.0 * 1024.0) / started.elapsed().as_secs_f64();
    println!("download verified by its CRC-64, {rate:.0} MiB/s");
    let same = same_content(file, &back);
    std::fs::remove_file(&back)?;
    println!(
        "compare  with the file that was sent: {}",
        if same? { "the same" } else { "DIFFERENT" }
    );

    let url = client
        .get_object(GetObjectRequest::new(bucket, KEY))
        .presign(Duration::from_secs(600))
        .await?;
    let fetched = tokio::task::spawn_blocking(move || fetch(&url.url)).await??;
    println!("presign  a URL that plain HTTP fetches: {fetched} bytes");
    Ok(())
}

/// Reads a URL to its end with a client that knows nothing of OSS.
fn fetch(url: &str) -> Result<u64, ureq::Error> {
    let mut payload = ureq::get(url).call()?.into_body().into_reader();
    Ok(std::io::copy(&mut payload, &mut std::io::sink())?)
}

fn step<T>(what: &str, name: &str, outcome: Result<T, oss_sdk::Error>) -> Result<T, Problem> {
    let value = outcome.map_err(|error| format!("cannot {what}: {error}"))?;
    println!("{what} {name}");
    Ok(value)
}

fn same_content(one: &Path, other: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let (mut one, mut other) = (std::fs::File::open(one)?, std::fs::File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}
