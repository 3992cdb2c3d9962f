//! What a version's directory holds, against what its records say. Nothing of it is believed, and nothing stops at the first
//! problem.

use std::{
    collections::{HashMap, HashSet},
    fs::Metadata,
    path::Path,
};

use cutover_durable::{
    Digest, Error as FileError,
    fs::{self, Identity, Kind},
};

use crate::{
    Depth, Error, Manifest, Problem, ProblemKind, Result, VersionId,
    checked::{File, differs},
    layout::{LEASE, Layout, MANIFEST, Records, STATE, SUMS},
    name,
    reading::{Content, Reading},
    state::StateFile,
    sums::{self, Sums},
};

/// The most problems that are told of one version: a hostile directory can hold any number of names.
const MOST: usize = 1000;

/// What one version turned out to be.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// Its manifest, if that can be read.
    pub manifest: Option<Manifest>,
    /// Its state, if that can be read.
    pub state: Option<StateFile>,
    /// Whether a newer program wrote it, so that nothing else can be said about it.
    pub too_new: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Inspection {
    /// Whether a reader cannot rely on the version's content. What is unexpected harms nobody, and the state and the lease can be
    /// made again.
    pub fn is_damaged(&self, directory: &Path) -> bool {
        let state = Records::of(directory).name(STATE);
        // A rename puts a file in the place of anything else.
        let replaceable = !matches!(fs::kind(&directory.join(&state)), Ok(Some(Kind::Directory)));
        !self.too_new
            && self.problems.iter().any(|problem| {
                let mendable = (problem.file == state && replaceable)
                    || (problem.file == LEASE && problem.kind == ProblemKind::Missing);
                problem.kind != ProblemKind::Unexpected && !mendable
            })
    }
}

/// Looks at the version `id`. The caller holds a lease on it, or the writer lock.
///
/// # Errors
/// [`Error::Cancelled`], and errors that say nothing about the version.
pub(crate) fn inspect(layout: &Layout, id: &VersionId, depth: Depth, reading: &mut Reading<'_>) -> Result<Inspection> {
    let directory = layout.version(id);
    let records = Records::of(&directory);
    let mut problems = Problems { id, found: Vec::new() };
    let manifest = match Manifest::read(&directory, id) {
        Err(error @ Error::FormatTooNew { .. }) => {
            let manifest = records.name(MANIFEST);
            problems.add(&manifest, ProblemKind::Unreadable, error.to_string());
            return Ok(Inspection { manifest: None, state: None, too_new: true, problems: problems.found });
        }
        manifest => problems.record(&records.name(MANIFEST), manifest)?,
    };
    let sums = problems.record(&records.name(SUMS), sums::read(&directory, id))?;
    let state = StateFile::read(&directory, id);
    let state = problems.record(&records.name(STATE), state)?;
    match fs::kind(&directory.join(LEASE)) {
        Ok(Some(Kind::File)) => {}
        Ok(None) => problems.add(LEASE, ProblemKind::Missing, "it is missing"),
        Ok(Some(_)) => problems.add(LEASE, ProblemKind::Unreadable, "it is not a regular file"),
        Err(error) => problems.file(LEASE, error)?,
    }
    if let (Some((manifest, bytes)), Some((sums, _))) = (&manifest, &sums) {
        problems.compare_records(&records, manifest, Digest::of(bytes), sums);
    }
    let manifest = manifest.map(|(manifest, _)| manifest);
    if let Some(manifest) = &manifest {
        let sums = sums.as_ref().map(|(sums, _)| sums).filter(|_| depth == Depth::Digests);
        problems.files(&directory, manifest, sums, reading)?;
        let known: HashSet<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        problems.others(&directory, "", &|name| known.contains(name) || records.hold(name), reading)?;
    }
    Ok(Inspection { manifest, state, too_new: false, problems: problems.found })
}

/// What is wrong with the files of a version whose records are known. Digests are compared when `sums` is there.
pub(crate) fn check_files(
    directory: &Path,
    manifest: &Manifest,
    sums: Option<&Sums>,
    reading: &mut Reading<'_>,
) -> Result<Vec<Problem>> {
    let mut problems = Problems { id: &manifest.id, found: Vec::new() };
    problems.files(directory, manifest, sums, reading)?;
    Ok(problems.found)
}

