//! A field's vectors, opened: what they are, and the vector of a document.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, Ordering},
};

use cutover_durable::Map;

use crate::{
    distance::Query,
    error::{Error, Result},
    full::Full,
    graph::Graph,
    parameters::{Metric, Parameters},
};

/// The vectors and the graph of one field of one segment, mapped. Cheap to open, and searched by any number of threads.
pub struct VectorIndex {
    graph: Graph,
    full: Full,
    parameters: Parameters,
    /// Another than that of every other index that was opened.
    number: u64,
}

/// Indexes opened so far.
static OPENED: AtomicU64 = AtomicU64::new(0);

impl VectorIndex {
    /// Opens the two files of a field, checking their structure and that they belong together. Reads a few pages, whatever
    /// their size.
    ///
    /// # Errors
    /// [`Error::Durable`] when a file is malformed or of another format, or when the two do not belong together.
    pub fn open(graph: Map, full: Map) -> Result<Self> {
        let graph = Graph::open(graph)?;
        let full = Full::open(full)?;
        let (links, rows) = (graph.params(), full.params());
        if (links.nodes, links.dimensions, links.ordinal_bound)
            != (rows.rows, rows.dimensions as usize, rows.ordinal_bound)
        {
            return Err(foreign(&graph));
        }
        let parameters = links.parameters(rows.precision);
        Ok(Self { graph, full, parameters, number: OPENED.fetch_add(1, Ordering::Relaxed) })
    }

    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full.params().rows as usize
    }

    /// Whether there is no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Components of every vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.parameters.dimensions
    }

    /// How distances are measured.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.parameters.metric
    }

    /// What the graph was built with, and whether it has codes.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// One more than the greatest ordinal that has a vector, 0 when none has. No search answers an ordinal at or above it, so a
    /// segment that has at least as many documents can look up every answer.
    #[must_use]
    pub fn ordinal_bound(&self) -> u64 {
        self.full.params().ordinal_bound
    }

    /// The distances of `query` to the vectors of documents, to the bit those that searches return; `None` for a document
    /// without a vector.
    ///
    /// # Errors
    /// As [`VectorIndex::search`], for `query`.
    pub fn distances(&self, query: &[f32], ordinals: &[u32]) -> Result<Vec<Option<f32>>> {
        let query = Query::new(&self.parameters, query)?;
        let rows = self.full.rows()?;
        Ok(ordinals.iter().map(|&ordinal| Some(rows.distance(&query, rows.ordinals.find(ordinal)?))).collect())
    }

    /// The vector of a document: exactly as it was given, or rounded where the precision is float16; `None` when it has none.
    #[must_use]
    pub fn vector(&self, ordinal: u32) -> Option<Cow<'_, [f32]>> {
        let rows = self.full.rows().ok()?;
        Some(rows.row(rows.ordinals.find(ordinal)?).numbers.wide())
    }

    /// By which it is told from other indexes that were opened.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn full(&self) -> &Full {
        &self.full
    }
}

#[cold]
pub(crate) fn foreign(graph: &Graph) -> Error {
    let detail = "it and the vectors beside it are not of the same documents";
    cutover_durable::Error::malformed(graph.map().path(), detail).into()
}
