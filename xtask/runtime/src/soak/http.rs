//! `cargo xtask soak http`: requests of every operation, first as they should be and then damaged, at many connections.
//!
//! Half of the damage is done before the request is signed, so that it gets behind the authentication; the other half to the bytes
//! themselves, or to how they are sent. Whatever comes, the emulator answers soon, in HTTP, with an error document that has a code,
//! tells nothing of its machine, does not panic, and stays small. Each round has a random generator of its own, so `--round`
//! repeats what one round sends.

mod answer;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use clap::Args;
use oss_sdk::{Timestamp, ToText as _};
use oss_suite::random::Random;
use oss_suite::requests::{ACCOUNT_ID, Recorder, samples};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::answer::{Classes, Secrets, judge};
use self::wire::{Wire, index};
use super::mutate::mutate;
use super::server::{Ending, Server};

/// Longest time to an answer.
const LONGEST: Duration = Duration::from_secs(20);
/// How long a connection is silent before this side ends it, where the end of the request may be damaged.
const SILENCE: Duration = Duration::from_millis(300);
/// Most memory that the emulator may have held.
const MOST_MEMORY: u64 = 512 << 20;
/// Rounds that one bucket serves; by then they have usually spoiled it.
const ROUNDS_OF_A_BUCKET: u64 = 200;
/// Most bytes of a request that a failure shows.
const SHOWN: usize = 16 * 1024;

/// Sends damaged requests to an emulator.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What is sent; the same seed repeats it, though not the order in which connections get to send.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 8)]
    connections: u64,
    /// Only this round, to repeat a failure.
    #[arg(long)]
    round: Option<u64>,
}

/// What all connections share.
struct Rig {
    seed: u64,
    address: String,
    wires: Vec<Wire>,
    secrets: Secrets,
    next: AtomicU64,
    until: Instant,
    only: Option<u64>,
}

/// Bytes to send, and how.
struct Plan {
    bytes: Vec<u8>,
    /// Lengths of the pieces in which they leave.
    pieces: Vec<usize>,
    /// Whether this side may end the connection first, since the server cannot know where the request ends.
    may_be_cut: bool,
    has_head: bool,
    /// Ends the connection without waiting for an answer.
    leaves: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<String, String> {
    eprintln!("http: seed {}, {} s", arguments.seed, arguments.seconds);
    let directory = tempfile::tempdir().map_err(|error| format!("a temporary directory: {error}"))?;
    let options = [
        "--data-dir".as_ref(),
        directory.path().as_os_str(),
        "--account-id".as_ref(),
        ACCOUNT_ID.as_ref(),
    ];
    let server = Server::start(&options).await?;
    let rig = Arc::new(Rig {
        seed: arguments.seed,
        address: server.address().to_owned(),
        wires: wires(server.address()).await?,
        secrets: Secrets(vec![
            directory.path().display().to_string(),
            "panicked".to_owned(),
            "soak-secret".to_owned(),
        ]),
        next: AtomicU64::new(arguments.round.unwrap_or_default()),
        until: Instant::now() + Duration::from_secs(arguments.seconds),
        only: arguments.round,
    });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..arguments.connections {
        let rig = Arc::clone(&rig);
        tasks.spawn(async move { rig.work().await });
    }
    let mut classes = Classes::new();
    let mut problem = None;
    while let Some(done) = tasks.join_next().await {
        match done
            .map_err(|_| "the proof itself failed".to_owned())
            .and_then(|done| done)
        {
            Ok(counted) => counted
                .into_iter()
                .for_each(|(class, count)| *classes.entry(class).or_default() += count),
            Err(failure) => {
                problem = Some(failure);
                break;
            }
        }
    }
    tasks.shutdown().await;
    if let Some(complaint) = server.complaint() {
        let after = problem.unwrap_or_else(|| format!("see the rounds before {}", rig.next.load(Ordering::Relaxed)));
        return Err(format!("the emulator complained: {complaint}\n{after}"));
    }
    if let Some(problem) = problem {
        return Err(problem);
    }
    let peak = server.peak_memory();
    if let Some(peak) = peak.filter(|peak| *peak > MOST_MEMORY) {
        return Err(format!("the emulator held {} MiB", peak >> 20));
    }
    server.end(Ending::Term).await?;
    // Each connection takes one number more than it has use for.
    let begun = arguments.round.unwrap_or_default() + arguments.connections;
    let rounds = rig.next.load(Ordering::Relaxed).saturating_sub(begun);
    let classes: Vec<_> = classes
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    let peak = peak.map_or_else(String::new, |peak| format!("; at most {} MiB", peak >> 20));
    Ok(format!(
        "{rounds} rounds of {} requests: {}{peak}",
        rig.wires.len(),
        classes.join(", ")
    ))
}

/// Requests as the SDK sends them, and some that need to make more sense than samples do.
async fn wires(address: &str) -> Result<Vec<Wire>, String> {
    const QUERY: &str = "select _1, count(*) from ossobject where _2 > 5 and (_1 like 'a%' or _3 is not null) limit 10";
    let recorder = Recorder::new(Some(&format!("http://{address}")));
    let mut wires = Vec::new();
    for sample in samples(1, 1)? {
        // What the SDK itself refuses to send is no sample.
        if let Ok(sent) = recorder.request(sample.service, sample.operation, sample.input).await {
            wires.extend(Wire::recorded(&sent));
        }
    }
    if wires.is_empty() {
        return Err("there are no requests".to_owned());
    }
    for actions in [
        "resize,w_3/format,png",
        "crop,w_2,h_2/rotate,90",
        "info",
        "resize,p_5000/quality,q_1",
        "blur,r_3,s_2",
    ] {
        let target = format!("/bucket/picture?x-oss-process=image/{actions}");
        wires.push(Wire::new("GET", &target, b""));
    }
    let expression = Bytes::from_static(QUERY.as_bytes()).to_text().into_owned();
    let document = format!(
        "<SelectRequest><Expression>{expression}</Expression><InputSerialization><CSV><FileHeaderInfo>None</FileHeaderInfo></CSV>\
         </InputSerialization><OutputSerialization><CSV/></OutputSerialization></SelectRequest>"
    );
    wires.push(Wire::new(
        "POST",
        "/bucket/table?x-oss-process=csv%2Fselect",
        document.as_bytes(),
    ));
    Ok(wires)
}

impl Rig {
    async fn work(&self) -> Result<Classes, String> {
        let mut classes = Classes::new();
        loop {
            let round = self.next.fetch_add(1, Ordering::Relaxed);
            let is_over = match self.only {
                Some(only) => round > only,
                None => Instant::now() >= self.until,
            };
            if is_over {
                return Ok(classes);
            }
            let bucket = format!("soak-http-{}", round / ROUNDS_OF_A_BUCKET);
            if round.is_multiple_of(ROUNDS_OF_A_BUCKET) || self.only.is_some() {
                self.prepare(&bucket).await?;
            }
            // Neighbouring rounds have nothing in common.
            let mut random = Random::new(Random::new(self.seed ^ round.rotate_left(32)).number());
            let plan = self.plan(round, &bucket, &mut random);
            let counted = self
                .exchange(&plan, &mut random)
                .await
                .map_err(|problem| self.failure(round, &plan, &problem))?;
            counted
                .into_iter()
                .for_each(|(class, count)| *classes.entry(class).or_default() += count);
            if round.is_multiple_of(64) {
                self.probe()
                    .await
                    .map_err(|problem| self.failure(round, &plan, &problem))?;
            }
        }
    }

