//! Verifying contents: versions whose bytes are as they were published, and wrong.
//!
//! The damage is made as a defect of a writer would make it: the file is changed, and its digest with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::{Fixture, open};
use cutover_durable::Digest;
use cutover_index::{Cancel, Depth, Error, Problem, ProblemKind};
use serde_json::{Value, json};

const FIELDS: &str = r#"{
    "title": { "type": "text" },
    "kind": { "type": "keyword" },
    "price": { "type": "number" },
    "about": { "type": "vector", "dimensions": 3, "metric": "l2", "required": true }
}"#;

fn documents(count: usize) -> Vec<Value> {
    let document = |n: usize| {
        let about = [n as f64, (n * n % 17) as f64, 1.0];
        json!({ "id": format!("d{n}"), "title": format!("word{} common", n % 50), "kind": format!("k{}", n % 5), "price": n, "about": about })
    };
    (0..count).map(document).collect()
}

fn built() -> Fixture {
    let fixture = open(FIELDS);
    fixture.rebuild(&documents(300), &["about"]);
    fixture
}

fn verify(fixture: &Fixture, depth: Depth) -> Vec<Problem> {
    let report = fixture.index.verify(None, depth, &|_, _| (), &Cancel::default()).unwrap();
    assert_eq!(report.ok, report.problems.is_empty());
    report.problems
}

fn version(fixture: &Fixture) -> PathBuf {
    let id = fs::read_to_string(fixture.directory.path().join("CURRENT")).unwrap();
    fixture.directory.path().join("versions").join(id.trim())
}

fn segment_file(fixture: &Fixture, name: &str) -> PathBuf {
    let segment = fs::read_dir(version(fixture).join("segments")).unwrap().next().unwrap().unwrap().path();
    segment.join(name)
}

fn overwrite(path: &Path, bytes: &[u8]) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Changes a file, and what the version says of its digest.
fn forge(fixture: &Fixture, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let (version, path) = (version(fixture), segment_file(fixture, name));
    let before = fs::read(&path).unwrap();
    let mut after = before.clone();
    change(&mut after);
    assert_ne!(before, after, "the change of {name} changes nothing");
    assert_eq!(before.len(), after.len());
    overwrite(&path, &after);
    let sums = version.join("SHA256SUMS");
    let text = fs::read_to_string(&sums).unwrap();
    overwrite(&sums, text.replace(&Digest::of(&before).to_string(), &Digest::of(&after).to_string()).as_bytes());
}

fn replace(bytes: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
}

/// What contents alone find, in one file.
fn found(fixture: &Fixture, file: &str) -> (ProblemKind, String) {
    assert_eq!(verify(fixture, Depth::Digests), []);
    let problems = verify(fixture, Depth::Contents);
    assert!(!problems.is_empty() && problems.iter().all(|problem| problem.file.ends_with(file)), "{problems:?}");
    (problems[0].kind, problems[0].detail.clone())
}

#[test]
fn what_was_published_verifies_at_every_depth() {
    let fixture = built();
    for depth in [Depth::Sizes, Depth::Digests, Depth::Contents] {
        assert_eq!(verify(&fixture, depth), [], "{depth:?}");
    }
}

#[test]
fn several_segments_with_replaced_documents_verify() {
    let mut options = common::options(Some(FIELDS));
    // Room for a few dozen documents: the builder begins many segments.
    options.build_memory_bytes = 1;
    let fixture = common::open_with(options);
    let mut documents = documents(40);
    documents.extend_from_within(0..9);
    fixture.rebuild(&documents, &["about"]);
    assert_eq!(verify(&fixture, Depth::Contents), []);
}

#[test]
fn a_document_that_its_words_do_not_find_is_named() {
    let fixture = built();
    forge(&fixture, "documents", |bytes| replace(bytes, "word7 common", "word7 comnon"));
    let (kind, detail) = found(&fixture, "text");
    assert!(kind == ProblemKind::Disagree && detail.contains("\"d7\""), "{detail}");
}

#[test]
fn a_value_that_filters_do_not_know_is_named() {
    let fixture = built();
    forge(&fixture, "documents", |bytes| replace(bytes, r#""price":123"#, r#""price":321"#));
    let (kind, detail) = found(&fixture, "text");
    assert!(kind == ProblemKind::Disagree && detail.contains("\"d123\""), "{detail}");
}

#[test]
fn a_document_under_anothers_id_is_named() {
    let fixture = built();
    forge(&fixture, "documents", |bytes| replace(bytes, r#""id":"d42""#, r#""id":"d43""#));
    let (kind, detail) = found(&fixture, "documents");
    assert!(kind == ProblemKind::Disagree && detail.contains("document 42 is \"d43\""), "{detail}");
}

#[test]
fn an_id_that_does_not_lead_back_is_named() {
    let fixture = built();
    // The ids by ordinal: that of document 8 is another's now.
    forge(&fixture, "ids", |bytes| replace(bytes, "d7d8d9d10", "d7d7d9d10"));
    assert_eq!(verify(&fixture, Depth::Digests), []);
    let problems = verify(&fixture, Depth::Contents);
    assert!(
        problems.iter().any(|problem| problem.detail.contains("\"d7\" of document 8 does not lead back to it")),
        "{problems:?}"
    );
}

#[test]
fn a_document_that_is_not_json_is_named() {
    let fixture = built();
    forge(&fixture, "documents", |bytes| replace(bytes, r#"{"id":"d5","#, r#"["id":"d5","#));
    let (kind, detail) = found(&fixture, "documents");
    assert!(kind == ProblemKind::Unreadable && detail.contains("JSON"), "{detail}");
}

#[test]
fn a_vector_that_changed_is_found() {
    let fixture = built();
    forge(&fixture, "about.full", |bytes| {
        let seven = 7.0_f32.to_le_bytes();
        let at = bytes.windows(4).position(|window| window == seven).unwrap();
        bytes[at..at + 4].copy_from_slice(&8.5_f32.to_le_bytes());
    });
    let (kind, detail) = found(&fixture, "about.graph");
    assert!(kind == ProblemKind::Unreadable && detail.contains("document 7"), "{detail}");
}

#[test]
fn progress_ends_where_it_was_said_to_and_a_look_can_be_given_up() {
    let fixture = built();
    let last = std::cell::Cell::new((0, 1));
    fixture.index.verify(None, Depth::Contents, &|done, total| last.set((done, total)), &Cancel::default()).unwrap();
    let (done, total) = last.get();
    assert!(done == total && total > 300, "{done} of {total}");
    let cancel = Cancel::default();
    cancel.cancel();
    let given_up = fixture.index.verify(None, Depth::Contents, &|_, _| (), &cancel);
    assert!(matches!(given_up, Err(Error::Cancelled)));
}
