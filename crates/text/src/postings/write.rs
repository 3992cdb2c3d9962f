//! Writes postings as Tantivy's files, through its serializers.
//!
//! Tantivy's writer builds the dictionary in turns with the postings, term by term. Each needs a megabyte of memory close at hand, and they
//! drive each other out of it, so here each is made on its own (`dictionary.rs`). What its postings serializer prepares for the blocks of a
//! list, it prepares for every term; most terms have no whole block.

use std::hint::black_box;
use std::io::Write;

use tantivy::directory::CompositeWrite;
use tantivy::fieldnorm::{FieldNormReader, FieldNormReaders, FieldNormsSerializer};
use tantivy::index::{Index, SegmentComponent, SegmentId};
use tantivy::positions::PositionSerializer;
use tantivy::postings::TermInfo;
use tantivy::postings::serializer::PostingsSerializer;
use tantivy::schema::{Field, IndexRecordOption, Schema};

use super::arena::Arena;
use super::dictionary::Dictionary;
use super::form::{FormPostings, Memory};
use super::lists::next;
use super::terms::Term;
use crate::directory::Files;
use crate::guard::Stop;
use crate::{builder, container};

/// Terms that are fetched from memory at once.
pub(super) const AHEAD: usize = 32;
/// Documents of a block of a list.
const BLOCK: u32 = 128;

/// Writes lengths, postings, positions and dictionaries of the forms, which come in the order of their fields. `meanwhile` is called when
/// the dictionaries alone may still be missing.
pub(super) fn write<T>(
    mut forms: Vec<(FormPostings, Field)>,
    memory: Memory,
    schema: Schema,
    documents: u32,
    files: &Files,
    meanwhile: impl FnOnce() -> Result<T, Stop>,
) -> Result<T, Stop> {
    let Memory { texts, mut lists, .. } = memory;
    for (form, _) in &mut forms {
        form.send(&mut lists)?;
    }
    let (all, lists) = lists.finish()?.parts();
    let index = Index::create(files.clone(), schema, builder::settings())?;
    let id = SegmentId::from_uuid_string(container::SEGMENT).map_err(|error| Stop::Theirs(format!("{error:?}")))?;
    let segment = index.segment(index.new_segment_meta(id, documents));
    let mut lengths = FieldNormsSerializer::from_write(segment.open_write(SegmentComponent::FieldNorms)?)?;
    let (mut fields, mut sorted) = (Vec::with_capacity(forms.len()), Vec::with_capacity(forms.len()));
    for ((mut form, field), lists) in forms.into_iter().zip(all) {
        form.lengths.resize(documents as usize, 0);
        lengths.serialize_field(field, &form.lengths)?;
        if form.total > 0 {
            fields.push((field, form.total));
            sorted.push(form.terms.sorted(&texts, &lists));
        }
    }
    lengths.close()?;
    let lengths = FieldNormReaders::open(segment.open_read(SegmentComponent::FieldNorms)?)?;
    let composite = |component| Ok::<_, Stop>(CompositeWrite::wrap(segment.open_write(component)?));
    let (dictionaries, (infos, done)) = Dictionary::beside(&sorted, &texts, || {
        let mut out = Lists {
            postings: composite(SegmentComponent::Postings)?,
            positions: composite(SegmentComponent::Positions)?,
        };
        let mut infos = Vec::with_capacity(fields.len());
        for (&(field, total), terms) in fields.iter().zip(&sorted) {
            let lengths = lengths.get_field(field)?.ok_or_else(|| Stop::Theirs("a field has no lengths".to_owned()))?;
            infos.push(out.field(field, terms, total, &lengths, &lists)?);
        }
        out.postings.close()?;
        out.positions.close()?;
        Ok((infos, meanwhile()?))
    })?;
    let mut terms = composite(SegmentComponent::Terms)?;
    for ((dictionary, infos), (field, _)) in dictionaries.into_iter().zip(infos).zip(fields) {
        dictionary.finish(&infos, terms.for_field(field))?;
    }
    terms.close()?;
    Ok(done)
}

/// The files of lists, which have a part for each field.
struct Lists {
    postings: CompositeWrite,
    positions: CompositeWrite,
}

impl Lists {
    /// Writes the lists of a field's terms, `total` in all; where each is.
    fn field(
        &mut self,
        field: Field,
        sorted: &[Term],
        total: u64,
        lengths: &FieldNormReader,
        lists: &Arena,
    ) -> Result<Vec<TermInfo>, Stop> {
        let mut infos = Vec::with_capacity(sorted.len());
        let postings = self.postings.for_field(field);
        postings.write_all(&total.to_le_bytes())?;
        let begin = postings.written_bytes();
        let mut positions = PositionSerializer::new(self.positions.for_field(field));
        let average = total as f32 / lengths.num_docs() as f32;
        let serializer = |lengths| PostingsSerializer::new(average, IndexRecordOption::WithFreqsAndPositions, lengths);
        // Scores are for blocks, and so is what it would have to forget between terms.
        let mut without_blocks = serializer(None);
        let mut reader = Reader::default();
        for some in sorted.chunks(AHEAD) {
            // Terms in order are anywhere in memory. Reading a bit of several fetches them all at once, rather than one after another.
            black_box(some.iter().fold(0, |sum, term| sum ^ term.list.touch(lists)));
            for term in some {
                let mut with_blocks;
                let serializer = if term.list.documents < BLOCK {
                    &mut without_blocks
                } else {
                    with_blocks = serializer(Some(lengths.clone()));
                    &mut with_blocks
                };
                let from = (postings.written_bytes(), positions.written_bytes());
                serializer.new_term(term.list.documents, true);
                reader.each(term, lists, |document, distances| {
                    serializer.write_doc(document, distances.len() as u32);
                    positions.write_positions_delta(distances);
                });
                serializer.close_term(term.list.documents, postings)?;
                positions.close_term()?;
                infos.push(TermInfo {
                    doc_freq: term.list.documents,
                    postings_range: (from.0 - begin) as usize..(postings.written_bytes() - begin) as usize,
                    positions_range: from.1 as usize..positions.written_bytes() as usize,
                });
            }
        }
        positions.close()?;
        Ok(infos)
    }
}

/// What reading lists takes; kept for its memory.
#[derive(Default)]
struct Reader {
    list: Vec<u8>,
    positions: Vec<u32>,
}

impl Reader {
    /// Gives `each` the documents of a term with the distances of the positions there.
    fn each(&mut self, term: &Term, lists: &Arena, mut each: impl FnMut(u32, &[u32])) {
        term.list.read(lists, &mut self.list);
        let mut list = self.list.as_slice();
        let mut document = 0;
        while let Some(distance) = next(&mut list) {
            document += distance;
            self.positions.clear();
            while let Some(distance) = next(&mut list).filter(|distance| *distance > 0) {
                self.positions.push(distance - 1);
            }
            each(document, &self.positions);
        }
    }
}
