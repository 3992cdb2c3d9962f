//! The files that this process has compared with their digests: each once, however many versions and handles share it.
//!
//! A file is known by its device, inode, length and time of modification, and by the digest it should have. The time is not there
//! to decide anything: an inode that was freed and used again, or a file put back from a backup, is another file and is read again.

use std::{
    collections::HashMap,
    fs::Metadata,
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{
        Condvar, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cutover_durable::{Digest, Error as FileError, digest::Hasher, fs::Identity, read_blocks};

use crate::{Error, Result};

/// Files that are remembered. Beyond that sound ones are forgotten, and read again when they are asked for again.
const MOST: usize = 65_536;

/// A file, and the digest that it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct File {
    identity: Identity,
    bytes: u64,
    modified: (i64, i64),
    digest: Digest,
}

#[derive(Debug)]
enum Verdict {
    /// A thread that somebody waits for reads it.
    BeingRead,
    Sound,
    Damaged(String),
}

#[derive(Default)]
struct Registry {
    files: Mutex<HashMap<File, Verdict>>,
    settled: Condvar,
}

/// How long a thread waits for another to read a file before it asks whether it is to go on waiting.
const PATIENCE: Duration = Duration::from_millis(20);

static ANY_DAMAGED: AtomicBool = AtomicBool::new(false);
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::default);

/// Who waits for a file to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody does: others wait for this thread instead of reading the file too.
    Now,
    /// Nobody does. The thread may not get to run for long, so nobody is made to wait for it.
    Sometime,
}

impl File {
    pub fn new(metadata: &Metadata, digest: Digest) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { identity: Identity::from(metadata), bytes: metadata.len(), modified, digest }
    }

    /// Whether it is the file with this metadata.
    pub fn is_at(&self, metadata: &Metadata) -> bool {
        *self == Self::new(metadata, self.digest)
    }

    /// What is known to be wrong with it.
    pub fn known_damage(&self) -> Option<String> {
        match files().get(self) {
            Some(Verdict::Damaged(detail)) => Some(detail.clone()),
            _ => None,
        }
    }

    /// Remembers what somebody found out about it.
    pub fn note(self, damage: Option<&str>) {
        settle(self, damage.map_or(Verdict::Sound, |detail| Verdict::Damaged(detail.to_owned())));
    }

    /// What is wrong with it, reading it at `path` unless that is known.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; an error when it is gone, or that says nothing about it.
    pub fn check(self, path: &Path, urgency: Urgency, cancel: &dyn Fn() -> bool) -> Result<Option<String>> {
        let mut known = files();
        loop {
            match known.get(&self) {
                Some(Verdict::Sound) => return Ok(None),
                Some(Verdict::Damaged(detail)) => return Ok(Some(detail.clone())),
                Some(Verdict::BeingRead) => {
                    if cancel() {
                        return Err(Error::Cancelled);
                    }
                    known = REGISTRY.settled.wait_timeout(known, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => break,
            }
        }
        let _claim = (urgency == Urgency::Now).then(|| {
            known.insert(self, Verdict::BeingRead);
            Claim(self)
        });
        drop(known);
        let damage = read(path, self.digest, cancel)?;
        self.note(damage.as_deref());
        Ok(damage)
    }
}

/// Lets others read a file when this thread did not come to the end of it.
struct Claim(File);

impl Drop for Claim {
    fn drop(&mut self) {
        let mut files = files();
        if matches!(files.get(&self.0), Some(Verdict::BeingRead)) {
            files.remove(&self.0);
        }
        REGISTRY.settled.notify_all();
    }
}

/// Whether a file was ever found to be damaged, so that looking for one is worth it.
pub(crate) fn is_any_damaged() -> bool {
    ANY_DAMAGED.load(Ordering::Relaxed)
}

fn files() -> MutexGuard<'static, HashMap<File, Verdict>> {
    REGISTRY.files.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settle(file: File, verdict: Verdict) {
    if matches!(verdict, Verdict::Damaged(_)) {
        ANY_DAMAGED.store(true, Ordering::Relaxed);
    }
    let mut files = files();
    if files.len() >= MOST {
        files.retain(|_, verdict| !matches!(verdict, Verdict::Sound));
    }
    files.insert(file, verdict);
    REGISTRY.settled.notify_all();
}

fn read(path: &Path, published: Digest, cancel: &dyn Fn() -> bool) -> Result<Option<String>> {
    let mut hasher = Hasher::new();
    let complete = read_blocks(path, &mut |block| {
        hasher.update(block);
        Ok(if cancel() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    match complete {
        Ok(true) => {
            let digest = hasher.finish();
            Ok((digest != published).then(|| differs(published, digest)))
        }
        Ok(false) => Err(Error::Cancelled),
        Err(error) if error.is_exhausted() || error.is_not_found() => Err(error.into()),
        Err(FileError::Malformed { detail, .. }) => Ok(Some(detail)),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// What is said of a file whose digest is not the one that was published.
pub(crate) fn differs(published: Digest, digest: Digest) -> String {
    format!("its digest is {digest}; it was published with {published}")
}
