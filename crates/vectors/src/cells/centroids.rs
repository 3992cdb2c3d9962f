//! Centroids of cells as codes, and which of them is nearest to a node.

use std::ops::Range;

use crate::{
    build::{CodePoints, FromCode, Points as _},
    codes::{CodedRows, Coding},
    error::Result,
    parameters::Metric,
};

/// Distances computed at a time.
const AT_ONCE: usize = 64;

/// Centroids, coded with terms of their own whatever their field's metric.
pub(super) struct Centroids {
    rows: CodedRows,
    numbers: Vec<u32>,
}

impl Centroids {
    /// As rows of l2: it is squared distances that cells keep small.
    pub(super) fn coding(dimensions: usize) -> Coding {
        Coding::new(Metric::L2, dimensions, 0.0)
    }

    /// Of vectors one after another.
    pub(super) fn new(dimensions: usize, vectors: &[f32]) -> Result<Self> {
        let count = vectors.len() / dimensions;
        let mut rows = CodedRows::new(Self::coding(dimensions), count)?;
        for vector in vectors.chunks_exact(dimensions) {
            // One that is too long is no node's nearest.
            let _ = rows.push(vector);
        }
        Ok(Self { rows, numbers: (0..count as u32).collect() })
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Tells `see` some of the centroids, each with its squared distance from a node, but for what is the same for all of that node's.
    pub(super) fn measure(&self, from: &FromCode, range: Range<usize>, mut see: impl FnMut(u32, f32)) {
        let points = CodePoints::new(&self.rows, 0);
        let mut distances = [0.0; AT_ONCE];
        for numbers in self.numbers[range].chunks(AT_ONCE) {
            points.measure(from, numbers, &mut distances);
            for (&number, &distance) in numbers.iter().zip(&distances) {
                see(number, distance);
            }
        }
    }

    /// The nearest of some centroids; the first of them if none can be told.
    pub(super) fn nearest(&self, from: &FromCode, range: Range<usize>) -> (f32, u32) {
        let mut best = (f32::INFINITY, range.start as u32);
        self.measure(from, range, |number, distance| {
            if distance < best.0 {
                best = (distance, number);
            }
        });
        best
    }
}
