//! The mapped `.full` file: vectors as they are kept, with the inverses of their lengths, by row and by ordinal.

use std::borrow::Cow;

use cutover_durable::{Error, Map, Result, sections::Section};

use crate::{
    distance::Query,
    format::{self, FULL_MAGIC, FullParams, ORDINALS, ROWS},
    half,
    kernels::{LINE, prefetch},
    ordinals::{Ordinals, numbers},
    parameters::Precision,
};

/// An opened file whose sections have the sizes that its header promises.
pub(crate) struct Full {
    params: FullParams,
    map: Map,
    rows: Section,
    ordinals: Section,
}

impl Full {
    /// Checks the header and the sections' sizes, and reads no further.
    pub(crate) fn open(map: Map) -> Result<Self> {
        let sections = format::open(map, FULL_MAGIC)?;
        let params =
            FullParams::decode(sections.params()).map_err(|detail| Error::malformed(sections.map().path(), detail))?;
        let map = sections.map().clone();
        let full = Self { params, map, rows: sections.section(ROWS)?, ordinals: sections.section(ORDINALS)? };
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
        let stride = self.params.stride();
        Ok(Rows {
            words: numbers(&self.rows, u64::from(self.params.rows) * stride as u64)?,
            ordinals: Ordinals::of(&self.ordinals, self.params.rows, self.params.ordinal_bound)?,
            stride,
            dimensions: self.params.dimensions as usize,
            precision: self.params.precision,
        })
    }
}

/// The numbers of a row, as they are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Numbers<'a> {
    Float32(&'a [f32]),
    Float16(&'a [u16]),
}

impl<'a> Numbers<'a> {
    /// As 32-bit floats.
    pub(crate) fn wide(self) -> Cow<'a, [f32]> {
        match self {
            Self::Float32(numbers) => Cow::Borrowed(numbers),
            Self::Float16(halves) => halves.iter().map(|half| half::widen(*half)).collect(),
        }
    }
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) numbers: Numbers<'a>,
    /// 1 ÷ its length, as it was noted.
    pub(crate) inverse: f32,
}

/// The rows of an opened file. Row indexes are the caller's to keep below [`Rows::len`].
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    words: &'a [f32],
    pub(crate) ordinals: Ordinals<'a>,
    stride: usize,
    dimensions: usize,
    precision: Precision,
}

impl<'a> Rows<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ordinals.len()
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> Row<'a> {
        let words = self.words(row);
        let numbers = match self.precision {
            Precision::Float32 => Numbers::Float32(&words[1..]),
            Precision::Float16 => Numbers::Float16(&bytemuck::cast_slice(&words[1..])[..self.dimensions]),
        };
        Row { numbers, inverse: words[0] }
    }

    #[inline]
    pub(crate) fn distance(&self, query: &Query, row: u32) -> f32 {
        query.distance(self.row(row))
    }

    /// Asks for a row before it is needed.
    #[inline]
    pub(crate) fn prefetch(&self, row: u32) {
        prefetch(self.words(row));
    }

    /// Cache lines of a row.
    pub(crate) fn lines(&self) -> usize {
        (self.stride * size_of::<f32>()).div_ceil(LINE)
    }

    #[inline]
    fn words(&self, row: u32) -> &'a [f32] {
        &self.words[row as usize * self.stride..][..self.stride]
    }
}
