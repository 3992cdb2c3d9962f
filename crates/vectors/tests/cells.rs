//! The cells of a field: what is in the file, and that searches by them find what is near, whatever is allowed and whatever the file says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{METRICS, Random, build, build_some, clustered, never, open, parameters, with_words};
use cutover_durable::{Map, sections::Sections};
use cutover_vectors::{
    Error, Filter, Metric, Neighbour, Parameters, Precision, Search, Strategy, VectorIndex, VectorPlan,
};
use fixedbitset::FixedBitSet;

const COUNT: usize = 5000;

fn small(metric: Metric, dimensions: usize) -> Parameters {
    Parameters { m: 6, ef_construction: 40, ..parameters(metric, dimensions) }
}

fn words(directory: &Path, section: &str) -> Option<Vec<u32>> {
    let map = Map::open(&directory.join("v.graph")).unwrap();
    let sections = Sections::open(map, *b"CUTOVGRF", 2).unwrap();
    Some(sections.optional(section)?.cast().unwrap().to_vec())
}

fn by_cells(
    index: &VectorIndex,
    query: &[f32],
    k: usize,
    allowed: &Filter,
) -> Result<(Vec<Neighbour>, VectorPlan), Error> {
    let allowed = Some(allowed);
    index.find(query, &Search { k, ef: None, allowed, within: f32::INFINITY, by_cells: true, cancel: &never })
}

/// As many hits as are allowed, each once, in order; returns how many of the nearest are among them.
fn found(index: &VectorIndex, query: &[f32], k: usize, allowed: &Filter) -> usize {
    let (hits, plan) = by_cells(index, query, k, allowed).unwrap();
    let exact = index.search_exact(query, k, Some(allowed), &never).unwrap();
    assert_eq!(hits.len(), exact.len(), "{plan:?}");
    assert!(hits.iter().all(|hit| allowed.allowed().contains(hit.ordinal as usize)));
    assert!(hits.windows(2).all(|two| (two[0].distance, two[0].ordinal) < (two[1].distance, two[1].ordinal)));
    hits.iter().filter(|hit| exact.contains(hit)).count()
}

fn one_in(parts: usize, bound: usize) -> Filter {
    let mut random = Random::new(3);
    let mut allowed = FixedBitSet::with_capacity(bound);
    allowed.extend((0..bound).filter(|_| random.below(parts) == 0));
    allowed.into()
}

fn rewrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_node_is_in_one_cell_whoever_made_them() {
    let (vectors, _) = clustered(20, COUNT, 0, 7);
    let made: Vec<_> = [1, 2].map(|threads| build(small(Metric::Cosine, 20), &vectors, threads)).into();
    let [one, two] = [&made[0], &made[1]].map(|built| {
        assert_eq!(built.index.verify(&never).unwrap(), None);
        ["cells", "centroids", "members"].map(|section| words(built.directory.path(), section).unwrap())
    });
    assert_eq!(one, two, "cells come from the vectors alone");
    let [cells, _, members] = one;
    let mut sorted = members.clone();
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..COUNT as u32));
    let ends: Vec<u32> = cells.chunks(4).map(|cell| cell[0]).collect();
    assert!(ends.len() > 150 && ends.is_sorted() && ends[ends.len() - 1] == COUNT as u32, "{} cells", ends.len());
    for (start, end) in [0].into_iter().chain(ends.iter().copied()).zip(&ends) {
        assert!(start < *end && members[start as usize..*end as usize].is_sorted(), "none is empty, each is in order");
    }
}

#[test]
fn few_vectors_and_vectors_without_codes_have_no_cells() {
    for (dimensions, count) in [(20, 4000), (8, COUNT)] {
        let (vectors, queries) = clustered(dimensions, count, 1, 7);
        let built = build(small(Metric::L2, dimensions), &vectors, 2);
        assert!(words(built.directory.path(), "cells").is_none());
        let (hits, plan) = by_cells(&built.index, &queries[0], 10, &one_in(10, count)).unwrap();
        assert!(hits.len() == 10 && !format!("{:?}", plan.strategy).starts_with("Cell"), "{plan:?}");
    }
}

