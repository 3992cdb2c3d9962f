//! Vectors as codes: one byte a number, whose products tell which vectors are near.
//!
//! A number x of a row is stored as round(x · 127 ÷ s), clamped to ±127, plus 128. For cosine, rows are made of length 1 first
//! and s is one for the whole field: a quantile of |x| near its end (few numbers are clamped, and the others are finer). For l2 and inner
//! product, whose rows may differ much in length, s is each row's own greatest |x|. A query becomes signed bytes by the greatest
//! of its own numbers, which is 63 in them: that finds as much as 127 would, and processors without AVX-512 multiply it faster. The distance that a product estimates needs at most two more numbers of a row, its [`Terms`].
//!
//! Products are exact integers, and what is made of them is rounded in one order, so all processors estimate alike.

mod rows;
mod trial;

use bytemuck::Zeroable as _;

use crate::{
    kernels::{Batch, Kernels, LINE, Line, SMALL, Signed, kernels},
    parameters::Metric,
};

pub(crate) use rows::CodedRows;
pub(crate) use trial::rerank;

/// Vectors of fewer dimensions have no codes: measured over all codes, the nearest in 2 dimensions are found in 9 of 10 cases.
pub(crate) const LEAST_DIMENSIONS: usize = 16;

/// The greatest number of a code.
const GREATEST: f32 = 127.0;
/// Numbers that are looked at to find the scale of a field.
const SAMPLE: usize = 1 << 20;

/// How the rows of one field become codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coding {
    metric: Metric,
    dimensions: usize,
    /// For cosine, what 127 stands for; unused else.
    scale: f32,
}

/// What a row's code lacks: its distance from another is estimated as a product of the factors and the codes' product, and of norms.
/// The same for every row of a cosine field.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Terms {
    /// What 1 in the code stands for.
    pub(crate) factor: f32,
    /// For l2, the squared length of the row that the code stands for; else 0.
    pub(crate) norm: f32,
}

impl Coding {
    /// The coding of a field, whose scale is known.
    pub(crate) fn new(metric: Metric, dimensions: usize, scale: f32) -> Self {
        Self { metric, dimensions, scale }
    }

    /// The coding that suits `count` rows, looked at through `row`, which writes row number i as it is to be encoded: for cosine,
    /// of length 1.
    pub(crate) fn fit(
        metric: Metric,
        dimensions: usize,
        count: usize,
        mut row: impl FnMut(usize, &mut Vec<f32>),
    ) -> Self {
        let mut scale = 0.0;
        if metric == Metric::Cosine && count > 0 {
            let rows = (SAMPLE / dimensions).clamp(1, count);
            let (mut sample, mut numbers) = (Vec::with_capacity(rows * dimensions), Vec::with_capacity(dimensions));
            for i in 0..rows {
                row((i as u64 * count as u64 / rows as u64) as usize, &mut numbers);
                sample.extend(numbers.iter().map(|x| x.abs()));
            }
            scale = best_scale(&mut sample);
        }
        Self { metric, dimensions, scale }
    }

    /// How many numbers a code has.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// For cosine, what 127 stands for; else 0.
    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }

    /// Bytes that must be readable from the start of a code: its own, up to a whole cache line.
    pub(crate) fn padded(&self) -> usize {
        self.dimensions.next_multiple_of(LINE)
    }

    /// Writes the code of `row` (for cosine, of length 1) to the first bytes of `code`, of which there are at least as many as
    /// dimensions. Others stay as they are. Terms that are not finite mean that the row is too long for codes.
    pub(crate) fn encode(&self, row: &[f32], code: &mut [u8]) -> Terms {
        let scale = self.scale_of(row);
        let factor = scale / GREATEST;
        let mut squares = 0_u32;
        for (x, code) in row.iter().zip(code) {
            let number = rounded(*x, scale);
            squares += u32::from(number.unsigned_abs()).pow(2);
            *code = number.cast_unsigned() ^ 0x80;
        }
        let norm = if self.metric == Metric::L2 { squares as f32 * factor * factor } else { 0.0 };
        Terms { factor, norm }
    }

    /// The terms that every row has; none where each has its own.
    pub(crate) fn common_terms(&self) -> Option<Terms> {
        (self.metric == Metric::Cosine).then_some(Terms { factor: self.scale / GREATEST, norm: 0.0 })
    }

    /// Prepares a vector (for cosine, of length 1) to be compared with codes.
    pub(crate) fn query(&self, vector: &[f32]) -> CodeQuery {
        let scale = greatest(vector) * (GREATEST / f32::from(SMALL));
        let numbers = vector.iter().map(|x| rounded(*x, scale));
        self.prepared(numbers, scale / GREATEST)
    }

    /// Prepares a row that is a code already.
    pub(crate) fn query_of(&self, code: &[u8], terms: Terms) -> CodeQuery {
        self.prepared(code[..self.dimensions].iter().map(|x| (x ^ 0x80).cast_signed().max(-127)), terms.factor)
    }

    /// The estimated distance of two rows whose codes have this product.
    #[inline]
    pub(crate) fn distance(&self, a: Terms, b: Terms, product: i32) -> f32 {
        let product = a.factor * b.factor * product as f32;
        ordered(match self.metric {
            Metric::L2 => a.norm + b.norm - 2.0 * product,
            Metric::Cosine | Metric::InnerProduct => 1.0 - product,
        })
    }

    fn prepared(&self, numbers: impl Iterator<Item = i8>, factor: f32) -> CodeQuery {
        let mut lines = vec![Line::zeroed(); self.dimensions.div_ceil(LINE)];
        let (mut sum, mut squares, mut small) = (0, 0_u32, true);
        for (place, number) in bytemuck::cast_slice_mut(&mut lines).iter_mut().zip(numbers) {
            *place = number;
            sum += i32::from(number);
            small &= number.unsigned_abs() <= SMALL.unsigned_abs();
            squares += u32::from(number.unsigned_abs()).pow(2);
        }
        let (base, factor_of) = match self.metric {
            Metric::L2 => (squares as f32 * factor * factor, 2.0 * factor),
            Metric::Cosine | Metric::InnerProduct => (1.0, factor),
        };
        let dimensions = self.dimensions;
        CodeQuery { lines, dimensions, offset: 128 * sum, small, base, factor: factor_of, kernels: kernels() }
    }

    fn scale_of(&self, row: &[f32]) -> f32 {
        if self.metric == Metric::Cosine { self.scale } else { greatest(row) }
    }
}

