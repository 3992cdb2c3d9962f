//! What follows when the current version is damaged.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Fixture, hit_ids, open_with, options};
use cutover_index::{Cancel, Index, Integrity, OnCorrupt, Options, Query};
use serde_json::{Value, json};

const FIELDS: &str = r#"{ "title": { "type": "text" } }"#;

/// Two versions: `old` is in the first, `new` in the second.
fn two_versions() -> Fixture {
    let fixture = open_with(options(Some(FIELDS)));
    fixture.rebuild(&[json!({ "id": "old", "title": "first words" })], &[]);
    fixture.rebuild(&[json!({ "id": "new", "title": "other words" })], &[]);
    fixture
}

fn current(directory: &Path) -> String {
    fs::read_to_string(directory.join("CURRENT")).unwrap().trim().to_owned()
}

/// Changes one letter of a stored document, so that only its digest tells.
fn damage(directory: &Path) {
    let segments = directory.join("versions").join(current(directory)).join("segments");
    let path = fs::read_dir(segments).unwrap().next().unwrap().unwrap().path().join("documents");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|window| window == b"words").unwrap();
    bytes[at] = b'W';
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, bytes).unwrap();
}

fn opened(fixture: &Fixture, integrity: Integrity, on_corrupt: OnCorrupt) -> Result<Index, cutover_index::Error> {
    let mut options: Options = options(None);
    options.store.create = false;
    options.store.integrity = integrity;
    options.on_corrupt = on_corrupt;
    Index::open(fixture.directory.path(), options)
}

fn search(index: &Index) -> Result<Value, cutover_index::Error> {
    let query = Query::from_json(&json!({ "text": { "query": "words" } }).to_string()).unwrap();
    let answer = index.snapshot(None)?.search(&query, None, &Cancel::default())?;
    Ok(serde_json::from_str(&answer.json).unwrap())
}

#[test]
fn digests_refuse_a_damaged_version_before_the_first_answer() {
    let fixture = two_versions();
    damage(fixture.directory.path());
    // Sizes see nothing of it.
    assert!(search(&opened(&fixture, Integrity::Sizes, OnCorrupt::Refuse).unwrap()).is_ok());
    // Once it is known in a process, nobody there is served it.
    for integrity in [Integrity::Digests, Integrity::Sizes] {
        let error = opened(&fixture, integrity, OnCorrupt::Refuse).err().unwrap();
        assert_eq!(error.code(), "CUTOVER_CORRUPT");
        assert!(error.to_string().contains("documents"), "{error}");
    }
}

#[test]
fn the_newest_earlier_version_that_verifies_answers_instead() {
    let fixture = two_versions();
    let damaged = current(fixture.directory.path());
    damage(fixture.directory.path());
    let index = opened(&fixture, Integrity::Digests, OnCorrupt::FallBack).unwrap();
    let answer = search(&index).unwrap();
    assert_eq!(hit_ids(&answer), ["old"]);
    assert_ne!(answer["version"], damaged);
    // Said once, and not tried again at every query.
    assert!(index.take_problems().unwrap().iter().any(|problem| problem.to_string().contains(&damaged)));
    search(&index).unwrap();
    assert!(index.take_problems().unwrap().is_empty());
    // The next publish is served.
    fixture.rebuild(&[json!({ "id": "newest", "title": "words again" })], &[]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while hit_ids(&search(&index).unwrap()) != ["newest"] {
        assert!(Instant::now() < deadline, "the new version was never served");
        std::thread::yield_now();
    }
}

#[test]
fn damage_that_the_background_finds_refuses_queries_from_then_on() {
    let fixture = two_versions();
    damage(fixture.directory.path());
    for on_corrupt in [OnCorrupt::Refuse, OnCorrupt::FallBack] {
        let index = opened(&fixture, Integrity::Background, on_corrupt).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "the damage was never found");
            match search(&index) {
                Ok(answer) if hit_ids(&answer) == ["new"] => std::thread::yield_now(),
                Ok(answer) => {
                    assert_eq!((hit_ids(&answer), on_corrupt), (vec!["old".to_owned()], OnCorrupt::FallBack));
                    break;
                }
                Err(error) => {
                    assert_eq!((error.code(), on_corrupt), ("CUTOVER_CORRUPT", OnCorrupt::Refuse));
                    break;
                }
            }
        }
    }
}

#[test]
fn with_nothing_to_fall_back_to_the_damage_is_told() {
    let fixture = open_with(options(Some(FIELDS)));
    fixture.rebuild(&[json!({ "id": "only", "title": "words" })], &[]);
    damage(fixture.directory.path());
    let error = opened(&fixture, Integrity::Digests, OnCorrupt::FallBack).err().unwrap();
    assert_eq!(error.code(), "CUTOVER_CORRUPT");
}
