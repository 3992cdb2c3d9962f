//! Collecting vectors, then building and writing their two files.
//!
//! Vectors are written to `.full` block by block, then encoded. The graph is built over the codes alone where there are any, and
//! else over the vectors, which are kept for that.

use cutover_durable::fs::{Writer, Written};

use crate::{
    build::{
        Building, Caller, CodePoints, FloatRows, Lists, Points, effort, insert_all, levels, repair, rows_per_block,
    },
    cells::{Partition, caution, partition},
    codes::{CodedRows, Coding, LEAST_DIMENSIONS, rerank},
    distance::{check_given, normalise},
    error::{Error, Result},
    format::MAX_VECTORS,
    given::GivenRows,
    parameters::{Metric, Parameters, Precision, Quantisation},
    write::{Beside, FullWriter, write_graph},
};

/// What links the nodes of a graph whose levels are given.
pub(crate) trait Linker {
    /// Links them all, but for those that its way loses.
    fn link<P: Points>(self, building: &Building<P>) -> Result<()>;
}

impl Linker for Caller<'_> {
    fn link<P: Points>(self, building: &Building<P>) -> Result<()> {
        insert_all(building, self)
    }
}

/// Bytes that each node takes besides its row and its links: its inverse, its ordinal and its level.
const NODE_OVERHEAD: usize = 9;

/// Bytes that each node takes while cells are made: its cell, and its place among the members.
const CELLS_OVERHEAD: usize = 8;

/// The vectors of one field of one segment, on their way into a graph.
pub struct VectorBuilder {
    parameters: Parameters,
    rows: GivenRows,
    ordinals: Vec<u32>,
    rounded: Vec<f32>,
}

impl VectorBuilder {
    /// A builder without vectors.
    ///
    /// # Errors
    /// [`Error::Parameter`] when a parameter is outside its bounds.
    pub fn new(parameters: Parameters) -> Result<Self> {
        parameters.check()?;
        Ok(Self::of_checked(parameters))
    }

    /// A builder for a graph that is there already, whose nodes may have more links than we would give them.
    ///
    /// # Errors
    /// [`Error::Parameter`] when another parameter is outside its bounds.
    pub(crate) fn of_graph(parameters: Parameters) -> Result<Self> {
        let m = parameters.m.clamp(Parameters::LEAST_M, Parameters::MOST_M);
        Parameters { m, ef_construction: parameters.ef_construction.max(m), ..parameters }.check()?;
        Ok(Self::of_checked(parameters))
    }

    fn of_checked(parameters: Parameters) -> Self {
        Self { parameters, rows: GivenRows::new(&parameters), ordinals: Vec::new(), rounded: Vec::new() }
    }

    /// Adds the vector of a document. Ordinals ascend; those that are left out have no vector.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::NotFinite`], [`Error::NotHalf`], for cosine [`Error::Zero`] and [`Error::Length`]; [`Error::Order`] when
    /// `ordinal` is not above the last one; [`Error::TooMany`]. The builder is as it was before then.
    pub fn push(&mut self, ordinal: u32, vector: &[f32]) -> Result<()> {
        let inverse = check_given(&self.parameters, vector, &mut self.rounded)?;
        if let Some(&previous) = self.ordinals.last().filter(|&&previous| previous >= ordinal) {
            return Err(Error::Order { previous, ordinal });
        }
        if self.len() == MAX_VECTORS {
            return Err(Error::TooMany { most: MAX_VECTORS });
        }
        let vector = if self.parameters.precision == Precision::Float16 { &self.rounded } else { vector };
        self.rows.push(vector, inverse);
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

    /// The memory in bytes that finishing takes at its peak: the rows beside their codes, until those are tried, or beside the links
    /// where there are no codes; or the codes beside the links.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let Parameters { dimensions, m, .. } = self.parameters;
        let rows = self.len() * (dimensions * GivenRows::bytes_of_number(&self.parameters) + NODE_OVERHEAD);
        let lists = Lists::bytes(m, self.len());
        if !self.may_have_codes() {
            return rows + lists;
        }
        let codes = self.len() * CodedRows::most_bytes(dimensions);
        // Whether codes serve is known when they are made: the links may be beside the rows, or beside codes and cells.
        (rows + codes.max(lists)).max(codes + lists + self.len() * CELLS_OVERHEAD)
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
        self.finish_linked(graph, full, &levels, caller, caller)
    }

