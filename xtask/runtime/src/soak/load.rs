//! What the emulator can carry: small requests at many connections, one large object, beside nginx in the same run.

mod nginx;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use oss_sdk::types::BucketAcl;
use oss_sdk::{Client, GetObjectRequest, PutBucketRequest, PutObjectRequest};
use oss_suite::random::Random;

use super::plain::{BLOCK, Connection};
use super::server::{Ending, Server};
use nginx::Nginx;

const BUCKET: &str = "load";
const SMALL: usize = 1024;
/// Keys that one connection goes round.
const KEYS: usize = 16;
const VALID: Duration = Duration::from_secs(3600);
const MIB: f64 = 1024.0 * 1024.0;
/// Room for small objects, journals and logs.
#[cfg(unix)]
const SLACK: u64 = 256 * 1024 * 1024;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What the objects hold.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds for each row of small requests.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// MiB of the large object.
    #[arg(long, default_value_t = 1024)]
    large: u64,
    /// Times that a large transfer is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    times: usize,
    /// Fail when the emulator serves the large object from memory at less than this percentage of nginx.
    #[arg(long)]
    least: Option<f64>,
    /// A directory in memory, for the emulator's data and for nginx. Where it is too small, which the default is in
    /// many containers, they keep their files beside each other in a temporary directory.
    #[arg(long, default_value = "/dev/shm")]
    memory: PathBuf,
    /// A directory on a disk, for the emulator's data; by default a temporary one.
    #[arg(long)]
    disk: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<String, String> {
    let temporary = |parent: Option<&Path>| {
        let made = parent.map_or_else(tempfile::tempdir, tempfile::tempdir_in);
        made.map_err(|error| format!("a temporary directory: {error}"))
    };
    let roomy = has_room(&arguments.memory, arguments.large);
    let in_memory = temporary(roomy.then_some(&arguments.memory))?;
    let on_disk = temporary(arguments.disk.as_deref())?;
    let mut report = String::new();
    if !roomy {
        let _ = writeln!(
            report,
            "{} is too small: its rows are of {}, which is in memory as far as the system's cache reaches.\n",
            arguments.memory.display(),
            in_memory.path().display()
        );
    }
    report.push_str(
        "| server | PUT 1 KiB/s | p50 ms | p99 ms | GET 1 KiB/s | p50 ms | p99 ms | large PUT MiB/s | large GET MiB/s | nginx MiB/s | of nginx |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let block = Random::new(arguments.seed).bytes(BLOCK);
    let nginx = Nginx::start(in_memory.path(), &block, arguments.large).await?;
    // The last row is for comparison: nginx has its file in memory.
    let backends: [(&str, Option<&Path>, bool); 3] = [
        ("emulator, memory", None, true),
        ("emulator, data-dir in memory", Some(in_memory.path()), true),
        ("emulator, data-dir on disk", Some(on_disk.path()), false),
    ];
    let mut slow = Vec::new();
    for (name, directory, judged) in backends {
        eprintln!("{name}");
        let row = measure(arguments, directory, &block, nginx.as_ref()).await?;
        let _ = writeln!(report, "| {name} {row}");
        let percent = row.of_nginx();
        if judged
            && arguments
                .least
                .is_some_and(|least| percent.is_some_and(|percent| percent < least))
        {
            slow.push(name);
        }
    }
    if nginx.is_none() {
        report.push_str("nginx is not installed: nothing to compare with.\n");
        if arguments.least.is_some() {
            return Err(report);
        }
    }
    if slow.is_empty() {
        return Ok(report);
    }
    let least = arguments.least.unwrap_or_default();
    Err(format!("{report}less than {least} % of nginx: {}", slow.join("; ")))
}

/// Whether nginx's file and the large object, which for a moment is there twice, fit into a directory.
#[cfg(unix)]
fn has_room(directory: &Path, large: u64) -> bool {
    let needed = 3 * large * BLOCK as u64 + SLACK;
    rustix::fs::statvfs(directory).is_ok_and(|system| system.f_bavail.saturating_mul(system.f_frsize) >= needed)
}

#[cfg(not(unix))]
fn has_room(directory: &Path, _large: u64) -> bool {
    directory.is_dir()
}

/// What was measured of one server.
struct Row {
    put: Small,
    get: Small,
    /// MiB per second.
    large_put: f64,
    large_get: f64,
    nginx: Option<f64>,
}

impl Row {
    fn of_nginx(&self) -> Option<f64> {
        self.nginx.map(|nginx| self.large_get / nginx * 100.0)
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for small in [&self.put, &self.get] {
            write!(out, "| {:.0} | {:.2} | {:.2} ", small.rate, small.p50, small.p99)?;
        }
        write!(out, "| {:.0} | {:.0} ", self.large_put, self.large_get)?;
        match (self.nginx, self.of_nginx()) {
            (Some(nginx), Some(percent)) => write!(out, "| {nginx:.0} | {percent:.0} % |"),
            _ => write!(out, "| - | - |"),
        }
    }
}

async fn measure(
    arguments: &Arguments,
    directory: Option<&Path>,
    block: &[u8],
    nginx: Option<&Nginx>,
) -> Result<Row, String> {
    let data = directory.map(|directory| directory.join("emulator"));
    let options: Vec<&std::ffi::OsStr> = match &data {
        Some(data) => vec!["--data-dir".as_ref(), data.as_os_str()],
        None => Vec::new(),
    };
    let server = Server::start(&options).await?;
    let client = server.client()?;
    let bucket = PutBucketRequest::new(BUCKET).acl(BucketAcl::PublicRead);
    client.put_bucket(bucket).await.map_err(|error| error.to_string())?;
    let put = small(&server, &client, arguments, true).await?;
    let get = small(&server, &client, arguments, false).await?;
    let (large_put, large_get, nginx) = large(&server, &client, arguments, block, nginx).await?;
    server.end(Ending::Kill).await?;
    if let Some(data) = data {
        let _ = std::fs::remove_dir_all(data);
    }
    Ok(Row {
        put,
        get,
        large_put,
        large_get,
        nginx,
    })
}

struct Small {
    rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
}

/// Presigned requests of one kind at all connections for the given time.
async fn small(server: &Server, client: &Client, arguments: &Arguments, put: bool) -> Result<Small, String> {
    let block = Arc::new(Random::new(arguments.seed).bytes(SMALL));
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..arguments.connections {
        let mut heads = Vec::with_capacity(KEYS);
        for key in 0..KEYS {
            let key = format!("small/{number}/{key}");
            heads.push(head(client, server.address(), &key, put.then_some(SMALL as u64)).await?);
        }
        let mut connection = Connection::open(server.address()).await?;
        let block = Arc::clone(&block);
        tasks.spawn(async move {
            let mut times = Vec::new();
            for head in heads.iter().cycle() {
                let begin = Instant::now();
                let answer = connection.send(head, &block, u64::from(put)).await?;
                times.push(begin.elapsed());
                if answer.status != 200 || !put && answer.length != SMALL as u64 {
                    return Err(format!("a small request got {answer:?}"));
                }
                // Every key at least once, however slow the server is: the GETs want them all.
                if times.len() >= KEYS && Instant::now() >= end {
                    break;
                }
            }
            Ok(times)
        });
    }
    let began = Instant::now();
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done.map_err(|error| error.to_string())??);
    }
    let elapsed = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let percentile = |percent: usize| {
        let time = times.get(times.len() * percent / 100).copied();
        time.unwrap_or_default().as_secs_f64() * 1000.0
    };
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown without decimals")]
    let rate = times.len() as f64 / elapsed;
    Ok(Small {
        rate,
        p50: percentile(50),
        p99: percentile(99),
    })
}

