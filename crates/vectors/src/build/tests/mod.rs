//! What can be seen of a build only from inside: its parts, and the graph before it is written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "oracle")]
mod beside_hnswlib;
mod codes;
mod effort;
mod parts;
mod repairs;
mod shapes;
mod threads;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Building, Caller, FloatRows, Points, insert::Built, insert_all, levels, rows_per_block};
use crate::{
    error::Result,
    parameters::{Metric, Parameters},
};

const LINE: Parameters = Parameters { m: 4, ef_construction: 16, seed: 1, ..Parameters::new(Metric::L2, 2) };

/// Rows as points that count how often they are measured.
struct Counted {
    rows: FloatRows,
    measured: AtomicUsize,
}

impl Points for Counted {
    type From = u32;

    fn prepare(&self, node: u32, from: &mut u32) {
        self.rows.prepare(node, from);
    }

    fn prefetch(&self, node: u32) {
        self.rows.prefetch(node);
    }

    fn measure(&self, from: &u32, nodes: &[u32], distances: &mut [f32]) {
        self.measured.fetch_add(nodes.len(), Ordering::Relaxed);
        self.rows.measure(from, nodes, distances);
    }
}

/// What a graph is built over, with the levels of its nodes.
struct Ground {
    parameters: Parameters,
    points: Counted,
    levels: Vec<u8>,
}

impl Ground {
    fn new(parameters: Parameters, rows: &[Vec<f32>]) -> Self {
        let blocks = rows.chunks(rows_per_block(parameters.dimensions)).map(<[Vec<f32>]>::concat).collect();
        let rows_of = FloatRows::new(parameters.metric, parameters.dimensions, blocks);
        Self {
            parameters,
            points: Counted { rows: rows_of, measured: AtomicUsize::new(0) },
            levels: levels(parameters.m, parameters.seed).take(rows.len()).collect(),
        }
    }

    fn build(&self, threads: usize) -> Built<'_, Counted> {
        self.build_for(Caller { threads, cancel: &|| false, progress: &|_, _| (), on_thread: &|| () }).unwrap()
    }

    fn build_for(&self, caller: Caller) -> Result<Built<'_, Counted>> {
        let building = Building::new(&self.parameters, &self.points, &self.levels)?;
        insert_all(&building, caller)?;
        Ok(building.finish())
    }

    fn measured(&self) -> usize {
        self.points.measured.load(Ordering::Relaxed)
    }
}

/// Numbers without pattern, but always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % bound
    }

    fn row(&mut self, dimensions: usize) -> Vec<f32> {
        (0..dimensions).map(|_| self.below(1 << 20) as f32 / 1e5).collect()
    }

    fn rows(&mut self, count: usize, dimensions: usize) -> Vec<Vec<f32>> {
        (0..count).map(|_| self.row(dimensions)).collect()
    }
}
