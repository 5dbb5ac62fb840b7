//! Ends the emulator at random moments under a load of writers, and looks at what it kept.
//!
//! Every writer owns its keys and notes two states of each: what was acknowledged last, and what a request that was
//! under way would have made of it. After a restart a key must be in one of them, byte for byte, with the metadata that
//! was written together with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use oss_sdk::types::{CompleteMultipartUpload, UploadPart, VersioningConfiguration, VersioningStatus};
use oss_sdk::{
    AppendObjectRequest, Client, CompleteMultipartUploadRequest, CopyObjectRequest, DeleteObjectRequest,
    GetObjectRequest, InitiateMultipartUploadRequest, ListObjectsV2Request, PutBucketRequest,
    PutBucketVersioningRequest, PutObjectRequest, UploadPartRequest,
};
use oss_suite::random::Random;

use super::server::{Ending, Server};

const PLAIN: &str = "soak-plain";
const VERSIONED: &str = "soak-versioned";
const KEYS: u64 = 12;
/// An appendable object that grew beyond this is deleted.
const APPENDED: u64 = 2 * 1024 * 1024;
const VERSIONS: usize = 8;
/// The least size of a part that is not the last.
const PART: u64 = 100 * 1024;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is written and when it ends; the same seed repeats the writers' plans, though not their pace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends of the program.
    #[arg(long, default_value_t = 500)]
    rounds: u64,
    /// Writers at once.
    #[arg(long, default_value_t = 8)]
    writers: u64,
    /// How the program ends.
    #[arg(long, value_enum, default_value_t = Ending::Kill)]
    ending: Ending,
    /// Longest time under load before an end, in milliseconds.
    #[arg(long, default_value_t = 250)]
    longest: u64,
    /// Where the program keeps its data; by default a temporary directory.
    #[arg(long)]
    data_dir: Option<std::path::PathBuf>,
}

/// What a run saw.
#[derive(Debug, Default)]
struct Report {
    rounds: u64,
    acknowledged: u64,
    /// Requests under way at an end that had taken effect, and that had not.
    applied: u64,
    lost: u64,
    verified: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} ends under load, {} acknowledged writes, {} objects and versions compared after the restarts, none lost or partial; \
             of the requests without an answer {} had taken effect and {} had not",
            self.rounds, self.acknowledged, self.verified, self.applied, self.lost
        )
    }
}

/// A stretch of content: so many bytes that follow from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    seed: u64,
    length: u64,
}

impl Piece {
    fn bytes(self) -> Bytes {
        Bytes::from(Random::new(self.seed).bytes(usize::try_from(self.length).unwrap_or_default()))
    }
}

/// Content as the pieces that it was written from.
type Content = Vec<Piece>;

fn bytes(content: &Content) -> Vec<u8> {
    content.iter().flat_map(|piece| piece.bytes()).collect()
}

/// Told apart from the content, to see that both change together. An appendable object keeps what it was created with.
fn mark(content: &Content) -> String {
    content.first().map_or(0, |piece| piece.seed).to_string()
}

/// What is known of a key: `None` stands for no object.
#[derive(Debug, Default)]
struct State {
    acknowledged: Option<Content>,
    /// What a request without an answer would have made of it.
    under_way: Option<Option<Content>>,
}

