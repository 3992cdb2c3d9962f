//! Verifying a field's files finds what no search would notice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use common::{METRICS, build, clustered, never, open, parameters, with_words};
use cutover_vectors::{Error, Metric, Parameters, Unreachable};

fn rewrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_built_verifies() {
    for metric in METRICS {
        for count in [0, 1, 2, 700] {
            let (vectors, _) = clustered(5, count, 0, 6);
            let built = build(Parameters { m: 4, ..parameters(metric, 5) }, &vectors, 2);
            assert_eq!(
                open(built.directory.path()).unwrap().verify(&never).unwrap(),
                None,
                "{metric:?}, {count} vectors"
            );
        }
    }
}

#[test]
fn a_vector_that_no_link_leads_to_is_named() {
    let (vectors, _) = clustered(5, 700, 0, 6);
    let built = build(Parameters { m: 4, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let path = built.directory.path().join("v.graph");
    // Every link to node 123 leads to node 0 instead. (The entry point of these vectors is another.)
    let bad = with_words(&fs::read(&path).unwrap(), "nodes", |links| {
        links.iter_mut().filter(|link| **link == 123).for_each(|link| *link = 0);
    });
    rewrite(&path, &bad);
    let found = open(built.directory.path()).unwrap().verify(&never).unwrap();
    assert_eq!(found, Some(Unreachable { count: 1, first: 123 }));
}

#[test]
fn one_stray_link_anywhere_is_found() {
    let (vectors, _) = clustered(5, 700, 0, 6);
    let built = build(Parameters { m: 4, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let path = built.directory.path().join("v.graph");
    let good = fs::read(&path).unwrap();
    // The last list of level 0 is the first half of the last block.
    for (section, from_end) in [("nodes", 12), ("upper", 4)] {
        rewrite(&path, &with_words(&good, section, |links| links[links.len() - from_end] = 700));
        let error = open(built.directory.path()).unwrap().verify(&never).unwrap_err().to_string();
        assert!(error.contains("links to 700") && error.contains("v.graph"), "{section}: {error}");
    }
}

#[test]
fn a_changed_vector_is_found_by_its_length() {
    let (vectors, _) = clustered(5, 700, 0, 6);
    let built = build(Parameters { m: 4, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let path = built.directory.path().join("v.full");
    let good = fs::read(&path).unwrap();
    for change in [0x0010_0000, 0x7fc0_0000] {
        rewrite(&path, &with_words(&good, "rows", |words| words[6 * 321 + 3] ^= change));
        let error = open(built.directory.path()).unwrap().verify(&never).unwrap_err().to_string();
        assert!(error.contains("document 321") && error.contains("v.full"), "{error}");
    }
}

#[test]
fn it_can_be_cancelled() {
    let (vectors, _) = clustered(5, 700, 0, 6);
    let built = build(Parameters { m: 4, ..parameters(Metric::L2, 5) }, &vectors, 1);
    let index = open(built.directory.path()).unwrap();
    assert!(matches!(index.verify(&|| true), Err(Error::Cancelled)));
}
