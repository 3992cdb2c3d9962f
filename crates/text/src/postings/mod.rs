//! The postings of a segment under construction, in memory; finished, they are the files that Tantivy's own writer would have made.
//!
//! Tantivy's writer analyses every word and hashes every term of every text. Most of that was done before, for the same word: this one
//! looks up words. How they are cut and looked up is in `form.rs`, what is kept of their terms in `terms.rs`, what becomes of it in `write.rs`.

mod arena;
mod dictionary;
mod form;
mod inverter;
mod lists;
mod long;
mod short;
mod table;
mod terms;
mod write;

use tantivy::schema::Field;

use crate::analyzer::Analysis;
use crate::directory::Files;
use crate::guard::{self, Stop};
use crate::{Error, FieldSpec, Result, TextSchema};
use arena::{Arena, Full};
use form::{FormPostings, Memory};
use inverter::Inverter;
use table::Hash;

/// What is being done when a text is added, for errors.
const ADD: &str = "add a document to a text index";
/// What is being done when the files are written.
const FINISH: &str = "finish a text index";

/// The postings of all fields.
pub(crate) struct PostingsWriter {
    /// Of each field of the schema, the postings of its forms; none of one that is no text.
    fields: Vec<Vec<FormPostings>>,
    /// What they are in Tantivy's schema.
    tantivy: (tantivy::schema::Schema, Vec<Vec<Field>>),
    memory: Memory,
}

impl PostingsWriter {
    pub fn new(schema: &TextSchema) -> Self {
        let mut numbers = 0..;
        let mut forms = |spec: &FieldSpec| spec.kind.analyses().zip(&mut numbers).map(form).collect();
        let fields: Vec<Vec<FormPostings>> = schema.fields.iter().map(&mut forms).collect();
        let lists = Inverter::new(fields.iter().map(Vec::len).sum());
        let memory = Memory { hash: Hash::new(), texts: Arena::default(), words: Arena::default(), lists };
        Self { fields, tantivy: schema.tantivy(), memory }
    }

    /// Adds a text of a field to a document, behind those it has there. Nothing can be added after an error.
    pub fn add(&mut self, document: u32, field: usize, text: &str) -> Result<()> {
        let (forms, memory) = (&mut self.fields[field], &mut self.memory);
        guard::building(ADD, || {
            for form in forms {
                form.add(document, text, memory)?;
            }
            Ok(())
        })
    }

    /// Ends the document.
    pub fn end(&mut self, document: u32) {
        self.fields.iter_mut().flatten().for_each(|form| form.end(document));
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        let Memory { hash: _, texts, words, lists } = &self.memory;
        let forms: usize = self.fields.iter().flatten().map(FormPostings::memory_bytes).sum();
        texts.memory_bytes() + words.memory_bytes() + lists.memory_bytes() + forms
    }

    /// Writes Tantivy's files of a segment of so many documents. `meanwhile` is called with all of them but the dictionaries, which take
    /// longest.
    pub fn finish<T>(self, documents: u32, meanwhile: impl FnOnce(&Files) -> Result<T>) -> Result<(Files, T)> {
        let files = Files::default();
        let done = guard::building(FINISH, || {
            let Self { fields, tantivy: (schema, tantivy), memory } = self;
            let forms = fields.into_iter().flatten().zip(tantivy.into_iter().flatten());
            let meanwhile = || meanwhile(&files).map_err(Stop::Ours);
            write::write(forms.collect(), memory, schema, documents, &files, meanwhile)
        })?;
        Ok((files, done))
    }
}

fn form((analysis, number): (Analysis, usize)) -> FormPostings {
    FormPostings::new(number, analysis)
}

impl From<Full> for Stop {
    fn from(_: Full) -> Self {
        let detail = "the postings of a segment have at most 4 GiB of memory".to_owned();
        Self::Ours(Error::Internal { action: ADD, detail })
    }
}

#[cfg(test)]
mod tests;