    /// [`VectorBuilder::finish`] with levels for its vectors, and something that links them.
    pub(crate) fn finish_linked(
        mut self,
        graph: Writer,
        full: Writer,
        levels: &[u8],
        caller: Caller,
        linker: impl Linker,
    ) -> Result<(Written, Written)> {
        let cancel: &dyn Fn() -> bool = caller.cancel;
        let full = self.write_full(full, cancel)?;
        let codes = self.encode(cancel)?;
        let rows = std::mem::replace(&mut self.rows, GivenRows::new(&self.parameters));
        let ((lists, effort), cells) = if let Some((codes, _)) = &codes {
            drop(rows);
            let points = CodePoints::new(codes, self.len());
            (self.link(&points, levels, cancel, linker)?, self.cells(codes, &points, caller)?)
        } else {
            (self.link(&self.float_rows(rows, cancel)?, levels, cancel, linker)?, None)
        };
        let beside = Beside {
            effort,
            codes: codes.as_ref().map(|(rows, rerank)| (rows, *rerank)),
            cells: cells.as_ref().map(|(cells, caution)| (cells, *caution)),
        };
        let graph = write_graph(graph, &self.parameters, &lists, beside, &self.ordinals, cancel)?;
        Ok((graph, full))
    }

    /// Links the points, and those that no link leads to; and how many candidates a search of that graph needs.
    fn link<P: Points>(
        &self,
        points: &P,
        levels: &[u8],
        cancel: &dyn Fn() -> bool,
        linker: impl Linker,
    ) -> Result<(Lists, u32)> {
        let building = Building::new(&self.parameters, points, levels)?;
        linker.link(&building)?;
        let built = building.finish();
        repair(&built, cancel)?;
        let effort = effort(&built, cancel)?;
        Ok((built.into_lists(), effort))
    }

    /// The cells of the points, and how cautious a search of them must be; none where there are too few points.
    fn cells(&self, rows: &CodedRows, points: &CodePoints, caller: Caller) -> Result<Option<(Partition, f32)>> {
        let Some(cells) = partition(rows, points, self.parameters.metric, self.len(), caller)? else { return Ok(None) };
        let caution = caution(rows, cells.cells(), self.len(), caller.cancel)?;
        Ok(Some((cells, caution as f32)))
    }

    /// Rows to build over as they are; for cosine they are made of length 1.
    fn float_rows(&self, rows: GivenRows, cancel: &dyn Fn() -> bool) -> Result<FloatRows> {
        let Parameters { metric, dimensions, .. } = self.parameters;
        let (blocks, inverses) = rows.into_floats();
        let mut inverses = inverses.into_iter();
        let mut made = Vec::new();
        for mut block in blocks {
            if cancel() {
                return Err(Error::Cancelled);
            }
            if metric == Metric::Cosine {
                for (row, inverse) in block.chunks_exact_mut(dimensions).zip(&mut inverses) {
                    for x in row {
                        *x *= inverse;
                    }
                }
            }
            made.push(block);
        }
        Ok(FloatRows::new(metric, dimensions, made))
    }

    /// Whether codes are wanted, and may serve vectors of so few dimensions.
    fn may_have_codes(&self) -> bool {
        self.parameters.codes != Quantisation::None && self.parameters.dimensions >= LEAST_DIMENSIONS
    }

    /// The codes of all rows, and how many quarters of a search's candidates are measured in full; none where there are to be none.
    fn encode(&self, cancel: &dyn Fn() -> bool) -> Result<Option<(CodedRows, u16)>> {
        if !self.may_have_codes() || self.is_empty() {
            return Ok(None);
        }
        let Parameters { metric, dimensions, .. } = self.parameters;
        let unit = |i: usize, unit: &mut Vec<f32>| {
            let row = self.rows.row(i);
            normalise(&row.numbers.wide(), if metric == Metric::Cosine { row.inverse } else { 1.0 }, unit);
        };
        let mut rows = CodedRows::new(Coding::fit(metric, dimensions, self.len(), unit), self.len())?;
        let mut row = Vec::with_capacity(dimensions);
        for i in 0..self.len() {
            if i.is_multiple_of(rows_per_block(dimensions)) && cancel() {
                return Err(Error::Cancelled);
            }
            unit(i, &mut row);
            if !rows.push(&row) {
                return Ok(None);
            }
        }
        Ok(rerank(&rows, &self.parameters, &self.rows, cancel)?.map(|rerank| (rows, rerank)))
    }

    fn write_full(&self, full: Writer, cancel: &dyn Fn() -> bool) -> Result<Written> {
        let mut file = FullWriter::new(full, &self.parameters, &self.ordinals)?;
        for row in 0..self.rows.len() {
            if row.is_multiple_of(rows_per_block(self.parameters.dimensions)) && cancel() {
                return Err(Error::Cancelled);
            }
            file.row(self.rows.row(row))?;
        }
        file.finish(&self.ordinals)
    }
}