#[test]
fn what_is_near_is_found_in_every_metric() {
    for metric in METRICS {
        for (dimensions, step) in [(16, 1), (17, 3), (100, 1)] {
            let (vectors, queries) = clustered(dimensions, COUNT, 30, 8);
            let given = vectors.iter().enumerate().map(|(row, vector)| ((row * step) as u32, vector.as_slice()));
            let built = build_some(small(metric, dimensions), given, 2);
            for (parts, k, floor) in [(2, 10, 0.95), (10, 10, 0.95), (10, 100, 0.95), (500, 10, 1.0)] {
                let allowed = one_in(parts, COUNT * step);
                let sum: usize = queries.iter().map(|query| found(&built.index, query, k, &allowed)).sum();
                let of: usize = queries
                    .iter()
                    .map(|query| built.index.search_exact(query, k, Some(&allowed), &never).unwrap().len())
                    .sum();
                assert!(
                    sum as f64 >= floor * of as f64,
                    "{metric:?}, {dimensions}, {k} of one in {parts}: {sum} of {of}"
                );
            }
        }
    }
}

#[test]
fn nothing_allowed_and_everything_allowed_are_filters_too() {
    let (vectors, queries) = clustered(16, COUNT, 5, 9);
    let built = build(small(Metric::L2, 16), &vectors, 2);
    let none = Filter::from(FixedBitSet::with_capacity(COUNT));
    let mut all = FixedBitSet::with_capacity(COUNT);
    all.insert_range(..);
    let all = Filter::from(all);
    for query in &queries {
        assert_eq!(found(&built.index, query, 10, &none), 0);
        assert!(found(&built.index, query, 10, &all) >= 9);
        assert_eq!(found(&built.index, query, 6000, &all), COUNT);
    }
}

#[test]
fn equal_vectors_are_one_cell_and_found() {
    let vectors = vec![vec![0.25; 16]; COUNT];
    for metric in METRICS {
        let built = build(small(metric, 16), &vectors, 2);
        assert_eq!(built.index.verify(&never).unwrap(), None);
        assert_eq!(words(built.directory.path(), "cells").unwrap().len(), 4, "one cell");
        let (hits, _) = by_cells(&built.index, &vectors[0], 10, &one_in(10, COUNT)).unwrap();
        assert_eq!(hits.len(), 10);
    }
}

/// Their sums are beyond all numbers.
#[test]
fn vectors_too_long_to_add_have_no_cells_that_lie() {
    for scale in [1e18, 1e30, 1e37, 2e38] {
        let mut random = Random::new(4);
        let mut vector = || (0..16).map(|_| scale * (0.5 + 0.5 * random.uniform())).collect();
        let vectors: Vec<Vec<f32>> = (0..COUNT).map(|_| vector()).collect();
        for metric in [Metric::L2, Metric::InnerProduct] {
            let built = build(small(metric, 16), &vectors, 2);
            assert_eq!(built.index.verify(&never).unwrap(), None, "{metric:?}, {scale}");
            let (hits, _) = by_cells(&built.index, &vectors[0], 10, &one_in(10, COUNT)).unwrap();
            assert_eq!(hits.len(), 10, "{metric:?}, {scale}");
        }
    }
}

