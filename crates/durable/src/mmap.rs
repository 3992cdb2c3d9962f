//! Whole files, mapped read-only.
//!
//! A map is opened on files that are finished: they are written before the rename that names them and never opened for writing
//! after it, so the bytes behind a map do not change. A disk that fails, or somebody else who truncates a file, makes reading it
//! a fault (SIGBUS) that no program can turn into an error; such files are read with [`crate::digest_file`].
#![expect(unsafe_code, reason = "mapping a file is a promise about everyone who can write it")]

use std::{
    fmt,
    ops::{Deref, Range},
    path::{Path, PathBuf},
    sync::Arc,
};

use memmap2::Mmap;
use stable_deref_trait::{CloneStableDeref, StableDeref};

use crate::{Error, Result, fs};

/// A regular file, mapped whole and read-only. Clones share the map; it is unmapped with the last one.
#[derive(Clone)]
pub struct Map(Arc<Mapped>);

struct Mapped {
    /// `None` for an empty file, which cannot be mapped.
    memory: Option<Mmap>,
    path: PathBuf,
}

impl Map {
    /// Maps the file at `path`, which must be finished.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not a regular file or is too large to be mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let file = fs::open_file(path)?;
        let length = file.metadata().map_err(|source| Error::io("look at", path, source))?.len();
        let memory = match usize::try_from(length) {
            Ok(0) => None,
            // SAFETY: the file is finished (Writer::finish took its write bits away and closed the only descriptor that wrote it);
            // Cutover never opens a finished file for writing and removes by unlinking, never by truncating. The map is exactly
            // the file's length, so no page lies beyond its end.
            Ok(length) => Some(
                unsafe { memmap2::MmapOptions::new().len(length).map(&file) }
                    .map_err(|source| Error::io("map", path, source))?,
            ),
            Err(_) => {
                return Err(Error::malformed(path, format!("its {length} bytes are more than this machine can map")));
            }
        };
        Ok(Self(Arc::new(Mapped { memory, path: path.to_path_buf() })))
    }

    /// Says that all of the file will be read in no order, again and again: the system then keeps it in large pages where it can, which
    /// need less room among its translations. Where it cannot, nothing changes.
    pub fn keep_in_large_pages(&self) {
        #[cfg(target_os = "linux")]
        if let Some(memory) = &self.0.memory {
            // Advice: a system that does not take it is one without large pages.
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
    }

    /// The path that was mapped, for errors.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// A part of the map that keeps all of it alive; `None` when `range` does not lie within it.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<MapSlice> {
        self.get(range.clone())?;
        Some(MapSlice { map: self.clone(), range })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.memory.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Map({}, {} bytes)", self.path().display(), self.len())
    }
}

// SAFETY: `deref` returns the mapping's memory (or the empty slice), which is neither moved nor changed while an `Arc` holds it.
unsafe impl StableDeref for Map {}
// SAFETY: a clone shares the `Arc` and so returns the same memory.
unsafe impl CloneStableDeref for Map {}

/// A part of a [`Map`], which it keeps alive.
#[derive(Clone)]
pub struct MapSlice {
    map: Map,
    /// Within the map: checked by [`Map::slice`], which alone makes this.
    range: Range<usize>,
}

impl MapSlice {
    /// The map it is a part of.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Where it lies in the map.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl Deref for MapSlice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[self.range.clone()]
    }
}

impl fmt::Debug for MapSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MapSlice({}, {:?})", self.map.path().display(), self.range)
    }
}

// SAFETY: it returns a fixed part of a `Map`'s memory, which the `Map` it holds keeps where it is.
unsafe impl StableDeref for MapSlice {}
// SAFETY: a clone holds the same `Map` and range and so returns the same memory.
unsafe impl CloneStableDeref for MapSlice {}
