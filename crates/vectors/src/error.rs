//! What can go wrong with vectors: the caller's numbers, a damaged file, a builder that stopped.

use std::io;

/// Why a vector was refused, a file not read, or a build or search not finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter of the index is outside its bounds.
    #[error("{name} must be from {least} to {most}, got {value}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// The value given.
        value: usize,
        /// The least value allowed.
        least: usize,
        /// The greatest value allowed.
        most: usize,
    },
    /// A vector has another number of components than the index.
    #[error("expected a vector of {expected} dimensions, got {actual}")]
    Dimensions {
        /// Components of every vector of the index.
        expected: usize,
        /// Components of the vector given.
        actual: usize,
    },
    /// A component of a vector is NaN or infinite.
    #[error("component {component} of the vector is {value}, not a finite number")]
    NotFinite {
        /// The component, from 0.
        component: usize,
        /// What it is.
        value: f32,
    },
    /// A component of a vector is beyond what its field's precision, float16, can hold.
    #[error("component {component} of the vector is {value}, beyond the ±65504 of float16")]
    NotHalf {
        /// The component, from 0.
        component: usize,
        /// What it is.
        value: f32,
    },
    /// A zero vector has no direction, so it has no cosine distance.
    #[error("the vector is zero, which has no cosine distance to anything")]
    Zero,
    /// A vector's length is outside 1e-37 to 1e37, where its direction cannot be computed in 32 bits.
    #[error("the vector's length {length:e} is outside 1e-37 to 1e37, where cosine distance has no meaning in 32 bits")]
    Length {
        /// The Euclidean length.
        length: f64,
    },
    /// Vectors must be pushed in ascending order of their ordinals, each once.
    #[error("ordinal {ordinal} was pushed after {previous}; ordinals must ascend")]
    Order {
        /// The ordinal pushed last before.
        previous: u32,
        /// The ordinal refused.
        ordinal: u32,
    },
    /// One graph holds at most 2³¹−1 vectors.
    #[error("one segment holds at most {most} vectors of a field")]
    TooMany {
        /// The bound.
        most: usize,
    },
    /// The caller's cancel function returned true. Nothing that was being built is of use.
    #[error("cancelled")]
    Cancelled,
    /// There is not enough memory to build the graph.
    #[error("not enough memory to build a graph over {vectors} vectors of {dimensions} dimensions")]
    OutOfMemory {
        /// Vectors of the graph.
        vectors: usize,
        /// Their dimensions.
        dimensions: usize,
    },
    /// The graph builder failed for a reason of its own.
    #[error("building the vector graph failed: {message}")]
    Build {
        /// What the builder said.
        message: String,
    },
    /// A file that was to be imported is not what its format says.
    #[error("it is no file of hnswlib's that can be read: {detail}")]
    Foreign {
        /// What is wrong with it.
        detail: String,
    },
    /// No thread could be started to build on.
    #[error("cannot start a thread to build the vector graph: {0}")]
    Thread(#[source] io::Error),
    /// A file could not be written, read or mapped, or does not hold what it must: it is damaged, or not ours.
    #[error(transparent)]
    Durable(#[from] cutover_durable::Error),
}

/// A result whose error is this crate's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
