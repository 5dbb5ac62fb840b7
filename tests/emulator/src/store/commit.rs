//! Changes of a bucket that wait for the disk: those that come together wait for it once.
//!
//! Changes queue up while the journal is busy. Whoever finds nobody at work starts it on a thread that may block, and
//! everybody else waits without a thread. One round decides on as many changes as do not touch the same key, writes their
//! records as one line of the journal, waits for the disk, applies them, and only then answers. So a change is decided
//! by what is durable, and nobody sees or is told of what is not.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

use super::index::{BucketIndex, Record};
use super::{Bucket, Inner, Result, StoreError};

/// Most changes of one round.
const MAX_ROUND: usize = 256;

/// What a change reads and writes, besides the bucket's settings, which only changes of the whole bucket write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The versions and uploads of a key.
    Key(String),
    /// One part of an upload of a key.
    Part {
        key: String,
        upload_id: String,
        number: u32,
    },
    /// Anything.
    Bucket,
}

/// What the changes of a round touch: keys as a whole, or parts of their uploads.
#[derive(Default)]
struct Touched(HashMap<String, Option<HashSet<(String, u32)>>>);

impl Touched {
    /// Adds a scope, and tells whether it has nothing in common with those before it.
    fn add(&mut self, scope: &Scope) -> bool {
        match scope {
            Scope::Bucket => self.0.is_empty(),
            // Parts that come later wait behind the whole key, even when it waits itself.
            Scope::Key(key) => self.0.insert(key.clone(), None).is_none(),
            Scope::Part { key, upload_id, number } => {
                let parts = self.0.entry(key.clone()).or_insert_with(|| Some(HashSet::new()));
                parts
                    .as_mut()
                    .is_some_and(|parts| parts.insert((upload_id.clone(), *number)))
            }
        }
    }
}

/// The changes of a bucket that wait.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Box<dyn Waiter>>,
    /// Whether somebody is at work.
    busy: bool,
}

/// A change with whoever waits for it.
trait Waiter: Send {
    fn scope(&self) -> &Scope;

    /// Decides on the answer and on the record to write, if any.
    fn decide(&mut self, index: &BucketIndex, inner: &Inner) -> Option<Record>;

    /// Answers what was decided, unless that failed.
    fn end(self: Box<Self>, outcome: Result<()>);
}

struct Change<T, F> {
    scope: Scope,
    plan: Option<F>,
    answer: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Waiter for Change<T, F>
where
    T: Send,
    F: FnOnce(&BucketIndex, &Inner) -> Result<(Option<Record>, T)> + Send,
{
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn decide(&mut self, index: &BucketIndex, inner: &Inner) -> Option<Record> {
        let plan = self.plan.take()?;
        if index.deleted {
            self.answer = Some(Err(StoreError::NoSuchBucket));
            return None;
        }
        // A mistake in one change must not take the others with it.
        let decided = catch_unwind(AssertUnwindSafe(|| plan(index, inner)));
        match decided.unwrap_or_else(|_| Err(io::Error::other("a change panicked").into())) {
            Ok((record, answer)) => {
                self.answer = Some(Ok(answer));
                record
            }
            Err(error) => {
                self.answer = Some(Err(error));
                None
            }
        }
    }

    fn end(mut self: Box<Self>, outcome: Result<()>) {
        let answer = match outcome {
            Ok(()) => self.answer.take(),
            Err(error) => Some(Err(error)),
        };
        if let Some(answer) = answer {
            // Nobody is left to tell when the caller went away.
            let _ = self.caller.send(answer);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a change and waits for its answer. It is made to the end even when the caller goes away.
    pub(super) async fn commit<T, F>(inner: &Arc<Inner>, bucket: Arc<Bucket>, scope: Scope, plan: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&BucketIndex, &Inner) -> Result<(Option<Record>, T)> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let change = Change {
            scope,
            plan: Some(plan),
            answer: None,
            caller,
        };
        let begins = {
            let mut waiting = bucket.queue.lock();
            waiting.changes.push_back(Box::new(change));
            !std::mem::replace(&mut waiting.busy, true)
        };
        if begins {
            let inner = Arc::downgrade(inner);
            let at_work = AtWork { bucket, ended: false };
            tokio::task::spawn_blocking(move || at_work.run(&inner));
        }
        let gone = |_| Err(io::Error::other("a change was given up").into());
        answer.await.unwrap_or_else(gone)
    }
}

/// Whoever is at work on the changes of a bucket.
struct AtWork {
    bucket: Arc<Bucket>,
    /// Whether nothing was left to do. Somebody else may be at work by now.
    ended: bool,
}

impl AtWork {
    /// Makes changes until none is left. Whoever has an answer may drop the store and open it again, so the store is not
    /// held while answers are given.
    fn run(mut self, inner: &Weak<Inner>) {
        while !self.ended {
            let Some(inner) = inner.upgrade() else { return };
            let round = Round::make(&inner, &self.bucket);
            drop(inner);
            round.answer();
            // Under one lock, so that a change that comes now finds that nobody is at work.
            let mut waiting = self.bucket.queue.lock();
            self.ended = waiting.changes.is_empty();
            waiting.busy = !self.ended;
        }
    }
}

impl Drop for AtWork {
    /// Ends before all is done (the store or the runtime goes away, a round panicked) must leave nobody waiting.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let left = {
            let mut waiting = self.bucket.queue.lock();
            waiting.busy = false;
            std::mem::take(&mut waiting.changes)
        };
        // Not under the lock: with what was to be written, files go.
        drop(left);
    }
}

