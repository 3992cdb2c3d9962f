//! How much room versions take, counting a file that several of them link once.

use std::{collections::HashMap, os::unix::fs::MetadataExt, path::Path};

use cutover_durable::fs::{self, Identity, Kind};

use crate::Result;

/// The files of some directories, each once.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    files: HashMap<Identity, File>,
}

#[derive(Debug)]
struct File {
    bytes: u64,
    /// Names that still lead to it.
    links: u64,
}

impl Usage {
    /// Counts every file below `directory`. What disappears meanwhile is not counted.
    pub fn add(&mut self, directory: &Path) -> Result<()> {
        walk(directory, &mut |identity, bytes, links| {
            self.files.entry(identity).or_insert(File { bytes, links });
        })
    }

    /// The bytes of all files counted.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }

    /// Takes away the names below `directory`, which was added; returns the bytes of the files that have no other name then.
    pub fn remove(&mut self, directory: &Path) -> Result<u64> {
        let mut freed = 0;
        walk(directory, &mut |identity, bytes, _| {
            if let Some(file) = self.files.get_mut(&identity) {
                file.links = file.links.saturating_sub(1);
                if file.links == 0 {
                    freed += bytes;
                    self.files.remove(&identity);
                }
            }
        })?;
        Ok(freed)
    }
}

fn walk(directory: &Path, found: &mut dyn FnMut(Identity, u64, u64)) -> Result<()> {
    let entries = match fs::list_dir(directory) {
        Err(error) if error.is_not_found() => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = directory.join(&entry.name);
        if entry.kind == Kind::Directory {
            walk(&path, found)?;
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) => found(Identity::from(&metadata), metadata.len(), metadata.nlink()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
