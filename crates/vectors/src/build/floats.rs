//! Rows of 32-bit floats as points: for what codes do not serve.

use crate::{
    distance::{inner, squared},
    kernels::{Kernels, kernels, prefetch},
    parameters::Metric,
};

use super::Points;

/// Floats of a block of rows, about: 1 MiB.
const BLOCK_FLOATS: usize = 256 * 1024;

/// How many rows a block holds: a power of two, so that finding one takes no division.
pub(crate) fn rows_per_block(dimensions: usize) -> usize {
    1 << (BLOCK_FLOATS / dimensions).ilog2()
}

/// Rows in blocks of [`rows_per_block`], of which only the last may hold fewer. For cosine each has length 1.
pub(crate) struct FloatRows {
    blocks: Vec<Vec<f32>>,
    dimensions: usize,
    shift: u32,
    distance: fn(&Kernels, &[f32], &[f32]) -> f32,
    kernels: Kernels,
}

impl FloatRows {
    pub(crate) fn new(metric: Metric, dimensions: usize, blocks: Vec<Vec<f32>>) -> Self {
        let distance = match metric {
            Metric::L2 => squared,
            Metric::Cosine | Metric::InnerProduct => inner,
        };
        Self { blocks, dimensions, shift: rows_per_block(dimensions).ilog2(), distance, kernels: kernels() }
    }

    #[inline]
    fn row(&self, node: u32) -> &[f32] {
        let within = node as usize & ((1 << self.shift) - 1);
        &self.blocks[(node >> self.shift) as usize][within * self.dimensions..][..self.dimensions]
    }
}

impl Points for FloatRows {
    type From = u32;

    fn prepare(&self, node: u32, from: &mut u32) {
        *from = node;
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        prefetch(self.row(node));
    }

    #[inline]
    fn measure(&self, from: &u32, nodes: &[u32], distances: &mut [f32]) {
        let from = self.row(*from);
        for (distance, &node) in distances.iter_mut().zip(nodes) {
            *distance = (self.distance)(&self.kernels, from, self.row(node));
        }
    }
}
