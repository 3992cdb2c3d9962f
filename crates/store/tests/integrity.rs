//! Integrity: when damage is found in each mode, and that it is never served once it is known.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use common::{FILES, Index, code, draft, flip_a_bit, id};
use cutover_store::{Contents, Depth, Error, Integrity, Store, StoreOptions};

/// Opens the index another time.
fn open(index: &Index, integrity: Integrity) -> Store {
    Store::open(index.store.root(), StoreOptions { integrity, ..StoreOptions::default() }).unwrap()
}

/// The first problems that the check in the background finds.
fn await_problems(store: &Store) -> Vec<Error> {
    let started = Instant::now();
    loop {
        let problems = store.take_problems();
        if !problems.is_empty() || started.elapsed() > Duration::from_mins(1) {
            return problems;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The version and file that an error names.
fn names(error: &Error) -> (String, String) {
    let detail = error.detail();
    let path = detail["path"].as_str().unwrap();
    (detail["version"].as_str().unwrap().to_owned(), path.rsplit('/').next().unwrap().to_owned())
}

fn named(version: &str, file: &str) -> (String, String) {
    (version.to_owned(), file.to_owned())
}

#[test]
fn digests_are_checked_before_a_version_is_handed_out() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    flip_a_bit(&index.path("versions/v2/top"));
    let store = open(&index, Integrity::Digests);
    assert_eq!(names(&store.snapshot(None).unwrap_err()), named("v2", "top"));
    assert_eq!(names(&store.damage(&id("v2")).unwrap()), named("v2", "top"));
    assert!(store.take_problems().is_empty(), "whoever asked was told");
    store.snapshot(Some(&id("v1"))).unwrap();
    assert!(store.damage(&id("v1")).is_none());
}

#[test]
fn sizes_alone_do_not_find_a_flipped_bit_but_do_not_serve_what_verify_found() {
    let index = Index::new();
    index.publish("v1");
    flip_a_bit(&index.path("versions/v1/top"));
    index.store.snapshot(None).unwrap();
    assert!(index.store.damage(&id("v1")).is_none());
    index.store.verify(None, Depth::Digests, &|_, _| {}, &|| false).unwrap();
    assert_eq!(names(&index.store.snapshot(None).unwrap_err()), named("v1", "top"));
    assert_eq!(names(&index.store.damage(&id("v1")).unwrap()), named("v1", "top"));
}

#[test]
fn the_background_finds_damage_reports_it_once_and_from_then_on_it_is_not_served() {
    let index = Index::new();
    index.publish("v1");
    flip_a_bit(&index.path("versions/v1/segments/0/text"));
    let store = open(&index, Integrity::Background);
    let held = store.snapshot(None).unwrap();
    let problems = await_problems(&store);
    assert_eq!(problems.iter().map(names).collect::<Vec<_>>(), [named("v1", "text")]);
    assert_eq!(problems[0].code(), "CUTOVER_CORRUPT");
    assert_eq!(names(&store.snapshot(None).unwrap_err()), named("v1", "text"));
    assert_eq!(names(&store.damage(held.id()).unwrap()), named("v1", "text"));
    assert_eq!(code(store.snapshot(Some(&id("v1")))), "CUTOVER_CORRUPT");
    assert!(store.take_problems().is_empty());
}

#[test]
fn damage_is_known_to_every_handle_and_of_every_version_that_links_the_file() {
    let index = Index::new();
    index.publish("v1");
    let from = index.store.snapshot(None).unwrap();
    let mut linked = draft(index.write(), Some("v2"));
    for file in FILES {
        linked.link(&from, file).unwrap();
    }
    linked.complete(Contents::default(), true).unwrap();
    linked.publish(None, &|| false).unwrap();
    flip_a_bit(&index.path("versions/v1/top"));
    assert_eq!(code(open(&index, Integrity::Digests).snapshot(Some(&id("v1")))), "CUTOVER_CORRUPT");
    assert_eq!(names(&index.store.snapshot(Some(&id("v2"))).unwrap_err()), named("v2", "top"));
    assert_eq!(code(index.write().activate(&id("v1"), None)), "CUTOVER_CORRUPT");
}

#[test]
fn a_file_that_was_put_right_is_not_held_against_its_version() {
    let index = Index::new();
    index.publish("v1");
    let path = index.path("versions/v1/top");
    let good = fs::read(&path).unwrap();
    flip_a_bit(&path);
    let store = open(&index, Integrity::Digests);
    assert_eq!(code(store.snapshot(None)), "CUTOVER_CORRUPT");
    common::overwrite(&path, good);
    store.snapshot(None).unwrap();
    assert!(store.damage(&id("v1")).is_none());
}

#[test]
fn each_file_is_read_once_in_the_life_of_the_process() {
    let index = Index::new();
    index.publish("v1");
    let store = open(&index, Integrity::Digests);
    let asked = std::cell::Cell::new(0);
    let counted = || {
        asked.set(asked.get() + 1);
        false
    };
    store.snapshot_while(None, &counted).unwrap();
    let first = asked.replace(0);
    assert!(first >= FILES.len(), "{first}");
    store.snapshot_while(None, &counted).unwrap();
    assert_eq!(asked.get(), 0, "the version is known to be sound");
    // Another handle looks at each file again, and reads none.
    open(&index, Integrity::Digests).snapshot_while(None, &counted).unwrap();
    assert_eq!(asked.get(), FILES.len());
}

#[test]
fn a_check_before_a_version_is_handed_out_can_be_cancelled() {
    let index = Index::new();
    index.publish("v1");
    assert_eq!(code(open(&index, Integrity::Digests).snapshot_while(None, &|| true)), "CANCELLED");
    open(&index, Integrity::Digests).snapshot(None).unwrap();
}

#[test]
fn a_version_pruned_under_the_background_check_is_no_problem_and_was_not_in_use() {
    let index = Index::new();
    let store = open_for_writing(&index);
    for version in 0..40 {
        index.publish(&format!("v{version}"));
        store.snapshot(None).unwrap();
        let keep = cutover_store::Keep { versions: 1, ..Default::default() };
        assert!(index.write().prune(&keep, false).unwrap().in_use.is_empty());
    }
    // The last one to be looked at says that the others were.
    index.publish("last");
    flip_a_bit(&index.path("versions/last/top"));
    store.snapshot(None).unwrap();
    let problems = await_problems(&store);
    assert_eq!(problems.iter().map(names).collect::<Vec<_>>(), [named("last", "top")]);
}

fn open_for_writing(index: &Index) -> Store {
    let options = StoreOptions { create: true, integrity: Integrity::Background, ..StoreOptions::default() };
    Store::open(index.store.root(), options).unwrap()
}

#[test]
fn a_snapshot_says_which_of_its_files_are_damaged() {
    let index = Index::new();
    index.publish("v1");
    let snapshot = index.store.snapshot(None).unwrap();
    assert!(snapshot.verify_digests(&|_, _| {}, &|| false).unwrap().is_empty());
    flip_a_bit(&index.path("versions/v1/top"));
    let problems = snapshot.verify_digests(&|_, _| {}, &|| false).unwrap();
    assert_eq!(problems.iter().map(|problem| problem.file.as_str()).collect::<Vec<_>>(), ["top"]);
}
