//! The bytes of the two vector files: magics, parameters and section names. Both are containers of `cutover_durable::sections`.
//!
//! ```text
//! .full    params: dimensions u32, precision u32 (0: float32, 1: float16), rows u32, zero u32, ordinal bound u64, zero [u8; 24]
//!          rows      for each row 1 ÷ its Euclidean length as f32 (0 where that is outside 1e-37..1e37), then its numbers, as given
//!                    (f32) or rounded (f16), then zeroes up to a multiple of 4 bytes; in ascending order of ordinals
//!          ordinals  u32 × rows: ascending; empty where row i is of ordinal i, for all i
//! .graph   params: metric u8 (0: cosine, 1: l2, 2: inner product), codes u8 (0: none, 1: int8), dimensions u16, m u16,
//!                  ef construction u16, seed u64, nodes u32, entry u32, scale f32, rerank u16, levels u16, ordinal bound u64, effort u32,
//!                  caution f32
//!          ordinals  u32 × nodes: node i is row i of .full; empty as there
//!          nodes     a block for each node: its code (a byte for each dimension, with codes), zeroes up to a multiple of 4 bytes,
//!                    its terms (with codes: f32 factor for inner product, f32 factor and f32 norm for l2, none for cosine), its links
//!                    on level 0 (u32 × 2m; a shorter list ends with u32::MAX), zeroes up to a multiple of 64 bytes
//!          counts    u32 × levels: how many nodes are on level 1, 2, …; never more than on the level below
//!          tall      u32 × counts[0]: the nodes above level 0, by descending level; the entry is the first
//!          upper     u32 × m × (counts[0] + counts[1] + …): lists of level 1, then 2, …, of positions in `tall`; on each
//!                    level the lists of the first counts[level-1] nodes of `tall`, ended like those of level 0
//!          cells     for each cell: members of the cells up to this one u32, spread f32, factor f32, norm f32; this section and those that
//!                    follow are there where `caution` is not 0
//!          centroids the code of each cell's centroid, and zeroes up to a multiple of 64 bytes
//!          members   u32 × nodes: the nodes of the first cell, ascending, then those of the second, …
//! ```
//!
//! The ordinal bound is one more than the greatest ordinal, 0 when there is no vector. `scale` is what 127 in a code stands for with
//! cosine, else 0. `rerank` says how many of a search's candidates are measured in full, in quarters of them; 0 without codes.
//! `effort` is how many candidates a search for the nearest 10 needed to find .98 of them when the graph was made, 0 where that was not tried.
//! A centroid is the mean of its cell's members, coded as a row of l2 is; factor and norm are its terms, and the spread is the root of the
//! members' mean squared distance from it. `caution` says by how many times the deviation of a normal number the members' distances may
//! deviate; 0 where there are no cells.
//! Format 1 was never released.

use cutover_durable::{
    Error, Map, Result,
    sections::{PARAMS, Sections},
};

use crate::{
    codes::Coding,
    parameters::{Metric, Parameters, Precision, Quantisation},
};

pub(crate) const GRAPH_MAGIC: [u8; 8] = *b"CUTOVGRF";
pub(crate) const FULL_MAGIC: [u8; 8] = *b"CUTOVFUL";
/// Of both files.
pub(crate) const FORMAT: u32 = 2;

pub(crate) const ROWS: &str = "rows";
pub(crate) const ORDINALS: &str = "ordinals";
pub(crate) const NODES: &str = "nodes";
pub(crate) const COUNTS: &str = "counts";
pub(crate) const TALL: &str = "tall";
pub(crate) const UPPER: &str = "upper";
pub(crate) const CELLS: &str = "cells";
pub(crate) const CENTROIDS: &str = "centroids";
pub(crate) const MEMBERS: &str = "members";

/// Ends a list that does not fill its slots.
pub(crate) const NONE: u32 = u32::MAX;
/// No node is above this level: the chance is below 4⁻³² for each.
pub(crate) const MAX_LEVEL: u8 = 32;
/// The most vectors of one graph: hnswlib counts them in an `int`.
pub(crate) const MAX_VECTORS: usize = i32::MAX as usize;
/// The most links of a node above level 0. Graphs that others built may have more than [`Parameters::check`] allows.
pub(crate) const MAX_M: usize = 1024;
/// Words of 32 bits of a cell.
pub(crate) const CELL_WORDS: usize = 4;
/// The most that `caution` can be.
pub(crate) const MAX_CAUTION: f32 = 16.0;
/// The most that `rerank` can be.
pub(crate) const MAX_RERANK: u16 = 64;

