//! Verifying an index: what the store says of its files, and at the greatest depth what they contain.

use crate::cancel::Cancel;
use crate::contents::{Contents, Finding, Kind};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::segment::SegmentCache;
use crate::snapshot::Snapshot;
use cutover_store::{Problem, ProblemKind, Store, VerifyReport, VersionId};
use std::cell::Cell;

/// How much of a version is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Records, names, kinds and sizes of files.
    Sizes,
    /// And every byte, against the digest it was published with.
    Digests,
    /// And what the files contain: see [`crate::contents`].
    Contents,
}

impl Index {
    /// Looks at all versions, or at one, and says what is wrong. Damage is what it answers with, not an error. Versions that hold no
    /// documents, only artifacts, have no contents to be looked at.
    ///
    /// `progress` is told what is done and what there is to do, in bytes that are read and documents that are looked at.
    ///
    /// # Errors
    /// The store's `NotFound` and `Busy`; [`Error::Cancelled`]; [`Error::Closed`].
    pub fn verify(
        &self,
        version: Option<&str>,
        depth: Depth,
        progress: &dyn Fn(u64, u64),
        cancel: &Cancel,
    ) -> Result<VerifyReport> {
        let id = version.map(VersionId::parse).transpose()?;
        let store = &self.inner()?.store;
        let documents = if depth == Depth::Contents { documents(store, id.as_ref())? } else { 0 };
        let (bytes, looked_at) = (Cell::new((0, 0)), Cell::new(0));
        let tell = || progress(bytes.get().0 + looked_at.get(), bytes.get().1 + documents);
        let mut contents = Contents::new(cancel);
        let mut extra = |held: &cutover_store::Snapshot| {
            if depth != Depth::Contents || held.manifest().content.is_null() {
                return Ok(Vec::new());
            }
            let step = |documents: u64| {
                looked_at.set(looked_at.get() + documents);
                tell();
            };
            let found = look(store, held.id(), &mut contents, &step);
            let version = held.id().to_string();
            Ok(found?.into_iter().map(|finding| problem(&version, finding)).collect())
        };
        let by_store = if depth == Depth::Sizes { cutover_store::Depth::Sizes } else { cutover_store::Depth::Digests };
        let report = store.verify_with(
            id.as_ref(),
            by_store,
            &mut extra,
            &|done, total| {
                bytes.set((done, total));
                tell();
            },
            &|| cancel.is_set(),
        );
        report.map_err(|error| match error {
            cutover_store::Error::Cancelled => Error::Cancelled,
            error => error.into(),
        })
    }
}

/// Documents that there are to look at, dead ones aside.
fn documents(store: &Store, version: Option<&VersionId>) -> Result<u64> {
    let versions = store.versions()?;
    let wanted = versions.iter().filter(|info| version.is_none_or(|version| info.id == *version));
    Ok(wanted.map(|info| info.documents).sum())
}

/// What is wrong in a version whose files are as they were published. It is opened anew: segments that this process serves were mapped
/// before their bytes were compared.
fn look(
    store: &Store,
    id: &VersionId,
    contents: &mut Contents<'_>,
    step: &dyn Fn(u64),
) -> cutover_store::Result<Vec<Finding>> {
    let held = store.snapshot(Some(id))?;
    match Snapshot::open(held, &SegmentCache::default()).and_then(|snapshot| contents.check(&snapshot, step)) {
        Ok(findings) => Ok(findings),
        Err(Error::Cancelled) => Err(cutover_store::Error::Cancelled),
        Err(Error::Store(error)) if error.code() != "CUTOVER_CORRUPT" => Err(error),
        Err(error) => {
            let file = error.detail()["file"].as_str().unwrap_or("manifest.json").to_owned();
            Ok(vec![Finding { file, kind: Kind::Disagree, detail: error.to_string() }])
        }
    }
}

fn problem(version: &str, finding: Finding) -> Problem {
    let kind = match finding.kind {
        Kind::Disagree => ProblemKind::Disagree,
        Kind::Unreachable => ProblemKind::Unreachable,
        Kind::Unreadable => ProblemKind::Unreadable,
    };
    Problem { version: Some(version.to_owned()), file: finding.file, kind, detail: finding.detail }
}
