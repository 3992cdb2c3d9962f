//! Finishing a file that another program wrote: digested by reading, made read-only, synced once.

use std::{
    fs::{Metadata, Permissions},
    ops::ControlFlow,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use super::{Identity, Written, open_file};
use crate::{
    Error, Result,
    digest::{Hasher, read_opened},
    mode::less_umask,
};

/// Which file it is, how long, and when it was last written: what another program changes when it writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which file.
    pub identity: Identity,
    /// Its length in bytes.
    pub bytes: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            identity: Identity::from(metadata),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Digests the regular file at `path`, gives it the mode of a finished one (0444 less the umask) and syncs it, once.
///
/// Returns what it holds, or `None` when it was written to meanwhile. `step` is told how many bytes have been read and may stop the
/// work, which also returns `None`: the caller knows which it was.
///
/// The descriptor only reads: syncing one writes out all that anybody wrote to the file. A failed write of the past that its
/// writer was told of is not told again, so what the writer ignored stays ignored.
pub fn seal(path: &Path, step: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Option<Written>> {
    let file = open_file(path)?;
    let stamp =
        || file.metadata().map(|found| Stamp::from(&found)).map_err(|source| Error::io("look at", path, source));
    let before = stamp()?;
    let (mut hasher, mut bytes) = (Hasher::new(), 0);
    let whole = read_opened(&file, path, &mut |block| {
        hasher.update(block);
        bytes += block.len() as u64;
        // Whoever appends as fast as this reads would keep it reading.
        Ok(if bytes > before.bytes { ControlFlow::Break(()) } else { step(block.len() as u64) })
    })?;
    if !whole {
        return Ok(None);
    }
    file.set_permissions(Permissions::from_mode(less_umask(0o444)))
        .map_err(|source| Error::io("set the mode of", path, source))?;
    super::sync(&file).map_err(|source| Error::io("sync", path, source))?;
    let unchanged = stamp()? == before && bytes == before.bytes;
    Ok(unchanged.then_some(Written { bytes, digest: hasher.finish() }))
}
