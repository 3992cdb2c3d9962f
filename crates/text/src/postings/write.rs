//! Writes postings as Tantivy's files, through its own serializers.

use std::hint::black_box;

use tantivy::fieldnorm::{FieldNormReaders, FieldNormsSerializer};
use tantivy::index::{Index, SegmentComponent, SegmentId};
use tantivy::postings::{FieldSerializer, InvertedIndexSerializer};
use tantivy::schema::{Field, Schema};

use super::arena::Arena;
use super::form::{FormPostings, Memory};
use super::terms::{Term, next};
use crate::directory::Files;
use crate::guard::Stop;
use crate::{builder, container};

/// Terms that are fetched from memory at once.
const AHEAD: usize = 32;

/// Writes lengths, dictionaries, postings and positions of the forms, which come in the order of their fields.
pub(super) fn write(
    forms: Vec<(FormPostings, Field)>,
    memory: Memory,
    schema: Schema,
    documents: u32,
    files: &Files,
) -> Result<(), Stop> {
    let Memory { texts, lists, .. } = memory;
    let index = Index::create(files.clone(), schema, builder::settings())?;
    let id = SegmentId::from_uuid_string(container::SEGMENT).map_err(|error| Stop::Theirs(format!("{error:?}")))?;
    let segment = index.segment(index.new_segment_meta(id, documents));
    let mut lengths = FieldNormsSerializer::from_write(segment.open_write(SegmentComponent::FieldNorms)?)?;
    let mut remaining = Vec::with_capacity(forms.len());
    for (mut form, field) in forms {
        form.lengths.resize(documents as usize, 0);
        lengths.serialize_field(field, &form.lengths)?;
        remaining.push((form.terms, form.total, field));
    }
    lengths.close()?;
    let lengths = FieldNormReaders::open(segment.open_read(SegmentComponent::FieldNorms)?)?;
    let mut serializer = InvertedIndexSerializer::open(&segment)?;
    for (terms, total, field) in remaining {
        if terms.len() > 0 {
            let mut out = serializer.new_field(field, total, lengths.get_field(field)?)?;
            let mut reader = Reader::default();
            for some in terms.sorted(&texts).chunks(AHEAD) {
                // Terms in order are anywhere in memory. Reading a bit of several fetches them all at once, rather than one after another.
                black_box(some.iter().fold(0, |sum, term| sum ^ term.touch(&texts, &lists)));
                for term in some {
                    reader.term(term, &texts, &lists, &mut out)?;
                }
            }
            out.close()?;
        }
    }
    Ok(serializer.close()?)
}

/// What reading lists takes; kept for its memory.
#[derive(Default)]
struct Reader {
    list: Vec<u8>,
    positions: Vec<u32>,
}

impl Reader {
    fn term(
        &mut self,
        term: &Term,
        texts: &Arena,
        lists: &Arena,
        out: &mut FieldSerializer<'_>,
    ) -> std::io::Result<()> {
        out.new_term(term.text(texts), term.documents, true)?;
        term.read(lists, &mut self.list);
        let mut list = self.list.as_slice();
        let mut document = 0;
        while let Some(distance) = next(&mut list) {
            document += distance;
            self.positions.clear();
            while let Some(distance) = next(&mut list).filter(|distance| *distance > 0) {
                self.positions.push(distance - 1);
            }
            out.write_doc(document, self.positions.len() as u32, &self.positions);
        }
        out.close_term()
    }
}