    fn failure(&self, round: u64, plan: &Plan, problem: &str) -> String {
        let shown = &plan.bytes[..plan.bytes.len().min(SHOWN)];
        let more = plan.bytes.len() - shown.len();
        format!(
            "{problem}; repeat it with `--seed {} --round {round}`\n{}{}",
            self.seed,
            shown.escape_ascii(),
            if more > 0 {
                format!("... and {more} bytes more")
            } else {
                String::new()
            }
        )
    }

    fn stamp() -> String {
        Timestamp::from(SystemTime::now()).to_iso8601_basic()
    }

    /// A bucket that everybody may write to, with an object of each kind.
    async fn prepare(&self, bucket: &str) -> Result<(), String> {
        const PICTURE: &[u8] =
            b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x02\0\x02\0\0\x02\x03D\x02\x05\0;";
        let mut random = Random::new(0);
        for (path, body) in [
            ("", b"".as_slice()),
            ("k", b"0123456789"),
            ("picture", PICTURE),
            ("table", b"a,6,x\nab,7,\nb,8,y\n"),
        ] {
            let mut wire = Wire::new("PUT", &format!("/{bucket}/{path}"), body);
            if path.is_empty() {
                wire.headers
                    .push(("x-oss-acl".to_owned(), b"public-read-write".to_vec()));
            }
            wire.sign(&Self::stamp());
            let plan = Plan {
                bytes: wire.bytes(&mut random, &self.address, true),
                pieces: Vec::new(),
                may_be_cut: false,
                has_head: false,
                leaves: false,
            };
            // Settings of the account may forbid what follows, such as blocks of public access.
            self.exchange(&plan, &mut random).await?;
        }
        Ok(())
    }

    fn any(&self, random: &mut Random) -> &Wire {
        &self.wires[index(random, self.wires.len())]
    }

