//! Ends the emulator at random moments under a load of writers, and looks at what it kept.
//!
//! Every writer owns what it writes, and knows two states of it: what was acknowledged last, and what the request that
//! is under way will have made of it. After a restart everything must be in one of them: content byte for byte, the
//! metadata that was written with it, all versions and delete markers, uploads and their parts, settings, vectors and
//! tables. Until the program is told to end, no request may fail.

mod clients;
mod observe;
mod state;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use oss_suite::random::Random;
use tokio::task::JoinSet;

use super::server::{Ending, Server};
use clients::Clients;
use writer::{Round, UnderWay, Writer};

/// Longest wait for the writes that a round needs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for something unfinished.
const UNFINISHED: Duration = Duration::from_secs(2);
/// A run of so many acknowledged writes has some of every kind.
const ENOUGH: u64 = 5_000;
const KINDS: usize = 24;

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is written and when it ends; the same seed repeats the writers' plans, though not their pace.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends of the program.
    #[arg(long, default_value_t = 500)]
    rounds: u64,
    /// Stop after this many seconds, whatever is left of the rounds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Writers at once.
    #[arg(long, default_value_t = 8)]
    writers: u64,
    /// How the program ends.
    #[arg(long, value_enum, default_value_t = Ending::Kill)]
    ending: Ending,
    /// Acknowledged writes that a round has at least before the program is ended.
    #[arg(long, default_value_t = 16)]
    least: u64,
    /// Longest time under load after those, in milliseconds.
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
    acknowledged: BTreeMap<&'static str, u64>,
    /// Requests under way at an end that had taken effect, and that had not.
    applied: u64,
    lost: u64,
    verified: u64,
    /// Ends while the program was starting, and while it had something unfinished on its disk.
    starting: u64,
    unfinished: u64,
}

impl Report {
    fn writes(&self) -> u64 {
        self.acknowledged.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} ends under load ({} more during a start, {} with something unfinished on the disk), {} acknowledged writes, \
             {} things compared after the restarts, none lost or partial; of the requests without an answer {} had taken \
             effect and {} had not",
            self.rounds,
            self.starting,
            self.unfinished,
            self.writes(),
            self.verified,
            self.applied,
            self.lost
        )?;
        let kinds = self.acknowledged.iter().map(|(kind, count)| format!("{count} {kind}"));
        write!(out, "acknowledged: {}", kinds.collect::<Vec<_>>().join(", "))
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<String, String> {
    let temporary = tempfile::tempdir().map_err(|error| format!("a temporary directory: {error}"))?;
    let directory = arguments.data_dir.as_deref().unwrap_or(temporary.path());
    eprintln!(
        "kills: seed {}, at most {} rounds, {} writers",
        arguments.seed, arguments.rounds, arguments.writers
    );
    let options = ["--data-dir".as_ref(), directory.as_os_str()];
    let mut random = Random::new(arguments.seed);
    let mut writers: Vec<Writer> = (0..arguments.writers)
        .map(|number| Writer::new(number, random.number()))
        .collect();
    let mut report = Report::default();
    let began = Instant::now();
    let mut server = Server::start(&options).await?;
    let mut starting = began.elapsed();
    let lake = Clients::new(&server, "")?.prepare(arguments.writers).await;
    let lake = lake.map_err(|error| format!("what the writers need: {error}"))?;
    let enough = |began: Instant| {
        let seconds = arguments.seconds.map(Duration::from_secs);
        seconds.is_some_and(|seconds| began.elapsed() >= seconds)
    };
    for round in 0..arguments.rounds {
        if enough(began) {
            break;
        }
        let within = |problem: String| format!("round {round}: {problem}");
        let clients = Clients::new(&server, &lake)?;
        let loaded = load(arguments, &mut random, server, &clients, writers, directory).await;
        let unfinished;
        (writers, unfinished) = loaded.map_err(within)?;
        report.unfinished += u64::from(unfinished);
        // Recovery must stand being cut short, again and again.
        while random.below(3) == 0 {
            let longest = u64::try_from(starting.as_millis()).unwrap_or(u64::MAX).max(1);
            let after = Duration::from_millis(random.below(longest));
            Server::cut_short(&options, after).await.map_err(within)?;
            report.starting += 1;
        }
        let start = Instant::now();
        server = Server::start(&options).await.map_err(within)?;
        starting = start.elapsed();
        let clients = Clients::new(&server, &lake)?;
        writers = verify(&clients, writers, &mut report).await.map_err(within)?;
        report.rounds += 1;
    }
    for writer in &writers {
        for (kind, count) in &writer.acknowledged {
            *report.acknowledged.entry(kind).or_default() += count;
        }
    }
    server.end(Ending::Term).await?;
    if report.writes() < arguments.least * report.rounds || report.rounds == 0 {
        return Err(format!("too little was written, which proves nothing: {report}"));
    }
    if report.writes() >= ENOUGH && report.acknowledged.len() < KINDS {
        return Err(format!("some kinds of writes never happened: {report}"));
    }
    Ok(report.to_string())
}

