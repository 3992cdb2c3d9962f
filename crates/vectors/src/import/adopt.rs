//! The vectors and the graph of an hnswlib file on their way into files of ours.

use cutover_durable::fs::{Writer, Written};

use super::{Hnswlib, kept::Kept};
use crate::{
    build::{Building, Caller, Points},
    builder::{Linker, VectorBuilder},
    error::{Error, Result},
    format::MAX_M,
    parameters::Parameters,
};

/// A field of a segment whose graph is taken over: its rows become ordinals 0, 1, … in the order in which they are kept.
pub struct GraphImport {
    file: Hnswlib<Vec<u8>>,
    builder: VectorBuilder,
    rows: Vec<u32>,
    vector: Vec<f32>,
}

impl GraphImport {
    /// Checks a whole file. Of `parameters` its own M (up to 1024; longer lists are chosen anew) and ef construction (up to 2000) take
    /// the place of those given; the metric is not in the file and must be the one that it was built for.
    ///
    /// # Errors
    /// [`Error::Foreign`] when it is no such file, or of other dimensions; [`Error::Parameter`]; [`Error::Cancelled`].
    pub fn new(parameters: Parameters, bytes: Vec<u8>, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let file = Hnswlib::parse(bytes, cancel)?;
        let (expected, actual) = (parameters.dimensions, file.dimensions());
        if expected != actual {
            return Err(Error::Foreign {
                detail: format!("its vectors have {actual} dimensions instead of {expected}"),
            });
        }
        let m = file.m().clamp(Parameters::LEAST_M, MAX_M);
        let ef_construction = file.ef_construction().clamp(m, 2000);
        let builder = VectorBuilder::of_graph(Parameters { m, ef_construction, ..parameters })?;
        Ok(Self { file, builder, rows: Vec::new(), vector: Vec::new() })
    }

    /// What is taken over.
    #[must_use]
    pub fn file(&self) -> &Hnswlib<Vec<u8>> {
        &self.file
    }

    /// How many rows are kept so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row is kept so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The vector of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn vector(&self, row: u32) -> Vec<f32> {
        let mut vector = Vec::new();
        self.file.vector(row, &mut vector);
        vector
    }

    /// Keeps a row, which is above those kept before; what is not kept when it is finished is left out.
    ///
    /// # Errors
    /// [`Error::NotFinite`], for cosine [`Error::Zero`] and [`Error::Length`] when its vector is none of this field;
    /// [`Error::Order`]. It is as if the row had not been asked for then.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn keep(&mut self, row: u32) -> Result<()> {
        if let Some(&previous) = self.rows.last().filter(|&&previous| previous >= row) {
            return Err(Error::Order { previous, ordinal: row });
        }
        self.file.vector(row, &mut self.vector);
        self.builder.push(self.rows.len() as u32, &self.vector)?;
        self.rows.push(row);
        Ok(())
    }

    /// Writes both files; returns what was written to `graph` and to `full`. `cancel` is asked every few hundred rows, `progress` told how
    /// many of how many are linked.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::OutOfMemory`], and [`Error::Durable`] when a file cannot be written. Both files must be
    /// abandoned then.
    pub fn finish(
        self,
        graph: Writer,
        full: Writer,
        cancel: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<(Written, Written)> {
        let Self { file, builder, rows, .. } = self;
        let levels: Vec<u8> = rows.iter().map(|&row| file.level(row)).collect();
        let linker = Adopted { file: &file, rows: &rows, cancel, progress };
        let caller = Caller { threads: 1, cancel, progress, on_thread: &|| () };
        builder.finish_linked(graph, full, &levels, caller, linker)
    }
}

/// Links nodes as the file does.
struct Adopted<'a> {
    file: &'a Hnswlib<Vec<u8>>,
    rows: &'a [u32],
    cancel: &'a dyn Fn() -> bool,
    progress: &'a dyn Fn(usize, usize),
}

impl Linker for Adopted<'_> {
    fn link<P: Points>(self, building: &Building<P>) -> Result<()> {
        Kept::new(self.file, self.rows, building.points()).link(building.lists(), self.cancel, self.progress)
    }
}
