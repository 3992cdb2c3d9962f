//! Steps 3 and 4 of publishing: directories are synced bottom up, then the records are written that make a draft a version.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::Path,
};

use cutover_durable::{
    Digest,
    fs::{self, Kind, Written},
};
use serde_json::Value;

use crate::{
    Counts, Draft, Error, FORMAT, FileEntry, Manifest, Result, Snapshot, VersionInfo,
    holder::now_ms,
    info::Loaded,
    layout::{ARTIFACTS, LEASE, MANIFEST, Records, SUMS},
    name,
    state::{Stage, StateFile},
    sums,
    tags::Tags,
};

/// The largest record that is copied, in bytes: none is read that is larger.
const LARGEST_RECORD: usize = 64 * 1024 * 1024;

/// What a complete draft contains.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// What its writer counted.
    pub counts: Counts,
    /// What is in its files, in the words of whoever wrote them.
    pub content: Value,
}

/// What [`Draft::complete`] wrote.
#[derive(Debug)]
pub(crate) struct Completed {
    pub activate: bool,
    pub info: VersionInfo,
}

impl Draft {
    /// Syncs the directories and writes the version's records: afterwards the draft is a version in all but its name.
    ///
    /// With `activate` publishing makes it current; without it stays prepared.
    ///
    /// # Errors
    /// [`Error::Misuse`] when a file was not recorded, or one was put there that the draft did not create.
    pub fn complete(&mut self, contents: Contents, activate: bool) -> Result<()> {
        if self.completed.is_some() {
            return Err(Error::Misuse { detail: "the draft is complete already".to_owned() });
        }
        let files = self.finished_files()?;
        self.require_distinct(&[])?;
        self.require_unchanged_sources()?;
        let directory = self.directory();
        fs::create(&directory.join(LEASE))?.finish()?;
        self.sync_directories(files.keys())?;

        let manifest = Manifest {
            format: FORMAT,
            id: self.id.clone(),
            sequence: self.sequence(),
            parent: self.parent.clone(),
            created: now_ms(),
            counts: contents.counts,
            content: contents.content,
            artifact_root: ARTIFACTS.to_owned(),
            files: files.iter().map(|(name, written)| FileEntry { name: name.clone(), bytes: written.bytes }).collect(),
        };
        let manifest_digest = write_record(directory, MANIFEST, &manifest.encode()?)?;
        let digests = files.iter().map(|(name, written)| (name.as_str(), written.digest));
        let sums = sums::encode(digests.chain([(MANIFEST, manifest_digest)]));
        write_record(directory, SUMS, sums.as_bytes())?;
        let state = if activate { Stage::Publishing } else { Stage::Prepared };
        let previous = if activate { self.current.clone() } else { None };
        StateFile { state, previous, withdraws: None, attributes: self.attributes.clone() }.write(directory)?;
        fs::publish_dir_mode(directory)?;
        fs::sync_dir(directory)?;

        let info = Loaded::read(directory, &self.id)?.info(activate, &Tags::default());
        self.completed = Some(Completed { activate, info });
        Ok(())
    }

    /// [`Draft::complete`] of a draft that holds the files of `from`: with the same records, so that it is the same version.
    pub(crate) fn complete_copy(&mut self, from: &Snapshot) -> Result<()> {
        let files = self.finished_files()?;
        let directory = self.directory();
        fs::create(&directory.join(LEASE))?.finish()?;
        self.sync_directories(files.keys())?;
        if from.manifest().is_adopted() {
            fs::create_dir(&Records::adopting(directory).0)?;
        }
        let (source, target) = (Records::of(from.directory()), Records::of(directory));
        for (record, digest) in [(MANIFEST, from.sums().get(&source.name(MANIFEST))), (SUMS, Some(&from.info().digest))]
        {
            let path = source.path(record);
            let written = write_record(target.directory(), record, &fs::read_limited(&path, LARGEST_RECORD)?)?;
            if Some(&written) != digest {
                return Err(Error::corrupt(path, Some(from.id()), "it changed while the version was copied"));
            }
        }
        let attributes = self.attributes.clone();
        StateFile { state: Stage::Publishing, previous: None, withdraws: None, attributes }.write(directory)?;
        if target.directory() != directory {
            fs::publish_dir_mode(target.directory())?;
            fs::sync_dir(target.directory())?;
        }
        fs::publish_dir_mode(directory)?;
        fs::sync_dir(directory)?;
        let info = Loaded::read(directory, &self.id)?.info(true, &Tags::default());
        self.completed = Some(Completed { activate: true, info });
        Ok(())
    }

    /// Every file with what it holds, once it is sure that there are no others.
    fn finished_files(&self) -> Result<BTreeMap<String, Written>> {
        let files = self.files();
        let unfinished = |name: &String| Error::Misuse { detail: format!("the file {name:?} was not recorded") };
        let finished = files.iter().map(|(name, file)| Ok((name.clone(), file.ok_or_else(|| unfinished(name))?)));
        let finished = finished.collect::<Result<BTreeMap<_, _>>>()?;
        let directories: BTreeSet<&str> = finished.keys().flat_map(|name| name::parents(name)).collect();
        let known = |name: &str, kind| match kind {
            Kind::File => finished.contains_key(name),
            // Made for a caller who then wrote nothing there.
            Kind::Directory => directories.contains(name) || name == ARTIFACTS,
            Kind::Symlink | Kind::Other => false,
        };
        refuse_others(self.directory(), "", &known)?;
        Ok(finished)
    }

    /// Gives the directories below the draft's own their mode and syncs them, inner ones first.
    fn sync_directories<'a>(&self, names: impl Iterator<Item = &'a String>) -> Result<()> {
        let mut directories: BTreeSet<&str> = names.flat_map(|name| name::parents(name)).collect();
        if fs::kind(&self.directory().join(ARTIFACTS))?.is_some() {
            directories.insert(ARTIFACTS);
        }
        // In reverse order of their names, `a/b` comes before `a`.
        for name in directories.into_iter().rev() {
            let directory = self.directory().join(name);
            fs::publish_dir_mode(&directory)?;
            fs::sync_dir(&directory)?;
        }
        Ok(())
    }
}

pub(crate) fn write_record(directory: &Path, name: &str, bytes: &[u8]) -> Result<Digest> {
    let path = directory.join(name);
    let mut writer = fs::create(&path)?;
    writer.write_all(bytes).map_err(|source| cutover_durable::Error::io("write", &path, source))?;
    Ok(writer.finish()?.digest)
}

/// Fails when there is anything below `directory` but known files and directories.
fn refuse_others(directory: &Path, prefix: &str, known: &dyn Fn(&str, Kind) -> bool) -> Result<()> {
    for entry in fs::list_dir(directory)? {
        let name = format!("{prefix}{}", entry.name.display());
        if !known(&name, entry.kind) {
            return Err(Error::Misuse { detail: format!("the draft did not create {name:?}") });
        }
        if entry.kind == Kind::Directory {
            refuse_others(&directory.join(&entry.name), &format!("{name}/"), known)?;
        }
    }
    Ok(())
}
