//! The bytes of the two vector files: magics, parameters and section names. Both are containers of `cutover_durable::sections`.
//!
//! ```text
//! .full    params: dimensions u32, precision u32 (0: float32), rows u32, zero u32, ordinal bound u64, zero [u8; 24]
//!          vectors   f32 × dimensions × rows: each vector as it was given, in ascending order of its ordinal
//!          inverses  f32 × rows: 1 ÷ its Euclidean length, 0 where that is outside 1e-37..1e37
//!          ordinals  u32 × rows: ascending
//! .graph   params: metric u32, dimensions u32, m u32, ef construction u32, seed u64, nodes u32, entry u32, levels u32,
//!                  zero u32, ordinal bound u64
//!          ordinals  u32 × nodes: node i is row i of .full
//!          links     u32 × 2m × nodes: level 0; a list shorter than its 2m slots ends with u32::MAX
//!          counts    u32 × levels: how many nodes are on level 1, 2, …; never more than on the level below
//!          tall      u32 × counts[0]: the nodes above level 0, by descending level; the entry is the first
//!          upper     u32 × m × (counts[0] + counts[1] + …): lists of level 1, then 2, …, of positions in `tall`; on each
//!                    level the lists of the first counts[level-1] nodes of `tall`, ended like those of level 0
//! ```
//!
//! The ordinal bound is one more than the greatest ordinal, 0 when there is no vector.

use cutover_durable::sections::PARAMS;

use crate::parameters::{Metric, Parameters};

pub(crate) const GRAPH_MAGIC: [u8; 8] = *b"CUTOVGRF";
pub(crate) const FULL_MAGIC: [u8; 8] = *b"CUTOVFUL";
pub(crate) const GRAPH_FORMAT: u32 = 1;
pub(crate) const FULL_FORMAT: u32 = 1;

pub(crate) const VECTORS: &str = "vectors";
pub(crate) const INVERSES: &str = "inverses";
pub(crate) const ORDINALS: &str = "ordinals";
pub(crate) const LINKS: &str = "links";
pub(crate) const COUNTS: &str = "counts";
pub(crate) const TALL: &str = "tall";
pub(crate) const UPPER: &str = "upper";

/// Ends a list that does not fill its slots.
pub(crate) const NONE: u32 = u32::MAX;
/// No node is above this level: the chance is below 4⁻³² for each.
pub(crate) const MAX_LEVEL: u8 = 32;
/// The most vectors of one graph: hnswlib counts them in an `int`.
pub(crate) const MAX_VECTORS: usize = i32::MAX as usize;

const FLOAT32: u32 = 0;

/// The parameters of a `.full` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FullParams {
    pub(crate) dimensions: u32,
    pub(crate) rows: u32,
    pub(crate) ordinal_bound: u64,
}

impl FullParams {
    pub(crate) fn encode(self) -> [u8; PARAMS] {
        let mut bytes = [0; PARAMS];
        put(&mut bytes, 0, &self.dimensions.to_le_bytes());
        put(&mut bytes, 4, &FLOAT32.to_le_bytes());
        put(&mut bytes, 8, &self.rows.to_le_bytes());
        put(&mut bytes, 16, &self.ordinal_bound.to_le_bytes());
        bytes
    }

    /// The parameters, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8; PARAMS]) -> Result<Self, String> {
        let params = Self { dimensions: u32_at(bytes, 0), rows: u32_at(bytes, 8), ordinal_bound: u64_at(bytes, 16) };
        if u32_at(bytes, 4) != FLOAT32 {
            return Err(format!("its vectors have precision {}, which is none of ours", u32_at(bytes, 4)));
        }
        if params.dimensions == 0 || params.dimensions as usize > Parameters::MAX_DIMENSIONS {
            return Err(format!("its vectors have {} dimensions", params.dimensions));
        }
        check_count(params.rows, params.ordinal_bound)?;
        if params.encode() != *bytes {
            return Err("its header has bytes set that mean nothing".to_owned());
        }
        Ok(params)
    }
}

/// The parameters of a `.graph` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GraphParams {
    pub(crate) parameters: Parameters,
    pub(crate) nodes: u32,
    pub(crate) entry: u32,
    /// Levels above level 0.
    pub(crate) levels: u32,
    pub(crate) ordinal_bound: u64,
}

impl GraphParams {
    pub(crate) fn encode(self) -> [u8; PARAMS] {
        let Parameters { metric, dimensions, m, ef_construction, seed } = self.parameters;
        let metric: u32 = match metric {
            Metric::Cosine => 0,
            Metric::L2 => 1,
            Metric::InnerProduct => 2,
        };
        let mut bytes = [0; PARAMS];
        put(&mut bytes, 0, &metric.to_le_bytes());
        put(&mut bytes, 4, &(dimensions as u32).to_le_bytes());
        put(&mut bytes, 8, &(m as u32).to_le_bytes());
        put(&mut bytes, 12, &(ef_construction as u32).to_le_bytes());
        put(&mut bytes, 16, &seed.to_le_bytes());
        put(&mut bytes, 24, &self.nodes.to_le_bytes());
        put(&mut bytes, 28, &self.entry.to_le_bytes());
        put(&mut bytes, 32, &self.levels.to_le_bytes());
        put(&mut bytes, 40, &self.ordinal_bound.to_le_bytes());
        bytes
    }

    /// The parameters, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8; PARAMS]) -> Result<Self, String> {
        let metric = match u32_at(bytes, 0) {
            0 => Metric::Cosine,
            1 => Metric::L2,
            2 => Metric::InnerProduct,
            other => return Err(format!("its metric {other} is none of ours")),
        };
        let parameters = Parameters {
            metric,
            dimensions: u32_at(bytes, 4) as usize,
            m: u32_at(bytes, 8) as usize,
            ef_construction: u32_at(bytes, 12) as usize,
            seed: u64_at(bytes, 16),
        };
        parameters.check().map_err(|error| error.to_string())?;
        let params = Self {
            parameters,
            nodes: u32_at(bytes, 24),
            entry: u32_at(bytes, 28),
            levels: u32_at(bytes, 32),
            ordinal_bound: u64_at(bytes, 40),
        };
        check_count(params.nodes, params.ordinal_bound)?;
        if params.levels > u32::from(MAX_LEVEL) || (params.nodes == 0 && params.levels > 0) {
            return Err(format!("its {} nodes are on {} levels", params.nodes, params.levels));
        }
        if params.nodes > 0 && params.entry >= params.nodes {
            return Err(format!("its entry point {} is none of its {} nodes", params.entry, params.nodes));
        }
        if params.encode() != *bytes {
            return Err("its header has bytes set that mean nothing".to_owned());
        }
        Ok(params)
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

fn u32_at(bytes: &[u8; PARAMS], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8; PARAMS], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