/// Of some quantiles of these absolute values and the greatest, the scale that leaves the least error: what is clamped loses
/// what is beyond the scale, and all others up to half a step of it.
fn best_scale(sample: &mut [f32]) -> f32 {
    sample.sort_unstable_by(f32::total_cmp);
    let quantile = |beyond: usize| sample.get(sample.len() - 1 - (sample.len() - 1) / beyond).copied();
    let scales = [1_000, 10_000, 100_000, usize::MAX].into_iter().filter_map(quantile);
    let error = |scale: f32| {
        let clamped =
            sample.iter().rev().take_while(|x| **x > scale).map(|x| f64::from(x - scale).powi(2)).sum::<f64>();
        clamped + sample.len() as f64 * f64::from(scale / GREATEST).powi(2) / 12.0
    };
    // Where almost all numbers are 0, what matters are the others.
    scales.filter(|scale| *scale > 0.0).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(0.0)
}

fn greatest(numbers: &[f32]) -> f32 {
    numbers.iter().fold(0.0, |greatest, x| x.abs().max(greatest))
}

/// x as a multiple of scale ÷ 127, at most 127 of them; 0 where that is no number.
fn rounded(x: f32, scale: f32) -> i8 {
    // The quotient first: both may be near the greatest or the least float. A cast turns NaN into 0.
    (x / scale * GREATEST).round().clamp(-GREATEST, GREATEST) as i8
}

/// What cannot be told apart from the farthest, is the farthest.
#[inline]
fn ordered(distance: f32) -> f32 {
    if distance.is_nan() { f32::INFINITY } else { distance }
}

/// A vector prepared to be compared with codes.
pub(crate) struct CodeQuery {
    lines: Vec<Line>,
    dimensions: usize,
    offset: i32,
    small: bool,
    base: f32,
    factor: f32,
    kernels: Kernels,
}

impl CodeQuery {
    /// The same, computed by other kernels.
    #[cfg(test)]
    pub(crate) fn with_kernels(mut self, kernels: Kernels) -> Self {
        self.kernels = kernels;
        self
    }

    /// Its numbers, as a code would have them.
    #[cfg(test)]
    pub(crate) fn numbers(&self) -> Vec<u8> {
        bytemuck::cast_slice::<Line, u8>(&self.lines).iter().map(|number| number ^ 0x80).collect()
    }

    /// How many numbers it has.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The estimated distance to a row whose code has this product with the query.
    #[inline]
    pub(crate) fn distance(&self, terms: Terms, product: i32) -> f32 {
        ordered(self.base + terms.norm - self.factor * terms.factor * product as f32)
    }
}

/// The codes of many nodes, one after another in memory, with whatever else between them.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a> {
    bytes: &'a [u8],
    stride: usize,
    dimensions: usize,
}

impl<'a> Codes<'a> {
    /// Codes of which node i's begins at `i * stride`. `stride` is at least [`Coding::padded`], and best a multiple of a cache
    /// line, with `bytes` beginning at one. What comes behind a code up to `stride` is not looked at.
    pub(crate) fn new(coding: &Coding, bytes: &'a [u8], stride: usize) -> Self {
        debug_assert!(stride >= coding.padded());
        Self { bytes, stride, dimensions: coding.dimensions }
    }

    /// The code of a node.
    #[inline]
    pub(crate) fn code(&self, node: u32) -> &'a [u8] {
        &self.bytes[node as usize * self.stride..][..self.dimensions]
    }

    /// The product of a query and the code of each node, into the first places of `products`.
    ///
    /// # Panics
    /// When a node is not among them, or there is no room for all products.
    #[inline]
    pub(crate) fn many(&self, query: &CodeQuery, nodes: &[u32], products: &mut [i32]) {
        let batch = Batch { codes: self.bytes, stride: self.stride, nodes };
        (query.kernels.codes)(
            batch,
            Signed { lines: &query.lines, offset: query.offset, small: query.small },
            &mut products[..nodes.len()],
        );
    }

    /// As [`Codes::many`], for one node.
    #[inline]
    pub(crate) fn one(&self, query: &CodeQuery, node: u32) -> i32 {
        let mut product = [0];
        self.many(query, &[node], &mut product);
        product[0]
    }
}
