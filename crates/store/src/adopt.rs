//! Making versions out of a base directory that other software laid out.

use std::path::Path;

use crate::{Error, Result, Store, StoreOptions, VersionInfo};

/// What [`Store::adopt`] did.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// The versions that the index has now, oldest first.
    pub versions: Vec<VersionInfo>,
    /// Names below `versions/` that were left alone, and why.
    pub refused: Vec<(String, String)>,
}

impl Store {
    /// Adopts.
    pub fn adopt(
        path: &Path,
        options: StoreOptions,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Adopted> {
        let _ = (path, options, progress, cancel);
        Err(Error::Misuse { detail: "adopt is not there yet".to_owned() })
    }
}