struct Writer {
    number: u64,
    random: Random,
    keys: BTreeMap<String, State>,
    versions: Vec<(String, Content)>,
    acknowledged: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<String, String> {
    let temporary = tempfile::tempdir().map_err(|error| format!("a temporary directory: {error}"))?;
    let directory = arguments.data_dir.as_deref().unwrap_or(temporary.path());
    eprintln!(
        "kills: seed {}, {} rounds, {} writers",
        arguments.seed, arguments.rounds, arguments.writers
    );
    let options = ["--data-dir".as_ref(), directory.as_os_str()];
    let mut random = Random::new(arguments.seed);
    let mut writers: Vec<Writer> = (0..arguments.writers)
        .map(|number| Writer {
            number,
            random: Random::new(random.number()),
            keys: BTreeMap::new(),
            versions: Vec::new(),
            acknowledged: 0,
        })
        .collect();
    let mut report = Report::default();
    let mut server = Server::start(&options).await?;
    prepare(&server.client()?).await?;
    for round in 0..arguments.rounds {
        let within = |problem: String| format!("round {round}: {problem}");
        let client = server.client()?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = tokio::task::JoinSet::new();
        for mut writer in writers.drain(..) {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tasks.spawn(async move {
                writer.write(&client, &stop).await;
                writer
            });
        }
        tokio::time::sleep(Duration::from_millis(random.below(arguments.longest.max(1)))).await;
        server.end(arguments.ending).await.map_err(within)?;
        stop.store(true, Ordering::Relaxed);
        writers = tasks.join_all().await;
        server = Server::start(&options).await.map_err(within)?;
        let client = server.client()?;
        for writer in &mut writers {
            writer.verify(&client, &mut report).await.map_err(within)?;
        }
        listed(&client, &writers).await.map_err(within)?;
        report.rounds += 1;
    }
    report.acknowledged = writers.iter().map(|writer| writer.acknowledged).sum();
    if report.acknowledged == 0 {
        return Err("nothing was written: the load proves nothing".to_owned());
    }
    server.end(Ending::Term).await?;
    Ok(report.to_string())
}

async fn prepare(client: &Client) -> Result<(), String> {
    for bucket in [PLAIN, VERSIONED] {
        let made = client.put_bucket(PutBucketRequest::new(bucket)).await;
        made.map_err(|error| format!("the bucket {bucket}: {error}"))?;
    }
    let enabled = VersioningConfiguration::default().status(VersioningStatus::Enabled);
    let request = PutBucketVersioningRequest::new(VERSIONED, enabled);
    client
        .put_bucket_versioning(request)
        .await
        .map_err(|error| format!("versioning: {error}"))?;
    Ok(())
}

/// The listing must have the objects that reads have, and no others.
async fn listed(client: &Client, writers: &[Writer]) -> Result<(), String> {
    let known = |writer: &Writer| -> Vec<(String, u64)> {
        let present = writer.keys.iter().filter_map(|(key, state)| {
            let content = state.acknowledged.as_ref()?;
            Some((key.clone(), content.iter().map(|piece| piece.length).sum()))
        });
        present.collect()
    };
    let mut expected: Vec<(String, u64)> = writers.iter().flat_map(known).collect();
    expected.sort();
    let page = client
        .list_objects_v2(ListObjectsV2Request::new(PLAIN).max_keys(1000))
        .await;
    let page = page.map_err(|error| format!("the listing: {error}"))?;
    let found: Vec<(String, u64)> = page
        .contents
        .iter()
        .map(|object| (object.key.clone(), u64::try_from(object.size).unwrap_or_default()))
        .collect();
    if found == expected {
        return Ok(());
    }
    Err(format!("the listing has {found:?} instead of {expected:?}"))
}

impl Writer {
    /// Writes until a request fails, or until told to stop.
    async fn write(&mut self, client: &Client, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let done = match self.random.below(12) {
                0 | 1 => self.append(client).await,
                2 => self.delete(client).await,
                3 => self.copy(client).await,
                4 => self.multipart(client).await,
                5 | 6 => self.version(client).await,
                _ => self.put(client).await,
            };
            match done {
                Ok(()) => self.acknowledged += 1,
                Err(_) => return,
            }
        }
    }

    fn piece(&mut self) -> Piece {
        let length = match self.random.below(10) {
            0 => 0,
            1..=6 => self.random.below(4 * 1024),
            7 | 8 => self.random.below(300 * 1024),
            _ => self.random.below(1024 * 1024),
        };
        Piece {
            seed: self.random.number(),
            length,
        }
    }

    fn key(&mut self) -> String {
        format!("{}/{}", self.number, self.random.below(KEYS))
    }

    /// Notes what a request is about to do; [`Writer::settle`] notes that it did.
    fn begin(&mut self, key: &str, after: Option<Content>) {
        self.keys.entry(key.to_owned()).or_default().under_way = Some(after);
    }

    fn settle(&mut self, key: &str) {
        let state = self.keys.entry(key.to_owned()).or_default();
        if let Some(after) = state.under_way.take() {
            state.acknowledged = after;
        }
    }

    fn known(&self, key: &str) -> Option<Content> {
        self.keys.get(key)?.acknowledged.clone()
    }

    async fn put(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let (key, piece) = (self.key(), self.piece());
        let content = vec![piece];
        self.begin(&key, Some(content.clone()));
        let request = PutObjectRequest::new(PLAIN, &key)
            .body(piece.bytes())
            .metadata([("mark".to_owned(), mark(&content))]);
        client.put_object(request).await?;
        self.settle(&key);
        Ok(())
    }

    async fn append(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let key = format!("{}/log", self.number);
        let mut content = self.known(&key).unwrap_or_default();
        let length: u64 = content.iter().map(|piece| piece.length).sum();
        if length > APPENDED {
            self.begin(&key, None);
            client.delete_object(DeleteObjectRequest::new(PLAIN, &key)).await?;
            self.settle(&key);
            return Ok(());
        }
        let piece = self.piece();
        content.push(piece);
        self.begin(&key, Some(content.clone()));
        let position = i64::try_from(length).unwrap_or_default();
        let request = AppendObjectRequest::new(PLAIN, &key, position)
            .body(piece.bytes())
            .metadata([("mark".to_owned(), mark(&content))]);
        client.append_object(request).await?;
        self.settle(&key);
        Ok(())
    }

