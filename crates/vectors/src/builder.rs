//! Collecting vectors, then building and writing their two files.
//!
//! The vectors exist once: they are written to `.full` block by block, and then stay what the graph is built over.

use cutover_durable::fs::{Writer, Written};

use crate::{
    build::{Building, Caller, FloatRows, Lists, insert_all, levels, repair, rows_per_block},
    distance::check,
    error::{Error, Result},
    format::{FULL_FORMAT, FULL_MAGIC, FullParams, INVERSES, MAX_VECTORS, ORDINALS, VECTORS},
    parameters::{Metric, Parameters},
    write::{container, write_graph, write_numbers},
};

/// Bytes that each node takes besides its row and its links: its inverse, its ordinal and its level.
const NODE_OVERHEAD: usize = 9;

/// The vectors of one field of one segment, on their way into a graph.
pub struct VectorBuilder {
    parameters: Parameters,
    /// Rows as they were given, in blocks of [`rows_per_block`].
    blocks: Vec<Vec<f32>>,
    inverses: Vec<f32>,
    ordinals: Vec<u32>,
}

impl VectorBuilder {
    /// A builder without vectors.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a parameter is outside its bounds.
    pub fn new(parameters: Parameters) -> Result<Self> {
        parameters.check()?;
        Ok(Self { parameters, blocks: Vec::new(), inverses: Vec::new(), ordinals: Vec::new() })
    }

    /// Adds the vector of a document. Ordinals ascend; those that are left out have no vector.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::NotFinite`], for cosine [`Error::Zero`] and [`Error::Length`]; [`Error::Order`] when
    /// `ordinal` is not above the last one; [`Error::TooMany`]. The builder is as it was before then.
    pub fn push(&mut self, ordinal: u32, vector: &[f32]) -> Result<()> {
        let inverse = check(&self.parameters, vector)?;
        if let Some(&previous) = self.ordinals.last().filter(|&&previous| previous >= ordinal) {
            return Err(Error::Order { previous, ordinal });
        }
        if self.len() == MAX_VECTORS {
            return Err(Error::TooMany { most: MAX_VECTORS });
        }
        let full = rows_per_block(vector.len()) * vector.len();
        match self.blocks.last_mut().filter(|block| block.len() < full) {
            Some(block) => block.extend_from_slice(vector),
            None => self.blocks.push(vector.to_vec()),
        }
        self.inverses.push(inverse);
        self.ordinals.push(ordinal);
        Ok(())
    }

    /// Vectors added so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// Whether no vector was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ordinals.is_empty()
    }

    /// The memory in bytes that finishing takes at its peak: the rows and the graph's links.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let rows = self.len() * (self.parameters.dimensions * size_of::<f32>() + NODE_OVERHEAD);
        rows + Lists::bytes(self.parameters.m, self.len())
    }

    /// Builds the graph on `threads` threads (at least one) and writes both files; returns what was written to `graph` and
    /// to `full`.
    ///
    /// `cancel` is asked before each vector and each block that is written. `progress` is told how many vectors of how many are linked.
    /// `on_thread` is the first thing that each thread of the build calls, to set its own priority.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::OutOfMemory`], [`Error::Build`], [`Error::Thread`], and [`Error::Durable`] when a
    /// file cannot be written. Both files must be abandoned then.
    pub fn finish(
        self,
        graph: Writer,
        full: Writer,
        threads: usize,
        cancel: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
        on_thread: &(dyn Fn() + Sync),
    ) -> Result<(Written, Written)> {
        let Parameters { m, seed, .. } = self.parameters;
        let levels: Vec<u8> = levels(m, seed).take(self.len()).collect();
        let caller = Caller { threads: threads.max(1), cancel, progress, on_thread };
        self.finish_linked(graph, full, &levels, cancel, |building, _| insert_all(building, caller))
    }

    /// [`VectorBuilder::finish`] with levels for its vectors, and a function that links them.
    pub(crate) fn finish_linked(
        self,
        graph: Writer,
        full: Writer,
        levels: &[u8],
        cancel: &dyn Fn() -> bool,
        link: impl FnOnce(&Building<FloatRows>, &FloatRows) -> Result<()>,
    ) -> Result<(Written, Written)> {
        let full = self.write_full(full, cancel)?;
        let Self { parameters, mut blocks, inverses, ordinals } = self;
        if parameters.metric == Metric::Cosine {
            let mut inverses = inverses.into_iter();
            for block in &mut blocks {
                if cancel() {
                    return Err(Error::Cancelled);
                }
                for (row, inverse) in block.chunks_exact_mut(parameters.dimensions).zip(&mut inverses) {
                    for x in row {
                        *x *= inverse;
                    }
                }
            }
        }
        let points = FloatRows::new(parameters.metric, parameters.dimensions, blocks);
        let building = Building::new(&parameters, &points, levels)?;
        link(&building, &points)?;
        let built = building.finish();
        repair(&built, cancel)?;
        let lists = built.into_lists();
        drop(points);
        let graph = write_graph(graph, &parameters, &lists, &ordinals, cancel)?;
        Ok((graph, full))
    }

    fn write_full(&self, full: Writer, cancel: &dyn Fn() -> bool) -> Result<Written> {
        let params = FullParams {
            dimensions: self.parameters.dimensions as u32,
            rows: self.len() as u32,
            ordinal_bound: ordinal_bound(&self.ordinals),
        };
        let mut file = container(full, FULL_MAGIC, FULL_FORMAT, params.encode())?;
        file.begin(VECTORS)?;
        for block in &self.blocks {
            write_numbers(&mut file, block, cancel)?;
        }
        file.begin(INVERSES)?;
        write_numbers(&mut file, &self.inverses, cancel)?;
        file.begin(ORDINALS)?;
        write_numbers(&mut file, &self.ordinals, cancel)?;
        file.finish()
    }
}

/// One more than the greatest of ascending ordinals; 0 when there is none.
pub(crate) fn ordinal_bound(ordinals: &[u32]) -> u64 {
    ordinals.last().map_or(0, |&last| u64::from(last) + 1)
}
