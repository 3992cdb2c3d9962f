//! Writing a container, section after section.

use std::io::{self, Write};

use super::{Align, END, ENTRY, FOOTER, HEADER, MOST_SECTIONS, NAME, PARAMS};
use crate::{
    Error, Result,
    fs::{Writer, Written},
};

/// A container being written. What is written to it goes to the section begun last.
pub struct SectionWriter {
    writer: Writer,
    format: u32,
    sections: Vec<Entry>,
}

struct Entry {
    name: [u8; NAME],
    offset: u64,
    length: u64,
}

impl SectionWriter {
    /// Writes the header. `writer` must be at the start of its file.
    pub fn new(mut writer: Writer, magic: [u8; 8], format: u32, params: [u8; PARAMS]) -> Result<Self> {
        if writer.position() != 0 {
            return Err(Error::malformed(writer.path(), "a container begins at the start of its file"));
        }
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&magic);
        header.extend_from_slice(&format.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&params);
        put(&mut writer, &header)?;
        Ok(Self { writer, format, sections: Vec::new() })
    }

    /// Ends the section before and begins the one called `name`: 1 to 24 bytes of printable ASCII, not used before in this file.
    pub fn begin(&mut self, name: &str, align: Align) -> Result<()> {
        let refuse = |detail: String| Error::malformed(self.writer.path(), detail);
        if name.is_empty() || name.len() > NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse(format!("{name:?} cannot name a section")));
        }
        let mut padded = [0; NAME];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        if self.sections.iter().any(|section| section.name == padded) {
            return Err(refuse(format!("it already has a section {name:?}")));
        }
        if self.sections.len() == MOST_SECTIONS {
            return Err(refuse(format!("it already has {MOST_SECTIONS} sections")));
        }
        pad(&mut self.writer, align.bytes())?;
        self.sections.push(Entry { name: padded, offset: self.writer.position(), length: 0 });
        Ok(())
    }

    /// The number of bytes in the section begun last; 0 before any.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.sections.last().map_or(0, |section| section.length)
    }

    /// Writes the table and the footer and finishes the file (see [`Writer::finish`]).
    pub fn finish(mut self) -> Result<Written> {
        pad(&mut self.writer, 8)?;
        let table = self.writer.position();
        let mut end = Vec::with_capacity(self.sections.len() * ENTRY + FOOTER);
        for section in &self.sections {
            end.extend_from_slice(&section.name);
            end.extend_from_slice(&section.offset.to_le_bytes());
            end.extend_from_slice(&section.length.to_le_bytes());
        }
        let length = table + (end.len() + FOOTER) as u64;
        end.extend_from_slice(&table.to_le_bytes());
        end.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        end.extend_from_slice(&self.format.to_le_bytes());
        end.extend_from_slice(&length.to_le_bytes());
        end.extend_from_slice(&END);
        put(&mut self.writer, &end)?;
        self.writer.finish()
    }
}

impl Write for SectionWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(section) = self.sections.last_mut() else {
            return Err(
                Error::malformed(self.writer.path(), "bytes were written to it before a section was begun").into()
            );
        };
        self.writer.write_all(bytes)?;
        section.length += bytes.len() as u64;
        Ok(())
    }

    /// Does nothing: who makes a section of many may flush at its end, and a piece that is written early costs the file its alignment.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes zeroes up to the next multiple of `align`, which is at most a page.
fn pad(writer: &mut Writer, align: u64) -> Result<()> {
    const ZEROES: [u8; 4096] = [0; 4096];
    let missing = writer.position().next_multiple_of(align) - writer.position();
    put(writer, &ZEROES[..missing as usize])
}

fn put(writer: &mut Writer, bytes: &[u8]) -> Result<()> {
    writer.write_all(bytes).map_err(|source| Error::io("write", writer.path(), source))
}
