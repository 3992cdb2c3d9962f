//! Nearest vectors: a graph as hnswlib builds it, our own files to hold it, our own search to walk it on the map.
//!
//! A field's vectors are two files. `.full` has every vector exactly as it was given; `.graph` has the links
//! of an HNSW graph over the same rows. Both are written once by [`VectorBuilder::finish`] and only mapped afterwards, by
//! [`VectorIndex::open`], which allocates nothing in proportion to their size. Nothing that a file says is believed before it
//! was checked: a damaged file is a typed error or a wrong answer, never undefined behaviour, a hang or unbounded memory.
//!
//! This crate knows ordinals (positions in a segment) and nothing of ids, documents or versions.

#[cfg(target_endian = "big")]
compile_error!(
    "Cutover maps its files as they are, and they are little-endian: it does not run on big-endian machines"
);

mod among;
mod barred;
mod build;
mod builder;
mod candidates;
mod cells;
mod codes;
mod distance;
mod error;
mod filter;
mod format;
mod full;
mod given;
mod graph;
mod half;
mod import;
mod index;
mod kernels;
mod measure;
#[cfg(feature = "oracle")]
pub mod oracle;
mod ordinals;
mod parameters;
mod plan;
mod pool;
mod rerank;
mod scan;
mod search;
mod verify;
mod visited;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use builder::VectorBuilder;
pub use error::{Error, Result};
pub use filter::Filter;
pub use import::{GraphImport, Hnswlib};
pub use index::VectorIndex;
pub use kernels::simd;
pub use parameters::{Metric, Parameters, Precision, Quantisation};
pub use plan::{Strategy, VectorPlan, default_ef};
pub use search::{Neighbour, Search};
pub use verify::Unreachable;
