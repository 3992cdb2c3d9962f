//! What an index is made with: its metric, its dimensions, and the shape of its graph.

use crate::{
    distance,
    error::{Error, Result},
};

/// How the distance of two vectors is measured. Smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// 1 − the cosine of the angle between them: 0 to 2, lengths do not matter.
    Cosine,
    /// The square of their Euclidean distance.
    L2,
    /// 1 − their inner product; may be negative.
    InnerProduct,
}

/// What steers a search before distances are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quantisation {
    /// A byte a number, where it serves: vectors of fewer than 16 dimensions, and those that the build finds it would confuse, are
    /// compared as they are all the same.
    #[default]
    Int8,
    /// Vectors are always compared as they are.
    None,
}

/// What vectors are kept as, and distances computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Exactly as given.
    #[default]
    Float32,
    /// Rounded to 11 significant bits; numbers beyond ±65504 are refused.
    Float16,
}

/// The parameters of one vector field, fixed when its graph is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How distances are measured.
    pub metric: Metric,
    /// Components of every vector, 1 to 4096.
    pub dimensions: usize,
    /// Links of a node on the upper levels, 4 to 64; twice as many on level 0.
    pub m: usize,
    /// Candidates considered when a node is linked, `m` to 2000.
    pub ef_construction: usize,
    /// What the nodes' levels are drawn from: one seed and one build thread give one sequence of bytes.
    pub seed: u64,
    /// What steers a search.
    pub codes: Quantisation,
    /// What vectors are kept as.
    pub precision: Precision,
}

impl Parameters {
    /// The fewest and the most links of a node on the upper levels that a graph is built with.
    pub const LEAST_M: usize = 4;
    /// See [`Parameters::LEAST_M`].
    pub const MOST_M: usize = 64;
    /// The most components a vector may have.
    pub const MAX_DIMENSIONS: usize = 4096;

    /// Those of a field that names no others: m 16, efConstruction 200, 8-bit codes, float32.
    #[must_use]
    pub const fn new(metric: Metric, dimensions: usize) -> Self {
        Self {
            metric,
            dimensions,
            m: 16,
            ef_construction: 200,
            seed: 0,
            codes: Quantisation::Int8,
            precision: Precision::Float32,
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`Error::Parameter`] naming the first that is outside.
    pub fn check(&self) -> Result<()> {
        within("dimensions", self.dimensions, 1, Self::MAX_DIMENSIONS)?;
        within("m", self.m, Self::LEAST_M, Self::MOST_M)?;
        within("efConstruction", self.ef_construction, self.m, 2000)
    }

    /// Checks that `vector` can be added to an index of these parameters.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::NotFinite`], for float16 [`Error::NotHalf`], for cosine [`Error::Zero`] and [`Error::Length`].
    pub fn check_vector(&self, vector: &[f32]) -> Result<()> {
        distance::check_given(self, vector, &mut Vec::new()).map(drop)
    }

    /// Checks that `vector` can be searched for in an index of these parameters.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::NotFinite`], for cosine [`Error::Zero`] and [`Error::Length`].
    pub fn check_query(&self, vector: &[f32]) -> Result<()> {
        distance::check(self, vector).map(drop)
    }
}

fn within(name: &'static str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(Error::Parameter { name, value, least, most }) }
}
