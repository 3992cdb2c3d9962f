//! A reader of `CURRENT` that looks says what one that reads says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Index, code, id};
use cutover_store::CurrentReader;

#[test]
fn it_is_empty_and_then_names_what_is_published_activated_and_rolled_back() {
    let index = Index::new();
    let reader = CurrentReader::new(index.store.clone());
    assert_eq!(reader.current().unwrap(), None);
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
        for _ in 0..3 {
            assert_eq!(reader.current().unwrap(), Some(id(version)));
        }
    }
    index.write().activate(&id("v1"), None).unwrap();
    assert_eq!(reader.current().unwrap(), Some(id("v1")));
}

/// The number of a file that is gone goes to the next one, unless something keeps it.
#[test]
fn a_new_file_never_passes_for_the_one_that_was_read() {
    let index = Index::new();
    index.publish("v1");
    let reader = CurrentReader::new(index.store.clone());
    let modified = fs::metadata(index.path("CURRENT")).unwrap().modified().unwrap();
    let name = |version: &str| {
        let next = index.path("next");
        fs::write(&next, format!("{version}\n")).unwrap();
        // As old as the first, and as long.
        fs::File::open(&next).unwrap().set_modified(modified).unwrap();
        fs::rename(&next, index.path("CURRENT")).unwrap();
    };
    for round in 0..200 {
        // What was read is gone before the next file is made.
        name("v9");
        let version = if round % 2 == 0 { "v2" } else { "v1" };
        name(version);
        assert_eq!(reader.current().unwrap(), Some(id(version)), "round {round}");
    }
}

#[test]
fn what_is_written_over_it_or_takes_its_place_is_seen() {
    let index = Index::new();
    index.publish("v1");
    let reader = CurrentReader::new(index.store.clone());
    assert_eq!(reader.current().unwrap(), Some(id("v1")));
    fs::write(index.path("CURRENT"), "v2\n").unwrap();
    assert_eq!(reader.current().unwrap(), Some(id("v2")));
    fs::write(index.path("CURRENT"), "no id\n").unwrap();
    assert_eq!(code(reader.current()), "CUTOVER_CORRUPT");
    fs::remove_file(index.path("CURRENT")).unwrap();
    assert_eq!(code(reader.current()), "CUTOVER_CORRUPT", "it is missing, and something was published");
    fs::create_dir(index.path("CURRENT")).unwrap();
    assert!(reader.current().is_err());
    fs::remove_dir(index.path("CURRENT")).unwrap();
    fs::write(index.path("CURRENT"), "v1\n").unwrap();
    assert_eq!(reader.current().unwrap(), Some(id("v1")));
}
