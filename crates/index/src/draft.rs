//! A rebuild: documents in, one published version out. The writer lock is held from before the first document is asked for.
//!
//! Dropping a draft discards it: its directory goes, nothing else was touched.

use crate::cancel::Cancel;
use crate::check::check;
use crate::document::{Packed, decode};
use crate::error::{Error, Result};
use crate::graph_file::{Adopted, Rows};
use crate::ids::{Ids, replaced_across};
use crate::index::{Open, Wait};
use crate::progress::{Phase, Progress};
use crate::schema::Schema;
use crate::segment::SegmentEntry;
use crate::segment_builder::{BuiltSegment, SegmentBuilder, path};
use crate::snapshot::{Content, Snapshot};
use crate::tombstones;
use cutover_durable::Map;
use cutover_store::{Contents, Counts, DraftOptions, How, VersionInfo};
use fixedbitset::FixedBitSet;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How a version is written.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// What is being done, for whoever waits for the lock.
    pub operation: String,
    /// The version id; generated when absent.
    pub version: Option<String>,
    /// How to wait for the lock.
    pub wait: Wait,
    /// Whether the version becomes current.
    pub activate: bool,
    /// JSON that the user attaches.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Whether an invalid document is left out instead of ending the write.
    pub skip_invalid: bool,
}

/// A version under construction.
pub struct Draft {
    open: Arc<Open>,
    schema: Arc<Schema>,
    models: BTreeMap<String, String>,
    staged: cutover_store::Draft,
    options: WriteOptions,
    segment: Option<SegmentBuilder>,
    /// What the next segment takes over, by the schema's number of the vector field.
    adopted: Option<(usize, Adopted)>,
    built: Vec<BuiltSegment>,
    counts: Counts,
    progress: Arc<Progress>,
    /// Once complete: the draft as the production reader opens it.
    snapshot: Option<Arc<Snapshot>>,
    failed: bool,
}

/// A published (or prepared) version, and what its publish took.
#[derive(Debug)]
pub struct Published {
    /// The version.
    pub info: VersionInfo,
    /// Until readers could see it: the renames.
    pub visible: Duration,
    /// Until a power cut could not take it back: the renames and the syncs after them.
    pub durable: Duration,
    /// Versions that gave way.
    pub pruned: Vec<String>,
}

impl Draft {
    pub(crate) fn begin(open: Arc<Open>, schema: Arc<Schema>, options: WriteOptions, cancel: &Cancel) -> Result<Self> {
        let models = open.options.models.of_new(&schema)?;
        let writer = open.lock(&options.operation, &options.wait, cancel)?;
        let current = open.store.current()?;
        if let Some(expected) = options.wait.if_current()?
            && current.as_ref() != Some(&expected)
        {
            return Err(cutover_store::Error::Conflict { expected, actual: current }.into());
        }
        if let Some(current) = &current {
            // A rebuild is expected to need about what the current version takes.
            writer.need(open.store.info(current)?.bytes)?;
        }
        let id = options.version.as_deref().map(cutover_store::VersionId::parse).transpose()?;
        let staged =
            writer.draft(DraftOptions { id, attributes: options.attributes.clone(), ..DraftOptions::default() })?;
        let progress = Arc::new(Progress::default());
        progress.enter(Phase::Reading, None);
        Ok(Self {
            open,
            schema,
            models,
            staged,
            options,
            segment: None,
            adopted: None,
            built: Vec::new(),
            counts: Counts::default(),
            progress,
            snapshot: None,
            failed: false,
        })
    }

    /// The id that the version will have.
    #[must_use]
    pub fn version(&self) -> String {
        self.staged.id().to_string()
    }

    /// Where vectors that were paid for are kept; the draft holds the lock under which it may be used.
    #[must_use]
    pub fn embeddings_directory(&self) -> PathBuf {
        self.open.store.embeddings_directory()
    }

    /// Where the build stands; may be read from any thread.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Adds documents: one JSON object a line, vectors and long texts beside. Answers the documents that were left out, and why.
    ///
    /// # Errors
    /// [`Error::Document`] for the first invalid document, unless they are to be skipped; I/O. The draft is of no use after an error.
    pub fn add(&mut self, lines: &str, packed: Packed<'_>, cancel: &Cancel) -> Result<Vec<Error>> {
        self.usable()?;
        let added = self.add_lines(lines, packed, cancel);
        self.failed = added.is_err();
        added
    }

