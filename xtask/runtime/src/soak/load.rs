//! What the emulator can carry: small requests at many connections, one large object, beside nginx in the same run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use oss_sdk::types::BucketAcl;
use oss_sdk::{Client, GetObjectRequest, PutBucketRequest, PutObjectRequest};
use oss_suite::random::Random;
use tokio::process::{Child, Command};

use super::plain::{BLOCK, Connection};
use super::server::{Ending, Server};

const BUCKET: &str = "load";
const SMALL: usize = 1024;
/// Keys that one connection goes round.
const KEYS: usize = 16;
const VALID: Duration = Duration::from_secs(3600);
/// Times that a large transfer is measured; the median counts.
const TRANSFERS: usize = 5;
const MIB: f64 = 1024.0 * 1024.0;

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
    /// A directory in memory, for the emulator's data and for nginx.
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
    let in_memory = temporary(Some(&arguments.memory))?;
    let on_disk = temporary(arguments.disk.as_deref())?;
    let mut report = String::from(
        "| server | PUT 1 KiB/s | p99 ms | GET 1 KiB/s | p99 ms | large PUT MiB/s | large GET MiB/s |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let block = Random::new(arguments.seed).bytes(BLOCK);
    let nginx = Nginx::start(in_memory.path(), &block, arguments.large).await?;
    let backends: [(&str, Option<&Path>); 3] = [
        ("emulator, memory", None),
        ("emulator, data-dir in memory", Some(in_memory.path())),
        ("emulator, data-dir on disk", Some(on_disk.path())),
    ];
    for (name, directory) in backends {
        let data = directory.map(|directory| directory.join("emulator"));
        let options: Vec<&std::ffi::OsStr> = match &data {
            Some(data) => vec!["--data-dir".as_ref(), data.as_os_str()],
            None => Vec::new(),
        };
        let server = Server::start(&options).await?;
        let client = server.client()?;
        let bucket = PutBucketRequest::new(BUCKET).acl(BucketAcl::PublicRead);
        client.put_bucket(bucket).await.map_err(|error| error.to_string())?;
        eprintln!("{name}");
        let put = small(&server, &client, arguments, true).await?;
        let get = small(&server, &client, arguments, false).await?;
        let (put_large, get_large, beside) = large(&server, &client, arguments.large, &block, nginx.as_ref()).await?;
        let _ = writeln!(
            report,
            "| {name} | {:.0} | {:.1} | {:.0} | {:.1} | {put_large:.0} | {get_large:.0}{} |",
            put.rate,
            put.p99,
            get.rate,
            get.p99,
            beside.map_or(String::new(), |nginx| format!(
                " ({:.0} % of nginx, {nginx:.0})",
                get_large / nginx * 100.0
            )),
        );
        server.end(Ending::Kill).await?;
        if let Some(data) = data {
            let _ = std::fs::remove_dir_all(data);
        }
    }
    if nginx.is_none() {
        report.push_str("nginx is not installed: nothing to compare with.\n");
    }
    Ok(report)
}

struct Small {
    rate: f64,
    /// Milliseconds.
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
                if Instant::now() >= end {
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
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown without decimals")]
    let rate = times.len() as f64 / elapsed;
    Ok(Small {
        rate,
        p99: p99.as_secs_f64() * 1000.0,
    })
}

/// MiB per second of a large PUT, of its GET, and of nginx serving the same bytes.
async fn large(
    server: &Server,
    client: &Client,
    mebibytes: u64,
    block: &[u8],
    nginx: Option<&Nginx>,
) -> Result<(f64, f64, Option<f64>), String> {
    let size = mebibytes * BLOCK as u64;
    let put = head(client, server.address(), "large", Some(size)).await?;
    let get = head(client, server.address(), "large", None).await?;
    let (mut puts, mut gets, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TRANSFERS {
        puts.push(transfer(server.address(), &put, block, mebibytes, size).await?);
    }
    for _ in 0..TRANSFERS {
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

/// nginx serving one file. Its directory belongs to the caller.
struct Nginx {
    address: String,
    _child: Child,
}

impl Nginx {
    /// Nothing when there is no nginx on this machine.
    async fn start(directory: &Path, block: &[u8], mebibytes: u64) -> Result<Option<Self>, String> {
        let found = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().await;
        if !found.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let io = |error: std::io::Error| format!("nginx: {error}");
        let root = directory.join("nginx");
        std::fs::create_dir(&root).map_err(io)?;
        let mut file = std::fs::File::create(root.join("large")).map_err(io)?;
        for _ in 0..mebibytes {
            std::io::Write::write_all(&mut file, block).map_err(io)?;
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").map_err(io)?;
        let address = free.local_addr().map_err(io)?.to_string();
        drop(free);
        let (shown, temporary) = (root.display(), directory.join("nginx-temporary"));
        let temporary = temporary.display();
        let configuration = format!(
            "daemon off; worker_processes 2; pid {temporary}.pid; error_log {temporary}.log; events {{ worker_connections 256; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {temporary}-body; proxy_temp_path {temporary}-proxy;\n\
             fastcgi_temp_path {temporary}-fastcgi; uwsgi_temp_path {temporary}-uwsgi; scgi_temp_path {temporary}-scgi;\n\
             server {{ listen {address}; root {shown}; }} }}\n"
        );
        // The workers of a privileged nginx have an account of their own, which must get at the file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).map_err(io)?;
        }
        let file = directory.join("nginx.conf");
        std::fs::write(&file, configuration).map_err(io)?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(io)?;
        for _ in 0..100 {
            if Connection::open(&address).await.is_ok() {
                return Ok(Some(Self { address, _child: child }));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nginx does not start".to_owned())
    }
}
