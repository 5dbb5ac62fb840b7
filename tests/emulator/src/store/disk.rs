//! The data directory: its layout, its lock, and the file operations that survive a crash.
//!
//! ```text
//! lock                     held while the store is open
//! format                   says that this is a data directory and of which format
//! account/journal          documents of the account
//! buckets/<id>/journal     all about a bucket but its content
//! blobs/<x>/<id>           content, and the CRC-64 of each of its blocks; a blob that no journal names is garbage
//! tmp/                     what is being made or taken apart; emptied at start
//! ```
//!
//! Names of buckets and keys never become file names, so no key can escape or collide.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::StoreError;

const FORMAT: &str = "oss-emulator data, format 1\n";

/// What a confirmed write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Durability {
    /// A loss of power: every write waits for the disk.
    #[default]
    PowerLoss,
    /// The death of the process at any moment, not that of the machine. Much faster.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests do without the disk's own cache"))]
    ProcessDeath,
}

impl Durability {
    /// Waits until the file's content and size are on the disk.
    pub(crate) fn sync_file(self, file: &File) -> io::Result<()> {
        match self {
            Self::PowerLoss => file.sync_data(),
            Self::ProcessDeath => Ok(()),
        }
    }

    /// Waits until the names in a directory are on the disk. Windows has no such call; its file
    /// systems journal names by themselves.
    pub(crate) fn sync_dir(self, path: &Path) -> io::Result<()> {
        match self {
            Self::PowerLoss if cfg!(unix) => File::open(path)?.sync_all(),
            _ => Ok(()),
        }
    }

    fn sync_parent(self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    /// Waits until a move is on the disk.
    pub(crate) fn sync_move(self, from: &Path, to: &Path) -> io::Result<()> {
        self.sync_parent(to)?;
        self.sync_parent(from)
    }
}

/// The paths of an open data directory.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    durability: Durability,
    /// Set when the store goes away: from then on dropping a blob keeps its file.
    closing: AtomicBool,
    /// Makes waiting for moves fail.
    #[cfg(test)]
    pub(crate) fails_moves: AtomicBool,
}

