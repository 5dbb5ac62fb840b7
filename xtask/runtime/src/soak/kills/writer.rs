//! A writer: what it does next, and what it knows when a request of it gets no answer.

mod objects;
mod settings;
mod tables;
mod uploads;
mod versions;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use oss_sdk::{Error, ErrorKind};
use oss_suite::random::Random;

use super::clients::Clients;
use super::observe::observe;
use super::state::{Content, Piece, State};

/// What all writers of a round look at.
#[derive(Default)]
pub(super) struct Round {
    /// The program is being ended: a connection may break from here on.
    pub(super) ending: AtomicBool,
    /// Answers to writes in this round.
    pub(super) acknowledged: AtomicU64,
}

/// What became of the request that was under way at an end.
#[derive(Clone, Copy)]
pub(super) enum UnderWay {
    Nothing,
    Applied,
    Lost,
}

/// A writer and everything that is its own. Nobody else writes there.
pub(super) struct Writer {
    pub(super) number: u64,
    random: Random,
    /// What was acknowledged.
    known: State,
    /// What a request without an answer would have made of it: one of these.
    possible: Vec<State>,
    /// Acknowledged writes by kind.
    pub(super) acknowledged: BTreeMap<&'static str, u64>,
}

impl Writer {
    pub(super) fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            random: Random::new(seed),
            known: State::default(),
            possible: Vec::new(),
            acknowledged: BTreeMap::new(),
        }
    }

    /// Writes until the program ends. An answer that says no, and a connection that breaks while nobody ends the
    /// program, are failures.
    pub(super) async fn write(&mut self, clients: &Clients, round: &Round) -> Result<(), String> {
        loop {
            match Box::pin(self.step(clients)).await {
                Ok(kind) => {
                    // The state that was to come is the known one.
                    if let Some(after) = self.possible.pop() {
                        self.known = after;
                        self.possible.clear();
                        *self.acknowledged.entry(kind).or_default() += 1;
                        round.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(error) if broken(&error) && round.ending.load(Ordering::Acquire) => return Ok(()),
                Err(error) => return Err(format!("writer {}: {error}", self.number)),
            }
            if round.ending.load(Ordering::Acquire) {
                return Ok(());
            }
        }
    }

    /// One write, chosen at random, and its kind. Before the request goes out, `possible` has what it will have done;
    /// when the answer is there, its last element has all that the answer told.
    async fn step(&mut self, clients: &Clients) -> Result<&'static str, Error> {
        match self.random.below(40) {
            0..=8 => self.put(clients).await,
            9 | 10 => self.delete(clients).await,
            11 => self.delete_several(clients).await,
            12..=14 => self.append(clients).await,
            15..=17 => self.copy(clients).await,
            18 | 19 => self.tag(clients).await,
            20..=26 => self.upload(clients).await,
            27..=31 => self.version(clients).await,
            32..=35 => self.setting(clients).await,
            36 | 37 => self.vectors(clients).await,
            _ => self.table(clients).await,
        }
    }

    /// Compares everything of this writer with what the program kept.
    pub(super) async fn verify(&mut self, clients: &Clients) -> Result<(UnderWay, u64), String> {
        let found = observe(clients, self.number)
            .await
            .map_err(|problem| format!("writer {}: {problem}", self.number))?;
        let things = found.things();
        let possible = std::mem::take(&mut self.possible);
        if found == self.known {
            let under_way = if possible.is_empty() {
                UnderWay::Nothing
            } else {
                UnderWay::Lost
            };
            return Ok((under_way, things));
        }
        let count = possible.len();
        for after in possible {
            let after = after.with_ids_of(&found);
            if after == found {
                self.known = after;
                return Ok((UnderWay::Applied, things));
            }
        }
        Err(format!(
            "writer {}: not what was acknowledged, nor any of {count} outcomes of the request under way: {}",
            self.number,
            self.known.difference(&found)
        ))
    }

    /// Notes that the next request changes what is known so.
    fn expect(&mut self, change: impl FnOnce(&mut State)) {
        let mut after = self.known.clone();
        change(&mut after);
        self.possible = vec![after];
    }

    /// Adds what the answer told to the state that is to come.
    fn learn(&mut self, told: impl FnOnce(&mut State)) {
        if let Some(after) = self.possible.last_mut() {
            told(after);
        }
    }

    fn content(&mut self) -> Content {
        let length = match self.random.below(10) {
            0 => 0,
            1..=6 => self.random.below(4 * 1024),
            7 | 8 => self.random.below(300 * 1024),
            _ => self.random.below(1024 * 1024),
        };
        Content::of(vec![self.piece(length)])
    }

    fn piece(&mut self, length: u64) -> Piece {
        Piece {
            seed: self.random.number(),
            length,
        }
    }

    /// A number that tells this write from all others.
    fn mark(&mut self) -> String {
        self.random.number().to_string()
    }
}

/// Whether the connection is to blame and not an answer.
fn broken(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Transport | ErrorKind::Body | ErrorKind::Io
    )
}
