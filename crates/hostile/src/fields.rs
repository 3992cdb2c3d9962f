//! Sound fields to lie in, and everything that reads one.

use std::{fs, path::Path};

use cutover_durable::{Map, fs::create};
use cutover_vectors::{
    Filter, GraphImport, Hnswlib, Metric, Neighbour, Parameters, Precision, Result, Search, VectorBuilder, VectorIndex,
};
use fixedbitset::FixedBitSet;

use crate::{
    choose::Choose,
    mutate::{Container, lie_of_hnswlib},
    random::Random,
};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::L2, Metric::InnerProduct];

/// Files that other programs wrote, and which metric each is for.
const HNSWLIB: [(&[u8], usize); 3] = [
    (include_bytes!("../../vectors/tests/data/hnswlib/python-0.8.0-l2.bin"), 1),
    (include_bytes!("../../vectors/tests/data/hnswlib/python-0.8.0-cosine.bin"), 0),
    (include_bytes!("../../vectors/tests/data/hnswlib/node-3.0.0-cosine.bin"), 0),
];

/// Metric, dimensions, vectors, links and precision of each field: with and without codes, scanned and walked, without upper levels, small,
/// empty, and with cells.
const SHAPES: [(Metric, usize, usize, usize, Precision); 11] = [
    (Metric::Cosine, 20, 400, 4, Precision::Float32),
    (Metric::L2, 16, 300, 4, Precision::Float32),
    (Metric::InnerProduct, 17, 300, 5, Precision::Float32),
    (Metric::L2, 3, 500, 4, Precision::Float32),
    (Metric::Cosine, 33, 300, 4, Precision::Float16),
    (Metric::Cosine, 100, 60, 16, Precision::Float32),
    (Metric::L2, 33, 3, 8, Precision::Float16),
    (Metric::InnerProduct, 1, 40, 4, Precision::Float32),
    (Metric::Cosine, 8, 0, 4, Precision::Float32),
    (Metric::L2, 16, 4100, 4, Precision::Float16),
    (Metric::Cosine, 24, 4100, 4, Precision::Float16),
];

/// The two files of a field.
#[derive(Debug)]
pub struct Field {
    graph: Container,
    full: Container,
    dimensions: usize,
}

fn parameters(metric: Metric, dimensions: usize, m: usize) -> Parameters {
    Parameters { m, ef_construction: 20, seed: 42, ..Parameters::new(metric, dimensions) }
}

fn never() -> bool {
    false
}

impl Field {
    /// Builds one field of each shape in `at`.
    pub fn all(at: &Path) -> Result<Vec<Self>> {
        let build = |&(metric, dimensions, count, m, precision): &_| {
            Self::build(at, Parameters { precision, ..parameters(metric, dimensions, m) }, count)
        };
        SHAPES.iter().map(build).collect()
    }

    fn build(at: &Path, parameters: Parameters, count: usize) -> Result<Self> {
        let dimensions = parameters.dimensions;
        let (graph, full) = (at.join("graph"), at.join("full"));
        let mut random = Random(dimensions as u64);
        let mut builder = VectorBuilder::new(parameters)?;
        for ordinal in 0..count as u32 {
            let vector: Vec<f32> = (0..dimensions).map(|_| random.below(2000) as f32 / 1000.0 - 0.9995).collect();
            // Some documents have no vector.
            builder.push(ordinal + ordinal / 7, &vector)?;
        }
        remove(at);
        builder.finish(create(&graph)?, create(&full)?, 1, &never, &|_, _| (), &|| ())?;
        let container = |path: &Path| Container::of(&fs::read(path).expect("written just now"));
        Ok(Self { graph: container(&graph), full: container(&full), dimensions })
    }

