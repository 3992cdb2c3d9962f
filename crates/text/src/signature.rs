//! One number for each document that stands for all that a segment holds of it: terms and how often, lengths, values.
//!
//! It is computed twice, from the postings and columns of a segment and from the documents themselves; where the two differ, the segment
//! does not say what its documents say. The number is a sum of hashes, so it does not matter in which order its parts are met, and a
//! difference goes unseen with a chance of 2⁻⁶⁴.

use std::hash::{DefaultHasher, Hash, Hasher};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::schema::IndexRecordOption;
use tantivy::tokenizer::TextAnalyzer;

use crate::analyzer::Analysis;
use crate::builder::distinct;
use crate::guard::{self, Stop};
use crate::index::{FieldData, TextForm};
use crate::value::one_zero;
use crate::{Error, FieldSpec, Result, TextIndex, TextSchema, Value};

/// How many terms are read between two looks at the cancel flag.
const TERMS_BETWEEN_CHECKS: usize = 256;

/// The part of a signature that comes from one term or value of one field.
fn part(field: usize, kind: Kind, value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (field, kind).hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

/// What a part is about: one of the constants, and of a text field the form.
type Kind = (u8, usize);

const TERM: u8 = 0;
const LENGTH: u8 = 1;
const KEYWORD: Kind = (2, 0);
const NUMBER: Kind = (3, 0);
const INTEGER: Kind = (4, 0);

/// Computes signatures from documents.
pub struct Signer {
    /// Of each field, an analyzer for each form of its text.
    fields: Vec<Vec<TextAnalyzer>>,
}

impl Signer {
    /// For documents of this schema.
    #[must_use]
    pub fn new(schema: &TextSchema) -> Self {
        let analyzers = |spec: &FieldSpec| spec.kind.analyses().map(Analysis::document).collect();
        Self { fields: schema.fields.iter().map(analyzers).collect() }
    }

    /// The signature of a document with these values, as they are given to [`crate::TextBuilder::add`].
    ///
    /// # Errors
    /// [`Error::Value`] for a number of a field that the schema does not have.
    pub fn sign(&mut self, values: &[(usize, Value<'_>)]) -> Result<u64> {
        let mut sum = 0_u64;
        let mut lengths: Vec<Vec<u32>> = self.fields.iter().map(|forms| vec![0; forms.len()]).collect();
        for value in values {
            let (number, Value::Text(text)) = value else { continue };
            let Some(forms) = self.fields.get_mut(*number).filter(|forms| !forms.is_empty()) else {
                return Err(Error::value(number.to_string(), "is no text field of the schema"));
            };
            for (form, analyzer) in forms.iter_mut().enumerate() {
                analyzer.token_stream(text).process(&mut |token| {
                    sum = sum.wrapping_add(part(*number, (TERM, form), token.text.as_bytes()));
                    lengths[*number][form] += 1;
                });
            }
        }
        for (number, forms) in lengths.into_iter().enumerate() {
            for (form, length) in forms.into_iter().enumerate() {
                sum = sum.wrapping_add(length_part(number, form, FieldNormReader::fieldnorm_to_id(length)));
            }
        }
        let own = distinct(values).into_iter().map(|(number, value)| match value {
            Value::Text(_) => 0,
            Value::Keyword(keyword) => part(*number, KEYWORD, keyword.as_bytes()),
            Value::Number(float) => part(*number, NUMBER, one_zero(*float).to_bits()),
            Value::Integer(integer) | Value::Date(integer) => part(*number, INTEGER, integer),
            Value::Boolean(boolean) => part(*number, INTEGER, i64::from(*boolean)),
        });
        Ok(own.fold(sum, u64::wrapping_add))
    }
}

/// A field without a term has no length worth a part.
fn length_part(field: usize, form: usize, length: u8) -> u64 {
    if length == 0 { 0 } else { part(field, (LENGTH, form), length) }
}

impl TextIndex {
    /// The signature of every document, from all postings, lengths and columns. Reads the whole container.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they cannot be read; [`Error::Cancelled`].
    pub fn signatures(&self, cancel: &dyn Fn() -> bool) -> Result<Vec<u64>> {
        guard::reading(self.path(), "read all of it", || {
            let mut sums = Sums(vec![0; self.len() as usize]);
            for (number, field) in self.fields().iter().enumerate() {
                if cancel() {
                    return Err(Error::Cancelled.into());
                }
                match &field.data {
                    FieldData::Text(forms) => {
                        for (form, TextForm { terms, lengths, .. }) in forms.iter().enumerate() {
                            sums.postings((number, form), terms, cancel)?;
                            for (document, sum) in (0..self.len()).zip(&mut sums.0) {
                                *sum = sum.wrapping_add(length_part(number, form, lengths.fieldnorm_id(document)));
                            }
                        }
                    }
                    FieldData::Keyword(column) => {
                        column.each(|document, keyword| sums.add(document, part(number, KEYWORD, keyword)))?;
                    }
                    FieldData::Number(column) => {
                        column.each(|document, float| sums.add(document, part(number, NUMBER, float.to_bits())))?;
                    }
                    FieldData::Integer(column) | FieldData::Boolean(column) => {
                        column.each(|document, integer| sums.add(document, part(number, INTEGER, integer)))?;
                    }
                }
            }
            Ok(sums.0)
        })
    }
}

/// Signatures as far as they were summed, by document.
struct Sums(Vec<u64>);

impl Sums {
    fn add(&mut self, document: u32, part: u64) {
        // Panics, inside the guard, where damaged postings name a document that is not there.
        let sum = &mut self.0[document as usize];
        *sum = sum.wrapping_add(part);
    }

    fn postings(
        &mut self,
        (number, form): (usize, usize),
        terms: &InvertedIndexReader,
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), Stop> {
        let mut stream = terms.terms().stream()?;
        let mut read = 0_usize;
        while stream.advance() {
            read += 1;
            if read.is_multiple_of(TERMS_BETWEEN_CHECKS) && cancel() {
                return Err(Error::Cancelled.into());
            }
            let term = part(number, (TERM, form), stream.key());
            let mut block = terms.read_block_postings_from_terminfo(stream.value(), IndexRecordOption::WithFreqs)?;
            while block.block_len() > 0 {
                for (document, frequency) in block.docs().iter().zip(block.freqs()) {
                    self.add(*document, term.wrapping_mul(u64::from(*frequency)));
                }
                block.advance();
            }
        }
        Ok(())
    }
}
