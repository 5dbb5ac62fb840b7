//! The journal of a bucket: one line per change or for changes that came together, `<CRC-64 of the JSON> <JSON>`.
//!
//! A line is durable before the changes it describes take effect, and the next line is written
//! only then. So a crash can spoil the last line alone: such a tail is cut off at the next start.
//! A bad line before the last is damage, and the store refuses to open rather than guess.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::{self, Durability};
use super::error::StoreError;
use super::index::{BucketIndex, Record};

const FILE: &str = "journal";
/// A journal is rewritten when it has this many records plus twice those of its last rewriting.
const SLACK: u64 = 10_000;
/// The same in bytes: large documents that change often make few records and a long file.
const SLACK_BYTES: u64 = 16 * 1024 * 1024;

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The directory that holds the file.
    home: PathBuf,
    durability: Durability,
    file: File,
    /// Length of the valid part, where the next record goes.
    len: u64,
    records: u64,
    rewrite_at: u64,
    /// The length to rewrite at, whatever the number of records.
    rewrite_at_len: u64,
    /// Set when a failed write could not be undone: nothing may follow it.
    broken: bool,
}

impl Journal {
    /// Makes a journal that holds `index` under `home`, complete or not at all. `temporary` is a
    /// path on the same file system that nobody else uses.
    pub(crate) fn create(
        home: PathBuf,
        temporary: &Path,
        index: &BucketIndex,
        durability: Durability,
    ) -> io::Result<Self> {
        disk::create_dir(temporary)?;
        let (file, len, records) = write_snapshot(&temporary.join(FILE), index, durability)?;
        durability.sync_dir(temporary)?;
        fs::rename(temporary, &home)?;
        durability.sync_move(temporary, &home)?;
        Ok(Self {
            home,
            durability,
            file,
            len,
            records,
            rewrite_at: SLACK + 2 * records,
            rewrite_at_len: SLACK_BYTES + 2 * len,
            broken: false,
        })
    }

    /// Reads the journal under `home` back into an index, whose content is still unresolved.
    pub(crate) fn open(home: PathBuf, durability: Durability) -> Result<(Self, BucketIndex), StoreError> {
        let path = home.join(FILE);
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let replay = replay(&file).map_err(|error| match error {
            StoreError::Corrupt(what) => StoreError::Corrupt(format!("{}: {what}", path.display())),
            other => other,
        })?;
        if file.metadata()?.len() > replay.len {
            tracing::warn!(journal = %path.display(), "an unfinished record is cut off");
            file.set_len(replay.len)?;
            durability.sync_file(&file)?;
        }
        let mut journal = Self {
            home,
            durability,
            file,
            len: replay.len,
            records: replay.records,
            rewrite_at: 0,
            rewrite_at_len: SLACK_BYTES,
            broken: false,
        };
        journal.file.seek(SeekFrom::Start(journal.len))?;
        let needed = replay.index.snapshot().count() as u64;
        journal.rewrite_at = SLACK + 2 * needed;
        if journal.len > SLACK_BYTES {
            journal.rewrite_at_len = SLACK_BYTES + 2 * snapshot_len(&replay.index)?;
        }
        Ok((journal, replay.index))
    }

