//! Texts found by ordinal: the documents and the ids of a segment.
//!
//! Two sections: the texts one after another, and a little-endian u64 for where each begins and one more for the end.

use crate::error::Result;
use cutover_durable::sections::{Section, Sections};

/// The texts of a mapped file.
pub(crate) struct Slices {
    bytes: Section,
    offsets: Section,
    len: u32,
    what: &'static str,
}

impl Slices {
    /// The texts of the section `texts`, each called `what` in messages.
    pub fn open(sections: &Sections, texts: &str, what: &'static str) -> Result<Self> {
        let (bytes, offsets) = (sections.section(texts)?, sections.section("offsets")?);
        let len = offsets.cast::<u64>()?.len().checked_sub(1).and_then(|n| u32::try_from(n).ok());
        let len = len.ok_or_else(|| offsets.malformed(&format!("does not count the {texts}")))?;
        Ok(Self { bytes, offsets, len, what })
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    /// The error that says that the texts are damaged.
    pub fn malformed(&self, detail: &str) -> cutover_durable::Error {
        self.bytes.malformed(detail)
    }

    /// Reads what reading the text at an ordinal begins with, which need not be there. For several: their memory then comes at once, not one
    /// after another.
    pub fn touch(&self, ordinal: u32) -> u8 {
        let start = self.offsets.cast::<u64>().ok().and_then(|offsets| offsets.get(ordinal as usize));
        let byte = start.and_then(|start| self.bytes.bytes().get(usize::try_from(*start).ok()?));
        byte.copied().unwrap_or_default()
    }

    /// The text at an ordinal: a slice of the map.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when its offsets point outside the file or its bytes are not UTF-8.
    pub fn get(&self, ordinal: u32) -> Result<&str> {
        let offsets = self.offsets.cast::<u64>()?;
        let at = ordinal as usize;
        let range = match (offsets.get(at), offsets.get(at + 1)) {
            (Some(start), Some(end)) => usize::try_from(*start).ok().zip(usize::try_from(*end).ok()),
            _ => None,
        };
        let bytes = range.and_then(|(start, end)| self.bytes.bytes().get(start..end));
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.ok_or_else(|| self.malformed(&format!("{} {ordinal} is not where its offsets say", self.what)))?)
    }
}
