//! Making versions out of a base directory that other software laid out: `versions/<id>/…` and a one-line `CURRENT`.
//!
//! Nothing of it is moved or rewritten: a version's files stay as they are, mode included, and get digests. Our records go into a
//! directory of their own within the version, `.cutover`, since other software has files of any name; one rename brings it there,
//! so a version is adopted wholly or not at all, and whoever adopts again goes on where a crash stopped. Digests say what the files
//! hold now; they are synced, so that this lasts.
//!
//! The versions are put in order by their names, numbers in them by value (`v9` before `v10`): times of files decide nothing. All
//! are `published`, as the other software's rollback would have it; without a `CURRENT` all are `prepared`. What our ids or names
//! refuse, links, devices and FIFOs is left alone, and named, unless `CURRENT` names it: then nothing is adopted at all.
//!
//! The other software must not write meanwhile, or afterwards. A file that changes while it is read is noticed.

use std::{cmp::Ordering, collections::BTreeSet, path::Path};

use cutover_durable::fs::{self, Identity, Kind};
use serde_json::{Map, Value};

use crate::{
    Counts, Error, FORMAT, FileEntry, LockWait, Manifest, Result, Store, StoreOptions, VersionId, VersionInfo, Writer,
    complete::write_record,
    current,
    history::{self, Event},
    holder::now_ms,
    info::Loaded,
    layout::{self, LEASE, Layout, MANIFEST, Records, SUMS, VersionName},
    manifest::HERE,
    name,
    reading::{Content, Reading},
    state::{Stage, StateFile},
    sums::{self, Sums},
    used_ids::UsedIds,
};

/// A name below `versions/`, and why it was left alone.
type Refused = (String, String);

/// What [`Store::adopt`] did.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// The versions that the index has now, oldest first.
    pub versions: Vec<VersionInfo>,
    /// Names below `versions/` that were left alone, and why.
    pub refused: Vec<(String, String)>,
}

/// A version that is to be adopted.
struct Candidate {
    id: VersionId,
    files: Vec<FileEntry>,
    /// Directories below the version's, outer ones first.
    directories: Vec<String>,
}

impl Store {
    /// Makes versions of the directories below `versions/` in the base directory at `path` that are none yet. Adopting again changes
    /// nothing.
    ///
    /// `progress` is told bytes read and bytes to be read; `cancel` is asked after every quarter of a mebibyte. What was adopted until
    /// then stays so.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::write`], and [`Error::Corrupt`] when `CURRENT` names nothing, or what cannot be adopted.
    pub fn adopt(
        path: &Path,
        options: StoreOptions,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Adopted> {
        let store = Self::open(path, StoreOptions { create: false, ..options })?;
        let writer = store.take_lock("adopt", LockWait::Forever, cancel)?;
        let mut reading = Reading::new(progress, cancel);
        let (mut candidates, mut refused) = writer.survey(&reading)?;
        let current = writer.named(&candidates, &refused)?;
        candidates.sort_by(|a, b| natural(a.id.as_str(), b.id.as_str()));
        for file in candidates.iter().flat_map(|candidate| &candidate.files) {
            reading.expect(file.bytes);
        }
        writer.make_directories()?;
        let mut last = writer.last_sequence()?.max(UsedIds::read(writer.layout())?.floor());
        for candidate in &candidates {
            let stage = if current.is_some() { Stage::Published } else { Stage::Prepared };
            match writer.adopt(candidate, last + 1, stage, &mut reading)? {
                None => last += 1,
                Some(why) if current.as_ref() == Some(&candidate.id) => return Err(writer.refuses_current(&why)),
                Some(why) => refused.push((candidate.id.to_string(), why)),
            }
        }
        writer.use_ids(&refused)?;
        writer.point_link(current.as_ref());
        Ok(Adopted { versions: store.versions()?, refused })
    }
}

impl Writer {
    /// The directories that can be adopted, and what cannot, and why.
    fn survey(&self, reading: &Reading<'_>) -> Result<(Vec<Candidate>, Vec<Refused>)> {
        let layout = self.layout();
        let used = UsedIds::read(layout)?;
        let (mut candidates, mut refused) = (Vec::new(), Vec::new());
        for entry in fs::list_dir(&layout.versions())? {
            reading.proceed()?;
            let name = entry.name.to_string_lossy().into_owned();
            let id = match Layout::parse_version(&entry.name) {
                VersionName::Version(id) if entry.kind == Kind::Directory => id,
                VersionName::Version(_) => {
                    refused.push((name, "it is not a directory".to_owned()));
                    continue;
                }
                VersionName::Staging => {
                    refused.push((name, "it is a draft: the next writer removes it".to_owned()));
                    continue;
                }
                VersionName::Foreign => {
                    let rule = VersionId::parse(&name).err().map_or_else(String::new, |error| error.to_string());
                    refused.push((name, rule));
                    continue;
                }
            };
            let directory = layout.version(&id);
            if Records::of(&directory).adopted || is_ours(&directory, &id) {
                continue;
            }
            if used.contains(&id) {
                let why =
                    "it was a version whose records are lost: its digests are not made anew; repair sets it aside";
                refused.push((name, why.to_owned()));
                continue;
            }
            let mut candidate = Candidate { id, files: Vec::new(), directories: Vec::new() };
            match candidate.walk(&directory, "", reading)? {
                None => candidates.push(candidate),
                Some(why) => refused.push((name, why)),
            }
        }
        Ok((candidates, refused))
    }