    /// Writes a record durably and gives it back. After an error the journal is as before.
    pub(crate) fn append(&mut self, record: Record) -> io::Result<Record> {
        if self.broken {
            return Err(io::Error::other("an earlier journal write failed for good"));
        }
        let line = line(&record)?;
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.durability.sync_file(&self.file));
        if let Err(error) = written {
            self.broken = self.undo().is_err();
            if self.broken {
                // The next start may find the record whole, and then needs the files of its content.
                std::mem::forget(record);
            }
            return Err(error);
        }
        self.len += line.len() as u64;
        self.records += record.changes();
        Ok(record)
    }

    fn undo(&mut self) -> io::Result<()> {
        self.file.set_len(self.len)?;
        self.file.seek(SeekFrom::Start(self.len))?;
        self.durability.sync_file(&self.file)
    }

    /// Whether the journal has grown far beyond what its index needs.
    pub(crate) fn wants_rewrite(&self) -> bool {
        (self.records >= self.rewrite_at || self.len >= self.rewrite_at_len) && !self.broken
    }

    /// Replaces the journal by the shortest one for `index`, atomically.
    pub(crate) fn rewrite(&mut self, temporary: &Path, index: &BucketIndex) -> io::Result<()> {
        // A rewrite that fails must not be tried again at every write.
        self.rewrite_at = self.records + SLACK;
        self.rewrite_at_len = self.len + SLACK_BYTES;
        let written = write_snapshot(temporary, index, self.durability)
            .and_then(|written| fs::rename(temporary, self.home.join(FILE)).map(|()| written));
        let (file, len, records) = written.inspect_err(|_| {
            // What a full disk took of it is needed for other things.
            let _ = fs::remove_file(temporary);
        })?;
        self.file = file;
        self.len = len;
        self.records = records;
        self.rewrite_at = SLACK + 2 * records;
        self.rewrite_at_len = SLACK_BYTES + 2 * len;
        // Until its name is durable the new file may vanish, and all that is added to it.
        let named = self.durability.sync_dir(&self.home);
        self.broken = named.is_err();
        named
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Makes the next change rewrite the journal.
    #[cfg(test)]
    pub(crate) fn rewrite_soon(&mut self) {
        self.rewrite_at = 0;
    }

    /// Makes every write from here on fail.
    #[cfg(test)]
    pub(crate) fn fail_writes(&mut self, path: &Path) {
        self.file = File::open(path).unwrap();
    }
}

fn write_snapshot(path: &Path, index: &BucketIndex, durability: Durability) -> io::Result<(File, u64, u64)> {
    let mut out = BufWriter::new(disk::create_file(path)?);
    let (mut len, mut records) = (0, 0);
    for record in index.snapshot() {
        let line = line(&record)?;
        out.write_all(&line)?;
        len += line.len() as u64;
        records += 1;
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    durability.sync_file(&file)?;
    Ok((file, len, records))
}

/// The length that [`write_snapshot`] would come to.
fn snapshot_len(index: &BucketIndex) -> io::Result<u64> {
    let mut len = 0;
    for record in index.snapshot() {
        len += line(&record)?.len() as u64;
    }
    Ok(len)
}

fn line(record: &Record) -> io::Result<Vec<u8>> {
    const PREFIX: usize = 17;
    let mut line = vec![b' '; PREFIX];
    serde_json::to_writer(&mut line, record)?;
    let checksum = format!("{:016x}", checksum(&line[PREFIX..]));
    line[..checksum.len()].copy_from_slice(checksum.as_bytes());
    line.push(b'\n');
    Ok(line)
}

fn checksum(json: &[u8]) -> u64 {
    let mut digest = crc64fast::Digest::new();
    digest.write(json);
    digest.sum64()
}

struct Replay {
    index: BucketIndex,
    len: u64,
    records: u64,
}

fn replay(file: &File) -> Result<Replay, StoreError> {
    let mut input = BufReader::new(file);
    let mut line = Vec::new();
    let Some(first) = read_record(&mut input, &mut line)? else {
        return Err(StoreError::Corrupt("the journal is empty".to_owned()));
    };
    let Record::Bucket { name, created, meta } = first else {
        return Err(StoreError::Corrupt("no bucket at the start".to_owned()));
    };
    let mut replay = Replay {
        index: BucketIndex::new(name, created, meta),
        len: line.len() as u64,
        records: 1,
    };
    while let Some(record) = read_record(&mut input, &mut line)? {
        let changes = record.changes();
        drop(replay.index.apply(record)?);
        replay.len += line.len() as u64;
        replay.records += changes;
    }
    Ok(replay)
}

/// The next record; `None` at the end or at a spoilt last line.
fn read_record(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Option<Record>, StoreError> {
    line.clear();
    if input.read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    match checked_json(line) {
        // A whole line that says nothing we know comes from another program, not from a crash.
        Some(json) => serde_json::from_slice(json)
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("an unknown record: {error}"))),
        None if input.fill_buf()?.is_empty() => Ok(None),
        None => Err(StoreError::Corrupt("a damaged record".to_owned())),
    }
}

/// The JSON of a line whose checksum is right.
fn checked_json(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (expected, json) = line.split_at_checked(16)?;
    let json = json.strip_prefix(b" ")?;
    let expected = u64::from_str_radix(std::str::from_utf8(expected).ok()?, 16).ok()?;
    (checksum(json) == expected).then_some(json)
}