    async fn delete(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let key = self.key();
        self.begin(&key, None);
        client.delete_object(DeleteObjectRequest::new(PLAIN, &key)).await?;
        self.settle(&key);
        Ok(())
    }

    async fn copy(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let (from, to) = (self.key(), self.key());
        let Some(content) = self.known(&from).filter(|_| from != to) else {
            return Ok(());
        };
        self.begin(&to, Some(content));
        client.copy_object(CopyObjectRequest::new(PLAIN, &to, &from)).await?;
        self.settle(&to);
        Ok(())
    }

    async fn multipart(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let key = self.key();
        let first = Piece {
            seed: self.random.number(),
            length: PART + self.random.below(PART),
        };
        let content = vec![first, self.piece()];
        let request = InitiateMultipartUploadRequest::new(PLAIN, &key).metadata([("mark".to_owned(), mark(&content))]);
        let upload = client.initiate_multipart_upload(request).await?.upload_id;
        let mut parts = Vec::new();
        for (number, piece) in (1..).zip(&content) {
            let request = UploadPartRequest::new(PLAIN, &key, &upload, number).body(piece.bytes());
            let etag = client.upload_part(request).await?.etag;
            parts.push(UploadPart::new(number, etag));
        }
        self.begin(&key, Some(content));
        let request = CompleteMultipartUploadRequest::new(PLAIN, &key, &upload)
            .complete_multipart_upload(CompleteMultipartUpload::new(parts));
        client.complete_multipart_upload(request).await?;
        self.settle(&key);
        Ok(())
    }

    /// A version of one key, or the end of the oldest one.
    async fn version(&mut self, client: &Client) -> Result<(), oss_sdk::Error> {
        let key = format!("{}/versions", self.number);
        if self.versions.len() >= VERSIONS {
            // It is out of the list first: whether it is gone when no answer comes, nobody knows.
            let (version, _) = self.versions.remove(0);
            let request = DeleteObjectRequest::new(VERSIONED, &key).version_id(version);
            client.delete_object(request).await?;
            return Ok(());
        }
        let piece = self.piece();
        let request = PutObjectRequest::new(VERSIONED, &key).body(piece.bytes());
        let version = client.put_object(request).await?.version_id.unwrap_or_default();
        self.versions.push((version, vec![piece]));
        Ok(())
    }

    /// Compares everything of this writer with what the program kept.
    async fn verify(&mut self, client: &Client, report: &mut Report) -> Result<(), String> {
        for (key, state) in &mut self.keys {
            let found = read(client, GetObjectRequest::new(PLAIN, key)).await?;
            let matches = |content: &Option<Content>| match (content, &found) {
                (None, None) => true,
                (Some(content), Some((body, marked))) => *body == bytes(content) && *marked == mark(content),
                _ => false,
            };
            let under_way = state.under_way.take();
            if matches(&state.acknowledged) {
                report.lost += u64::from(under_way.is_some());
            } else if let Some(after) = under_way.clone().filter(|after| matches(after)) {
                report.applied += 1;
                state.acknowledged = after;
            } else {
                let length = found.map(|(body, _)| body.len());
                return Err(format!(
                    "{key} has {length:?} bytes, which is neither {:?} nor {under_way:?}",
                    state.acknowledged
                ));
            }
            report.verified += 1;
        }
        for (version, content) in &self.versions {
            let key = format!("{}/versions", self.number);
            let request = GetObjectRequest::new(VERSIONED, &key).version_id(version.clone());
            let found = read(client, request).await?;
            if found.is_none_or(|(body, _)| body != bytes(content)) {
                return Err(format!("the version {version} of {key} is missing or differs"));
            }
            report.verified += 1;
        }
        Ok(())
    }
}

/// Content and mark of an object; nothing when there is none.
async fn read(client: &Client, request: GetObjectRequest) -> Result<Option<(Bytes, String)>, String> {
    let key = request.key.clone();
    let object = match client.get_object(request).await {
        Ok(object) => object,
        Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
        Err(error) => return Err(format!("{key}: {error}")),
    };
    let marked = object.metadata.get("mark").cloned().unwrap_or_default();
    let body = object.body.bytes().await.map_err(|error| format!("{key}: {error}"))?;
    Ok(Some((body, marked)))
}
