//! The N-API boundary: converts, and dispatches to our own threads. It decides nothing.
//!
//! Work that can take longer than a function call runs on the index's search pool, on a draft's build thread or on a thread of
//! its own; its promise is settled from there. Errors cross as JSON (see `error.rs`), answers as JSON with vectors beside.

mod answers;
mod atomic;
mod convert;
mod draft;
mod embeddings;
mod error;
mod index;
mod index_care;
mod index_options;
mod lock;
mod progress;
mod snapshot;
mod store;
mod store_care;
mod store_draft;
mod store_snapshot;
mod task;
