//! Damaged files: opening and searching them ends, with an answer or a typed error.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use common::{METRICS, Random, build, build_some, clustered, never, open, parameters, with_words};
use cutover_vectors::{Error, Filter, Metric, Parameters, VectorIndex};
use fixedbitset::FixedBitSet;

/// Everything that can be asked of an index; errors are answers, too.
fn exercise(index: &VectorIndex, query: &[f32]) {
    let mut half = FixedBitSet::with_capacity(4000);
    (0..4000).step_by(2).for_each(|ordinal| half.insert(ordinal));
    let half = Filter::from(half);
    for (k, ef) in [(10, Some(20)), (3, Some(1)), (5000, None)] {
        for allowed in [None, Some(&half)] {
            if let Ok(hits) = index.search(query, k, ef, allowed, &never) {
                assert!(hits.len() <= k && hits.iter().all(|hit| !hit.distance.is_nan()));
                assert!(hits.iter().all(|hit| u64::from(hit.ordinal) < index.ordinal_bound()));
            }
        }
    }
    let _ = index.search_exact(query, 10, None, &never);
    let _ = index.distances(query, &[0, 1, 999, u32::MAX]);
    let _ = index.vector(5);
    let _ = index.verify(&never);
}

fn rewrite(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

#[test]
fn mutated_files_are_refused_or_survived() {
    let mut random = Random::new(2);
    let mut opened = 0;
    for metric in METRICS {
        let (vectors, queries) = clustered(5, 1000, 5, 6);
        let built = build(Parameters { m: 4, ef_construction: 20, ..parameters(metric, 5) }, &vectors, 1);
        let directory = built.directory.path();
        for name in ["v.graph", "v.full"] {
            let path = directory.join(name);
            let good = fs::read(&path).unwrap();
            for _ in 0..600 {
                let mut bad = good.clone();
                match random.below(10) {
                    0 => bad.truncate(random.below(good.len())),
                    1 => bad.extend((0..random.below(100)).map(|_| 0)),
                    2 => {
                        // The header and the table: where a lie does most.
                        let at =
                            if random.below(2) == 0 { random.below(64) } else { good.len() - 1 - random.below(300) };
                        bad[at] = random.next() as u8;
                    }
                    3 => {
                        let from = random.below(good.len());
                        let to = (from + random.below(4096)).min(good.len());
                        bad[from..to].fill([0, 0xff, 0x7f][random.below(3)]);
                    }
                    _ => {
                        for _ in 0..=random.below(40) {
                            let at = random.below(good.len());
                            bad[at] ^= 1 << random.below(8);
                        }
                    }
                }
                rewrite(&path, &bad);
                if let Ok(index) = open(directory) {
                    opened += 1;
                    exercise(&index, &queries[random.below(5)]);
                }
            }
            rewrite(&path, &good);
        }
        exercise(&open(directory).unwrap(), &queries[0]);
    }
    // Otherwise it was only the container that was tested.
    assert!(opened > 1800, "{opened} of 3600 were opened");
}

#[test]
fn each_lie_of_a_graph_is_named() {
    let (vectors, queries) = clustered(5, 4000, 1, 6);
    let built = build(Parameters { m: 4, ef_construction: 20, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let directory = built.directory.path();
    let path = directory.join("v.graph");
    let good = fs::read(&path).unwrap();
    let lies: [(&str, Vec<u8>); 6] = [
        ("links to 4000", with_words(&good, "nodes", |words| words.fill(4000))),
        ("links to 4294967294", with_words(&good, "upper", |words| words.fill(u32::MAX - 1))),
        ("links to 5000", with_words(&good, "tall", |words| words[1..].fill(5000))),
        ("begin with the entry", with_words(&good, "tall", |words| words[0] ^= 1)),
        ("puts 0 nodes", with_words(&good, "counts", |words| words[1] = 0)),
        ("above", with_words(&good, "counts", |words| words[1] = 4001)),
    ];
    for (expected, bad) in lies {
        rewrite(&path, &bad);
        let error =
            open(directory).and_then(|index| index.search(&queries[0], 10, Some(20), None, &never)).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Durable(_)) && text.contains(expected) && text.contains("v.graph"), "{text}");
    }
}

#[test]
fn a_graph_without_links_still_answers() {
    let (vectors, queries) = clustered(5, 4000, 1, 6);
    let built = build(Parameters { m: 4, ef_construction: 20, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let path = built.directory.path().join("v.graph");
    let bad = with_words(&fs::read(&path).unwrap(), "nodes", |words| words.fill(u32::MAX));
    rewrite(&path, &bad);
    let index = open(built.directory.path()).unwrap();
    let exact = index.search_exact(&queries[0], 10, None, &never).unwrap();
    assert_eq!(index.search(&queries[0], 10, Some(20), None, &never).unwrap(), exact);
}

#[test]
fn vectors_of_another_index_are_refused() {
    let (vectors, _) = clustered(5, 100, 0, 6);
    let one = build(parameters(Metric::L2, 5), &vectors, 1);
    let other = build(parameters(Metric::L2, 5), &vectors[..99], 1);
    let graph = one.directory.path().join("v.graph");
    rewrite(&graph, &fs::read(other.directory.path().join("v.graph")).unwrap());
    let error = open(one.directory.path()).err().unwrap();
    assert!(error.to_string().contains("not of the same documents"), "{error}");
}

#[test]
fn ordinals_of_another_index_are_refused() {
    let (vectors, queries) = clustered(5, 4000, 1, 6);
    let odd = vectors.iter().enumerate().map(|(i, vector)| (i as u32 * 2 + 1, vector.as_slice()));
    let built = build_some(Parameters { m: 4, ef_construction: 20, ..parameters(Metric::L2, 5) }, odd, 1);
    let path = built.directory.path().join("v.graph");
    rewrite(&path, &with_words(&fs::read(&path).unwrap(), "ordinals", |words| words.fill(7)));
    let index = open(built.directory.path()).unwrap();
    let error = index.search(&queries[0], 10, Some(20), None, &never).unwrap_err();
    assert!(error.to_string().contains("not of the same documents"), "{error}");
}

#[test]
fn newer_and_older_formats_are_refused_by_name() {
    let built = build(parameters(Metric::L2, 5), &[], 1);
    for name in ["v.graph", "v.full"] {
        let path = built.directory.path().join(name);
        let good = fs::read(&path).unwrap();
        for format in [1, 3] {
            let mut other = good.clone();
            other[8] = format;
            let footer = other.len() - 20;
            other[footer] = format;
            rewrite(&path, &other);
            let error = open(built.directory.path()).err().unwrap().to_string();
            assert!(error.contains(name) && error.contains(&format!("format {format}")), "{error}");
        }
        rewrite(&path, &good);
    }
}
