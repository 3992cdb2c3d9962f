//! A graph of hnswlib's that is taken over answers as hnswlib does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use common::{METRICS, clustered, never, open, parameters, recall};
use cutover_durable::fs::create;
use cutover_vectors::{Error, GraphImport, Metric, Parameters, VectorIndex, oracle::Oracle};
use tempfile::TempDir;

/// Takes over all rows that are not deleted; the rows of the ordinals.
fn import(parameters: Parameters, bytes: Vec<u8>) -> (TempDir, VectorIndex, Vec<u32>) {
    let mut graph = GraphImport::new(parameters, bytes, &never).unwrap();
    let rows: Vec<u32> = (0..graph.file().len() as u32).filter(|&row| !graph.file().is_deleted(row)).collect();
    for &row in &rows {
        graph.keep(row).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let (graph_path, full) = (directory.path().join("v.graph"), directory.path().join("v.full"));
    graph.finish(create(&graph_path).unwrap(), create(&full).unwrap(), &never, &|_, _| ()).unwrap();
    let index = open(directory.path()).unwrap();
    assert_eq!(index.verify(&never).unwrap(), None, "what was taken over verifies");
    (directory, index, rows)
}

fn saved(oracle: &Oracle) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("saved");
    oracle.save(path.to_str().unwrap()).unwrap();
    fs::read(path).unwrap()
}

/// Recall of hnswlib over its own graph, and of ours over the same, at the same `ef`; every `one_in`th row is deleted before.
fn recalls(parameters: Parameters, one_in: Option<usize>, ef: usize) -> (f64, f64) {
    let (vectors, queries) = clustered(parameters.dimensions, 6000, 100, 9);
    let mut oracle = Oracle::new(&parameters, vectors.len()).unwrap();
    for vector in &vectors {
        oracle.add(vector).unwrap();
    }
    if let Some(one_in) = one_in {
        for label in (0..vectors.len()).step_by(one_in) {
            oracle.delete(label).unwrap();
        }
    }
    let (_directory, index, rows) = import(parameters, saved(&oracle));
    assert_eq!(index.len(), vectors.len() - one_in.map_or(0, |one_in| vectors.len().div_ceil(one_in)));
    let (mut theirs, mut ours) = (0.0, 0.0);
    for query in &queries {
        let exact = index.search_exact(query, 10, None, &never).unwrap();
        let found = oracle.search(query, 10, ef).unwrap();
        let ordinals: Vec<u32> =
            found.iter().map(|&label| rows.binary_search(&(label as u32)).unwrap() as u32).collect();
        let distances = index.distances(query, &ordinals).unwrap();
        theirs += recall(distances.into_iter().flatten(), &exact);
        let hits = index.search(query, 10, Some(ef), None, &never).unwrap();
        ours += recall(hits.iter().map(|hit| hit.distance), &exact);
    }
    (theirs / queries.len() as f64, ours / queries.len() as f64)
}

#[test]
fn a_graph_taken_over_answers_as_hnswlib_does() {
    for metric in METRICS {
        for (dimensions, m) in [(16, 16), (100, 8), (3, 16)] {
            let (theirs, ours) = recalls(Parameters { m, ..parameters(metric, dimensions) }, None, 40);
            assert!(ours >= theirs - 0.005, "{metric:?} {dimensions} M {m}: {ours} beside {theirs}");
        }
    }
}

#[test]
fn a_graph_without_its_deleted_rows_answers_as_hnswlib_does_with_them() {
    for metric in METRICS {
        for one_in in [10, 2] {
            let (theirs, ours) = recalls(parameters(metric, 16), Some(one_in), 40);
            assert!(ours >= theirs - 0.005, "{metric:?} one in {one_in} deleted: {ours} beside {theirs}");
        }
    }
}

#[test]
fn any_m_is_taken_over() {
    let bytes = fs::read(fixture("python-0.8.0-cosine.bin")).unwrap();
    let (_directory, index, _) = import(parameters(Metric::Cosine, 5), bytes);
    assert_eq!(index.parameters().m, 4, "M 2 has room in lists of 4");
    let long = Parameters { m: 100, ..parameters(Metric::L2, 16) };
    let (theirs, ours) = recalls(long, None, 40);
    assert!(ours >= theirs - 0.005, "M 100: {ours} beside {theirs}");
    let mut oracle = Oracle::new(&long, 500).unwrap();
    clustered(16, 500, 0, 3).0.iter().for_each(|vector| oracle.add(vector).unwrap());
    assert_eq!(import(long, saved(&oracle)).1.parameters().m, 100, "no list is cut");
}

#[test]
fn every_vector_is_the_one_that_hnswlib_kept() {
    let bytes = fs::read(fixture("python-0.8.0-l2.bin")).unwrap();
    let (_directory, index, rows) = import(parameters(Metric::L2, 3), bytes);
    assert_eq!((index.len(), index.parameters().m, index.parameters().ef_construction), (56, 4, 40));
    assert_eq!(rows[..3], [2, 3, 4], "rows 0 and 1 have the labels 5 and 8, which are deleted");
    assert_eq!(*index.vector(55).unwrap(), [-0.507_104_7, 0.291_680_37, -0.033_790_436]);
    for ordinal in 0..56 {
        let vector = index.vector(ordinal).unwrap().to_vec();
        assert_eq!(index.search(&vector, 1, None, None, &never).unwrap()[0].ordinal, ordinal);
    }
}

#[test]
fn all_deleted_is_a_field_without_vectors() {
    let mut bytes = fs::read(fixture("python-0.8.0-l2.bin")).unwrap();
    for row in 0..60 {
        bytes[96 + 56 * row + 2] = 1;
    }
    let (_directory, index, rows) = import(parameters(Metric::L2, 3), bytes);
    assert!(index.is_empty() && rows.is_empty());
}

#[test]
fn a_row_whose_vector_is_none_is_refused_and_can_be_left_out() {
    let mut bytes = fs::read(fixture("python-0.8.0-l2.bin")).unwrap();
    let component = 96 + 56 * 2 + 36 + 4;
    bytes[component..component + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut graph = GraphImport::new(parameters(Metric::L2, 3), bytes, &never).unwrap();
    assert!(matches!(graph.keep(2), Err(Error::NotFinite { component: 1, .. })));
    graph.keep(3).unwrap();
    assert!(matches!(graph.keep(3), Err(Error::Order { previous: 3, ordinal: 3 })));
    assert_eq!(graph.len(), 1);
}

#[test]
fn other_dimensions_are_refused() {
    let bytes = fs::read(fixture("python-0.8.0-l2.bin")).unwrap();
    let error = GraphImport::new(parameters(Metric::L2, 4), bytes, &never).err().unwrap();
    assert!(error.to_string().contains("3 dimensions instead of 4"), "{error}");
}

#[test]
fn taking_over_can_be_cancelled() {
    let bytes = fs::read(fixture("python-0.8.0-l2.bin")).unwrap();
    let mut graph = GraphImport::new(parameters(Metric::L2, 3), bytes, &never).unwrap();
    graph.keep(5).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let create = |name: &str| create(&directory.path().join(name)).unwrap();
    let finished = graph.finish(create("v.graph"), create("v.full"), &|| true, &|_, _| ());
    assert!(matches!(finished, Err(Error::Cancelled)));
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hnswlib").join(name)
}
