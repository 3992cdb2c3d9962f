//! Adopt: a base directory of other software becomes an index, in place.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use common::{Index, code, complete, draft, flip_a_bit, id, names, tree};
use cutover_store::{Adopted, Depth, Draft, Error, Keep, LockWait, State, Store, StoreOptions};

/// A base directory as other software lays it out: every version has a manifest.json of its own.
fn base(versions: &[&str], current: Option<&str>) -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    for version in versions {
        let directory = base.path().join("versions").join(version);
        fs::create_dir_all(directory.join("faiss")).unwrap();
        fs::write(directory.join("manifest.json"), format!("{{\"version\": \"{version}\"}}")).unwrap();
        fs::write(directory.join("faiss/ivf.index"), format!("vectors of {version}")).unwrap();
        fs::write(directory.join("état.duckdb"), "").unwrap();
    }
    if let Some(current) = current {
        fs::write(base.path().join("CURRENT"), current).unwrap();
    }
    base
}

fn adopt(base: &Path) -> Result<Adopted, Error> {
    Store::adopt(base, StoreOptions::default(), &|_, _| {}, &|| false)
}

fn adopted(base: &Path) -> Vec<String> {
    adopt(base).unwrap().versions.iter().map(|info| info.id.to_string()).collect()
}

fn index(directory: tempfile::TempDir) -> Index {
    let store = common::open(directory.path()).unwrap();
    Index { directory, store }
}

#[test]
fn a_base_directory_of_other_software_becomes_an_index_in_place() {
    let base = base(&["v1", "v2", "v10"], Some("v2"));
    let path = base.path().join("versions/v2/faiss/ivf.index");
    let before = fs::metadata(&path).unwrap();
    let told = std::cell::Cell::new((0, 0));
    let report = Store::adopt(base.path(), StoreOptions::default(), &|done, all| told.set((done, all)), &|| false);
    let report = report.unwrap();
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    let ids: Vec<_> = report.versions.iter().map(|info| (info.id.as_str(), info.sequence, info.state)).collect();
    assert_eq!(ids, [("v1", 1, State::Published), ("v2", 2, State::Published), ("v10", 3, State::Published)]);
    assert!(told.get().0 == told.get().1 && told.get().0 > 0);

    let after = fs::metadata(&path).unwrap();
    let same = |metadata: &fs::Metadata| (metadata.ino(), metadata.mtime_nsec(), metadata.permissions().mode());
    assert_eq!(same(&before), same(&after), "files are not touched");
    let index = index(base);
    let expected = [".cutover", ".lease", "faiss", "manifest.json", "état.duckdb"];
    assert_eq!(names(&index.path("versions/v2")), expected);
    assert_eq!(fs::read_to_string(index.path("CURRENT")).unwrap(), "v2", "nor is CURRENT");
    assert_eq!(fs::read_link(index.path("current")).unwrap(), Path::new("versions/v2"));
    let held = index.store.snapshot(None).unwrap();
    assert_eq!(held.id(), &id("v2"));
    let bytes = fs::read(held.path("faiss/ivf.index").unwrap()).unwrap();
    assert_eq!(bytes, b"vectors of v2");
    assert!(held.path("manifest.json").is_ok() && held.path(".cutover/state.json").is_err());
    let sums = Command::new("sha256sum")
        .args(["--strict", "-c", ".cutover/SHA256SUMS"])
        .current_dir(index.path("versions/v2"))
        .output()
        .unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stderr));
    assert_eq!(String::from_utf8(sums.stdout).unwrap().lines().count(), 4);
}

#[test]
fn an_adopted_index_verifies_publishes_rolls_back_prunes_and_names_its_damage() {
    let index = index(base(&["v1", "v2", "v3"], Some("v3\n")));
    assert_eq!(adopted(index.store.root()), ["v1", "v2", "v3"]);
    let verify = || index.store.verify(None, Depth::Digests, &|_, _| {}, &|| false).unwrap();
    assert_eq!((verify().ok, verify().problems), (true, vec![]));
    index.publish("v4");
    index.write().rollback(None, None).unwrap();
    index.write().activate(&id("v2"), None).unwrap();
    let pruned = index.write().prune(&Keep { versions: 1, ..Keep::default() }, false).unwrap();
    assert_eq!(pruned.removed, [id("v1")]);
    let again = |version: &str| -> Result<Draft, Error> {
        index.write().draft(cutover_store::DraftOptions { id: Some(id(version)), ..Default::default() })
    };
    assert_eq!(code(again("v1")), "CUTOVER_EXISTS");
    flip_a_bit(&index.path("versions/v3/faiss/ivf.index"));
    fs::write(index.path("versions/v2/.cutover/notes"), "").unwrap();
    let found = verify().problems;
    let found: Vec<_> =
        found.iter().map(|problem| (problem.version.as_deref().unwrap(), problem.file.as_str())).collect();
    assert_eq!(found, [("v2", ".cutover/notes"), ("v3", "faiss/ivf.index")]);
    let report = index.store.repair(None, false, LockWait::Now, &|_, _| {}, &|| false).unwrap();
    assert_eq!((report.set_aside, report.current), (vec!["v3".to_owned()], Some(id("v2"))));
}