    /// Lies in one of the files or both, and tries all that reads them; whether they could be opened.
    pub fn attack(&self, at: &Path, choose: &mut impl Choose) -> bool {
        let in_which = choose.below(3);
        remove(at);
        let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).expect("there is room");
        write("graph", &if in_which == 1 { self.graph.bytes() } else { self.graph.lie(choose) });
        write("full", &if in_which == 0 { self.full.bytes() } else { self.full.lie(choose) });
        let index = open(at);
        if let Ok(index) = &index {
            exercise(index, self.dimensions, choose);
        }
        index.is_ok()
    }
}

/// Lies in a file of hnswlib's and imports it; whether it was taken. What is taken makes a field that verifies.
pub fn attack_import(at: &Path, choose: &mut impl Choose) -> bool {
    let which = choose.below(HNSWLIB.len());
    let (sound, metric) = HNSWLIB[which];
    import(at, &lie_of_hnswlib(sound, choose), metric, choose)
}

/// Imports a file of hnswlib's, whatever it holds, for one of the three metrics; whether it was taken.
pub fn import(at: &Path, file: &[u8], metric: usize, choose: &mut impl Choose) -> bool {
    let Ok(parsed) = Hnswlib::parse(file, &never) else { return false };
    let (metric, dimensions) = (METRICS[metric % METRICS.len()], parsed.dimensions());
    let taken = GraphImport::new(parameters(metric, dimensions, 16), file.to_vec(), &never);
    let mut graph = taken.expect("what is parsed can be taken");
    for row in 0..graph.file().len() as u32 {
        if !graph.file().is_deleted(row) {
            // A vector that is none is left out, as an import does that skips.
            let _ = graph.keep(row);
        }
    }
    let kept = graph.len();
    remove(at);
    let create = |name: &str| create(&at.join(name)).expect("there is room");
    graph.finish(create("graph"), create("full"), &never, &|_, _| ()).expect("a graph that was taken is written");
    let index = open(at).expect("what was written opens");
    assert_eq!(index.len(), kept, "every vector that was kept is there");
    assert_eq!(index.verify(&never).expect("what was written verifies"), None, "every vector can be reached");
    exercise(&index, dimensions, choose);
    true
}

fn open(at: &Path) -> Result<VectorIndex> {
    VectorIndex::open(Map::open(&at.join("graph"))?, Map::open(&at.join("full"))?)
}

fn remove(at: &Path) {
    for name in ["graph", "full"] {
        let _ = fs::remove_file(at.join(name));
    }
}

/// Everything that can be asked. A damaged file is an error or a wrong answer, of no more hits than asked for, and in order.
fn exercise(index: &VectorIndex, dimensions: usize, choose: &mut impl Choose) {
    let query: Vec<f32> = (0..dimensions).map(|_| choose.below(256) as f32 / 128.0 - 0.996).collect();
    let mut some = FixedBitSet::with_capacity(5000);
    some.extend((0..5000).step_by(1 + choose.below(40)));
    let some = Filter::from(some);
    for (k, ef) in [(10, Some(20)), (5000, None), (3, Some(1))] {
        for allowed in [None, Some(&some)] {
            if let Ok(hits) = index.search(&query, k, ef, allowed, &never) {
                check(index, &hits, k);
            }
        }
    }
    let by_cells =
        Search { k: 10, ef: None, allowed: Some(&some), within: f32::INFINITY, by_cells: true, cancel: &never };
    if let Ok((hits, _)) = index.find(&query, &by_cells) {
        check(index, &hits, 10);
    }
    let _ = index.search_exact(&query, 10, Some(&some), &never);
    let _ = index.distances(&query, &[0, 1, 399, u32::MAX]);
    let _ = index.vector(5);
    let _ = index.verify(&never);
}

fn check(index: &VectorIndex, hits: &[Neighbour], k: usize) {
    assert!(hits.len() <= k, "{} hits of {k}", hits.len());
    assert!(hits.iter().all(|hit| !hit.distance.is_nan() && u64::from(hit.ordinal) < index.ordinal_bound()));
    assert!(hits.is_sorted_by(|a, b| a.distance <= b.distance), "hits in order");
}
