//! Rows in memory as they will be kept, on their way into the files.

use crate::{
    build::rows_per_block,
    full::{Numbers, Row},
    half,
    parameters::{Parameters, Precision},
};

/// Rows one after another, in blocks of [`rows_per_block`], and the inverse of each one's length. Halves take as much memory as they
/// will take in the file.
pub(crate) struct GivenRows {
    dimensions: usize,
    numbers: Blocks,
    inverses: Vec<f32>,
}

enum Blocks {
    Float32(Vec<Vec<f32>>),
    Float16(Vec<Vec<u16>>),
}

impl GivenRows {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let numbers = match parameters.precision {
            Precision::Float32 => Blocks::Float32(Vec::new()),
            Precision::Float16 => Blocks::Float16(Vec::new()),
        };
        Self { dimensions: parameters.dimensions, numbers, inverses: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.inverses.len()
    }

    /// Adds a row, whose numbers are rounded already.
    pub(crate) fn push(&mut self, row: &[f32], inverse: f32) {
        let full = rows_per_block(self.dimensions) * self.dimensions;
        match &mut self.numbers {
            Blocks::Float32(blocks) => extend(blocks, full, row.iter().copied()),
            Blocks::Float16(blocks) => extend(blocks, full, row.iter().map(|x| half::round(*x))),
        }
        self.inverses.push(inverse);
    }

    pub(crate) fn row(&self, row: usize) -> Row<'_> {
        let in_block = rows_per_block(self.dimensions);
        let (block, from) = (row / in_block, row % in_block * self.dimensions);
        let numbers = match &self.numbers {
            Blocks::Float32(blocks) => Numbers::Float32(&blocks[block][from..][..self.dimensions]),
            Blocks::Float16(blocks) => Numbers::Float16(&blocks[block][from..][..self.dimensions]),
        };
        Row { numbers, inverse: self.inverses[row] }
    }

    /// Bytes of each number.
    pub(crate) fn bytes_of_number(parameters: &Parameters) -> usize {
        match parameters.precision {
            Precision::Float32 => size_of::<f32>(),
            Precision::Float16 => size_of::<u16>(),
        }
    }

    /// Blocks of floats, each made when the one before was taken, and the inverses.
    pub(crate) fn into_floats(self) -> (Box<dyn Iterator<Item = Vec<f32>>>, Vec<f32>) {
        let wide = |block: Vec<u16>| block.into_iter().map(half::widen).collect();
        match self.numbers {
            Blocks::Float32(blocks) => (Box::new(blocks.into_iter()), self.inverses),
            Blocks::Float16(blocks) => (Box::new(blocks.into_iter().map(wide)), self.inverses),
        }
    }
}

fn extend<T>(blocks: &mut Vec<Vec<T>>, full: usize, row: impl Iterator<Item = T>) {
    match blocks.last_mut().filter(|block| block.len() < full) {
        Some(block) => block.extend(row),
        None => blocks.push(row.collect()),
    }
}
