//! Which cell a node is in.

use crate::{
    build::FromCode,
    codes::{CodedRows, Coding, Terms},
    error::Result,
    kernels::{Batch, Kernels, Signed, kernels},
    parameters::Metric,
};

/// Products computed at a time.
const AT_ONCE: usize = 64;

/// Centroids as codes with terms of their own, whatever the metric.
pub(super) struct Centroids {
    pub(super) rows: CodedRows,
    numbers: Vec<u32>,
    kernels: Kernels,
}

impl Centroids {
    /// The coding of centroids, with terms of their own whatever their field's metric.
    pub(super) fn coding(dimensions: usize) -> Coding {
        Coding::new(Metric::L2, dimensions, 0.0)
    }

    /// Of vectors one after another.
    pub(super) fn new(dimensions: usize, vectors: &[f32]) -> Result<Self> {
        let count = vectors.len() / dimensions;
        let mut rows = CodedRows::new(Self::coding(dimensions), count)?;
        for vector in vectors.chunks_exact(dimensions) {
            // Means of rows that have codes have some, too.
            let _ = rows.push(vector);
        }
        Ok(Self { rows, numbers: (0..count as u32).collect(), kernels: kernels() })
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Tells `see` each of some centroids, and by how much its squared distance from a node differs from the node's own square.
    pub(super) fn measure(&self, from: &FromCode, range: std::ops::Range<usize>, mut see: impl FnMut(u32, f32)) {
        let mut products = [0; AT_ONCE];
        for numbers in self.numbers[range].chunks(AT_ONCE) {
            let products = &mut products[..numbers.len()];
            let (bytes, stride) = (self.rows.bytes(), self.rows.coding().padded());
            let batch = Batch { codes: bytes, stride, nodes: numbers };
            (self.kernels.codes)(batch, Signed { lines: from.lines(), offset: from.offset(), small: false }, products);
            let factor = 2.0 * from.terms().factor;
            for (&number, &product) in numbers.iter().zip(&*products) {
                let Terms { factor: own, norm } = self.rows.terms(number);
                see(number, norm - factor * own * product as f32);
            }
        }
    }

    /// The nearest of some centroids; the first of them if none can be told.
    pub(super) fn nearest(&self, from: &FromCode, range: std::ops::Range<usize>) -> (f32, u32) {
        let mut best = (f32::INFINITY, range.start as u32);
        self.measure(from, range, |number, distance| {
            if distance < best.0 {
                best = (distance, number);
            }
        });
        best
    }
}
