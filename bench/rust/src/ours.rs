//! Cutover's builder and search, as the index crate calls them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use cutover_durable::{Map, fs::create};
use cutover_vectors::{Filter, GraphImport, Metric, Parameters, Precision, VectorBuilder, VectorIndex};

use crate::data::Rows;

pub const M: usize = 16;
pub const EF_CONSTRUCTION: usize = 200;

pub fn never() -> bool {
    false
}

/// Builds into `v.graph` and `v.full` below `directory`, synced, and returns how long that took.
pub fn build(rows: &Rows, directory: &Path, threads: usize) -> Duration {
    build_with(parameters(rows.dimensions()), rows, directory, threads)
}

/// The same with the vectors kept in half precision.
pub fn build_half(rows: &Rows, directory: &Path, threads: usize) -> Duration {
    let parameters = Parameters { precision: Precision::Float16, ..parameters(rows.dimensions()) };
    build_with(parameters, rows, directory, threads)
}

fn build_with(parameters: Parameters, rows: &Rows, directory: &Path, threads: usize) -> Duration {
    let started = Instant::now();
    let mut builder = VectorBuilder::new(parameters).unwrap();
    for (ordinal, row) in (0..).zip(rows.iter()) {
        builder.push(ordinal, row).unwrap();
    }
    let (graph, full) = (directory.join("v.graph"), directory.join("v.full"));
    builder.finish(create(&graph).unwrap(), create(&full).unwrap(), threads, &never, &|_, _| (), &|| ()).unwrap();
    started.elapsed()
}

/// Takes over the graph that hnswlib saved, and returns the label of each row.
pub fn adopt(saved: &Path, dimensions: usize, directory: &Path) -> Vec<u32> {
    let mut import = GraphImport::new(parameters(dimensions), fs::read(saved).unwrap(), &never).unwrap();
    let rows = 0..u32::try_from(import.file().len()).unwrap();
    let labels = rows.clone().map(|row| u32::try_from(import.file().label(row)).unwrap()).collect();
    rows.for_each(|row| import.keep(row).unwrap());
    let (graph, full) = (directory.join("v.graph"), directory.join("v.full"));
    import.finish(create(&graph).unwrap(), create(&full).unwrap(), &never, &|_, _| ()).unwrap();
    labels
}

fn parameters(dimensions: usize) -> Parameters {
    Parameters { m: M, ef_construction: EF_CONSTRUCTION, ..Parameters::new(Metric::Cosine, dimensions) }
}

pub fn open(directory: &Path) -> VectorIndex {
    let map = |name: &str| Map::open(&directory.join(name)).unwrap();
    VectorIndex::open(map("v.graph"), map("v.full")).unwrap()
}

/// Rows of the nearest `k`, nearest first.
pub fn search(
    index: &VectorIndex,
    query: &[f32],
    k: usize,
    ef: Option<usize>,
    allowed: Option<&Filter>,
    rows: &mut Vec<u32>,
) {
    rows.clear();
    rows.extend(index.search(query, k, ef, allowed, &never).unwrap().iter().map(|near| near.ordinal));
}
