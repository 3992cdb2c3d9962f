//! `NativeStoreSnapshot`: one version of a store, held until closed.
#![expect(clippy::needless_pass_by_value, reason = "N-API hands strings over by value")]

use crate::convert::version_info;
use crate::task::now;
use cutover_index::{Error, Result};
use cutover_store::Snapshot;
use napi_derive::napi;
use std::sync::{Arc, Mutex, PoisonError};

/// A store's snapshot as JavaScript holds it. Holding it costs one descriptor.
#[napi]
pub struct NativeStoreSnapshot {
    held: Mutex<Option<Arc<Snapshot>>>,
}

impl NativeStoreSnapshot {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self { held: Mutex::new(Some(Arc::new(snapshot))) }
    }

    pub(crate) fn held(&self) -> Result<Arc<Snapshot>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.ok_or_else(|| Error::Closed { path: "snapshot".into() })
    }
}

#[napi]
impl NativeStoreSnapshot {
    /// The version's facts as JSON.
    #[napi]
    pub fn version(&self) -> napi::Result<String> {
        now(|| Ok(version_info(self.held()?.info())?.to_string()))
    }

    /// The directory of the version's artifacts.
    #[napi]
    pub fn directory(&self) -> napi::Result<String> {
        now(|| Ok(self.held()?.artifacts().display().to_string()))
    }

    /// The path of an artifact, which is there.
    #[napi]
    pub fn path(&self, artifact: String) -> napi::Result<String> {
        now(|| Ok(self.held()?.artifact(&artifact)?.display().to_string()))
    }

    /// Lets go of the version.
    #[napi]
    pub fn close(&self) {
        drop(self.held.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
