//! Distances: one place turns a kernel's sum into a number that can be ordered.
//!
//! Every path (the walk, the scan, a single pair) measures through [`Query::distance`], so all agree to the bit.
//! A distance is never NaN, and never −0: sums that overflow in 32 bits are taken again in 64.

use std::borrow::Cow;

use crate::{
    error::{Error, Result},
    full::{Numbers, Row},
    half,
    kernels::{FloatKernel, Kernels, kernels},
    parameters::{Metric, Parameters, Precision},
};

/// Refuses a vector that this index cannot hold or be asked for, and returns the inverse of its Euclidean length.
///
/// The inverse is stored beside every vector. It has a use for cosine only, and is 0 where it is not representable.
///
/// # Errors
/// [`Error::Dimensions`], [`Error::NotFinite`]; for cosine also [`Error::Zero`] and [`Error::Length`].
pub(crate) fn check(parameters: &Parameters, vector: &[f32]) -> Result<f32> {
    if vector.len() != parameters.dimensions {
        return Err(Error::Dimensions { expected: parameters.dimensions, actual: vector.len() });
    }
    if let Some((component, value)) = vector.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { component, value: *value });
    }
    // In 64 bits no square of a finite 32-bit number overflows or vanishes.
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if (1e-37..=1e37).contains(&length) {
        return Ok((1.0 / length) as f32);
    }
    match parameters.metric {
        Metric::Cosine if length == 0.0 => Err(Error::Zero),
        Metric::Cosine => Err(Error::Length { length }),
        Metric::L2 | Metric::InnerProduct => Ok(0.0),
    }
}

/// As [`check`] for a vector that is to be kept: looks at it as it will be kept. With float16, writes its rounded numbers to `rounded`.
///
/// # Errors
/// As [`check`], and [`Error::NotHalf`] for a number that float16 has no place for.
pub(crate) fn check_given(parameters: &Parameters, vector: &[f32], rounded: &mut Vec<f32>) -> Result<f32> {
    if parameters.precision == Precision::Float32 {
        return check(parameters, vector);
    }
    // NaN, infinity and other dimensions are refused in the numbers that were given.
    check(&Parameters { metric: Metric::L2, ..*parameters }, vector)?;
    rounded.clear();
    rounded.extend(vector.iter().map(|x| half::widen(half::round(*x))));
    if let Some(component) = rounded.iter().position(|x| x.is_infinite()) {
        return Err(Error::NotHalf { component, value: vector[component] });
    }
    check(parameters, rounded)
}

/// Writes `vector` with length 1 into `unit`.
pub(crate) fn normalise(vector: &[f32], inverse_length: f32, unit: &mut Vec<f32>) {
    unit.clear();
    unit.extend(vector.iter().map(|x| x * inverse_length));
}

/// 1 − the inner product.
#[inline]
pub(crate) fn inner(kernels: &Kernels, a: &[f32], b: &[f32]) -> f32 {
    let distance = 1.0 - (kernels.dot)(a, b);
    if distance.is_finite() { distance } else { again(a, b, |x, y| -x * y, 1.0) }
}

/// The squared Euclidean distance.
#[inline]
pub(crate) fn squared(kernels: &Kernels, a: &[f32], b: &[f32]) -> f32 {
    let distance = (kernels.squared)(a, b);
    if distance.is_finite() { distance } else { again(a, b, |x, y| (x - y) * (x - y), 0.0) }
}

/// The sum in 64 bits, where products of finite 32-bit numbers stay finite; what a damaged file makes NaN sorts last.
#[cold]
fn again(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64, start: f64) -> f32 {
    let sum: f64 = a.iter().zip(b).map(|(x, y)| term(f64::from(*x), f64::from(*y))).sum();
    let distance = (start + sum) as f32;
    if distance.is_nan() { f32::INFINITY } else { distance }
}

/// Numbers that are widened at a time.
const WIDENED: usize = 256;

/// A kernel's sum over a row of half floats, piece by piece.
#[inline]
fn over_halves(kernels: &Kernels, kernel: FloatKernel, query: &[f32], row: &[u16]) -> f32 {
    let mut wide = [0.0; WIDENED];
    let mut sum = 0.0;
    for (query, row) in query.chunks(WIDENED).zip(row.chunks(WIDENED)) {
        let wide = &mut wide[..row.len()];
        (kernels.widen)(row, wide);
        sum += kernel(query, wide);
    }
    sum
}

/// A checked query, ready to be measured against rows.
pub(crate) struct Query<'a> {
    metric: Metric,
    vector: Cow<'a, [f32]>,
    kernels: Kernels,
}

impl<'a> Query<'a> {
    /// # Errors
    /// As [`check`].
    pub(crate) fn new(parameters: &Parameters, vector: &'a [f32]) -> Result<Self> {
        let inverse_length = check(parameters, vector)?;
        let vector = match parameters.metric {
            Metric::L2 | Metric::InnerProduct => Cow::Borrowed(vector),
            Metric::Cosine => {
                let mut unit = Vec::with_capacity(vector.len());
                normalise(vector, inverse_length, &mut unit);
                Cow::Owned(unit)
            }
        };
        Ok(Self { metric: parameters.metric, vector, kernels: kernels() })
    }

    /// The vector that rows are compared with: for cosine, of length 1.
    pub(crate) fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// The distance to a row that was stored as given, with the inverse of its length beside it.
    #[inline]
    pub(crate) fn distance(&self, row: Row) -> f32 {
        match (self.metric, row.numbers) {
            (Metric::L2, Numbers::Float32(row)) => squared(&self.kernels, &self.vector, row),
            (Metric::InnerProduct, Numbers::Float32(row)) => inner(&self.kernels, &self.vector, row),
            (Metric::Cosine, Numbers::Float32(numbers)) => Self::cosine((self.kernels.dot)(&self.vector, numbers), row),
            (_, Numbers::Float16(halves)) => self.distance_to_halves(row, halves),
        }
    }

    fn distance_to_halves(&self, row: Row, halves: &[u16]) -> f32 {
        let kernel = if self.metric == Metric::L2 { self.kernels.squared } else { self.kernels.dot };
        let sum = over_halves(&self.kernels, kernel, &self.vector, halves);
        let distance = match self.metric {
            Metric::L2 => sum,
            Metric::InnerProduct => 1.0 - sum,
            Metric::Cosine => return Self::cosine(sum, row),
        };
        if distance.is_finite() {
            return distance;
        }
        let wide: Vec<f32> = halves.iter().map(|half| half::widen(*half)).collect();
        match self.metric {
            Metric::L2 => squared(&self.kernels, &self.vector, &wide),
            Metric::InnerProduct | Metric::Cosine => inner(&self.kernels, &self.vector, &wide),
        }
    }

    #[inline]
    fn cosine(dot: f32, row: Row) -> f32 {
        let distance = 1.0 - dot * row.inverse;
        if distance.is_nan() { f32::INFINITY } else { distance }
    }
}

/// A distance and a node in one integer that sorts by distance (in the total order of floats), then by node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key(u64);

impl Key {
    #[inline]
    pub(crate) fn new(distance: f32, node: u32) -> Self {
        let bits = distance.to_bits();
        // Negative floats sort backwards by their bits, and before positive ones.
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Self(u64::from(ordered) << 32 | u64::from(node))
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn node(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) fn distance(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
    }
}
