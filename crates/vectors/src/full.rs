//! The mapped `.full` file: vectors exactly as they were given, with the inverses of their lengths, by row and by ordinal.

use cutover_durable::{
    Error, Map, Result,
    sections::{Section, Sections},
};

use crate::{
    distance::Query,
    format::{FULL_FORMAT, FULL_MAGIC, FullParams, INVERSES, ORDINALS, VECTORS},
};

/// An opened file whose sections have the sizes that its header promises.
pub(crate) struct Full {
    params: FullParams,
    map: Map,
    vectors: Section,
    inverses: Section,
    ordinals: Section,
}

impl Full {
    /// Checks the header and the sections' sizes, and reads no further.
    pub(crate) fn open(map: Map) -> Result<Self> {
        let sections = Sections::open(map, FULL_MAGIC, FULL_FORMAT)?;
        let params =
            FullParams::decode(sections.params()).map_err(|detail| Error::malformed(sections.map().path(), detail))?;
        let full = Self {
            params,
            map: sections.map().clone(),
            vectors: sections.section(VECTORS)?,
            inverses: sections.section(INVERSES)?,
            ordinals: sections.section(ORDINALS)?,
        };
        full.rows()?;
        Ok(full)
    }

    pub(crate) fn params(&self) -> &FullParams {
        &self.params
    }

    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    pub(crate) fn rows(&self) -> Result<Rows<'_>> {
        let (rows, dimensions) = (self.params.rows as usize, self.params.dimensions as usize);
        Ok(Rows {
            vectors: numbers(&self.vectors, rows as u64 * dimensions as u64)?,
            inverses: numbers(&self.inverses, rows as u64)?,
            ordinals: numbers(&self.ordinals, rows as u64)?,
            dimensions,
        })
    }
}

/// The numbers of a section, which must be `count`.
pub(crate) fn numbers<T: bytemuck::AnyBitPattern>(section: &Section, count: u64) -> Result<&[T]> {
    let numbers = section.cast::<T>()?;
    if numbers.len() as u64 == count {
        Ok(numbers)
    } else {
        Err(section.malformed(&format!("has {} items and should have {count}", numbers.len())))
    }
}

/// The rows of an opened file. Row indexes are the caller's to keep below [`Rows::len`].
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    vectors: &'a [f32],
    inverses: &'a [f32],
    ordinals: &'a [u32],
    dimensions: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ordinals.len()
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> &'a [f32] {
        let start = row as usize * self.dimensions;
        &self.vectors[start..start + self.dimensions]
    }

    #[inline]
    pub(crate) fn distance(&self, query: &Query, row: u32) -> f32 {
        query.distance(self.row(row), self.inverses[row as usize])
    }

    /// The inverse of a row's length, as it was noted.
    pub(crate) fn inverse(&self, row: u32) -> f32 {
        self.inverses[row as usize]
    }

    #[inline]
    pub(crate) fn ordinal(&self, row: u32) -> u32 {
        self.ordinals[row as usize]
    }

    /// The row of an ordinal that has one.
    pub(crate) fn find(&self, ordinal: u32) -> Option<u32> {
        // Where every document has a vector, row and ordinal are the same.
        if self.ordinals.get(ordinal as usize) == Some(&ordinal) {
            return Some(ordinal);
        }
        self.ordinals.binary_search(&ordinal).ok().map(|row| row as u32)
    }
}