/// Changes that were made, or failed, together.
struct Round {
    /// Those that had nothing to write.
    decided: Vec<Box<dyn Waiter>>,
    written: Vec<Box<dyn Waiter>>,
    outcome: Result<()>,
}

impl Round {
    fn make(inner: &Inner, bucket: &Bucket) -> Self {
        let mut journal = bucket.journal();
        let mut round = Self {
            decided: Vec::new(),
            written: Vec::new(),
            outcome: Ok(()),
        };
        let Some(record) = round.decide(inner, bucket) else {
            return round;
        };
        let applied = match journal.as_mut() {
            Some(journal) => journal.append(record).map_err(StoreError::from),
            None => Ok(record),
        };
        let applied = applied.and_then(|record| bucket.apply(record));
        if applied.is_ok() {
            inner.rewrite_if_long(&mut journal, bucket);
        }
        drop(journal);
        // With the content that nobody uses any more, files go.
        round.outcome = applied.map(drop);
        round
    }

    /// Decides on the changes that wait and do not touch the same, and returns what is to be written.
    fn decide(&mut self, inner: &Inner, bucket: &Bucket) -> Option<Record> {
        // What came while somebody else held the journal takes part.
        let mut changes = std::mem::take(&mut bucket.queue.lock().changes);
        let mut records = Vec::new();
        let mut later = VecDeque::new();
        let mut touched = Touched::default();
        let index = bucket.read();
        while self.written.len() + self.decided.len() < MAX_ROUND
            && let Some(mut change) = changes.pop_front()
        {
            let is_alone = *change.scope() == Scope::Bucket;
            if !touched.add(change.scope()) {
                later.push_back(change);
                if is_alone {
                    // Those behind it wait for it as it waits for those before it.
                    break;
                }
                continue;
            }
            match change.decide(&index, inner) {
                Some(record) => {
                    index.expect_growth(record.growth(&index));
                    records.push(record);
                    self.written.push(change);
                }
                None => self.decided.push(change),
            }
            if is_alone {
                break;
            }
        }
        index.forget_growth();
        if !later.is_empty() || !changes.is_empty() {
            let mut waiting = bucket.queue.lock();
            for change in later.into_iter().chain(changes).rev() {
                waiting.changes.push_front(change);
            }
        }
        Record::together(records)
    }

    fn answer(self) {
        for change in self.decided {
            change.end(Ok(()));
        }
        let mut failure = self.outcome.err();
        let failed = failure.is_some();
        for change in self.written {
            let again = || io::Error::other("a change failed together with others").into();
            change.end(match failed {
                true => Err(failure.take().unwrap_or_else(again)),
                false => Ok(()),
            });
        }
    }
}