    /// The version that `CURRENT` names, if there is a `CURRENT`.
    fn named(&self, candidates: &[Candidate], refused: &[Refused]) -> Result<Option<VersionId>> {
        let layout = self.layout();
        if fs::kind(&layout.current())?.is_none() {
            return Ok(None);
        }
        let Some(id) = current::read(layout)? else { return Ok(None) };
        if let Some((_, why)) = refused.iter().find(|(name, _)| *name == id.as_str()) {
            return Err(self.refuses_current(why));
        }
        let is_there = candidates.iter().any(|candidate| candidate.id == id)
            || fs::kind(&layout.version(&id))? == Some(Kind::Directory);
        if is_there {
            Ok(Some(id))
        } else {
            Err(Error::corrupt(layout.current(), None, format!("it names {id}, which is not there")))
        }
    }

    fn refuses_current(&self, why: &str) -> Error {
        Error::corrupt(self.layout().current(), None, format!("the version that it names cannot be adopted: {why}"))
    }

    /// Adopts one version; otherwise says why it cannot be.
    fn adopt(
        &self,
        candidate: &Candidate,
        sequence: u64,
        state: Stage,
        reading: &mut Reading<'_>,
    ) -> Result<Option<String>> {
        let directory = self.layout().version(&candidate.id);
        let digests = match candidate.digest(&directory, reading)? {
            Ok(digests) => digests,
            Err(why) => return Ok(Some(why)),
        };
        for name in candidate.directories.iter().rev() {
            fs::sync_dir(&directory.join(name))?;
        }
        let manifest = Manifest {
            format: FORMAT,
            id: candidate.id.clone(),
            sequence,
            parent: None,
            created: now_ms(),
            counts: Counts::default(),
            content: Value::Null,
            artifact_root: HERE.to_owned(),
            files: candidate.files.clone(),
        };
        let (adopted, adopting) = Records::adopting(&directory);
        // What a crash left of an earlier attempt: the lock proves that it is dead.
        fs::remove_tree(&adopting)?;
        fs::create_dir(&adopting)?;
        let digest = write_record(&adopting, MANIFEST, &manifest.encode()?)?;
        let manifest_name = layout::adopted_name(MANIFEST);
        let lines =
            digests.iter().map(|(name, digest)| (name.as_str(), *digest)).chain([(manifest_name.as_str(), digest)]);
        write_record(&adopting, SUMS, sums::encode(lines).as_bytes())?;
        StateFile { state, previous: None, withdraws: None, attributes: Map::new() }.write(&adopting)?;
        fs::publish_dir_mode(&adopting)?;
        fs::sync_dir(&adopting)?;
        if fs::kind(&directory.join(LEASE))?.is_none() {
            fs::create(&directory.join(LEASE))?.finish()?;
            // A version with records has a lease: its name lasts before theirs can.
            fs::sync_dir(&directory)?;
        }
        self.require_lock()?;
        fs::rename_no_replace(&adopting, &adopted)?;
        fs::sync_dir(&directory)?;
        history::record(self.layout(), Event::Adopted, &candidate.id, None);
        Ok(None)
    }