/// Opens a container of ours.
///
/// # Errors
/// Of a newer format, and of an older one: none was released.
pub(crate) fn open(map: Map, magic: [u8; 8]) -> Result<Sections> {
    let sections = Sections::open(map, magic, FORMAT)?;
    if sections.format() < FORMAT {
        let detail = format!("it is of format {}; the oldest that this version reads is {FORMAT}", sections.format());
        return Err(Error::malformed(sections.map().path(), detail));
    }
    Ok(sections)
}

/// The parameters of a `.full` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FullParams {
    pub(crate) dimensions: u32,
    pub(crate) precision: Precision,
    pub(crate) rows: u32,
    pub(crate) ordinal_bound: u64,
}

impl FullParams {
    pub(crate) fn encode(self) -> [u8; PARAMS] {
        let precision: u32 = match self.precision {
            Precision::Float32 => 0,
            Precision::Float16 => 1,
        };
        let mut bytes = [0; PARAMS];
        put(&mut bytes, 0, &self.dimensions.to_le_bytes());
        put(&mut bytes, 4, &precision.to_le_bytes());
        put(&mut bytes, 8, &self.rows.to_le_bytes());
        put(&mut bytes, 16, &self.ordinal_bound.to_le_bytes());
        bytes
    }

    /// The parameters, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8; PARAMS]) -> Result<Self, String> {
        let precision = match u32::from_le_bytes(at(bytes, 4)) {
            0 => Precision::Float32,
            1 => Precision::Float16,
            other => return Err(format!("its vectors have precision {other}, which is none of ours")),
        };
        let params = Self {
            dimensions: u32::from_le_bytes(at(bytes, 0)),
            precision,
            rows: u32::from_le_bytes(at(bytes, 8)),
            ordinal_bound: u64::from_le_bytes(at(bytes, 16)),
        };
        check_dimensions(params.dimensions as usize)?;
        check_count(params.rows, params.ordinal_bound)?;
        if params.encode() != *bytes {
            return Err("its header has bytes set that mean nothing".to_owned());
        }
        Ok(params)
    }

    /// Words of 32 bits of a row: the inverse of its length and its numbers.
    pub(crate) fn stride(&self) -> usize {
        let dimensions = self.dimensions as usize;
        1 + match self.precision {
            Precision::Float32 => dimensions,
            Precision::Float16 => dimensions.div_ceil(2),
        }
    }
}

/// The parameters of a `.graph` file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GraphParams {
    pub(crate) metric: Metric,
    pub(crate) dimensions: usize,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) seed: u64,
    pub(crate) nodes: u32,
    pub(crate) entry: u32,
    /// What the nodes' codes mean, if they have any, and how many quarters of a search's candidates are measured in full.
    pub(crate) coding: Option<(Coding, u16)>,
    /// Levels above level 0.
    pub(crate) levels: u32,
    pub(crate) ordinal_bound: u64,
    /// How many candidates find .98 of the nearest 10; 0 where that is not known.
    pub(crate) effort: u32,
    /// How cautious a search of the cells must be; 0 where there are none.
    pub(crate) caution: f32,
}

impl GraphParams {
    pub(crate) fn encode(self) -> [u8; PARAMS] {
        let metric: u8 = match self.metric {
            Metric::Cosine => 0,
            Metric::L2 => 1,
            Metric::InnerProduct => 2,
        };
        let mut bytes = [0; PARAMS];
        bytes[0] = metric;
        bytes[1] = u8::from(self.coding.is_some());
        put(&mut bytes, 2, &(self.dimensions as u16).to_le_bytes());
        put(&mut bytes, 4, &(self.m as u16).to_le_bytes());
        put(&mut bytes, 6, &(self.ef_construction as u16).to_le_bytes());
        put(&mut bytes, 8, &self.seed.to_le_bytes());
        put(&mut bytes, 16, &self.nodes.to_le_bytes());
        put(&mut bytes, 20, &self.entry.to_le_bytes());
        if let Some((coding, rerank)) = self.coding {
            put(&mut bytes, 24, &coding.scale().to_le_bytes());
            put(&mut bytes, 28, &rerank.to_le_bytes());
        }
        put(&mut bytes, 30, &(self.levels as u16).to_le_bytes());
        put(&mut bytes, 32, &self.ordinal_bound.to_le_bytes());
        put(&mut bytes, 40, &self.effort.to_le_bytes());
        put(&mut bytes, 44, &self.caution.to_le_bytes());
        bytes
    }

