//! `cargo xtask soak parsers`: answers that no service would give, made from those that it would.
//!
//! Whatever comes, a call ends soon, without a panic, and with a result or an error of a few lines. Each round has a
//! random generator of its own, so `--family` and `--round` repeat one alone.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use oss_sdk::dynamic::{Clients, DynamicError};
use oss_sdk::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use oss_sdk::http::{Method, StatusCode};
use oss_sdk::transport::{Transport, TransportRequest};
use oss_sdk::{Client, Config, Credentials, ErrorKind, FromText, Timestamp, ToText};
use oss_suite::generated::wire;
use oss_suite::random::Random;
use oss_suite::requests::{ACCOUNT_ID, REGION, samples};
use serde_json::Value;

use super::answers::{Answer, Answers};
use super::frames::{self, Meta, Select};
use super::mutate::mutate;

/// Longest time that one answer may take. Nearly all take less than a millisecond; this is for builds without
/// optimization on machines under load.
const LONGEST: Duration = Duration::from_secs(10);

/// Most memory that the whole run may have held at once.
const MOST_MEMORY: u64 = 1 << 30;

/// Longest error with all of its sources, in bytes.
const LONGEST_ERROR: usize = 16 * 1024;

/// Feeds changed answers to the parsers.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What is changed and how; the same seed repeats a run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds for each family.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only these families.
    #[arg(long)]
    family: Vec<Family>,
    /// Only this round of each family, to repeat a failure.
    #[arg(long)]
    round: Option<u64>,
}

/// What is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// XML documents.
    Xml,
    /// JSON documents.
    Json,
    /// Error documents, in bodies and in headers.
    Errors,
    /// Frames with data.
    SelectFrames,
    /// Frames without data.
    MetaFrames,
    /// Numbers, times and other texts in headers and elements.
    Texts,
}

/// An operation with a good answer.
struct Sample {
    service: &'static str,
    operation: &'static str,
    input: Value,
    answer: Answer,
}

/// What a family's run did.
#[derive(Debug, Default)]
struct Done {
    rounds: u64,
    slowest: Duration,
    slowest_round: u64,
}

/// What all rounds of a family share.
struct Rig {
    runtime: tokio::runtime::Runtime,
    answers: Answers,
    clients: Clients,
    client: Client,
    samples: Vec<Sample>,
}

pub(super) fn run(arguments: &Arguments) -> Result<String, String> {
    let families = match arguments.family.is_empty() {
        true => Family::value_variants(),
        false => &arguments.family,
    };
    let mut report = String::new();
    for family in families {
        eprintln!("parsers: {family:?}, seed {}", arguments.seed);
        let done = watched(*family, arguments)?;
        let text = format!(
            "{family:?}: {} rounds, the slowest ({}) took {} ms\n",
            done.rounds,
            done.slowest_round,
            done.slowest.as_millis()
        );
        eprint!("{text}");
        report.push_str(&text);
    }
    if let Some(memory) = peak_memory() {
        report.push_str(&format!("at most {} MiB were in use", memory >> 20));
        if memory > MOST_MEMORY {
            return Err(format!("{report}: too much"));
        }
    }
    Ok(report)
}

/// Runs a family on a thread of its own, so that one that hangs is noticed.
fn watched(family: Family, arguments: &Arguments) -> Result<Done, String> {
    let current = Arc::new(AtomicU64::new(0));
    let (seed, seconds, only) = (arguments.seed, arguments.seconds, arguments.round);
    let worker = {
        let current = Arc::clone(&current);
        std::thread::spawn(move || rounds(family, seed, Duration::from_secs(seconds), only, &current))
    };
    let mut seen = (u64::MAX, Instant::now());
    while !worker.is_finished() {
        std::thread::sleep(Duration::from_millis(50));
        let round = current.load(Ordering::Relaxed);
        if round != seen.0 {
            seen = (round, Instant::now());
        } else if seen.1.elapsed() > 3 * LONGEST {
            return Err(failure(family, seed, round, "hangs"));
        }
    }
    worker
        .join()
        .map_err(|_| format!("{family:?}: the proof itself failed"))?
}

