//! The text layer: every field of a document that is searched or filtered without a vector.
//!
//! One [`TextIndex`] serves one segment from one mapped container file; a query runs over the indexes of all segments of a version
//! with their statistics taken together, so how documents are spread over segments never shows in a score. Tantivy does the work
//! below and appears in no signature. A container that is damaged gives a typed error, never a panic.

mod analyzer;
mod builder;
mod columns;
mod container;
mod deeper;
mod directory;
mod error;
mod facets;
mod filter;
mod glob;
mod groups;
mod guard;
mod highlight;
mod index;
mod postings;
mod query;
mod range;
mod schema;
mod search;
mod signature;
mod sort;
mod value;

pub use analyzer::{Analyzer, Case, Language};
pub use builder::TextBuilder;
pub use deeper::TextDepths;
pub use error::{Error, Result};
pub use facets::{facet_counts, range_counts};
pub use filter::{Filter, compile_filter};
pub use glob::{Glob, MAX_PATTERN_BYTES, MAX_PATTERNS};
pub use groups::keywords_of;
pub use highlight::{Fragment, Highlighter, Markup, Rendered, Shape};
pub use index::TextIndex;
pub use query::{Explanation, Fuzzy, MAX_TERMS, Mode, Operator, Part, PartField, TextQuery};
pub use schema::{FieldKind, FieldSpec, TextSchema};
pub use search::{SegmentRef, TextHit, TextHits, TextPlan, search};
pub use signature::Signer;
pub use sort::{MAX_SORT_KEYS, Order, SortKey, sorted};
pub use value::{MAX_INTEGER, MAX_KEYWORD_BYTES, Value};
