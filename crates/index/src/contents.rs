//! Everything in a version, looked at: what `verify` does at its greatest depth.
//!
//! Digests say that the bytes are those that were published; this says that they were right: every id leads to its document and
//! back, every document is valid and is what text, columns and vectors were made from, every link of every graph leads to a node,
//! every node can be reached. A segment that several versions share is read once.

use crate::cancel::Cancel;
use crate::document::StoredDocument;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::segment::{Segment, SegmentView};
use crate::snapshot::Snapshot;
use cutover_text::Signer;
use std::collections::HashMap;
use std::sync::Arc;

/// Findings that are told of one segment; a segment that is wrong throughout has as many as documents.
const MOST_FINDINGS: usize = 32;
/// Documents between two looks at the cancel flag.
const DOCUMENTS_BETWEEN_CHECKS: u32 = 256;

/// What kind of disagreement was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two files, or a file and the manifest, say different things.
    Disagree,
    /// A vector that no search can come to.
    Unreachable,
    /// A file that is not of its format.
    Unreadable,
}

/// Something that is not as it should be, in a file named relative to the version's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub file: String,
    pub kind: Kind,
    pub detail: String,
}

/// The segments that were looked at, and what was found in each.
pub(crate) struct Contents<'a> {
    cancel: &'a Cancel,
    segments: HashMap<String, Vec<Finding>>,
}

impl<'a> Contents<'a> {
    pub fn new(cancel: &'a Cancel) -> Self {
        Self { cancel, segments: HashMap::new() }
    }

    /// What is wrong in a version. `step` is called with the number of documents looked at since it was called last.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and failures to read that say nothing about the version.
    pub fn check(&mut self, snapshot: &Snapshot, step: &dyn Fn(u64)) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for view in &snapshot.segments {
            let name = &view.segment.name;
            if self.segments.contains_key(name) {
                step(u64::from(view.segment.documents.len()));
            } else {
                let found = Look::at(&view.segment, &snapshot.schema, self.cancel, step)?;
                self.segments.insert(name.clone(), found);
            }
            findings.extend(self.segments[name].iter().cloned());
        }
        for (at, view) in snapshot.segments.iter().enumerate() {
            self.alive(snapshot, at, view, &mut findings)?;
        }
        Ok(findings)
    }

    /// A document that the version shows is the one that its id leads to, in its segment and among segments.
    fn alive(&self, snapshot: &Snapshot, at: usize, view: &SegmentView, findings: &mut Vec<Finding>) -> Result<()> {
        let mut told = Told { segment: &view.segment.name, findings: Vec::new() };
        for ordinal in (0..view.segment.documents.len()).filter(|ordinal| view.shows(*ordinal)) {
            pause(ordinal, self.cancel)?;
            let Ok(id) = view.segment.ids.id(ordinal) else { continue };
            if view.segment.ids.ordinal(id).ok().flatten() != Some(ordinal) {
                told.tell("ids", Kind::Disagree, || {
                    format!("document {ordinal} is shown, and {id:?} does not lead to it")
                });
            } else if snapshot.locate(id).ok().flatten() != Some((at, ordinal)) {
                told.tell("ids", Kind::Disagree, || format!("{id:?} is shown by another segment too"));
            }
        }
        findings.append(&mut told.findings);
        Ok(())
    }
}

fn pause(ordinal: u32, cancel: &Cancel) -> Result<()> {
    if ordinal.is_multiple_of(DOCUMENTS_BETWEEN_CHECKS) { cancel.check() } else { Ok(()) }
}

/// Findings of one segment, up to a bound.
struct Told<'a> {
    segment: &'a str,
    findings: Vec<Finding>,
}

impl Told<'_> {
    fn tell(&mut self, file: &str, kind: Kind, detail: impl FnOnce() -> String) {
        if self.findings.len() < MOST_FINDINGS {
            let file = crate::segment_builder::path(self.segment, file);
            self.findings.push(Finding { file, kind, detail: detail() });
        }
    }

    /// A part that could not be read is a finding; a look that was given up is not.
    fn tell_error(&mut self, file: &str, error: Error) -> Result<()> {
        if matches!(error, Error::Cancelled) {
            return Err(error);
        }
        self.tell(file, Kind::Unreadable, || error.to_string());
        Ok(())
    }
}

