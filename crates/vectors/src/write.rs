//! Writing a finished graph, and rows, into our own layout ([`crate::format`]).

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::atomic::Ordering,
};

use bytemuck::NoUninit;
use cutover_durable::{
    fs::{Writer, Written},
    sections::{Align, PARAMS, SectionWriter},
};

use crate::{
    build::{Layer, Lists},
    cells::Partition,
    codes::CodedRows,
    error::{Error, Result},
    format::{
        CELLS, CENTROIDS, COUNTS, FORMAT, FULL_MAGIC, FullParams, GRAPH_MAGIC, GraphParams, MEMBERS, NODES, ORDINALS,
        ROWS, TALL, UPPER,
    },
    full::{Numbers, Row},
    ordinals,
    parameters::Parameters,
};

/// A container being written, whose errors name its path.
pub(crate) struct Container {
    writer: SectionWriter,
    path: PathBuf,
}

/// Begins a container.
pub(crate) fn container(writer: Writer, magic: [u8; 8], params: [u8; PARAMS]) -> Result<Container> {
    let path = writer.path().to_path_buf();
    Ok(Container { writer: SectionWriter::new(writer, magic, FORMAT, params)?, path })
}

impl Container {
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        Ok(self.writer.begin(name, Align::Line)?)
    }

    pub(crate) fn finish(self) -> Result<Written> {
        Ok(self.writer.finish()?)
    }

    /// Writes numbers as they are in memory, which is little-endian.
    pub(crate) fn numbers<T: NoUninit>(&mut self, numbers: &[T]) -> Result<()> {
        let written = self.writer.write_all(bytemuck::cast_slice(numbers));
        written.map_err(|source: io::Error| cutover_durable::Error::io("write", &self.path, source).into())
    }

    /// Writes the ordinals' section: nothing where each is its own row.
    pub(crate) fn ordinals(&mut self, ordinals: &[u32]) -> Result<()> {
        self.begin(ORDINALS)?;
        if ordinals::are_listed(ordinals.len(), ordinals::bound(ordinals)) { self.numbers(ordinals) } else { Ok(()) }
    }
}

/// A `.full` file being written, row by row.
pub(crate) struct FullWriter {
    file: Container,
}

impl FullWriter {
    /// Begins the file of the rows of `ordinals`.
    pub(crate) fn new(writer: Writer, parameters: &Parameters, ordinals: &[u32]) -> Result<Self> {
        let params = FullParams {
            dimensions: parameters.dimensions as u32,
            precision: parameters.precision,
            rows: ordinals.len() as u32,
            ordinal_bound: ordinals::bound(ordinals),
        };
        let mut file = container(writer, FULL_MAGIC, params.encode())?;
        file.begin(ROWS)?;
        Ok(Self { file })
    }

    /// Writes the next row, and the inverse of the length that it has as it is kept.
    pub(crate) fn row(&mut self, row: Row) -> Result<()> {
        self.file.numbers(&[row.inverse])?;
        match row.numbers {
            Numbers::Float32(numbers) => self.file.numbers(numbers),
            Numbers::Float16(halves) => {
                self.file.numbers(halves)?;
                // Up to a whole word.
                if halves.len().is_multiple_of(2) { Ok(()) } else { self.file.numbers(&[0_u16]) }
            }
        }
    }

    /// Ends the file, all of whose rows were written.
    pub(crate) fn finish(mut self, ordinals: &[u32]) -> Result<Written> {
        self.file.ordinals(ordinals)?;
        self.file.finish()
    }
}

/// Nodes whose blocks or lists are written between two looks at the cancel flag.
const NODES_BETWEEN_CHECKS: usize = 4096;

/// What is known of a graph besides its links.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// How many candidates its searches need.
    pub(crate) effort: u32,
    /// The rows' codes, and how many quarters of the candidates are measured in full.
    pub(crate) codes: Option<(&'a CodedRows, u16)>,
    /// Its cells, and how cautious a search of them must be.
    pub(crate) cells: Option<(&'a Partition, f32)>,
}

/// Writes the graph over the rows of `ordinals`.
pub(crate) fn write_graph(
    writer: Writer,
    parameters: &Parameters,
    lists: &Lists,
    beside: Beside,
    ordinals: &[u32],
    cancel: &dyn Fn() -> bool,
) -> Result<Written> {
    let Beside { effort, codes, cells } = beside;
    let tall = lists.tall();
    let params = GraphParams {
        metric: parameters.metric,
        dimensions: parameters.dimensions,
        m: parameters.m,
        ef_construction: parameters.ef_construction,
        seed: parameters.seed,
        nodes: ordinals.len() as u32,
        entry: lists.entry(),
        coding: codes.map(|(rows, rerank)| (*rows.coding(), rerank)),
        levels: u32::from(lists.top()),
        ordinal_bound: ordinals::bound(ordinals),
        effort,
        caution: cells.map_or(0.0, |(_, caution)| caution),
    };
    let mut file = container(writer, GRAPH_MAGIC, params.encode())?;
    file.ordinals(ordinals)?;
    file.begin(NODES)?;
    let layout = params.block();
    let mut block = vec![0_u32; layout.stride];
    for node in 0..ordinals.len() as u32 {
        check(node as usize, cancel)?;
        if let Some((rows, _)) = codes {
            bytemuck::cast_slice_mut(&mut block)[..parameters.dimensions].copy_from_slice(rows.code(node));
            let terms = rows.terms(node);
            let own = [terms.factor.to_bits(), terms.norm.to_bits()];
            block[layout.terms..layout.links].copy_from_slice(&own[..layout.links - layout.terms]);
        }
        fill(&mut block[layout.links..], lists.layer(0), node);
        file.numbers(&block)?;
    }
    file.begin(COUNTS)?;
    file.numbers(tall.counts())?;
    file.begin(TALL)?;
    file.numbers(tall.nodes())?;
    file.begin(UPPER)?;
    let mut slots = vec![0_u32; parameters.m];
    for layer in (1..=lists.top()).map(|level| lists.layer(level)) {
        for place in 0..layer.len() as u32 {
            check(place as usize, cancel)?;
            fill(&mut slots, layer, place);
            file.numbers(&slots)?;
        }
    }
    if let Some((partition, _)) = cells {
        file.begin(CELLS)?;
        file.numbers(&partition.cells)?;
        file.begin(CENTROIDS)?;
        file.numbers(partition.centroids.bytes())?;
        file.begin(MEMBERS)?;
        for members in partition.members.chunks(NODES_BETWEEN_CHECKS) {
            check(0, cancel)?;
            file.numbers(members)?;
        }
    }
    file.finish()
}

/// Copies a list, with what ends it.
fn fill(slots: &mut [u32], layer: Layer, place: u32) {
    for (slot, link) in slots.iter_mut().zip(layer.slots(place)) {
        *slot = link.load(Ordering::Relaxed);
    }
}

fn check(done: usize, cancel: &dyn Fn() -> bool) -> Result<()> {
    if done.is_multiple_of(NODES_BETWEEN_CHECKS) && cancel() { Err(Error::Cancelled) } else { Ok(()) }
}
