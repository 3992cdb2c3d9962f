//! Search indexes: documents, ids, text and vectors in segments, read on snapshots, written as drafts.
//!
//! This layer knows what a version contains; how versions come and go is the store's. A query runs on one [`Snapshot`]; a
//! [`Draft`] becomes the next version.

mod allowed;
mod analyzers;
mod answer;
mod cancel;
mod check;
mod contents;
mod document;
mod documents;
mod draft;
mod embedding_cache;
mod error;
mod explain;
mod facets;
mod fall_back;
mod filter;
mod fusion;
mod graph_file;
mod groups;
mod highlight;
mod ids;
mod index;
mod legs;
mod models;
mod progress;
mod query;
mod ranking;
mod reader;
mod reader_cache;
mod rows;
mod schema;
mod search;
mod search_pool;
mod segment;
mod segment_builder;
mod slices;
mod snapshot;
mod text_leg;
pub mod threads;
mod tombstones;
mod unescape;

mod vector_leg;
mod verify;

pub use answer::Answer;
pub use cancel::Cancel;
pub use cutover_store::{Integrity, Keep, Problem, ProblemKind, StoreOptions, StoreStatus, VerifyReport, VersionInfo};
pub use document::Packed;
pub use draft::{Draft, Published, WriteOptions};
pub use embedding_cache::EmbeddingCache;
pub use error::{Error, Result};
pub use fall_back::OnCorrupt;
pub use graph_file::Rows;
pub use index::{Index, Options, Wait};
pub use models::Models;
pub use progress::Progress;
pub use query::Query;
pub use reader::parse_filter;
pub use reader_cache::CacheStatus;
pub use schema::Schema;
pub use snapshot::Snapshot;
pub use verify::Depth;
