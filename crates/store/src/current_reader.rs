//! What `CURRENT` names, asked again and again.
//!
//! A published version is named by a new file, so as long as the file that was read last is still the one of that name, it says what it said:
//! one look at the path replaces opening, reading and closing. The file is kept open meanwhile, so that no new one gets its number.

use std::fs::File;
use std::path::Path;
use std::sync::{OnceLock, PoisonError, RwLock};

use cutover_durable::{disk, fs};

use crate::{Result, Store, VersionId};

/// Reads `CURRENT` of one store, by a look at it where that is enough. It holds the file open that it has read last.
#[derive(Debug)]
pub struct CurrentReader {
    store: Store,
    /// Whether a look tells of a new file at once: not so where attributes are kept for a while, as network file systems do. Found out when
    /// there is a file.
    looks: OnceLock<bool>,
    last: RwLock<Option<Seen>>,
}

#[derive(Debug)]
struct Seen {
    stamp: fs::Stamp,
    id: VersionId,
    _open: File,
}

impl CurrentReader {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, looks: OnceLock::new(), last: RwLock::default() }
    }

    /// What [`Store::current`] answers.
    ///
    /// # Errors
    /// Those of [`Store::current`].
    pub fn current(&self) -> Result<Option<VersionId>> {
        let path = self.store.layout().current();
        if let Some(seen) = &*self.last.read().unwrap_or_else(PoisonError::into_inner)
            && fs::metadata(&path).is_ok_and(|metadata| fs::Stamp::from(&metadata) == seen.stamp)
        {
            return Ok(Some(seen.id.clone()));
        }
        // Looked at before it is read: who writes to it after that changes what the next look finds.
        let opened = self.open(&path);
        let id = self.store.current()?;
        let seen = opened.zip(id.clone()).filter(|((stamp, _), _)| {
            // Unless another took its place in between.
            fs::metadata(&path).is_ok_and(|metadata| fs::Stamp::from(&metadata) == *stamp)
        });
        *self.last.write().unwrap_or_else(PoisonError::into_inner) =
            seen.map(|((stamp, open), id)| Seen { stamp, id, _open: open });
        Ok(id)
    }

    /// The file, where looks do.
    fn open(&self, path: &Path) -> Option<(fs::Stamp, File)> {
        let file = fs::open_file(path).ok()?;
        let looks = *self.looks.get_or_init(|| disk::is_local_file_system(path));
        looks.then(|| file.metadata().ok()).flatten().map(|metadata| (fs::Stamp::from(&metadata), file))
    }
}