    fn plan(&self, round: u64, bucket: &str, random: &mut Random) -> Plan {
        let settled = |wire: &Wire, random: &mut Random| {
            let mut wire = wire.clone();
            let keys = [None, Some("k"), Some("k"), Some("picture"), Some("table")];
            let key = if wire.path.contains("picture") || wire.path.contains("table") {
                None
            } else {
                keys[index(random, keys.len())]
            };
            wire.settle(bucket, key);
            wire
        };
        // Each as it should be first.
        let first = usize::try_from(round).ok().and_then(|round| self.wires.get(round));
        let is_first = first.is_some();
        let mut wire = settled(first.unwrap_or_else(|| self.any(random)), random);
        let (mut has_head, mut bytes, mut may_be_cut, mut leaves) = (wire.method == "HEAD", Vec::new(), false, false);
        if is_first {
            wire.sign(&Self::stamp());
            bytes = wire.bytes(random, &self.address, true);
        } else {
            let others: Vec<&[u8]> = (0..3).map(|_| &self.any(random).body[..]).collect();
            let ahead = if random.below(6) == 0 { random.below(4) } else { 0 };
            for is_last in (0..=ahead).map(|left| left == ahead) {
                if random.below(2) == 0 {
                    wire.damage(random, &others);
                }
                if random.below(5) > 0 {
                    wire.sign(&Self::stamp());
                }
                has_head |= wire.method == "HEAD";
                bytes.extend(wire.bytes(random, &self.address, is_last));
                if !is_last {
                    wire = settled(self.any(random), random);
                }
            }
            match random.below(4) {
                0 => {
                    // A method that is changed into HEAD is as good as impossible.
                    let end = bytes.len().min(2048);
                    let mut start: Vec<u8> = bytes.drain(..end).collect();
                    mutate(
                        random,
                        &mut start,
                        &[
                            b"\r\n",
                            b"transfer-encoding: chunked\r\n",
                            b"content-length: 5\r\n",
                            b"\r\n\r\n",
                        ],
                    );
                    bytes.splice(..0, start);
                    may_be_cut = true;
                }
                1 if random.below(3) == 0 => {
                    bytes.truncate(index(random, bytes.len() + 1));
                    (may_be_cut, leaves) = (true, random.below(2) == 0);
                }
                _ => {}
            }
        }
        let mut pieces = Vec::new();
        if random.below(4) == 0 {
            let mut left = bytes.len();
            while left > 0 && pieces.len() < 40 {
                let piece = (1 + index(random, 200)).min(left);
                pieces.push(piece);
                left -= piece;
            }
        }
        Plan {
            bytes,
            pieces,
            may_be_cut,
            has_head,
            leaves,
        }
    }

    /// Sends what is planned and holds what comes against what is true of every answer.
    async fn exchange(&self, plan: &Plan, random: &mut Random) -> Result<Classes, String> {
        let stream = TcpStream::connect(&self.address).await;
        let mut stream = stream.map_err(|error| format!("no connection: {error}"))?;
        let _ = stream.set_nodelay(true);
        let (mut read, mut write) = stream.split();
        let slow = random.below(8) == 0;
        let sending = async {
            let mut rest = &plan.bytes[..];
            for piece in &plan.pieces {
                let (now, later) = rest.split_at(*piece);
                // A server that refuses early may close before it has read everything.
                if write.write_all(now).await.is_err() {
                    return;
                }
                rest = later;
                if slow {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                } else {
                    tokio::task::yield_now().await;
                }
            }
            let _ = write.write_all(rest).await;
        };
        if plan.leaves {
            sending.await;
            return Ok(Classes::from([("left without waiting", 1)]));
        }
        let (mut answer, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        let receiving = async {
            let mut is_reset = false;
            loop {
                let silence = if plan.may_be_cut { SILENCE } else { LONGEST };
                match tokio::time::timeout(silence, read.read(&mut buffer)).await {
                    Ok(Ok(0)) => break,
                    Ok(Ok(length)) => answer.extend_from_slice(&buffer[..length]),
                    Ok(Err(_)) => {
                        is_reset = true;
                        break;
                    }
                    Err(_) => return Err(()),
                }
            }
            Ok(is_reset)
        };
        let (_, received) = tokio::join!(sending, receiving);
        let is_reset = match received {
            Ok(is_reset) => is_reset,
            Err(()) if plan.may_be_cut => {
                // It waits for more, as it should: the request is damaged.
                let _ = write.shutdown().await;
                let rest = tokio::time::timeout(LONGEST, read.read_to_end(&mut answer)).await;
                rest.map_err(|_| "the connection does not end".to_owned())?.is_err()
            }
            Err(()) => return Err(format!("no answer within {} s", LONGEST.as_secs())),
        };
        judge(&answer, &self.secrets, plan.may_be_cut || is_reset, plan.has_head)
    }

    /// Whether the emulator is well.
    async fn probe(&self) -> Result<(), String> {
        let plan = Plan {
            bytes: format!(
                "GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.address
            )
            .into_bytes(),
            pieces: Vec::new(),
            may_be_cut: false,
            has_head: false,
            leaves: false,
        };
        let classes = self.exchange(&plan, &mut Random::new(0)).await?;
        match classes.contains_key("2xx") {
            true => Ok(()),
            false => Err(format!("the emulator is not well: {classes:?}")),
        }
    }
}
