//! Looking for damage: what every record and file of an index says, against what is there.
//!
//! Nothing is written. Each version is leased while it is read, so that it is not pruned under the reader; one that was pruned
//! before is not looked at. Files are read, never mapped, each once however many versions share it. Drafts are not looked at: they
//! belong to a writer, or the next one removes them.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use cutover_durable::{
    Error as FileError,
    fs::{self, Identity, Kind},
};

use crate::{
    Depth, Error, Manifest, Problem, ProblemKind, Result, Snapshot, Store, VerifyReport, VersionId,
    inspect::{self, Inspection, diagnose, inspect},
    layout::LEASE,
    reading::Reading,
    state::Stage,
    tags::Tags,
    used_ids::UsedIds,
};

impl Store {
    /// Looks at the whole index, or at one version, and says what is wrong. Damage is what it answers with, not an error.
    ///
    /// `progress` is told bytes read and bytes to be read; `cancel` is asked after every quarter of a mebibyte.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Cancelled`], [`Error::Busy`], and the system's when this process runs out of something.
    pub fn verify(
        &self,
        version: Option<&VersionId>,
        depth: Depth,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<VerifyReport> {
        self.verify_with(version, depth, &mut |_| Ok(Vec::new()), progress, cancel)
    }

    /// [`Store::verify`], and `extra` looks at what each version contains that has no problem so far, under its lease.
    ///
    /// # Errors
    /// As [`Store::verify`], and what `extra` fails with.
    pub fn verify_with(
        &self,
        version: Option<&VersionId>,
        depth: Depth,
        extra: &mut dyn FnMut(&Snapshot) -> Result<Vec<Problem>>,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<VerifyReport> {
        let mut problems = Vec::new();
        let mut reading = Reading::new(progress, cancel);
        let ids = if let Some(id) = version {
            vec![id.clone()]
        } else {
            problems.extend(self.verify_records()?);
            self.ids()?
        };
        let mut versions = Vec::new();
        for id in self.in_order(ids, depth, &mut reading)? {
            match self.verify_version(&id, depth, extra, &mut reading)? {
                Some(found) => {
                    problems.extend(found);
                    versions.push(id);
                }
                None if version.is_some() => return Err(Error::NotFound { version: id }),
                None => {}
            }
        }
        Ok(VerifyReport { ok: problems.is_empty(), versions, bytes_read: reading.done(), problems })
    }

    /// The versions by their sequence, and how much there is to read of them.
    pub(crate) fn in_order(
        &self,
        ids: Vec<VersionId>,
        depth: Depth,
        reading: &mut Reading<'_>,
    ) -> Result<Vec<VersionId>> {
        let mut ordered = Vec::with_capacity(ids.len());
        let mut counted = HashSet::new();
        for id in ids {
            reading.proceed()?;
            let directory = self.layout().version(&id);
            // What is wrong with it is found out when its turn comes.
            let manifest = Manifest::read(&directory, &id).ok().map(|(manifest, _)| manifest);
            ordered.push((manifest.as_ref().map_or(u64::MAX, |manifest| manifest.sequence), id));
            if depth == Depth::Digests
                && let Some(manifest) = manifest
            {
                expect(&directory, &manifest, &mut counted, reading);
            }
        }
        ordered.sort();
        Ok(ordered.into_iter().map(|(_, id)| id).collect())
    }

    /// What is wrong with one version; `None` when it is none, or none any more.
    fn verify_version(
        &self,
        id: &VersionId,
        depth: Depth,
        extra: &mut dyn FnMut(&Snapshot) -> Result<Vec<Problem>>,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Vec<Problem>>> {
        let directory = self.layout().version(id);
        let is_there = || Ok::<_, Error>(fs::kind(&directory)? == Some(Kind::Directory));
        if !is_there()? {
            return Ok(None);
        }
        let mut unleased = None;
        let _lease = match self.lease_while(&directory.join(LEASE), reading.cancel()) {
            Ok(lease) => lease,
            // What there is instead of the lease is told below.
            Err(Error::Durable(FileError::Malformed { .. })) => None,
            Err(Error::Durable(error)) if error.is_not_found() => None,
            Err(Error::Durable(error)) => {
                let (kind, detail) = diagnose(error)?;
                unleased = Some(Problem::of_version(id, LEASE, kind, detail));
                None
            }
            Err(error) => return Err(error),
        };
        let Inspection { state, mut problems, .. } = inspect(self.layout(), id, depth, reading)?;
        problems.extend(unleased);
        let is_current = self.current().is_ok_and(|current| current.as_ref() == Some(id));
        let is_publishing = state.is_some_and(|state| state.state == Stage::Publishing) && !is_current;
        if is_publishing || (!problems.is_empty() && !is_there()?) {
            return Ok(None);
        }
        if problems.is_empty() {
            problems.extend(extra(&self.hold(id, is_current)?)?);
        }
        Ok(Some(problems))
    }

    /// What is wrong with the index's own records: that they cannot be read, or name versions that are not there.
    pub(crate) fn verify_records(&self) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let is_there = |id: &VersionId| Ok::<_, Error>(fs::kind(&self.layout().version(id))? == Some(Kind::Directory));
        let missing =
            |id: &VersionId, file: &str, detail: String| Problem::of_version(id, file, ProblemKind::Missing, detail);
        match self.current() {
            Ok(Some(id)) if !is_there(&id)? => {
                // Another version may have become current, and this one pruned, since it was read.
                if self.current().is_ok_and(|current| current.as_ref() == Some(&id)) {
                    problems.push(missing(&id, "CURRENT", format!("it names {id}, which is not there")));
                }
            }
            Ok(_) => {}
            Err(error) => problems.extend(record_problem("CURRENT", error)?),
        }
        match Tags::read(self.layout()) {
            Ok(tags) => {
                let absent: BTreeMap<_, _> = tags.iter().filter(|(_, id)| !is_there(id).unwrap_or(true)).collect();
                if !absent.is_empty() {
                    // A tag that moved meanwhile does not keep the version it named.
                    let now = Tags::read(self.layout()).unwrap_or_default();
                    let still = absent.into_iter().filter(|(tag, id)| now.iter().any(|(t, i)| t == *tag && i == *id));
                    problems.extend(still.map(|(tag, id)| {
                        missing(id, "tags.json", format!("the tag {tag:?} names {id}, which is not there"))
                    }));
                }
            }
            Err(error) => problems.extend(record_problem("tags.json", error)?),
        }
        if let Err(error) = UsedIds::read(self.layout()) {
            problems.extend(record_problem("used-ids", error)?);
        }
        Ok(problems)
    }
}

impl Snapshot {
    /// Reads every file of the version and says which do not have the digest they were published with.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and the system's when this process runs out of something.
    pub fn verify_digests(&self, progress: &dyn Fn(u64, u64), cancel: &dyn Fn() -> bool) -> Result<Vec<Problem>> {
        let mut reading = Reading::new(progress, cancel);
        expect(self.directory(), self.manifest(), &mut HashSet::new(), &mut reading);
        inspect::check_files(self.directory(), self.manifest(), Some(self.sums()), &mut reading)
    }
}

/// Counts the bytes of the version's files that are not counted yet.
fn expect(directory: &Path, manifest: &Manifest, counted: &mut HashSet<Identity>, reading: &mut Reading<'_>) {
    for file in &manifest.files {
        if fs::identity(&directory.join(&file.name)).is_ok_and(|identity| counted.insert(identity)) {
            reading.expect(file.bytes);
        }
    }
}

/// What an error says about a record of the index.
fn record_problem(file: &str, error: Error) -> Result<Option<Problem>> {
    let (kind, detail) = match error {
        Error::Durable(error) => diagnose(error)?,
        Error::Corrupt { detail, .. } if detail.starts_with("it is missing") => (ProblemKind::Missing, detail),
        Error::Corrupt { detail, .. } => (ProblemKind::Unreadable, detail),
        error => return Err(error),
    };
    Ok(Some(Problem::of_index(file, kind, detail)))
}
