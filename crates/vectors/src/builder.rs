//! Collecting vectors, then building and writing their two files.
//!
//! The vectors exist once: a block of rows is written to `.full`, copied into the graph's memory and freed, then the next.

use std::io::Write as _;

use cutover_durable::fs::{Writer, Written};

use crate::{
    construct::{Caller, insert_all, levels},
    distance::{check, normalise},
    error::{Error, Result},
    ffi::Building,
    format::{FULL_FORMAT, FULL_MAGIC, FullParams, INVERSES, MAX_VECTORS, ORDINALS, VECTORS},
    parameters::{Metric, Parameters},
    repair::repair,
    write::{container, write_graph, write_numbers},
};

/// Floats of a block of rows: 1 MiB.
const BLOCK_FLOATS: usize = 256 * 1024;
/// What hnswlib keeps for each node besides its row and its links: counts, label, lock, level, list pointer, visited marks of
/// two threads.
const NODE_OVERHEAD: usize = 72;

/// The vectors of one field of one segment, on their way into a graph.
pub struct VectorBuilder {
    parameters: Parameters,
    /// Rows as they were given, in blocks of [`BLOCK_FLOATS`].
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
        match self.blocks.last_mut().filter(|block| block.len() + vector.len() <= BLOCK_FLOATS) {
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

    /// An estimate of the memory in bytes that finishing takes at its peak: the graph with its rows and links.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let links = 2 * self.parameters.m + self.parameters.m / (self.parameters.m - 1) + 1;
        self.len() * (4 * (self.parameters.dimensions + links) + NODE_OVERHEAD + size_of::<(f32, u32)>())
    }

    /// Builds the graph on `threads` threads (at least one) and writes both files; returns what was written to `graph` and
    /// to `full`.
    ///
    /// `cancel` is asked before each vector. `progress` is told how many vectors of how many are linked. `on_thread` is the first
    /// thing that each thread of the build calls, to set its own priority.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::OutOfMemory`], [`Error::Build`], [`Error::Thread`], and [`Error::Durable`] when a
    /// file cannot be written. Both files must be abandoned then.
    pub fn finish(
        mut self,
        graph: Writer,
        full: Writer,
        threads: usize,
        cancel: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
        on_thread: &(dyn Fn() + Sync),
    ) -> Result<(Written, Written)> {
        let caller = Caller { threads: threads.max(1), cancel, progress, on_thread };
        let levels: Vec<u8> = levels(self.parameters.m, self.parameters.seed).take(self.len()).collect();
        let (building, full) = self.place(full, &levels, caller)?;
        let built = match building {
            Some(building) => {
                insert_all(&building, levels.len() as u32, caller)?;
                let mut built = building.finish();
                repair(&mut built)?;
                Some(built)
            }
            None => None,
        };
        let graph = write_graph(graph, &self.parameters, built.as_ref(), &levels, &self.ordinals)?;
        Ok((graph, full))
    }

    /// Writes `.full` and places its rows as the nodes of a new graph; none when there are no rows.
    fn place(&mut self, full: Writer, levels: &[u8], caller: Caller) -> Result<(Option<Building>, Written)> {
        let params = FullParams {
            dimensions: self.parameters.dimensions as u32,
            rows: self.len() as u32,
            ordinal_bound: ordinal_bound(&self.ordinals),
        };
        let mut file = container(full, FULL_MAGIC, FULL_FORMAT, params.encode())?;
        file.begin(VECTORS)?;
        let mut building = match self.len() {
            0 => None,
            count => Some(Building::new(&self.parameters, count)?),
        };
        let mut nodes = levels.iter().zip(&self.inverses);
        let mut unit = Vec::with_capacity(self.parameters.dimensions);
        for block in std::mem::take(&mut self.blocks) {
            if (caller.cancel)() {
                return Err(Error::Cancelled);
            }
            file.write_all(bytemuck::cast_slice(&block)).map_err(|error| file.error(error))?;
            for row in block.chunks_exact(self.parameters.dimensions) {
                let (Some(building), Some((&level, &inverse))) = (&mut building, nodes.next()) else { break };
                if self.parameters.metric == Metric::Cosine {
                    normalise(row, inverse, &mut unit);
                    building.place(&unit, level)?;
                } else {
                    building.place(row, level)?;
                }
            }
        }
        file.begin(INVERSES)?;
        write_numbers(&mut file, &self.inverses)?;
        file.begin(ORDINALS)?;
        write_numbers(&mut file, &self.ordinals)?;
        Ok((building, file.finish()?))
    }
}

/// One more than the greatest of ascending ordinals; 0 when there is none.
pub(crate) fn ordinal_bound(ordinals: &[u32]) -> u64 {
    ordinals.last().map_or(0, |&last| u64::from(last) + 1)
}