/// A look at one segment.
struct Look<'a> {
    segment: &'a Segment,
    schema: &'a Arc<Schema>,
    cancel: &'a Cancel,
    told: Told<'a>,
}

impl<'a> Look<'a> {
    fn at(
        segment: &'a Segment,
        schema: &'a Arc<Schema>,
        cancel: &'a Cancel,
        step: &dyn Fn(u64),
    ) -> Result<Vec<Finding>> {
        let told = Told { segment: &segment.name, findings: Vec::new() };
        let mut look = Self { segment, schema, cancel, told };
        look.ids()?;
        look.documents(step)?;
        look.vectors()?;
        Ok(look.told.findings)
    }

    /// Every id leads to an ordinal that has it, and every distinct id is in the map.
    fn ids(&mut self) -> Result<()> {
        let ids = &self.segment.ids;
        let mut named = 0_usize;
        for ordinal in 0..ids.len() {
            pause(ordinal, self.cancel)?;
            match ids.id(ordinal) {
                Err(error) => self.told.tell_error("ids", error)?,
                Ok(id) => match ids.ordinal(id).ok().flatten() {
                    Some(last) if last == ordinal => named += 1,
                    // An id that came again leads to where it came last.
                    Some(last) if last > ordinal && ids.id(last).is_ok_and(|again| again == id) => {}
                    _ => self.told.tell("ids", Kind::Disagree, || {
                        format!("{id:?} of document {ordinal} does not lead back to it")
                    }),
                },
            }
        }
        if named != ids.distinct() {
            let entries = ids.distinct();
            self.told.tell("ids", Kind::Disagree, || format!("the map has {entries} entries for {named} ids"));
        }
        Ok(())
    }

    /// Every stored document is valid and says what text and columns hold of it.
    fn documents(&mut self, step: &dyn Fn(u64)) -> Result<()> {
        let cancel = self.cancel;
        let signatures = match self.segment.text.signatures(&|| cancel.is_set()) {
            Ok(signatures) => Some(signatures),
            Err(error) => {
                self.told.tell_error("text", error.into())?;
                None
            }
        };
        let mut signer = Signer::new(self.schema.searchable());
        let mut told = 0;
        for ordinal in 0..self.segment.documents.len() {
            if ordinal.is_multiple_of(DOCUMENTS_BETWEEN_CHECKS) {
                self.cancel.check()?;
                step(u64::from(ordinal - told));
                told = ordinal;
            }
            let document = self.segment.documents.get(ordinal).and_then(|json| StoredDocument::read(json, self.schema));
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    self.told.tell_error("documents", error)?;
                    continue;
                }
            };
            if self.segment.ids.id(ordinal).is_ok_and(|id| id != document.id) {
                self.told.tell("documents", Kind::Disagree, || {
                    format!("document {ordinal} is {:?}, which is another id than the ids have for it", document.id)
                });
            }
            let signature = signer.sign(&document.values())?;
            if signatures.as_ref().is_some_and(|all| all.get(ordinal as usize) != Some(&signature)) {
                self.told.tell("text", Kind::Disagree, || {
                    format!("document {ordinal}, {:?}, is not found by the words and values that it has", document.id)
                });
            }
        }
        step(u64::from(self.segment.documents.len() - told));
        Ok(())
    }

    fn vectors(&mut self) -> Result<()> {
        let cancel = self.cancel;
        let required: Vec<&str> = self.schema.required().collect();
        for (index, (field, _)) in self.segment.vectors.iter().zip(self.schema.vectors()) {
            let (graph, full) = (format!("{field}.graph"), format!("{field}.full"));
            match index.verify(&|| cancel.is_set()).map_err(Error::vectors(field)) {
                Ok(None) => {}
                Ok(Some(lost)) => self.told.tell(&graph, Kind::Unreachable, || {
                    let (count, first) = (lost.count, lost.first);
                    format!("no link leads to {count} of its vectors, the first of them that of document {first}")
                }),
                Err(error) => self.told.tell_error(&graph, error)?,
            }
            let documents = self.segment.documents.len();
            if required.contains(&field.as_str()) && index.len() != documents as usize {
                let vectors = index.len();
                self.told.tell(&full, Kind::Disagree, || {
                    format!("it has {vectors} vectors for {documents} documents, each of which must have one")
                });
            }
        }
        Ok(())
    }
}
