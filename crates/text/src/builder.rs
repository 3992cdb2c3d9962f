//! Builds the text of one segment in memory and writes it as one container.
//!
//! It grows without regard to any budget: whoever builds watches [`TextBuilder::memory_bytes`] and cuts the segment.

use cutover_durable::Digest;
use cutover_durable::fs::{Writer, Written};
use tantivy::IndexSettings;

use crate::columns::ColumnBuilder;
use crate::container::ContainerWriter;
use crate::postings::PostingsWriter;
use crate::{Error, FieldSpec, Result, TextSchema, Value, container};

/// The text of a segment under construction.
pub struct TextBuilder {
    fields: Vec<FieldSpec>,
    postings: PostingsWriter,
    columns: Vec<Option<ColumnBuilder>>,
    schema: Digest,
    documents: u32,
    /// For each field, 1 + the last document that had a value for it.
    seen: Vec<u32>,
}

impl TextBuilder {
    /// Begins a segment.
    ///
    /// # Errors
    /// [`Error::Schema`] for a schema that no index can have.
    pub fn new(schema: &TextSchema) -> Result<Self> {
        schema.check()?;
        let columns = schema.fields.iter().map(|spec| ColumnBuilder::new(spec.kind)).collect();
        let (fields, seen) = (schema.fields.clone(), vec![0; schema.fields.len()]);
        let postings = PostingsWriter::new(schema);
        Ok(Self { fields, postings, columns, schema: schema.fingerprint(), documents: 0, seen })
    }

    /// Adds the next document: `ordinal` must be the number of documents added so far. `values` are (number of the field in the
    /// schema, value), in any order; equal values of one field count once.
    ///
    /// # Errors
    /// [`Error::Ordinal`] out of turn; [`Error::Value`] for a value that its field cannot hold. Nothing was kept then.
    pub fn add(&mut self, ordinal: u32, values: &[(usize, Value<'_>)]) -> Result<()> {
        if ordinal != self.documents || ordinal + 1 >= container::MAX_DOCUMENTS {
            return Err(Error::Ordinal { expected: self.documents, given: ordinal });
        }
        let several = self.check(values)?;
        for (number, value) in values {
            if let Value::Text(text) = value {
                self.postings.add(ordinal, *number, text)?;
            }
        }
        self.postings.end(ordinal);
        let mut put = |(number, value): &(usize, Value<'_>)| {
            if let Some(column) = &mut self.columns[*number] {
                column.push(value);
            }
        };
        if several {
            distinct(values).into_iter().for_each(&mut put);
        } else {
            values.iter().for_each(&mut put);
        }
        self.columns.iter_mut().flatten().for_each(ColumnBuilder::end);
        self.documents += 1;
        Ok(())
    }

    /// Whether a field has several values; or the first value that cannot be held.
    fn check(&mut self, values: &[(usize, Value<'_>)]) -> Result<bool> {
        let stamp = self.documents + 1;
        let mut several = false;
        // A document that is refused half-way leaves stamps behind, and its ordinal comes again.
        for &(number, _) in values {
            if let Some(seen) = self.seen.get_mut(number) {
                *seen = 0;
            }
        }
        for (number, value) in values {
            let Some(spec) = self.fields.get(*number) else {
                return Err(Error::value(number.to_string(), "the schema has no field of that number"));
            };
            if !spec.kind.holds(value) {
                let reason = format!("must be {}, got {}", spec.kind.name(), value.kind());
                return Err(Error::value(&spec.name, reason));
            }
            if let Some(reason) = value.fault() {
                return Err(Error::value(&spec.name, reason));
            }
            let again = std::mem::replace(&mut self.seen[*number], stamp) == stamp;
            if again && !spec.kind.many() {
                return Err(Error::value(&spec.name, "must be one value, got several"));
            }
            let cells = self.columns[*number].as_ref().map_or(0, ColumnBuilder::len);
            if cells + values.len() > u32::MAX as usize {
                return Err(Error::value(&spec.name, "is full: a segment has no room for more values of it"));
            }
            several |= again;
        }
        Ok(several)
    }

    /// Documents added so far.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.documents
    }

    /// Whether no document was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// Bytes held in memory. Finishing needs about as much again as the container will be long.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.postings.memory_bytes() + self.columns.iter().flatten().map(ColumnBuilder::memory_bytes).sum::<usize>()
    }

    /// Writes the container and finishes its file: synced once, read-only.
    ///
    /// # Errors
    /// [`Error::File`] when the file could not be written; it must be abandoned then.
    pub fn finish(self, out: Writer) -> Result<Written> {
        let mut container = ContainerWriter::new(self.documents, &self.schema, out)?;
        let (files, ()) = self.postings.finish(self.documents, |files| {
            for extension in container::FIRST {
                container.file(files, extension)?;
            }
            container.columns(self.columns)
        })?;
        container.file(&files, container::LAST)?;
        container.finish()
    }
}

/// Tantivy stores no documents for us, and needs no thread to do so.
pub(crate) fn settings() -> IndexSettings {
    IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() }
}

/// The values without those that are there already.
pub(crate) fn distinct<'s, 'v>(values: &'s [(usize, Value<'v>)]) -> Vec<&'s (usize, Value<'v>)> {
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.order(y)));
    sorted.dedup_by(|(a, x), (b, y)| a == b && x.order(y).is_eq());
    sorted
}