fn failure(family: Family, seed: u64, round: u64, what: &str) -> String {
    let family = family.to_possible_value().map(|value| value.get_name().to_owned());
    let family = family.unwrap_or_default();
    format!("{what}; repeat it with `--seed {seed} --family {family} --round {round}`")
}

fn rounds(family: Family, seed: u64, time: Duration, only: Option<u64>, current: &AtomicU64) -> Result<Done, String> {
    let rig = Rig::new(family)?;
    let started = Instant::now();
    let mut done = Done::default();
    for round in only.unwrap_or(0).. {
        if only.is_some_and(|only| round > only) || (only.is_none() && started.elapsed() >= time) {
            break;
        }
        current.store(round, Ordering::Relaxed);
        // Neighbouring rounds have nothing in common.
        let mut random = Random::new(Random::new(seed ^ round.rotate_left(32)).number());
        let begun = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| rig.round(family, &mut random))) {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => return Err(failure(family, seed, round, &problem)),
            Err(_) => return Err(failure(family, seed, round, "a panic")),
        }
        let took = begun.elapsed();
        if took > LONGEST {
            let problem = format!("an answer took {:.1} s", took.as_secs_f64());
            return Err(failure(family, seed, round, &problem));
        }
        if took > done.slowest {
            (done.slowest, done.slowest_round) = (took, round);
        }
        done.rounds += 1;
    }
    Ok(done)
}

