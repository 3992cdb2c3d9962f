//! Repair.

use serde::Serialize;

use crate::{Error, LockWait, Problem, Result, Store, VersionId};

/// What a repair did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepairReport {
    /// The version that is current now.
    pub current: Option<VersionId>,
    /// Why that one.
    pub reason: String,
    /// What was moved into `damaged/`: ids of versions, and names of the index's own records.
    pub set_aside: Vec<String>,
    /// What was removed, relative to the index directory: only what was proved dead.
    pub removed: Vec<String>,
    /// What was wrong.
    pub problems: Vec<Problem>,
}

impl Store {
    /// Repairs.
    pub fn repair(
        &self,
        to: Option<&VersionId>,
        dry_run: bool,
        wait: LockWait,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<RepairReport> {
        let _ = (to, dry_run, wait, progress, cancel);
        Err(Error::Misuse { detail: "repair is not there yet".to_owned() })
    }
}
