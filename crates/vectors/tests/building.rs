//! What the builder refuses, repeats, reports and writes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use common::{build, clustered, never, parameters};
use cutover_durable::fs::create;
use cutover_vectors::{Error, Metric, Parameters, VectorBuilder};

#[test]
fn one_thread_and_one_seed_give_the_same_bytes() {
    // Too few dimensions for codes, and enough.
    for dimensions in [12, 24] {
        let (vectors, _) = clustered(dimensions, 3000, 0, 5);
        let bytes = |seed| {
            let built = build(Parameters { seed, ..parameters(Metric::Cosine, dimensions) }, &vectors, 1);
            ["v.graph", "v.full"].map(|name| fs::read(built.directory.path().join(name)).unwrap())
        };
        let [graph, full] = bytes(1);
        assert!(bytes(1) == [graph.clone(), full.clone()]);
        let [other_graph, other_full] = bytes(2);
        assert!(other_graph != graph && other_full == full);
    }
}

#[test]
fn parameters_out_of_bounds_are_refused() {
    let good = parameters(Metric::L2, 8);
    assert!(VectorBuilder::new(good).is_ok());
    for (bad, expected) in [
        (Parameters { dimensions: 0, ..good }, "dimensions"),
        (Parameters { dimensions: 4097, ..good }, "dimensions"),
        (Parameters { m: 3, ..good }, "m"),
        (Parameters { m: 65, ..good }, "m"),
        (Parameters { ef_construction: 15, ..good }, "efConstruction"),
        (Parameters { ef_construction: 2001, ..good }, "efConstruction"),
    ] {
        assert!(matches!(VectorBuilder::new(bad), Err(Error::Parameter { name, .. }) if name == expected));
    }
}

#[test]
fn vectors_that_cannot_be_indexed_are_refused_and_change_nothing() {
    let mut builder = VectorBuilder::new(parameters(Metric::Cosine, 2)).unwrap();
    builder.push(3, &[1.0, 0.0]).unwrap();
    assert!(matches!(builder.push(4, &[1.0]), Err(Error::Dimensions { expected: 2, actual: 1 })));
    assert!(matches!(builder.push(4, &[1.0, f32::NAN]), Err(Error::NotFinite { component: 1, .. })));
    assert!(matches!(builder.push(4, &[f32::NEG_INFINITY, 0.0]), Err(Error::NotFinite { component: 0, .. })));
    assert!(matches!(builder.push(4, &[0.0, -0.0]), Err(Error::Zero)));
    assert!(matches!(builder.push(4, &[f32::MAX, 0.0]), Err(Error::Length { .. })));
    assert!(matches!(builder.push(3, &[1.0, 1.0]), Err(Error::Order { previous: 3, ordinal: 3 })));
    assert_eq!(builder.len(), 1);
    let mut builder = VectorBuilder::new(parameters(Metric::L2, 2)).unwrap();
    builder.push(0, &[0.0, 0.0]).unwrap();
    builder.push(1, &[f32::MAX, f32::MAX]).unwrap();
    assert_eq!(builder.len(), 2);
}

#[test]
fn a_build_reports_progress_and_calls_each_thread() {
    let (vectors, _) = clustered(4, 3000, 0, 5);
    let mut builder = VectorBuilder::new(parameters(Metric::L2, 4)).unwrap();
    (0..).zip(&vectors).for_each(|(ordinal, vector)| builder.push(ordinal, vector).unwrap());
    assert!(builder.memory_bytes() > 3000 * 4 * (4 + 32));
    let directory = tempfile::tempdir().unwrap();
    let (graph, full) = (directory.path().join("v.graph"), directory.path().join("v.full"));
    let (furthest, threads) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |done: usize, of: usize| {
        assert!(done <= of && of == 3000);
        furthest.fetch_max(done, Ordering::Relaxed);
    };
    let on_thread = || {
        threads.fetch_add(1, Ordering::Relaxed);
    };
    let (graph_written, full_written) =
        builder.finish(create(&graph).unwrap(), create(&full).unwrap(), 3, &never, &progress, &on_thread).unwrap();
    assert_eq!(furthest.load(Ordering::Relaxed), 3000);
    // One for the nodes that go in by turn, then three.
    assert_eq!(threads.load(Ordering::Relaxed), 4);
    assert_eq!(graph_written.bytes, fs::metadata(&graph).unwrap().len());
    assert_eq!(full_written.bytes, fs::metadata(&full).unwrap().len());
    assert_eq!(full_written.digest, cutover_durable::digest_file(&full).unwrap().1);
}

#[test]
fn a_cancelled_build_says_so() {
    let (vectors, _) = clustered(4, 3000, 0, 5);
    for after in [0, 1, 1000] {
        let mut builder = VectorBuilder::new(parameters(Metric::L2, 4)).unwrap();
        (0..).zip(&vectors).for_each(|(ordinal, vector)| builder.push(ordinal, vector).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let (graph, full) = (directory.path().join("v.graph"), directory.path().join("v.full"));
        let asked = AtomicUsize::new(0);
        let cancel = || asked.fetch_add(1, Ordering::Relaxed) >= after;
        let result = builder.finish(create(&graph).unwrap(), create(&full).unwrap(), 2, &cancel, &|_, _| (), &|| ());
        assert!(matches!(result, Err(Error::Cancelled)), "after {after}");
    }
}
