//! The documents file of a segment: each document's JSON, found by ordinal.
//!
//! Sections: `documents`, the JSON texts one after another; `offsets`, a little-endian u64 per document and one more for the
//! end. A document is a slice of the map: returning it copies it once.

use crate::error::{Error, Result};
use crate::slices::Slices;
use cutover_durable::sections::{Align, SectionWriter, Sections};
use cutover_durable::{
    Map,
    fs::{self, Written},
};
use std::io::Write as _;

const MAGIC: [u8; 8] = *b"CUTOVERD";
pub(crate) const FORMAT: u32 = 1;

/// Writes the documents of one segment in order.
pub(crate) struct DocumentsWriter {
    file: SectionWriter,
    offsets: Vec<u64>,
    end: u64,
}

impl DocumentsWriter {
    pub fn new(file: fs::Writer) -> Result<Self> {
        let mut file = SectionWriter::new(file, MAGIC, FORMAT, [0; 48])?;
        file.begin("documents", Align::Line)?;
        Ok(Self { file, offsets: vec![0], end: 0 })
    }

    pub fn add(&mut self, json: &[u8]) -> Result<()> {
        self.file.write_all(json).map_err(Error::from_writer)?;
        self.end += json.len() as u64;
        self.offsets.push(self.end);
        Ok(())
    }

    pub fn memory_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<u64>()
    }

    /// Bytes of documents so far.
    pub fn written(&self) -> u64 {
        self.end
    }

    pub fn finish(mut self) -> Result<Written> {
        self.file.begin("offsets", Align::Line)?;
        for offset in &self.offsets {
            self.file.write_all(&offset.to_le_bytes()).map_err(Error::from_writer)?;
        }
        Ok(self.file.finish()?)
    }
}

/// The documents of one mapped segment.
pub(crate) struct Documents(Slices);

impl Documents {
    pub fn open(map: Map) -> Result<Self> {
        Ok(Self(Slices::open(&Sections::open(map, MAGIC, FORMAT)?, "documents", "document")?))
    }

    pub fn len(&self) -> u32 {
        self.0.len()
    }

    /// The JSON of a document.
    ///
    /// # Errors
    /// [`Error::Store`] when its offsets point outside the file or its bytes are not UTF-8.
    pub fn get(&self, ordinal: u32) -> Result<&str> {
        self.0.get(ordinal)
    }
}
