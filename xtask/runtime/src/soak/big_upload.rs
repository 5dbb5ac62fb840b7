//! A multipart upload that is larger than memory, and what it costs the emulator.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use oss_sdk::types::{CompleteMultipartUpload, UploadPart};
use oss_sdk::{
    Client, CompleteMultipartUploadRequest, DeleteObjectRequest, GetObjectRequest, InitiateMultipartUploadRequest,
    PutBucketRequest, UploadPartRequest,
};
use oss_suite::random::Random;

use super::server::{Ending, Server};

const BUCKET: &str = "big";
const KEY: &str = "big";
const MIB: u64 = 1024 * 1024;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What the object holds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// MiB of the object.
    #[arg(long, default_value_t = 10 * 1024)]
    size: u64,
    /// Upload such objects, one after the other, for at least so many seconds.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// MiB of a part.
    #[arg(long, default_value_t = 64)]
    part: u64,
    /// Parts at once.
    #[arg(long, default_value_t = 4)]
    parallel: usize,
    /// Most MiB that the emulator may use.
    #[arg(long, default_value_t = 256)]
    limit: u64,
    /// Where the emulator keeps its data; by default a temporary directory.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<String, String> {
    let parent = arguments.data_dir.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::tempdir_in(parent).map_err(|error| format!("a temporary directory: {error}"))?;
    let options = ["--data-dir".as_ref(), directory.path().as_os_str()];
    let server = Server::start(&options).await?;
    let client = server.client()?;
    let made = client.put_bucket(PutBucketRequest::new(BUCKET)).await;
    made.map_err(|error| error.to_string())?;
    let part = usize::try_from(arguments.part * MIB).map_err(|error| error.to_string())?;
    let content = Bytes::from(Random::new(arguments.seed).bytes(part));
    let began = Instant::now();
    let mut transfers = Vec::new();
    while transfers.is_empty() || began.elapsed() < Duration::from_secs(arguments.seconds) {
        let transferred = transfer(&client, arguments, &content).await;
        let explained = |error: String| match server.complaint() {
            Some(complaint) => format!("{error}; {complaint}"),
            None => error,
        };
        transfers.push(transferred.map_err(explained)?);
    }
    let peak = server.peak_memory();
    server.end(Ending::Kill).await?;
    let shown = peak.map_or("not told by this system".to_owned(), |peak| {
        format!("{} MiB", peak / MIB)
    });
    if peak.is_some_and(|peak| peak > arguments.limit * MIB) {
        return Err(format!("the emulator used {shown}, more than {} MiB", arguments.limit));
    }
    let shown_transfers = transfers.iter().map(|(uploaded, downloaded)| {
        let (uploaded, downloaded) = (uploaded.as_secs_f64(), downloaded.as_secs_f64());
        format!("uploaded in {uploaded:.1} s, downloaded and verified in {downloaded:.1} s")
    });
    Ok(format!(
        "{} MiB in parts of {}: {}; peak memory of the emulator {shown}",
        arguments.size,
        arguments.part,
        shown_transfers.collect::<Vec<_>>().join("; "),
    ))
}

/// Uploads, downloads and deletes the object, and tells how long the first two took.
async fn transfer(client: &Client, arguments: &Arguments, content: &Bytes) -> Result<(Duration, Duration), String> {
    let failed = |error: oss_sdk::Error| error.to_string();
    let count = arguments.size.div_ceil(arguments.part);
    let initiate = InitiateMultipartUploadRequest::new(BUCKET, KEY);
    let upload = client
        .initiate_multipart_upload(initiate)
        .await
        .map_err(failed)?
        .upload_id;
    let began = Instant::now();
    let parts = (1..=count).map(|number| {
        let (client, upload, mut content) = (client.clone(), upload.clone(), content.clone());
        async move {
            if number == count {
                let rest = arguments.size - (count - 1) * arguments.part;
                content.truncate(usize::try_from(rest * MIB).unwrap_or(usize::MAX));
            }
            let number = i64::try_from(number).map_err(|error| error.to_string())?;
            let request = UploadPartRequest::new(BUCKET, KEY, upload, number).body(content);
            let done = client.upload_part(request).await.map_err(failed)?;
            Ok::<_, String>(UploadPart::new(number, done.etag))
        }
    });
    let mut parts: Vec<UploadPart> = stream::iter(parts)
        .buffer_unordered(arguments.parallel.max(1))
        .try_collect()
        .await?;
    parts.sort_by_key(|part| part.part_number);
    let complete = CompleteMultipartUploadRequest::new(BUCKET, KEY, &upload)
        .complete_multipart_upload(CompleteMultipartUpload::new(parts));
    client.complete_multipart_upload(complete).await.map_err(failed)?;
    let uploaded = began.elapsed();
    let began = Instant::now();
    // The client compares the CRC-64 of the answer with what it received.
    let object = client
        .get_object(GetObjectRequest::new(BUCKET, KEY))
        .await
        .map_err(failed)?;
    let mut body = object.body;
    let mut received = 0;
    while let Some(chunk) = body.next().await {
        received += chunk.map_err(failed)?.len() as u64;
    }
    if received != arguments.size * MIB {
        return Err(format!("{received} bytes came back"));
    }
    let downloaded = began.elapsed();
    let delete = DeleteObjectRequest::new(BUCKET, KEY);
    client.delete_object(delete).await.map_err(failed)?;
    Ok((uploaded, downloaded))
}
