//! Rows of 8-bit codes as points: what graphs are built over wherever codes serve.

use bytemuck::Zeroable as _;

use super::Points;
use crate::{
    codes::{CodedRows, Coding, Terms},
    kernels::{Batch, Kernels, LINE, Line, Signed, kernels, prefetch},
};

/// Codes with what makes distances of their products.
pub(crate) struct CodePoints<'a> {
    rows: &'a CodedRows,
    coding: &'a Coding,
    bytes: &'a [u8],
    stride: usize,
    /// For each node, 128 times the sum of its code's numbers.
    offsets: Vec<i32>,
    kernels: Kernels,
}

/// The most products computed at a time.
const AT_ONCE: usize = 64;

impl<'a> CodePoints<'a> {
    /// The rows, of which the first `count` can be measured from.
    pub(crate) fn new(rows: &'a CodedRows, count: usize) -> Self {
        let offset = |node: usize| -> i32 {
            128 * rows.code(node as u32).iter().map(|&x| i32::from((x ^ 0x80).cast_signed())).sum::<i32>()
        };
        Self {
            rows,
            coding: rows.coding(),
            bytes: rows.bytes(),
            stride: rows.coding().padded(),
            offsets: (0..count).map(offset).collect(),
            kernels: kernels(),
        }
    }
}

/// A code as signed numbers.
#[derive(Default)]
pub(crate) struct FromCode {
    lines: Vec<Line>,
    offset: i32,
    terms: Terms,
}

impl Points for CodePoints<'_> {
    type From = FromCode;

    fn prepare(&self, node: u32, from: &mut FromCode) {
        let code = self.rows.code(node);
        from.lines.resize(code.len().div_ceil(LINE), Line::zeroed());
        for (number, x) in bytemuck::cast_slice_mut::<Line, u8>(&mut from.lines).iter_mut().zip(code) {
            *number = x ^ 0x80;
        }
        from.offset = self.offsets[node as usize];
        from.terms = self.rows.terms(node);
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        prefetch(self.rows.code(node));
    }

    #[inline]
    fn measure(&self, from: &FromCode, nodes: &[u32], distances: &mut [f32]) {
        let mut products = [0; AT_ONCE];
        for (nodes, distances) in nodes.chunks(AT_ONCE).zip(distances.chunks_mut(AT_ONCE)) {
            let products = &mut products[..nodes.len()];
            let batch = Batch { codes: self.bytes, stride: self.stride, nodes };
            (self.kernels.codes)(batch, Signed { lines: &from.lines, offset: from.offset, small: false }, products);
            for ((distance, &product), &node) in distances.iter_mut().zip(&*products).zip(nodes) {
                *distance = self.coding.distance(from.terms, self.rows.terms(node), product);
            }
        }
    }
}