    /// Records the ids of all versions as used: they were chosen elsewhere.
    fn use_ids(&self, refused: &[Refused]) -> Result<()> {
        let layout = self.layout();
        let used = UsedIds::read(layout)?;
        let mut ids = self.store().ids()?;
        ids.retain(|id| refused.iter().all(|(name, _)| name != id.as_str()));
        if used.is_whole() && ids.iter().all(|id| used.contains(id)) {
            return Ok(());
        }
        let all: BTreeSet<String> = used.iter().cloned().chain(ids.iter().map(ToString::to_string)).collect();
        UsedIds::replace(layout, &all, used.floor())
    }
}

impl Candidate {
    /// Finds every file; otherwise says why the version cannot be adopted.
    fn walk(&mut self, directory: &Path, prefix: &str, reading: &Reading<'_>) -> Result<Option<String>> {
        reading.proceed()?;
        for entry in fs::list_dir(directory)? {
            let Some(name) = entry.name.to_str() else {
                return Ok(Some(format!("the name of {prefix}{} is not Unicode", entry.name.display())));
            };
            let name = format!("{prefix}{name}");
            let path = directory.join(&entry.name);
            if layout::is_reserved_when_adopted(&name) {
                match (entry.kind, name == LEASE) {
                    // Ours, of an earlier attempt; or anybody's: any file can be locked.
                    (Kind::Directory, false) | (Kind::File, true) => continue,
                    _ => return Ok(Some(format!("{name} is in the way of our records"))),
                }
            }
            if let Err(error) = name::check_adopted(&name) {
                return Ok(Some(error.to_string()));
            }
            match entry.kind {
                Kind::File => self.files.push(FileEntry { name, bytes: fs::metadata(&path)?.len() }),
                Kind::Directory => {
                    self.directories.push(name.clone());
                    let refused = self.walk(&path, &format!("{name}/"), reading)?;
                    if refused.is_some() {
                        return Ok(refused);
                    }
                }
                Kind::Symlink => return Ok(Some(format!("{name} is a symbolic link"))),
                Kind::Other => return Ok(Some(format!("{name} is a device, a socket or a FIFO"))),
            }
        }
        // By their whole names, as manifests have them.
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(None)
    }

    /// The digests of the files, which are synced; or what is wrong with one.
    fn digest(&self, directory: &Path, reading: &mut Reading<'_>) -> Result<Result<Sums, String>> {
        let mut digests = Sums::new();
        for file in &self.files {
            let path = directory.join(&file.name);
            let before = fs::metadata(&path)?;
            fs::sync_file(&path)?;
            match reading.content(&path, Identity::from(&before))? {
                Content::Digest(digest) => drop(digests.insert(file.name.clone(), digest)),
                Content::Unreadable(why) => return Ok(Err(why)),
            }
            let after = fs::metadata(&path)?;
            let same =
                |metadata: &std::fs::Metadata| (Identity::from(metadata), metadata.len(), metadata.modified().ok());
            if same(&before) != same(&after) || after.len() != file.bytes {
                return Ok(Err(format!("{} changed while it was read", file.name)));
            }
        }
        Ok(Ok(digests))
    }
}

/// Whether a directory holds a version that we wrote, damaged or not.
fn is_ours(directory: &Path, id: &VersionId) -> bool {
    match Loaded::read(directory, id) {
        Ok(_) | Err(Error::FormatTooNew { .. }) => true,
        Err(_) => Manifest::read(directory, id).is_ok(),
    }
}

/// Names in the order that people count in: digits by the number that they spell.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (digits(&mut left), digits(&mut right));
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            (left, right) = (&left[x.len_utf8()..], &right[y.len_utf8()..]);
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then(a.cmp(b))
}

/// Takes the digits that `text` begins with off it; without leading zeroes.
fn digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_put_in_the_order_that_people_count_in() {
        let mut names = ["v10", "v2", "v1", "v02", "2026-1-9", "2026-1-10", "a", "v1.10", "v1.9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["2026-1-9", "2026-1-10", "a", "v1", "v1.9", "v1.10", "v02", "v2", "v10"]);
    }
}