/// Ends that descend or lead beyond the members, members that are none or twice there: found by verifying, and survived by searches, which
/// answer as many as are allowed or say that the file is damaged.
#[test]
fn cells_that_lie_are_named_or_survived() {
    let (vectors, queries) = clustered(16, COUNT, 1, 9);
    let built = build(small(Metric::L2, 16), &vectors, 2);
    let directory = built.directory.path();
    let path = directory.join("v.graph");
    let good = fs::read(&path).unwrap();
    let not_a_number = f32::NAN.to_bits();
    let allowed = one_in(10, COUNT);
    let some = allowed.allowed().minimum().unwrap() as u32;
    let lies: [(&str, bool, Vec<u8>); 9] = [
        ("an end beyond the members", true, with_words(&good, "cells", |words| words[4] = 5001)),
        ("ends that descend", true, with_words(&good, "cells", |words| words[4] = 0)),
        ("all ends the same", true, with_words(&good, "cells", |words| words.fill(u32::MAX))),
        ("no ends", false, with_words(&good, "cells", |words| words.fill(0))),
        ("a member that is none", true, with_words(&good, "members", |words| words[2500] = 5000)),
        ("one member for all", false, with_words(&good, "members", |words| words.fill(some))),
        ("one member twice", false, with_words(&good, "members", |words| words[0] = some)),
        ("a spread that is none", false, with_words(&good, "cells", |words| words[1] = not_a_number)),
        (
            "factors that are none",
            false,
            with_words(&good, "cells", |words| {
                words.iter_mut().skip(2).step_by(4).for_each(|word| *word = not_a_number);
            }),
        ),
    ];
    for (what, is_refused, bad) in lies {
        rewrite(&path, &bad);
        let index = open(directory).unwrap();
        let error = index.verify(&never).unwrap_err().to_string();
        assert!(error.contains("cells") && error.contains("v.graph"), "{what}: {error}");
        // What it learned of one lie is not to be believed of the next: it is another index.
        match by_cells(&index, &queries[0], 10, &allowed) {
            Ok((hits, _)) => {
                assert!(!is_refused && hits.len() == 10, "{what}: {hits:?}");
                assert!(hits.windows(2).all(|two| two[0].ordinal != two[1].ordinal), "{what}: {hits:?}");
            }
            Err(error) => assert!(is_refused && error.to_string().contains("v.graph"), "{what}: {error}"),
        }
    }
}

/// A header that promises cells, and sections of other sizes, are refused when the file is opened.
#[test]
fn a_header_cannot_promise_other_cells() {
    let (vectors, _) = clustered(16, 300, 0, 9);
    let built = build(small(Metric::L2, 16), &vectors, 1);
    let path = built.directory.path().join("v.graph");
    let good = fs::read(&path).unwrap();
    for caution in [1.0, -1.0, 17.0, f32::NAN, f32::INFINITY] {
        let mut bad = good.clone();
        // The parameters begin at 16 of the header; `caution` is at 44 of them.
        bad[60..64].copy_from_slice(&caution.to_le_bytes());
        rewrite(&path, &bad);
        let error = open(built.directory.path()).err().unwrap().to_string();
        assert!(error.contains("cells") && error.contains("v.graph"), "{caution}: {error}");
    }
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-2/cells")
}

/// What searches by the fixture's cells answer, to the bit.
fn answers(index: &VectorIndex) -> String {
    let (_, queries) = clustered(16, 4096, 8, 3);
    let allowed = one_in(4, 4096);
    let line = |query: &Vec<f32>| {
        let (hits, plan) = by_cells(index, query, 5, &allowed).unwrap();
        assert!(matches!(plan.strategy, Strategy::CellWalk | Strategy::CellScan), "{plan:?}");
        let hits: Vec<_> = hits.iter().map(|hit| format!("{}:{:08x}", hit.ordinal, hit.distance.to_bits())).collect();
        hits.join(" ") + "\n"
    };
    queries.iter().map(line).collect()
}

#[test]
#[ignore = "writes the fixture, which is done once for a format"]
fn write_the_fixture() {
    let (vectors, _) = clustered(16, 4096, 0, 3);
    let parameters = Parameters { m: 4, precision: Precision::Float16, ..parameters(Metric::Cosine, 16) };
    let built = build(parameters, &vectors, 1);
    fs::create_dir_all(fixture()).unwrap();
    for file in ["v.graph", "v.full"] {
        fs::copy(built.directory.path().join(file), fixture().join(file)).unwrap();
    }
    fs::write(fixture().join("answers"), answers(&built.index)).unwrap();
}

#[test]
fn files_with_cells_answer_for_ever() {
    let index = open(&fixture()).unwrap();
    assert_eq!(index.verify(&never).unwrap(), None);
    assert_eq!(answers(&index), fs::read_to_string(fixture().join("answers")).unwrap());
}

/// This process again, with each family of kernels; where the processor lacks one, with its best.
#[test]
fn answers_do_not_depend_on_the_kernels() {
    for family in ["avx512", "avx2", "portable"] {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "files_with_cells_answer_for_ever"]).env("CUTOVER_SIMD", family);
        let output = again.output().unwrap();
        assert!(output.status.success(), "{family}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