/// MiB per second of a large PUT, of its GET, and of nginx serving the same bytes.
async fn large(
    server: &Server,
    client: &Client,
    arguments: &Arguments,
    block: &[u8],
    nginx: Option<&Nginx>,
) -> Result<(f64, f64, Option<f64>), String> {
    let mebibytes = arguments.large;
    let times = arguments.times.max(1);
    let size = mebibytes * BLOCK as u64;
    let put = head(client, server.address(), "large", Some(size)).await?;
    let get = head(client, server.address(), "large", None).await?;
    let (mut puts, mut gets, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        puts.push(transfer(server.address(), &put, block, mebibytes, size).await?);
    }
    for _ in 0..times {
        gets.push(transfer(server.address(), &get, block, 0, size).await?);
        if let Some(nginx) = nginx {
            let get = format!("GET /large HTTP/1.1\r\nHost: {}\r\n\r\n", nginx.address);
            others.push(transfer(&nginx.address, get.as_bytes(), block, 0, size).await?);
        }
    }
    let others = (!others.is_empty()).then(|| median(others));
    Ok((median(puts), median(gets), others))
}

async fn transfer(address: &str, head: &[u8], block: &[u8], times: u64, size: u64) -> Result<f64, String> {
    let mut connection = Connection::open(address).await?;
    let begin = Instant::now();
    let answer = connection.send(head, block, times).await?;
    let elapsed = begin.elapsed().as_secs_f64();
    if answer.status != 200 || times == 0 && answer.length != size {
        return Err(format!("a large request to {address} got {answer:?}"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown without decimals")]
    let size = size as f64;
    Ok(size / MIB / elapsed)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// The head of a presigned request, a PUT when it has a length.
async fn head(client: &Client, address: &str, key: &str, length: Option<u64>) -> Result<Vec<u8>, String> {
    let presigned = match length {
        Some(_) => {
            client
                .put_object(PutObjectRequest::new(BUCKET, key))
                .presign(VALID)
                .await
        }
        None => {
            client
                .get_object(GetObjectRequest::new(BUCKET, key))
                .presign(VALID)
                .await
        }
    };
    let presigned = presigned.map_err(|error| error.to_string())?;
    let target = presigned.url.split_once(address).map_or("/", |(_, target)| target);
    let mut head = format!("{} {target} HTTP/1.1\r\nHost: {address}\r\n", presigned.method);
    for (name, value) in &presigned.signed_headers {
        if name != "host" {
            let value = value.to_str().map_err(|error| error.to_string())?;
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    if let Some(length) = length {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    head.push_str("\r\n");
    Ok(head.into_bytes())
}