    fn add_lines<'a>(&mut self, lines: &'a str, mut packed: Packed<'a>, cancel: &Cancel) -> Result<Vec<Error>> {
        let mut skipped = Vec::new();
        let schema = Arc::clone(&self.schema);
        for line in lines.lines() {
            cancel.check()?;
            let decoded = decode(line, &schema, &mut packed);
            let building = self.building()?;
            if decoded.is_err() {
                building.pass();
            }
            let added = decoded.and_then(|document| building.add(&document));
            match added {
                Ok(()) => self.progress.step(),
                Err(error @ Error::Document { .. }) if self.options.skip_invalid => {
                    self.counts.skipped += 1;
                    skipped.push(error);
                }
                Err(error) => return Err(error),
            }
            let cut = self.segment.as_ref().filter(|segment| segment.can_be_cut());
            let memory = cut.map_or(0, SegmentBuilder::memory_bytes);
            if memory > self.open.options.build_memory_bytes {
                self.finish_segment(cancel)?;
            }
        }
        Ok(skipped)
    }

    /// Takes over the vectors of `field` and their graph from a file of hnswlib's: documents that are added from now on have no vector of
    /// their own. Answers what rows the file has; [`Draft::adopt_rows`] must say which of them documents come for, in which order.
    ///
    /// The file is read whole, and stays in memory until the draft is complete.
    ///
    /// # Errors
    /// [`Error::Source`] when it is not what it should be, or changes while it is read; I/O; [`Error::Cancelled`]. The draft is of no use after
    /// an error.
    pub fn adopt_graph(&mut self, field: &str, path: &Path, cancel: &Cancel) -> Result<Rows> {
        self.usable()?;
        let vectors = self.schema.vectors().iter().enumerate();
        let found = vectors.map(|(at, (name, parameters))| (at, name, *parameters)).find(|(_, name, _)| *name == field);
        let (at, _, parameters) =
            found.ok_or_else(|| Error::Internal(format!("the schema has no vector field {field:?}")))?;
        if self.segment.is_some() || !self.built.is_empty() {
            return Err(Error::Internal("a graph is taken over before documents are added".into()));
        }
        let (adopted, rows) = Adopted::read(path, field, parameters, cancel)?;
        self.adopted = Some((at, adopted));
        Ok(rows)
    }

    /// Says for which rows of the graph documents come: ascending, one document each.
    ///
    /// # Errors
    /// [`Error::Internal`] when they are no such rows, or no graph is taken over.
    pub fn adopt_rows(&mut self, rows: Vec<u32>) -> Result<()> {
        match &mut self.adopted {
            Some((_, adopted)) => adopted.expect(rows),
            None => Err(Error::Internal("no graph is taken over".into())),
        }
    }

    /// Brings a file or a directory in, to be kept with the version as the artifact `name`: a copy, by reflink where the file system can.
    ///
    /// # Errors
    /// The store's, of [`cutover_store::Draft::attach`]; the draft is as it was then. [`Error::Cancelled`].
    pub fn attach(&mut self, name: &str, from: &Path, cancel: &Cancel) -> Result<()> {
        self.usable()?;
        self.staged.attach(name, from, How::Copy, &|| cancel.is_set()).map_err(|error| match error {
            cutover_store::Error::Cancelled => Error::Cancelled,
            error => error.into(),
        })
    }

    /// Says how many vectors came from the cache of those already paid for.
    pub fn set_reused(&mut self, vectors: u64) {
        self.counts.reused = vectors;
    }

    fn usable(&self) -> Result<()> {
        if self.failed || self.snapshot.is_some() {
            return Err(Error::Internal("a draft takes nothing after it failed or was completed".into()));
        }
        Ok(())
    }

    fn building(&mut self) -> Result<&mut SegmentBuilder> {
        let segment = if let Some(segment) = self.segment.take() {
            segment
        } else {
            let name = format!("{}.{}", self.staged.id(), self.built.len());
            SegmentBuilder::new(name, Arc::clone(&self.schema), &self.staged, self.adopted.take())?
        };
        Ok(self.segment.insert(segment))
    }

    fn finish_segment(&mut self, cancel: &Cancel) -> Result<()> {
        let Some(segment) = self.segment.take().filter(|segment| segment.len() > 0) else { return Ok(()) };
        let progress = Arc::clone(&self.progress);
        let (phase, read) = progress.read();
        progress.enter(Phase::Building, None);
        let report = |done: usize, total: usize| progress.set(done, total);
        let built = segment.finish(&self.staged, self.open.options.build_threads, cancel, &report);
        self.built.push(built?);
        progress.enter(phase, None);
        progress.set_done(read);
        Ok(())
    }

    /// Builds what remains, writes and syncs every file, and opens the draft with the production reader.
    ///
    /// # Errors
    /// I/O, [`Error::Cancelled`], [`Error::Corrupt`] when the finished draft does not agree with itself. The draft is of no use
    /// after an error.
    pub fn complete(&mut self, cancel: &Cancel) -> Result<()> {
        self.usable()?;
        self.failed = true;
        self.finish_segment(cancel)?;
        let dead = self.dead()?;
        let mut segments = Vec::with_capacity(self.built.len());
        for (built, dead) in self.built.iter().zip(dead) {
            let count = dead.count_ones(..);
            if count > 0 {
                let path = format!("tombstones/{}", built.name);
                let file = self.staged.create(&path)?;
                self.staged.record(&path, tombstones::write(file, &dead)?)?;
            }
            let entry = SegmentEntry { name: built.name.clone(), documents: built.documents, dead: count as u32 };
            self.counts.documents += u64::from(entry.documents - entry.dead);
            self.counts.duplicates += u64::from(entry.dead);
            segments.push(entry);
        }
        cancel.check()?;
        self.progress.enter(Phase::Verifying, None);
        let content =
            serde_json::to_value(Content { schema: self.schema.to_json(), models: self.models.clone(), segments })
                .map_err(|e| Error::Internal(format!("writing the manifest: {e}")))?;
        self.staged.complete(Contents { counts: self.counts, content }, self.options.activate)?;
        let snapshot = Snapshot::open(self.staged.snapshot()?, self.open.segments())?;
        check(&snapshot)?;
        cancel.check()?;
        self.snapshot = Some(Arc::new(snapshot));
        self.failed = false;
        Ok(())
    }

    /// For each segment the ordinals whose id came again later: last wins.
    fn dead(&self) -> Result<Vec<FixedBitSet>> {
        let mut dead: Vec<FixedBitSet> = Vec::with_capacity(self.built.len());
        for built in &self.built {
            let mut bits = FixedBitSet::with_capacity(built.documents as usize);
            bits.extend(built.replaced.iter().map(|ordinal| *ordinal as usize));
            dead.push(bits);
        }
        if self.built.len() > 1 {
            let open =
                |built: &BuiltSegment| Ids::open(Map::open(&self.staged.directory().join(path(&built.name, "ids")))?);
            let ids = self.built.iter().map(open).collect::<Result<Vec<_>>>()?;
            replaced_across(&ids, |segment, ordinal| dead[segment].insert(ordinal as usize));
        }
        Ok(dead)
    }

    /// The finished draft, for gates.
    ///
    /// # Errors
    /// [`Error::Internal`] before [`Draft::complete`].
    pub fn snapshot(&self) -> Result<Arc<Snapshot>> {
        self.snapshot.clone().ok_or_else(|| Error::Internal("the draft is not complete".into()))
    }

    /// Makes the version, and unless it is to stay prepared makes it current and serves it. Called at normal priority: an idle
    /// thread that held the rename would let everyone wait.
    ///
    /// # Errors
    /// The store's. [`Error::Cancelled`] only before the draft became a version.
    pub fn publish(mut self, cancel: &Cancel) -> Result<Published> {
        let snapshot = self.snapshot.take().ok_or_else(|| Error::Internal("the draft is not complete".into()))?;
        self.progress.enter(Phase::Publishing, None);
        let if_current = self.options.wait.if_current()?;
        let published = self.staged.publish(if_current.as_ref(), &|| cancel.is_set());
        let (published, mut writer) = published?;
        let mut pruned = Vec::new();
        if self.options.activate {
            // The maps of the draft's check stay valid across the rename: what is served next shares them.
            self.open.follow(snapshot);
            match writer.prune(&self.open.options.keep, false) {
                Ok(report) => pruned = report.removed.iter().map(ToString::to_string).collect(),
                // The version is published: what could not be pruned is the next writer's to remove.
                Err(error) => self.open.cache.report(error.into()),
            }
        }
        Ok(Published { info: published.info, visible: published.visible, durable: published.durable, pruned })
    }
}
