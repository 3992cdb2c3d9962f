//! The documents file of a segment: each document's JSON, found by ordinal.
//!
//! Sections: `documents`, the JSON texts one after another; `offsets`, a little-endian u64 per document and one more for the
//! end. A document is a slice of the map: returning it copies it once.

use crate::error::{Error, Result};
use cutover_durable::sections::{Align, Section, SectionWriter, Sections};
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

    pub fn finish(mut self) -> Result<Written> {
        self.file.begin("offsets", Align::Line)?;
        for offset in &self.offsets {
            self.file.write_all(&offset.to_le_bytes()).map_err(Error::from_writer)?;
        }
        Ok(self.file.finish()?)
    }
}

/// The documents of one mapped segment.
pub(crate) struct Documents {
    bytes: Section,
    offsets: Section,
    len: u32,
}

impl Documents {
    pub fn open(map: Map) -> Result<Self> {
        let sections = Sections::open(map, MAGIC, FORMAT)?;
        let (bytes, offsets) = (sections.section("documents")?, sections.section("offsets")?);
        let ends = offsets.cast::<u64>()?;
        let len = ends.len().checked_sub(1).and_then(|n| u32::try_from(n).ok());
        let len = len.ok_or_else(|| offsets.malformed("the offsets do not count the documents"))?;
        Ok(Self { bytes, offsets, len })
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    /// The JSON of a document.
    ///
    /// # Errors
    /// [`Error::Durable`] when its offsets point outside the file or its bytes are not UTF-8.
    pub fn get(&self, ordinal: u32) -> Result<&str> {
        let offsets = self.offsets.cast::<u64>()?;
        let at = ordinal as usize;
        let range = match (offsets.get(at), offsets.get(at + 1)) {
            (Some(start), Some(end)) => usize::try_from(*start).ok().zip(usize::try_from(*end).ok()),
            _ => None,
        };
        let bytes = range.and_then(|(start, end)| self.bytes.bytes().get(start..end));
        let json = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        json.ok_or_else(|| {
            Error::from(self.bytes.malformed(&format!("document {ordinal} is not where its offsets say")))
        })
    }
}
