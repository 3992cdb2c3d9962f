//! Reading a container: everything that says where something is, is checked when it is opened.

use std::{collections::HashSet, ops::Range};

use bytemuck::AnyBitPattern;

use super::{Align, END, ENTRY, FOOTER, HEADER, MOST_SECTIONS, NAME, PARAMS};
use crate::{Error, Map, MapSlice, Result};

/// An opened container whose table has been checked. Clones share the map.
#[derive(Debug, Clone)]
pub struct Sections {
    params: [u8; PARAMS],
    format: u32,
    /// In the order of the file, each within the map.
    table: Vec<(String, Range<usize>)>,
    map: Map,
}

impl Sections {
    /// Checks the container in `map`: it must be of the kind that `magic` names and of a format from 1 to `newest`.
    ///
    /// # Errors
    /// [`Error::FormatTooNew`] for a newer format; [`Error::Malformed`], saying what is wrong, for everything else.
    pub fn open(map: Map, magic: [u8; 8], newest: u32) -> Result<Self> {
        let refuse = |detail: &str| Error::malformed(map.path(), detail);
        if map.len() < HEADER + FOOTER {
            return Err(refuse(&format!("its {} bytes are fewer than a header and a footer", map.len())));
        }
        let (header, footer) = (&map[..HEADER], &map[map.len() - FOOTER..]);
        if header[..8] != magic {
            return Err(refuse(&format!("it does not begin with {:?}", magic.escape_ascii().to_string())));
        }
        let format = u32_at(header, 8);
        if format > newest {
            return Err(Error::FormatTooNew { path: map.path().to_path_buf(), found: format, supported: newest });
        }
        if format == 0 || u32_at(header, 12) != 0 {
            return Err(refuse("its header is damaged"));
        }
        if footer[24..] != END {
            return Err(refuse("it does not end as a container does: it is cut short"));
        }
        if u32_at(footer, 12) != format {
            return Err(refuse("its header and its footer name different formats"));
        }
        if u64_at(footer, 16) != map.len() as u64 {
            return Err(refuse(&format!("it is {} bytes long and says {}", map.len(), u64_at(footer, 16))));
        }
        let table = read_table(&map, footer).map_err(|detail| refuse(&detail))?;
        let mut params = [0; PARAMS];
        params.copy_from_slice(&header[HEADER - PARAMS..]);
        Ok(Self { params, format, table, map })
    }

    /// The kind-specific part of the header.
    #[must_use]
    pub fn params(&self) -> &[u8; PARAMS] {
        &self.params
    }

    /// The container's format: from 1 to the newest that was asked for.
    #[must_use]
    pub fn format(&self) -> u32 {
        self.format
    }

    /// The map it was opened on.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// The sections' names in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.iter().map(|(name, _)| name.as_str())
    }

    /// The section called `name`.
    ///
    /// # Errors
    /// [`Error::Malformed`], naming it, when there is none.
    pub fn section(&self, name: &str) -> Result<Section> {
        self.optional(name).ok_or_else(|| Error::malformed(self.map.path(), format!("it has no section {name:?}")))
    }

    /// The section called `name`, if there is one.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<Section> {
        let (name, range) = self.table.iter().find(|(known, _)| known == name)?;
        Some(Section { name: name.clone(), slice: self.map.slice(range.clone())? })
    }
}

/// The names and places of all sections, or what is wrong with them.
fn read_table(map: &Map, footer: &[u8]) -> Result<Vec<(String, Range<usize>)>, String> {
    let end = map.len() - FOOTER;
    let count = u32_at(footer, 8) as usize;
    let start = usize::try_from(u64_at(footer, 0))
        .ok()
        .filter(|start| *start >= HEADER && *start <= end && start.is_multiple_of(8));
    let start = start.ok_or("its table is not within it")?;
    if count > MOST_SECTIONS || end - start != count * ENTRY {
        return Err(format!(
            "its table of {count} sections does not fill the {} bytes between sections and footer",
            end - start
        ));
    }
    let mut table = Vec::with_capacity(count);
    let mut names = HashSet::with_capacity(count);
    let mut free = HEADER;
    for entry in map[start..end].chunks_exact(ENTRY) {
        let name = read_name(&entry[..NAME]).ok_or("a section's name is damaged")?;
        let offset = usize::try_from(u64_at(entry, NAME)).map_err(|_| format!("section {name:?} is beyond its end"))?;
        let length =
            usize::try_from(u64_at(entry, NAME + 8)).map_err(|_| format!("section {name:?} is longer than it"))?;
        let stop = offset.checked_add(length).filter(|stop| *stop <= start);
        let stop = stop.ok_or_else(|| format!("section {name:?} reaches beyond the sections' end"))?;
        if !(offset as u64).is_multiple_of(Align::Line.bytes()) {
            return Err(format!("section {name:?} is not aligned"));
        }
        if offset < free {
            return Err(format!("section {name:?} overlaps what is before it"));
        }
        if !names.insert(name) {
            return Err(format!("it has two sections {name:?}"));
        }
        free = stop;
        table.push((name.to_owned(), offset..stop));
    }
    Ok(table)
}

fn read_name(padded: &[u8]) -> Option<&str> {
    let length = padded.iter().position(|byte| *byte == 0).unwrap_or(padded.len());
    let (name, padding) = padded.split_at(length);
    let sound = !name.is_empty() && name.iter().all(u8::is_ascii_graphic) && padding.iter().all(|byte| *byte == 0);
    sound.then(|| std::str::from_utf8(name).ok())?
}

/// The number at `offset` of a slice that is known to reach that far.
fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

/// The number at `offset` of a slice that is known to reach that far.
fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// One section; it keeps the file mapped.
#[derive(Debug, Clone)]
pub struct Section {
    name: String,
    slice: MapSlice,
}

impl Section {
    /// Its bytes. What they mean is the reader's to check.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.slice
    }

    /// Its bytes as numbers or plain structs.
    ///
    /// # Errors
    /// [`Error::Malformed`] when its length is not a multiple of `T`'s size, or `T` wants more alignment than sections have.
    pub fn cast<T: AnyBitPattern>(&self) -> Result<&[T]> {
        bytemuck::try_cast_slice(self.bytes())
            .map_err(|error| self.malformed(&format!("does not hold whole, aligned items: {error}")))
    }

    /// Its part of the map, for those who hold bytes by a stable address.
    #[must_use]
    pub fn slice(&self) -> MapSlice {
        self.slice.clone()
    }

    /// The map that it is a part of.
    #[must_use]
    pub fn map(&self) -> &Map {
        self.slice.map()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The error that says that this section, in this file, `detail`.
    #[must_use]
    pub fn malformed(&self, detail: &str) -> Error {
        Error::malformed(self.map().path(), format!("section {:?} {detail}", self.name))
    }
}
