//! Writing a finished graph into our own layout ([`crate::format`]).

use std::{
    cmp::Reverse,
    io::{self, Write},
    path::PathBuf,
};

use bytemuck::NoUninit;
use cutover_durable::{
    fs::{Writer, Written},
    sections::{Align, PARAMS, SectionWriter},
};

use crate::{
    builder::ordinal_bound,
    error::{Error, Result},
    ffi::Built,
    format::{COUNTS, GRAPH_FORMAT, GRAPH_MAGIC, GraphParams, LINKS, NONE, ORDINALS, TALL, UPPER},
    parameters::Parameters,
};

/// A container being written, whose errors name its path.
pub(crate) struct Container {
    writer: SectionWriter,
    path: PathBuf,
}

/// Begins a container.
pub(crate) fn container(writer: Writer, magic: [u8; 8], format: u32, params: [u8; PARAMS]) -> Result<Container> {
    let path = writer.path().to_path_buf();
    Ok(Container { writer: SectionWriter::new(writer, magic, format, params)?, path })
}

impl Container {
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        Ok(self.writer.begin(name, Align::Line)?)
    }

    pub(crate) fn error(&self, source: io::Error) -> Error {
        cutover_durable::Error::io("write", &self.path, source).into()
    }

    pub(crate) fn finish(self) -> Result<Written> {
        Ok(self.writer.finish()?)
    }
}

impl Write for Container {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes numbers as they are in memory, which is little-endian.
pub(crate) fn write_numbers<T: NoUninit>(file: &mut Container, numbers: &[T]) -> Result<()> {
    file.write_all(bytemuck::cast_slice(numbers)).map_err(|error| file.error(error))
}

/// Writes the graph over the rows of `ordinals`; `built` is none when there are none.
pub(crate) fn write_graph(
    writer: Writer,
    parameters: &Parameters,
    built: Option<&Built>,
    levels: &[u8],
    ordinals: &[u32],
) -> Result<Written> {
    let entry = built.map_or(0, Built::entry);
    let tall = Tall::new(levels, entry);
    let params = GraphParams {
        parameters: *parameters,
        nodes: ordinals.len() as u32,
        entry,
        levels: tall.counts.len() as u32,
        ordinal_bound: ordinal_bound(ordinals),
    };
    let mut file = container(writer, GRAPH_MAGIC, GRAPH_FORMAT, params.encode())?;
    file.begin(ORDINALS)?;
    write_numbers(&mut file, ordinals)?;
    file.begin(LINKS)?;
    if let Some(built) = built {
        let mut slots = vec![NONE; 2 * parameters.m];
        for node in 0..built.len() {
            fill(&mut slots, built.links(node, 0).iter().copied());
            write_numbers(&mut file, &slots)?;
        }
    }
    file.begin(COUNTS)?;
    write_numbers(&mut file, &tall.counts)?;
    file.begin(TALL)?;
    write_numbers(&mut file, &tall.nodes)?;
    file.begin(UPPER)?;
    if let Some(built) = built {
        let mut slots = vec![NONE; parameters.m];
        for (level, &count) in (1..).zip(&tall.counts) {
            for &node in &tall.nodes[..count as usize] {
                fill(&mut slots, built.links(node, level).iter().filter_map(|&link| tall.position(link)));
                write_numbers(&mut file, &slots)?;
            }
        }
    }
    file.finish()
}

fn fill(slots: &mut [u32], mut links: impl Iterator<Item = u32>) {
    slots.fill_with(|| links.next().unwrap_or(NONE));
}

/// The nodes above level 0, the tallest first, the entry point before all others.
struct Tall {
    nodes: Vec<u32>,
    /// How many nodes are on level 1, 2, …
    counts: Vec<u32>,
    /// Nodes with their positions in `nodes`, ascending.
    positions: Vec<(u32, u32)>,
}

impl Tall {
    fn new(levels: &[u8], entry: u32) -> Self {
        let level = |node: u32| levels[node as usize];
        let mut nodes: Vec<u32> = (0..levels.len() as u32).filter(|&node| level(node) > 0).collect();
        nodes.sort_by_key(|&node| (Reverse(level(node)), node != entry, node));
        let top = nodes.first().map_or(0, |&node| level(node));
        let counts = (1..=top).map(|least| nodes.partition_point(|&node| level(node) >= least) as u32).collect();
        let mut positions: Vec<(u32, u32)> = nodes.iter().copied().zip(0..).collect();
        positions.sort_unstable();
        Self { nodes, counts, positions }
    }

    fn position(&self, node: u32) -> Option<u32> {
        let found = self.positions.binary_search_by_key(&node, |&(node, _)| node).ok()?;
        Some(self.positions[found].1)
    }
}
