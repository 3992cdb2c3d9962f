//! `used-ids`: what keeps an id from being used twice after its version is gone.
//!
//! One line for every id that a caller chose, synced before its version can become visible, and lines `#<number>` for sequences
//! below which no id is generated any more, written before the newest version is pruned. A torn last line is ignored: the version
//! it was written for never became visible.

use std::collections::{BTreeSet, HashSet};

use cutover_durable::{fs, replace};

use crate::{Error, Result, VersionId, layout::Layout};

/// The largest file of ids that is read, in bytes: four million ids of the usual length.
const LARGEST: usize = 64 * 1024 * 1024;
/// What a line with a sequence begins with. No id does.
const FLOOR: char = '#';

/// Ids that must not be used again.
#[derive(Debug, Default)]
pub(crate) struct UsedIds {
    ids: HashSet<String>,
    /// The highest sequence that was given away to a version that is gone.
    floor: u64,
    /// Whether the last line is torn, so that the next one must begin with a newline.
    torn: bool,
    /// Whether there is no file yet, so that its directory must be synced too.
    missing: bool,
}

impl UsedIds {
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = layout.used_ids();
        let bytes = match fs::read_limited(&path, LARGEST) {
            Err(error) if error.is_not_found() => return Ok(Self { missing: true, ..Self::default() }),
            bytes => bytes?,
        };
        let text = String::from_utf8(bytes).map_err(|_| Error::corrupt(&path, None, "it is not text"))?;
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        let mut used = Self { torn: complete < text.len(), ..Self::default() };
        for line in text[..complete].lines() {
            match line.strip_prefix(FLOOR) {
                Some(sequence) => used.floor = used.floor.max(sequence.parse().unwrap_or(0)),
                None => drop(used.ids.insert(line.to_owned())),
            }
        }
        Ok(used)
    }

    pub fn contains(&self, id: &VersionId) -> bool {
        self.ids.contains(id.as_str())
    }

    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// Every id.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.ids.iter()
    }

    /// Whether there is a file, and its last line is complete.
    pub fn is_whole(&self) -> bool {
        !self.missing && !self.torn
    }

    /// Replaces the file and returns once that lasts.
    pub fn replace(layout: &Layout, ids: &BTreeSet<String>, floor: u64) -> Result<()> {
        let ids = ids.iter().map(|id| format!("{id}\n"));
        let text: String = ids.chain([format!("{FLOOR}{floor}\n")]).collect();
        Ok(replace::replace_file(&layout.used_ids(), text.as_bytes())?)
    }

    /// Records an id and returns once that lasts.
    pub fn add(&self, layout: &Layout, id: &VersionId) -> Result<()> {
        self.append(layout, id.as_str())
    }

    /// Records that ids up to `sequence` were given away, and returns once that lasts.
    pub fn add_floor(&self, layout: &Layout, sequence: u64) -> Result<()> {
        self.append(layout, &format!("{FLOOR}{sequence}"))
    }

    fn append(&self, layout: &Layout, line: &str) -> Result<()> {
        let line = format!("{}{line}\n", if self.torn { "\n" } else { "" });
        fs::append_synced(&layout.used_ids(), line.as_bytes())?;
        Ok(if self.missing { fs::sync_dir(layout.root()) } else { Ok(()) }?)
    }
}
