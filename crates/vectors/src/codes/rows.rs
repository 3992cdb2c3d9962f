//! The codes of a field's rows in memory, on their way into a graph.

use bytemuck::Zeroable as _;

use super::{Codes, Coding, Terms};
use crate::{
    error::{Error, Result},
    kernels::{LINE, Line},
};

/// Codes, each from the beginning of a cache line, with their terms.
pub(crate) struct CodedRows {
    coding: Coding,
    lines: Vec<Line>,
    /// One for each row; empty where all have the same.
    terms: Vec<Terms>,
}

impl CodedRows {
    /// No rows yet, and room for `count`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn new(coding: Coding, count: usize) -> Result<Self> {
        let out_of_memory = |_| Error::OutOfMemory { vectors: count, dimensions: coding.dimensions };
        let (mut lines, mut terms) = (Vec::new(), Vec::new());
        lines.try_reserve_exact(count * coding.padded() / LINE).map_err(out_of_memory)?;
        if coding.common_terms().is_none() {
            terms.try_reserve_exact(count).map_err(out_of_memory)?;
        }
        Ok(Self { coding, lines, terms })
    }

    /// Bytes that a row of so many dimensions takes at most.
    pub(crate) fn most_bytes(dimensions: usize) -> usize {
        dimensions.next_multiple_of(LINE) + size_of::<Terms>()
    }

    /// Adds a row (for cosine, of length 1). False when it is too long for codes: then none of them is of use.
    #[must_use]
    pub(crate) fn push(&mut self, row: &[f32]) -> bool {
        let start = self.lines.len();
        self.lines.resize(start + self.coding.padded() / LINE, Line::zeroed());
        let terms = self.coding.encode(row, bytemuck::cast_slice_mut(&mut self.lines[start..]));
        if self.coding.common_terms().is_none() {
            self.terms.push(terms);
        }
        terms.factor.is_finite() && terms.norm.is_finite()
    }

    pub(crate) fn coding(&self) -> &Coding {
        &self.coding
    }

    /// The bytes of all, each code [`Coding::padded`] from the one before.
    pub(crate) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.lines)
    }

    /// All of them.
    pub(crate) fn codes(&self) -> Codes<'_> {
        Codes::new(&self.coding, self.bytes(), self.coding.padded())
    }

    /// The code of a row.
    pub(crate) fn code(&self, row: u32) -> &[u8] {
        self.codes().code(row)
    }

    /// The terms of a row.
    #[inline]
    pub(crate) fn terms(&self, row: u32) -> Terms {
        self.coding.common_terms().unwrap_or_else(|| self.terms[row as usize])
    }
}