impl Rig {
    fn new(family: Family) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let answers = Answers::default();
        let config = Config::new()
            .region(REGION)
            .account_id(ACCOUNT_ID)
            .credentials(Credentials::new("ak", "sk"))
            .retry_attempts(1)
            .disable_upload_crc64_check(true)
            .disable_download_crc64_check(true)
            .disable_clock_skew_correction(true)
            .transport(answers.clone());
        let client = Client::new(config.clone()).map_err(|error| error.to_string())?;
        let mut rig = Rig {
            samples: good_answers(&runtime)?,
            clients: Clients::new(config),
            runtime,
            answers,
            client,
        };
        rig.samples.retain(|sample| match family {
            Family::Xml => sample.answer.body.starts_with(b"<"),
            Family::Json => sample.answer.body.starts_with(b"{") || sample.answer.body.starts_with(b"["),
            Family::Texts => !sample.answer.headers.is_empty() || sample.answer.body.starts_with(b"<"),
            Family::Errors | Family::SelectFrames | Family::MetaFrames => true,
        });
        if rig.samples.is_empty() {
            return Err(format!("{family:?}: there are no samples"));
        }
        // What is not understood unchanged would prove nothing.
        for sample in &rig.samples {
            rig.call(sample, sample.answer.clone())
                .map_err(|error| format!("the sample of {}: {error}", sample.operation))?;
        }
        Ok(rig)
    }

    fn call(&self, sample: &Sample, answer: Answer) -> Result<Value, DynamicError> {
        self.answers.set(answer);
        let call = self
            .clients
            .call(sample.service, sample.operation, sample.input.clone());
        self.runtime.block_on(call)
    }

    fn round(&self, family: Family, random: &mut Random) -> Result<(), String> {
        match family {
            Family::Xml | Family::Json => self.document(random),
            Family::Errors => self.error(random),
            Family::SelectFrames => self.select(random),
            Family::MetaFrames => self.meta(random),
            Family::Texts => {
                text(random)?;
                self.headers(random)
            }
        }
    }

    fn any(&self, random: &mut Random) -> &Sample {
        &self.samples[random.below(self.samples.len() as u64) as usize]
    }

    fn bodies(&self, random: &mut Random) -> Vec<&[u8]> {
        (0..3).map(|_| &self.any(random).answer.body[..]).collect()
    }

    fn document(&self, random: &mut Random) -> Result<(), String> {
        let sample = self.any(random);
        let mut answer = sample.answer.clone();
        let others = self.bodies(random);
        mutate(random, &mut answer.body, &others);
        if random.below(2) == 0 {
            answer.split(random);
        }
        judge(self.call(sample, answer))
    }

    fn error(&self, random: &mut Random) -> Result<(), String> {
        const DOCUMENTS: [&[u8]; 4] = [
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchKey</Code>\n  <Message>The key &lt;k&gt; \
              does not exist.</Message>\n  <RequestId>5C3D</RequestId>\n  <HostId>h</HostId>\n  <EC>0026-00000001</EC>\n\
              </Error>",
            br#"{"Error": {"Code": "NoSuchIndex", "Message": "There is none.", "RequestId": "5C3D", "EC": "1"}}"#,
            br#"{"Code": "Throttling.User", "Message": "Too fast.", "RequestId": "5C3D", "HostId": "h"}"#,
            br#"{"message": "There is none.", "requestId": "5C3D"}"#,
        ];
        const STATUSES: [u16; 12] = [200, 203, 301, 304, 400, 403, 404, 409, 412, 429, 500, 503];
        let sample = self.any(random);
        let mut document = DOCUMENTS[random.below(4) as usize].to_vec();
        mutate(random, &mut document, &DOCUMENTS);
        let mut answer = Answer {
            status: StatusCode::from_u16(STATUSES[random.below(12) as usize]).unwrap_or_default(),
            ..Answer::default()
        };
        if random.below(3) == 0 {
            let is_json = random.below(2) == 0;
            let kind = if is_json { "application/json" } else { "application/xml" };
            answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if random.below(4) == 0 {
            let mut code = b"NotFoundException:http://host/".to_vec();
            mutate(random, &mut code, &[]);
            set(&mut answer.headers, "x-oss-error-type", &code);
        }
        if random.below(3) == 0 {
            let mut text = Bytes::from(document).to_text().into_owned().into_bytes();
            if random.below(3) == 0 {
                mutate(random, &mut text, &[]);
            }
            set(&mut answer.headers, "x-oss-err", &text);
        } else {
            answer.body = document;
            answer.split(random);
        }
        judge(self.call(sample, answer))
    }

    fn select(&self, random: &mut Random) -> Result<(), String> {
        let (mut body, data) = frames::select(random);
        let is_changed = random.below(4) > 0;
        if is_changed {
            mutate(random, &mut body, &[]);
        }
        let mut answer = Answer {
            body,
            ..Answer::default()
        };
        answer.split(random);
        self.answers.set(answer);
        let outcome = self
            .runtime
            .block_on(async { self.client.invoke(Select).await?.bytes().await });
        match outcome {
            Ok(found) if !is_changed && found != data => Err("data came out changed".to_owned()),
            Err(error) if !is_changed => Err(format!("a good answer was refused: {error}")),
            outcome => judge(outcome.map_err(DynamicError::from)),
        }
    }

    fn meta(&self, random: &mut Random) -> Result<(), String> {
        let mut body = frames::meta(random);
        let is_changed = random.below(4) > 0;
        if is_changed {
            mutate(random, &mut body, &[]);
        }
        self.answers.set(Answer {
            body,
            ..Answer::default()
        });
        match self.runtime.block_on(async { self.client.invoke(Meta).await }) {
            Err(error) if !is_changed => Err(format!("a good answer was refused: {error}")),
            outcome => judge(outcome.map_err(DynamicError::from)),
        }
    }

    /// Values of headers, and texts of elements.
    fn headers(&self, random: &mut Random) -> Result<(), String> {
        let sample = self.any(random);
        let mut answer = sample.answer.clone();
        for (name, value) in &sample.answer.headers {
            if random.below(2) == 0 {
                let mut text = value.as_bytes().to_vec();
                mutate(random, &mut text, &[b"1", b"-", b"T", b"Z"]);
                text.truncate(64 * 1024);
                set(&mut answer.headers, name.as_str(), &text);
            }
        }
        // Between `>` and `<`.
        if let Some(at) = answer
            .body
            .windows(2)
            .position(|pair| pair[0] == b'>' && pair[1] != b'<')
        {
            let mut rest = answer.body.split_off(at + 1);
            let end = rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len());
            let mut text: Vec<u8> = rest.drain(..end).collect();
            mutate(random, &mut text, &[b"1", b"-", b"T", b"Z"]);
            answer.body.extend_from_slice(&text);
            answer.body.extend_from_slice(&rest);
        }
        judge(self.call(sample, answer))
    }
}