struct Problems<'a> {
    id: &'a VersionId,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, file: &str, kind: ProblemKind, detail: impl Into<String>) {
        if self.found.len() < MOST {
            self.found.push(Problem::of_version(self.id, file, kind, detail));
        } else if self.found.len() == MOST {
            let detail = format!("there are more than {MOST} problems; the others are not listed");
            self.found.push(Problem::of_version(self.id, "", kind, detail));
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() > MOST
    }

    /// Notes what an error says about a file.
    fn file(&mut self, name: &str, error: FileError) -> Result<()> {
        let (kind, detail) = diagnose(error)?;
        self.add(name, kind, detail);
        Ok(())
    }

    /// What was read of a record; what is wrong with it is noted.
    fn record<T>(&mut self, name: &str, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => return Ok(Some(value)),
            Err(Error::Durable(error)) => self.file(name, error)?,
            Err(Error::Corrupt { detail, .. }) => self.add(name, ProblemKind::Unreadable, detail),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn compare_records(&mut self, records: &Records, manifest: &Manifest, digest: Digest, sums: &Sums) {
        let (manifest_name, sums_name) = (records.name(MANIFEST), records.name(SUMS));
        match sums.get(&manifest_name) {
            None => self.add(&sums_name, ProblemKind::Disagree, format!("it has no digest of {manifest_name}")),
            Some(published) if *published != digest => {
                self.add(&manifest_name, ProblemKind::Digest, differs(*published, digest));
            }
            Some(_) => {}
        }
        for file in manifest.files.iter().filter(|file| !sums.contains_key(&file.name)) {
            self.add(&sums_name, ProblemKind::Disagree, format!("it has no digest of {:?}", file.name));
        }
        let listed: HashSet<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        for name in sums.keys().filter(|name| **name != manifest_name && !listed.contains(name.as_str())) {
            self.add(
                &sums_name,
                ProblemKind::Disagree,
                format!("it has a digest of {name:?}, which the manifest does not list"),
            );
        }
    }

    fn files(
        &mut self,
        directory: &Path,
        manifest: &Manifest,
        sums: Option<&Sums>,
        reading: &mut Reading<'_>,
    ) -> Result<()> {
        let mut parents = HashMap::new();
        for file in &manifest.files {
            reading.proceed()?;
            if self.is_full() {
                return Ok(());
            }
            let mut parents = name::parents(&file.name).map(|parent| {
                let known = parents.entry(parent).or_insert_with(|| fs::kind(&directory.join(parent)).ok().flatten());
                (parent, *known)
            });
            if let Some((parent, _)) = parents.find(|(_, kind)| *kind != Some(Kind::Directory)) {
                self.add(
                    &file.name,
                    ProblemKind::Missing,
                    format!("{parent:?} is not a directory that can be entered"),
                );
                continue;
            }
            let path = directory.join(&file.name);
            match fs::metadata(&path) {
                Ok(metadata) if !metadata.is_file() => {
                    self.add(&file.name, ProblemKind::Missing, "something that is no regular file is in its place");
                }
                Ok(metadata) if metadata.len() != file.bytes => {
                    let detail = format!("it should have {} bytes and has {}", file.bytes, metadata.len());
                    self.add(&file.name, ProblemKind::Size, detail);
                }
                Ok(metadata) => {
                    if let Some(published) = sums.and_then(|sums| sums.get(&file.name)) {
                        self.digest(&path, &file.name, &metadata, *published, reading)?;
                    }
                }
                Err(error) => self.file(&file.name, error)?,
            }
        }
        Ok(())
    }

    fn digest(
        &mut self,
        path: &Path,
        name: &str,
        metadata: &Metadata,
        published: Digest,
        reading: &mut Reading<'_>,
    ) -> Result<()> {
        let file = File::new(metadata, published);
        match reading.content(path, Identity::from(metadata)) {
            Ok(Content::Digest(digest)) if digest == published => file.note(None),
            Ok(Content::Digest(digest)) => {
                let detail = differs(published, digest);
                file.note(Some(&detail));
                self.add(name, ProblemKind::Digest, detail);
            }
            Ok(Content::Unreadable(detail)) => {
                file.note(Some(&detail));
                self.add(name, ProblemKind::Unreadable, detail);
            }
            Err(Error::Durable(error)) => self.file(name, error)?,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whatever is in the directory and in no manifest. Directories alone are no problem.
    fn others(
        &mut self,
        directory: &Path,
        prefix: &str,
        known: &dyn Fn(&str) -> bool,
        reading: &Reading<'_>,
    ) -> Result<()> {
        reading.proceed()?;
        let entries = match fs::list_dir(directory) {
            Ok(entries) => entries,
            Err(error) => return self.file(prefix.trim_end_matches('/'), error),
        };
        for entry in entries {
            let name = format!("{prefix}{}", entry.name.display());
            match entry.kind {
                _ if self.is_full() => return Ok(()),
                Kind::Directory => self.others(&directory.join(&entry.name), &format!("{name}/"), known, reading)?,
                // What is wrong with them is told elsewhere.
                _ if known(&name) => {}
                Kind::File => self.add(&name, ProblemKind::Unexpected, "the manifest does not list it"),
                Kind::Symlink => self.add(&name, ProblemKind::Unexpected, "it is a symbolic link"),
                Kind::Other => self.add(&name, ProblemKind::Unexpected, "it is a device, a socket or a FIFO"),
            }
        }
        Ok(())
    }
}

/// What an error says about the file it is about.
///
/// # Errors
/// The error itself, when it says something about this process only.
pub(crate) fn diagnose(error: FileError) -> Result<(ProblemKind, String)> {
    match error {
        error if error.is_exhausted() => Err(error.into()),
        error if error.is_not_found() => Ok((ProblemKind::Missing, "it is missing".to_owned())),
        FileError::Malformed { detail, .. } => Ok((ProblemKind::Unreadable, detail)),
        error => Ok((ProblemKind::Unreadable, error.to_string())),
    }
}
