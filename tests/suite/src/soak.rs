//! Long proofs with a seed: `cargo xtask soak` runs them at length, the tests run a short version.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use oss_emulator::Emulator;
use oss_sdk::{Client, Config, Credentials, Error, GetObjectRequest, PutBucketRequest, PutObjectRequest};

use crate::proxy::{Cut, CuttingProxy};
use crate::random::Random;

/// What a proof did.
#[derive(Debug, Default, Clone, Copy)]
pub struct Report {
    /// Downloads that ended complete and verified.
    pub downloads: u64,
    /// Connections that were cut under them.
    pub cuts: u64,
    /// Bytes received and compared.
    pub bytes: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} downloads, {} cuts, {} bytes, all complete and verified",
            self.downloads, self.cuts, self.bytes
        )
    }
}

/// Downloads an object of `size` bytes `rounds` times, cutting the connection at a random byte of the answer, and in half of the
/// rounds the second connection too. Every download must end complete, verified and equal to what was uploaded.
///
/// # Errors
///
/// The first download that did not, with its round.
pub async fn broken_downloads(
    seed: u64,
    rounds: u64,
    size: u64,
) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    let download = async |config: Config, request: GetObjectRequest| {
        let object = Client::new(config)?.get_object(request).await?;
        object.body.bytes().await
    };
    broken_downloads_by(download, seed, rounds, size).await
}

/// The same for any way to read an object into memory.
///
/// # Errors
///
/// As [`broken_downloads`].
pub async fn broken_downloads_by(
    download: impl AsyncFn(Config, GetObjectRequest) -> Result<Bytes, Error>,
    seed: u64,
    rounds: u64,
    size: u64,
) -> Result<Report, Box<dyn std::error::Error + Send + Sync>> {
    let emulator = Emulator::start().await?;
    let address: SocketAddr = emulator.endpoint().trim_start_matches("http://").parse()?;
    let proxy = CuttingProxy::start(address).await?;
    let config = |endpoint: String| {
        Config::new()
            .region("cn-hangzhou")
            .endpoint(endpoint)
            .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
    };
    let mut random = Random::new(seed);
    let content = Bytes::from(random.bytes(usize::try_from(size)?));
    let direct = Client::new(config(emulator.endpoint()))?;
    direct.put_bucket(PutBucketRequest::new("soak")).await?;
    direct
        .put_object(PutObjectRequest::new("soak", "object").body(content.clone()))
        .await?;

    let mut report = Report::default();
    for round in 0..rounds {
        // A connection that is kept alive would meet no cut: each round has a client, hence connections, of its own.
        let config = config(proxy.endpoint());
        let mut cuts = vec![cut(&mut random, size)];
        if random.below(2) == 0 {
            cuts.push(cut(&mut random, size));
        }
        proxy.plan(cuts.iter().copied());
        let download = download(config, GetObjectRequest::new("soak", "object"));
        let received = tokio::time::timeout(Duration::from_secs(120), download)
            .await
            .map_err(|_| format!("round {round} (cuts {cuts:?}) hangs"))?
            .map_err(|error| format!("round {round} (cuts {cuts:?}): {error}"))?;
        if received != content {
            return Err(format!("round {round} (cuts {cuts:?}): the content differs").into());
        }
        report.downloads += 1;
        report.bytes += received.len() as u64;
        report.cuts += (cuts.len() - proxy.left()) as u64;
        proxy.clear();
    }
    Ok(report)
}

/// A cut at any byte of an answer: in its head, at its first or last byte, or between.
fn cut(random: &mut Random, size: u64) -> Cut {
    // An answer's head is a few hundred bytes long.
    let byte = random.below(size + 600);
    if random.below(2) == 0 {
        Cut::Close(byte)
    } else {
        Cut::Reset(byte)
    }
}