/// The answers of the wire snapshots, with inputs to call their operations.
fn good_answers(runtime: &tokio::runtime::Runtime) -> Result<Vec<Sample>, String> {
    let mut inputs: BTreeMap<(&str, &str), Value> = samples(0, 0)?
        .into_iter()
        .map(|sample| ((sample.service, sample.operation), sample.input))
        .collect();
    let mut found = Vec::new();
    for case in wire::cases() {
        let Some(input) = inputs.remove(&(case.service, case.operation)) else {
            continue;
        };
        let request = TransportRequest::new(Method::GET, "http://host/");
        let transport = case.recorded();
        let answer = runtime.block_on(async {
            let mut response = transport.send(request).await.map_err(|error| error.to_string())?;
            let mut body = Vec::new();
            while let Some(chunk) = std::future::poll_fn(|cx| response.body.poll_chunk(cx)).await {
                body.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
            }
            Ok::<_, String>(Answer {
                status: response.status,
                headers: response.headers,
                body,
                pieces: Vec::new(),
            })
        })?;
        found.push(Sample {
            service: case.service,
            operation: case.operation,
            input,
            answer,
        });
    }
    Ok(found)
}

/// Texts of all kinds, without a client around.
fn text(random: &mut Random) -> Result<(), String> {
    const GOOD: [&str; 10] = [
        "9223372036854775807",
        "-1",
        "18446744073709551615",
        "1.5e-7",
        "true",
        "2023-12-17T03:30:09.123Z",
        "2023-12-17T03:30:09+08:00",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "784111777",
        "aGVsbG8=",
    ];
    let mut bytes = GOOD[random.below(10) as usize].as_bytes().to_vec();
    mutate(random, &mut bytes, &GOOD.map(str::as_bytes));
    let text = String::from_utf8_lossy(&bytes);
    again::<i64>(&text)?;
    again::<i32>(&text)?;
    again::<u64>(&text)?;
    again::<u32>(&text)?;
    again::<bool>(&text)?;
    again::<Bytes>(&text)?;
    again::<String>(&text)?;
    again::<Timestamp>(&text)?;
    // These have values that do not equal themselves.
    let _ = f64::from_text(&text);
    let _ = f32::from_text(&text);
    Ok(())
}

/// What was read is written in a form that reads as the same. Times are written to the millisecond.
fn again<T: FromText + ToText + std::fmt::Debug>(text: &str) -> Result<(), String> {
    match T::from_text(text) {
        Ok(value) => {
            let written = value.to_text();
            match T::from_text(&written) {
                Ok(same) if same.to_text() == written => Ok(()),
                other => Err(format!(
                    "`{:.200}` is written as `{written:.200}`, which reads as {other:.200?}",
                    text.escape_debug().to_string()
                )),
            }
        }
        Err(error) if error.to_string().len() > 1024 => Err("an error repeats too much".to_owned()),
        Err(_) => Ok(()),
    }
}

/// A result, or an error of a kind that answers cause, in a few lines.
fn judge<T>(outcome: Result<T, DynamicError>) -> Result<(), String> {
    let Err(error) = outcome else {
        return Ok(());
    };
    let DynamicError::Call(error) = &error else {
        return Err(format!("not the answer was refused: {error}"));
    };
    let expected = [
        ErrorKind::Service,
        ErrorKind::Decode,
        ErrorKind::Transport,
        ErrorKind::ChecksumMismatch,
    ];
    if !expected.contains(&error.kind()) {
        return Err(format!("an error of kind {:?}: {error}", error.kind()));
    }
    let mut length = format!("{error} {error:?}").len();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        length += error.to_string().len();
        cause = error.source();
    }
    match length {
        ..=LONGEST_ERROR => Ok(()),
        length => Err(format!("an error of {length} bytes: {:.500}", error.to_string())),
    }
}

/// Sets a header, without the bytes that HTTP cannot carry.
fn set(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    let value: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7F))
        .collect();
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value)) {
        headers.insert(name, value);
    }
}

/// The most memory that this process has held, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