/// Held while the directory is ours; the system releases it when the process dies.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl Directory {
    /// Takes the directory, making it when it is missing or empty.
    pub(crate) fn open(root: &Path, durability: Durability) -> Result<(Arc<Self>, DirectoryLock), StoreError> {
        // Objects and secrets of sessions lie here in clear text, so everything is for the user only.
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent)?;
        }
        create_dir(root)?;
        let lock = lock(&root.join("lock"))?;
        check_format(root, durability)?;
        for name in ["buckets", "blobs", "tmp"] {
            create_dir(&root.join(name))?;
            make_private(&root.join(name))?;
        }
        // It is made with its first journal, and has the sessions.
        if root.join("account").exists() {
            make_private(&root.join("account"))?;
        }
        for shard in "0123456789ABCDEF".chars() {
            create_dir(&root.join("blobs").join(shard.to_string()))?;
        }
        durability.sync_dir(&root.join("blobs"))?;
        let directory = Self {
            root: root.to_owned(),
            durability,
            closing: AtomicBool::new(false),
            #[cfg(test)]
            fails_moves: AtomicBool::new(false),
        };
        for entry in fs::read_dir(directory.root.join("tmp"))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        durability.sync_dir(root)?;
        Ok((Arc::new(directory), lock))
    }

    /// What a write survives.
    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Waits until a move is on the disk.
    pub(crate) fn sync_move(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(test)]
        if self.fails_moves.load(Ordering::Relaxed) {
            return Err(io::Error::other("a test lets this fail"));
        }
        self.durability.sync_move(from, to)
    }

    /// Tells blobs that are dropped from here on to keep their files.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// The home of the account's journal.
    pub(crate) fn account(&self) -> PathBuf {
        self.root.join("account")
    }

    /// The home of a bucket's journal.
    pub(crate) fn bucket(&self, id: &str) -> PathBuf {
        self.root.join("buckets").join(id)
    }

    /// A place for something unfinished.
    pub(crate) fn temporary(&self, id: &str) -> PathBuf {
        self.root.join("tmp").join(id)
    }

    /// The homes of all buckets.
    pub(crate) fn buckets(&self) -> io::Result<Vec<PathBuf>> {
        directories(&self.root.join("buckets"))
    }

    fn blob(&self, id: &str) -> PathBuf {
        // The tail of an id is random, so shards fill evenly.
        let shard = id.get(id.len().saturating_sub(1)..).unwrap_or(id);
        self.root.join("blobs").join(shard).join(id)
    }

    /// Removes every blob that is not in `used`.
    pub(crate) fn sweep(&self, used: &HashSet<String>) -> io::Result<()> {
        for shard in directories(&self.root.join("blobs"))? {
            for entry in fs::read_dir(shard)? {
                let entry = entry?;
                let name = entry.file_name();
                if name.to_str().is_none_or(|name| !used.contains(name)) {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

/// The directories in a directory; stray files of other programs do not matter.
fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The file of a blob; it goes away with this value unless the store is closing.
#[derive(Debug)]
pub(crate) struct BlobFile {
    directory: Arc<Directory>,
    id: String,
}

impl BlobFile {
    /// Begins a file.
    pub(crate) fn create(directory: Arc<Directory>, id: String) -> io::Result<(Self, File)> {
        let file = private().write(true).create_new(true).open(directory.blob(&id))?;
        Ok((Self { directory, id }, file))
    }

    /// A file that a journal names. Whether it is there shows when it is read: one lost file must
    /// not keep the rest of the store from opening.
    pub(crate) fn existing(directory: Arc<Directory>, id: String) -> Self {
        Self { directory, id }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(self.directory.blob(&self.id))
    }

    /// Makes content and name durable.
    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        let durability = self.directory.durability;
        durability.sync_file(file)?;
        durability.sync_parent(&self.directory.blob(&self.id))
    }
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        if self.directory.closing.load(Ordering::Acquire) {
            return;
        }
        // What cannot be removed is swept at the next start.
        if let Err(error) = fs::remove_file(self.directory.blob(&self.id)) {
            tracing::warn!(blob = %self.id, %error, "a blob could not be removed");
        }
    }
}

#[cfg(unix)]
fn lock(path: &Path) -> Result<DirectoryLock, StoreError> {
    use rustix::fs::{FlockOperation, flock};

    let file = private().write(true).create(true).truncate(false).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(DirectoryLock { _file: file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(path.display().to_string())),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

#[cfg(windows)]
fn lock(path: &Path) -> Result<DirectoryLock, StoreError> {
    use std::os::windows::fs::OpenOptionsExt;

    const SHARING_VIOLATION: i32 = 32;
    match OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(0)
        .open(path)
    {
        Ok(file) => Ok(DirectoryLock { _file: file }),
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => {
            Err(StoreError::Locked(path.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Starts a new directory, and refuses one that holds anything else: a start sweeps files away.
fn check_format(root: &Path, durability: Durability) -> Result<(), StoreError> {
    let path = root.join("format");
    match fs::read_to_string(&path) {
        Ok(text) if text == FORMAT => return Ok(()),
        Ok(text) => {
            let text = text.trim_end();
            return Err(StoreError::Corrupt(format!("unknown format `{text}`")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if name != "lock" && name != "format.new" {
            return Err(StoreError::Corrupt(format!(
                "`{}` is neither empty nor a data directory",
                root.display()
            )));
        }
    }
    let unfinished = root.join("format.new");
    let mut file = create_file(&unfinished)?;
    file.write_all(FORMAT.as_bytes())?;
    durability.sync_file(&file)?;
    fs::rename(unfinished, path)?;
    durability.sync_dir(root)?;
    Ok(())
}

/// Options for files that only the user may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a file for the user only, or empties the one that is there.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    private().write(true).create(true).truncate(true).open(path)
}

/// Closes a directory, which an earlier version may have left open, to everybody but the user.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a directory for the user only; fine when it is there.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