#[test]
fn adopting_again_changes_nothing_and_takes_in_what_was_added() {
    let base = base(&["v1", "v2"], Some("v1"));
    adopt(base.path()).unwrap();
    let before = index(base);
    let was = tree(&before);
    assert_eq!(adopted(before.store.root()), ["v1", "v2"]);
    assert_eq!(tree(&before), was);
    fs::create_dir(before.path("versions/v0")).unwrap();
    assert_eq!(adopted(before.store.root()), ["v1", "v2", "v0"], "newer than what was there");
}

#[test]
fn what_a_crash_left_of_an_adoption_is_finished_by_the_next() {
    let base = base(&["v1", "v2"], Some("v2"));
    let staging = base.path().join("versions/v1/.cutover.staging");
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("manifest.json"), "{").unwrap();
    fs::write(base.path().join("versions/v1/.lease"), "").unwrap();
    assert_eq!(adopted(base.path()), ["v1", "v2"]);
    assert!(!staging.exists());
    // Cancelled between two versions.
    let base = base_of_two_megabytes();
    let done = std::cell::Cell::new(0);
    let cancelled =
        Store::adopt(base.path(), StoreOptions::default(), &|now, _| done.set(now), &|| done.get() > (1 << 20) + 1000);
    assert_eq!(code(cancelled), "CANCELLED");
    assert!(base.path().join("versions/v1/.cutover").exists() && !base.path().join("versions/v2/.cutover").exists());
    assert_eq!(adopted(base.path()), ["v1", "v2"]);
}

fn base_of_two_megabytes() -> tempfile::TempDir {
    let base = base(&["v1", "v2"], Some("v2"));
    for version in ["v1", "v2"] {
        fs::write(base.path().join("versions").join(version).join("big"), vec![1; 1 << 20]).unwrap();
    }
    base
}

#[test]
fn what_cannot_be_adopted_is_named_and_left_alone() {
    let base = base(&["v1", "V2", "linked", "newline"], Some("v1"));
    let at = |name: &str| -> PathBuf { base.path().join("versions").join(name) };
    symlink("/etc", at("linked").join("etc")).unwrap();
    fs::write(at("newline").join("a\nb"), "").unwrap();
    fs::create_dir(at("v3.staging")).unwrap();
    fs::write(at("readme"), "").unwrap();
    let report = adopt(base.path()).unwrap();
    assert_eq!(report.versions.len(), 1);
    let refused: Vec<_> = report.refused.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(refused, ["V2", "linked", "newline", "readme", "v3.staging"]);
    assert!(report.refused.iter().any(|(_, why)| why.contains("etc is a symbolic link")), "{:?}", report.refused);
    assert!(!at("V2").join(".cutover").exists() && at("v3.staging").exists());
    fs::remove_file(at("linked").join("etc")).unwrap();
    assert_eq!(adopted(base.path()), ["v1", "linked"]);
}

#[test]
fn a_current_version_that_cannot_be_adopted_is_an_error_and_nothing_is_written() {
    let refused = |base: tempfile::TempDir| {
        let index = index(base);
        fs::write(index.path(".index_rebuild.lock"), "").unwrap();
        let before = tree(&index);
        let error = adopt(index.store.root()).unwrap_err();
        assert_eq!((error.code(), tree(&index) == before), ("CUTOVER_CORRUPT", true), "{error}");
        error.to_string()
    };
    assert!(refused(base(&["v1"], Some("v2"))).contains("not there"));
    assert!(refused(base(&["v1"], Some("../v1"))).contains("CURRENT"));
    let linked = base(&["v1"], Some("v1"));
    symlink("/etc", linked.path().join("versions/v1/etc")).unwrap();
    assert!(refused(linked).contains("symbolic link"));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(code(adopt(empty.path())), "CUTOVER_NOT_FOUND");
}

#[test]
fn versions_that_nothing_named_current_become_prepared() {
    let base = base(&["v1", "v2"], None);
    let states: Vec<_> = adopt(base.path()).unwrap().versions.iter().map(|info| info.state).collect();
    assert_eq!(states, [State::Prepared, State::Prepared]);
    let index = index(base);
    assert_eq!(index.store.current().unwrap(), None);
    index.write().activate(&id("v1"), None).unwrap();
    assert_eq!(index.current(), "v1");
}

#[test]
fn a_damaged_version_of_ours_is_not_adopted_as_if_it_were_right() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    flip_a_bit(&index.path("versions/v1/top"));
    for record in ["manifest.json", "SHA256SUMS", "state.json"] {
        fs::remove_file(index.path("versions/v2").join(record)).unwrap();
    }
    index.write().activate(&id("v1"), None).unwrap();
    let report = adopt(index.store.root()).unwrap();
    assert!(report.refused.len() == 1 && report.refused[0].1.contains("records are lost"), "{:?}", report.refused);
    assert!(!index.path("versions/v1/.cutover").exists() && !index.path("versions/v2/.cutover").exists());
}

#[test]
fn an_adoption_waits_for_the_writer_lock() {
    let index = Index::new();
    index.publish("v1");
    let _draft = complete(draft(index.write(), Some("v2")), true);
    let asked = std::cell::Cell::new(0);
    let cancel = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    assert_eq!(code(Store::adopt(index.store.root(), StoreOptions::default(), &|_, _| {}, &cancel)), "CANCELLED");
}