/// Lets all writers write, and ends the program in the midst of it. Tells whether something was unfinished then.
async fn load(
    arguments: &Arguments,
    random: &mut Random,
    server: Server,
    clients: &Clients,
    writers: Vec<Writer>,
    directory: &Path,
) -> Result<(Vec<Writer>, bool), String> {
    let round = Arc::new(Round::default());
    let mut tasks = JoinSet::new();
    for mut writer in writers {
        let (clients, round) = (clients.clone(), Arc::clone(&round));
        tasks.spawn(async move {
            let ended = writer.write(&clients, &round).await;
            ended.map(|()| writer)
        });
    }
    let moment = async {
        while round.acknowledged.load(Ordering::Relaxed) < arguments.least {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if random.below(4) == 0 {
            return unfinished(directory).await;
        }
        let microseconds = random.below(arguments.longest.max(1) * 1000);
        tokio::time::sleep(Duration::from_micros(microseconds)).await;
        false
    };
    // A writer that fails ends the wait: what it met is told, not that nothing was written.
    let unfinished = tokio::select! {
        moment = tokio::time::timeout(PATIENCE, moment) => moment.map_err(|_| "too few writes are acknowledged")?,
        Some(ended) = tasks.join_next() => {
            let problem = ended.map_err(|error| error.to_string())?.err();
            return Err(problem.unwrap_or_else(|| "a writer stopped by itself".to_owned()));
        }
    };
    round.ending.store(true, Ordering::Release);
    server.end(arguments.ending).await?;
    let mut writers = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        writers.push(ended.map_err(|error| error.to_string())??);
    }
    writers.sort_by_key(|writer| writer.number);
    Ok((writers, unfinished))
}

/// Waits until the program has something unfinished in its directory: a bucket that comes or goes, a journal that is
/// being shortened.
async fn unfinished(directory: &Path) -> bool {
    let place = directory.join("tmp");
    let end = Instant::now() + UNFINISHED;
    let found = tokio::task::spawn_blocking(move || {
        while Instant::now() < end {
            if std::fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) {
                return true;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
        false
    });
    found.await.unwrap_or_default()
}

async fn verify(clients: &Clients, writers: Vec<Writer>, report: &mut Report) -> Result<Vec<Writer>, String> {
    let mut tasks = JoinSet::new();
    for mut writer in writers {
        let clients = clients.clone();
        tasks.spawn(async move {
            let seen = Box::pin(writer.verify(&clients)).await?;
            Ok::<_, String>((writer, seen))
        });
    }
    let mut writers = Vec::new();
    while let Some(verified) = tasks.join_next().await {
        let (writer, (under_way, things)) = verified.map_err(|error| error.to_string())??;
        match under_way {
            UnderWay::Nothing => {}
            UnderWay::Applied => report.applied += 1,
            UnderWay::Lost => report.lost += 1,
        }
        report.verified += things;
        writers.push(writer);
    }
    writers.sort_by_key(|writer| writer.number);
    Ok(writers)
}