    /// The parameters, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8; PARAMS]) -> Result<Self, String> {
        let metric = match bytes[0] {
            0 => Metric::Cosine,
            1 => Metric::L2,
            2 => Metric::InnerProduct,
            other => return Err(format!("its metric {other} is none of ours")),
        };
        let dimensions = u16::from_le_bytes(at(bytes, 2)) as usize;
        check_dimensions(dimensions)?;
        let params = Self {
            metric,
            dimensions,
            m: u16::from_le_bytes(at(bytes, 4)) as usize,
            ef_construction: u16::from_le_bytes(at(bytes, 6)) as usize,
            seed: u64::from_le_bytes(at(bytes, 8)),
            nodes: u32::from_le_bytes(at(bytes, 16)),
            entry: u32::from_le_bytes(at(bytes, 20)),
            coding: decode_coding(metric, dimensions, bytes)?,
            levels: u32::from(u16::from_le_bytes(at(bytes, 30))),
            ordinal_bound: u64::from_le_bytes(at(bytes, 32)),
            effort: u32::from_le_bytes(at(bytes, 40)),
            caution: f32::from_le_bytes(at(bytes, 44)),
        };
        if !(1..=MAX_M).contains(&params.m) {
            return Err(format!("its nodes have {} links", params.m));
        }
        check_count(params.nodes, params.ordinal_bound)?;
        if params.levels > u32::from(MAX_LEVEL) || (params.nodes == 0 && params.levels > 0) {
            return Err(format!("its {} nodes are on {} levels", params.nodes, params.levels));
        }
        if params.nodes > 0 && params.entry >= params.nodes {
            return Err(format!("its entry point {} is none of its {} nodes", params.entry, params.nodes));
        }
        if !(0.0..=MAX_CAUTION).contains(&params.caution) || (params.caution > 0.0 && params.coding.is_none()) {
            return Err(format!("its cells are to be searched with the caution {}", params.caution));
        }
        if params.encode() != *bytes {
            return Err("its header has bytes set that mean nothing".to_owned());
        }
        Ok(params)
    }

    /// The parameters of the field, whose vectors have this precision.
    pub(crate) fn parameters(&self, precision: Precision) -> Parameters {
        Parameters {
            metric: self.metric,
            dimensions: self.dimensions,
            m: self.m,
            ef_construction: self.ef_construction,
            seed: self.seed,
            codes: if self.coding.is_some() { Quantisation::Int8 } else { Quantisation::None },
            precision,
        }
    }

    /// How a block is laid out.
    pub(crate) fn block(&self) -> Block {
        Block::new(self.metric, self.dimensions, self.m, self.coding.is_some())
    }
}

fn decode_coding(metric: Metric, dimensions: usize, bytes: &[u8; PARAMS]) -> Result<Option<(Coding, u16)>, String> {
    let (scale, rerank) = (f32::from_le_bytes(at(bytes, 24)), u16::from_le_bytes(at(bytes, 28)));
    match bytes[1] {
        0 => Ok(None),
        1 if scale.is_finite() && (1..=MAX_RERANK).contains(&rerank) => {
            Ok(Some((Coding::new(metric, dimensions, scale), rerank)))
        }
        1 => Err(format!("its codes have the scale {scale} and the rerank {rerank}")),
        other => Err(format!("its codes {other} are none of ours")),
    }
}

/// Where the parts of a node's block are, in words of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) terms: usize,
    pub(crate) links: usize,
    pub(crate) stride: usize,
}

impl Block {
    pub(crate) fn new(metric: Metric, dimensions: usize, m: usize, coded: bool) -> Self {
        let terms = if coded { dimensions.div_ceil(4) } else { 0 };
        let links = terms
            + match metric {
                Metric::InnerProduct if coded => 1,
                Metric::L2 if coded => 2,
                _ => 0,
            };
        Self { terms, links, stride: (links + 2 * m).next_multiple_of(16) }
    }
}

fn check_dimensions(dimensions: usize) -> Result<(), String> {
    if (1..=Parameters::MAX_DIMENSIONS).contains(&dimensions) {
        Ok(())
    } else {
        Err(format!("its vectors have {dimensions} dimensions"))
    }
}

/// Ascending ordinals below `bound`, `count` of them: there cannot be more of them than the bound allows.
fn check_count(count: u32, bound: u64) -> Result<(), String> {
    let sound = if count == 0 { bound == 0 } else { u64::from(count) <= bound && bound <= 1 << 32 };
    if sound && count as usize <= MAX_VECTORS {
        Ok(())
    } else {
        Err(format!("it has {count} vectors of ordinals below {bound}"))
    }
}

fn put(bytes: &mut [u8; PARAMS], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn at<const N: usize>(bytes: &[u8; PARAMS], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}
