//! Who holds the writer lock: advice for people, believed only while the lock is held.

use std::{
    fmt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use cutover_durable::{fs, host, replace};
use serde::{Deserialize, Serialize};

/// The longest holder file that is read, in bytes.
const LARGEST: usize = 4096;

/// The process that holds, or held, the writer lock. A process id means nothing on another host or in another container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// The name of its machine.
    pub host: String,
    /// Since when it holds the lock, in milliseconds since 1970.
    pub since: u64,
    /// What it does.
    pub operation: String,
}

impl Holder {
    /// Writes down that this process holds the lock. A file of advice: a failure changes nothing.
    pub(crate) fn announce(path: &Path, operation: &str) {
        if let Some(bytes) = Self::told(std::process::id(), operation) {
            let _ = replace::replace_unsynced(path, &bytes);
        }
    }

    /// Writes down that a process to which this one gave the lock holds it. In place: that process may be copying the directory.
    pub(crate) fn announce_for(path: &Path, pid: u32, operation: &str) {
        if let Some(bytes) = Self::told(pid, operation) {
            let _ = replace::overwrite_unsynced(path, &bytes);
        }
    }

    fn told(pid: u32, operation: &str) -> Option<Vec<u8>> {
        let operation = operation.chars().take(256).collect();
        serde_json::to_vec(&Self { pid, host: host::name(), since: now_ms(), operation }).ok()
    }

    /// Forgets the holder, before the lock is let go. A failure leaves advice that nobody believes without the lock.
    pub(crate) fn retract(path: &Path) {
        let _ = fs::remove_file(path);
    }

    /// Who said last that they hold the lock. `None` when nobody did, or not in our words (`flock(1)` says nothing).
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read_limited(path, LARGEST).ok()?).ok()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} ({})", self.pid, self.host, self.operation)
    }
}

/// Milliseconds since 1970, for people.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
