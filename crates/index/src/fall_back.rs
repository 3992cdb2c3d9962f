//! What answers when the current version is known to be damaged: nothing, or the newest earlier version that verifies.

use crate::check::check;
use crate::error::{Error, Result};
use crate::segment::SegmentCache;
use crate::snapshot::Snapshot;
use cutover_store::{State, Store, VersionId, VersionInfo};
use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

/// What follows when the current version is known to be damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnCorrupt {
    /// Queries are refused.
    #[default]
    Refuse,
    /// Queries are answered by the newest earlier version that was published, was never withdrawn, and has the digests it was
    /// published with.
    FallBack,
}

/// The version that answers for a damaged one.
pub(crate) struct FallBack {
    store: Store,
    on_corrupt: OnCorrupt,
    /// The damaged version, and who answers for it. Held while that is looked for, so that one looks, however many ask.
    answering: Mutex<Option<(VersionId, Arc<Snapshot>)>>,
}

impl FallBack {
    pub fn new(store: Store, on_corrupt: OnCorrupt) -> Self {
        Self { store, on_corrupt, answering: Mutex::default() }
    }

    /// The snapshot that answers instead of the version `damaged`.
    ///
    /// # Errors
    /// `damage` itself where none is wanted or to be had.
    pub fn instead_of(&self, damaged: &VersionId, damage: Error, segments: &SegmentCache) -> Result<Arc<Snapshot>> {
        if self.on_corrupt == OnCorrupt::Refuse {
            return Err(damage);
        }
        let mut answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, snapshot)) = &*answering
            && of == damaged
            && self.store.damage(snapshot.id()).is_none()
        {
            return Ok(Arc::clone(snapshot));
        }
        let sequence = self.store.info(damaged).map_or(u64::MAX, |info| info.sequence);
        let mut earlier: Vec<VersionInfo> = self.store.versions().unwrap_or_default();
        earlier.retain(|info| info.state == State::Published && info.sequence < sequence && info.id != *damaged);
        earlier.sort_by_key(|info| Reverse(info.sequence));
        let sound = earlier.iter().find_map(|info| self.open(&info.id, segments).ok());
        let snapshot = Arc::new(sound.ok_or(damage)?);
        *answering = Some((damaged.clone(), Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// Opens a version whose bytes are those that it was published with.
    fn open(&self, id: &VersionId, segments: &SegmentCache) -> Result<Snapshot> {
        let held = self.store.snapshot(Some(id))?;
        if let Some(problem) = held.verify_digests(&|_, _| (), &|| false)?.into_iter().next() {
            return Err(Error::Corrupt { version: id.to_string(), file: problem.file, detail: problem.detail });
        }
        let snapshot = Snapshot::open(held, segments)?;
        check(&snapshot)?;
        Ok(snapshot)
    }
}
