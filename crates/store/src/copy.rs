//! A version copied as an index of its own.

use std::path::Path;

use crate::{Error, Result, Store, VersionId, VersionInfo};

impl Store {
    /// Copies.
    pub fn copy_to(
        &self,
        target: &Path,
        version: Option<&VersionId>,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<VersionInfo> {
        let _ = (target, version, progress, cancel);
        Err(Error::Misuse { detail: "copy_to is not there yet".to_owned() })
    }
}
