//! Copies: whole, checked, sharing nothing, and never half at their target.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    cell::Cell,
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use common::{FILES, Index, code, draft, flip_a_bit, id, names, put};
use cutover_store::{Contents, Depth, DraftOptions, Error, Keep, LockWait, State, Store, StoreOptions, VersionInfo};
use serde_json::{Map, json};

fn copy(index: &Index, target: &Path) -> Result<VersionInfo, Error> {
    index.store.copy_to(target, None, &|_, _| {}, &|| false)
}

/// Names in the directory that holds the index, where copies are made.
fn siblings(index: &Index) -> Vec<String> {
    names(index.directory.path())
}

/// The copy is an index with one version, sound, that can be written.
fn is_whole(target: &Path, expected: &str) {
    let store = Store::open(target, StoreOptions::default()).unwrap();
    let report = store.verify(None, Depth::Digests, &|_, _| {}, &|| false).unwrap();
    assert_eq!((report.ok, report.versions.as_slice()), (true, [id(expected)].as_slice()), "{:?}", report.problems);
    assert_eq!(store.current().unwrap(), Some(id(expected)));
    let writer = store.write("test", LockWait::Now, &|| false).unwrap();
    assert_eq!(code(writer.draft(DraftOptions { id: Some(id(expected)), ..Default::default() })), "CUTOVER_EXISTS");
}

#[test]
fn a_copy_is_the_same_version_in_an_index_of_its_own() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    index.write().tag("good", Some(&id("v2"))).unwrap();
    let attributes: Map<_, _> = [("model".to_owned(), json!("m"))].into_iter().collect();
    index.write().set_attributes(&id("v2"), attributes.clone()).unwrap();
    let target = index.directory.path().join("backups/today");
    let told = Cell::new((0, 0));
    let copied = index.store.copy_to(&target, None, &|done, all| told.set((done, all)), &|| false).unwrap();
    assert_eq!(told.get(), (6, 6));
    let original = index.store.info(&id("v2")).unwrap();
    assert_eq!((copied.digest, copied.sequence, &copied.id), (original.digest, original.sequence, &original.id));
    assert_eq!((copied.attributes, copied.tags, copied.state), (attributes, vec![], State::Published));
    is_whole(&target, "v2");
    for file in FILES {
        let (copy, original) = (target.join("versions/v2").join(file), index.path("versions/v2").join(file));
        let (copy, original) = (fs::metadata(copy).unwrap(), fs::metadata(original).unwrap());
        assert_ne!(copy.ino(), original.ino(), "damage to one is not damage to the other");
        assert_eq!(copy.mode(), original.mode());
    }
    let rooted = [".index_rebuild.lock", "CURRENT", "current", "history.jsonl", "trash", "used-ids", "versions"];
    assert_eq!(names(&target), rooted);
    assert_eq!(names(&index.directory.path().join("backups")), ["today"]);
    let older = index.directory.path().join("older");
    index.store.copy_to(&older, Some(&id("v1")), &|_, _| {}, &|| false).unwrap();
    is_whole(&older, "v1");
}

#[test]
fn a_copy_goes_into_an_empty_directory_and_nowhere_where_something_is() {
    let index = Index::new();
    index.publish("v1");
    let at = |name: &str| -> PathBuf { index.directory.path().join(name) };
    fs::create_dir(at("empty")).unwrap();
    symlink(at("empty"), at("link")).unwrap();
    copy(&index, &at("link")).unwrap();
    is_whole(&at("empty"), "v1");
    assert_eq!(code(copy(&index, &at("empty"))), "CUTOVER_EXISTS", "it has versions now");
    fs::create_dir(at("full")).unwrap();
    fs::write(at("full").join("notes"), "").unwrap();
    fs::write(at("file"), "").unwrap();
    for target in [at("full"), at("file"), at("index/versions/v2"), at("index/copy")] {
        assert_eq!(code(copy(&index, &target)), "CUTOVER_EXISTS", "{}", target.display());
    }
    assert_eq!(names(&at("full")), ["notes"]);
    assert_eq!(siblings(&index), ["empty", "file", "full", "index", "link"]);
    assert_eq!(code(Index::new().store.copy_to(&at("x"), None, &|_, _| {}, &|| false)), "CUTOVER_EMPTY");
}

#[test]
fn a_damaged_version_is_not_copied_and_the_file_is_named() {
    let index = Index::new();
    index.publish("v1");
    flip_a_bit(&index.path("versions/v1/segments/0/text"));
    let target = index.directory.path().join("copy");
    let refused = copy(&index, &target).unwrap_err();
    assert!(refused.to_string().contains("segments/0/text") && refused.code() == "CUTOVER_CORRUPT", "{refused}");
    assert_eq!(siblings(&index), ["index"]);
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT", "what was found is known from then on");
}

#[test]
fn a_cancelled_copy_leaves_nothing_behind() {
    let index = Index::new();
    let mut big = draft(index.write(), Some("v1"));
    put(&big, "big", &vec![7; 4 << 20]);
    big.complete(Contents::default(), true).unwrap();
    big.publish(None, &|| false).unwrap();
    let target = index.directory.path().join("copy");
    let cancel = || {
        let done = Cell::new(0);
        let cancelled = index.store.copy_to(&target, None, &|now, _| done.set(now), &|| done.get() > 1 << 20);
        assert_eq!(code(cancelled), "CANCELLED");
        assert!(done.get() <= (1 << 20) + 256 * 1024);
    };
    cancel();
    assert_eq!(siblings(&index), ["index"]);
    fs::create_dir(&target).unwrap();
    cancel();
    assert!(names(&target).is_empty(), "{:?}", names(&target));
}

#[test]
fn an_adopted_version_is_copied_as_one() {
    let base = tempfile::tempdir().unwrap();
    let version = base.path().join("base/versions/v1");
    fs::create_dir_all(&version).unwrap();
    for file in ["manifest.json", "SHA256SUMS", "faiss"] {
        fs::write(version.join(file), file).unwrap();
    }
    fs::write(base.path().join("base/CURRENT"), "v1").unwrap();
    Store::adopt(&base.path().join("base"), StoreOptions::default(), &|_, _| {}, &|| false).unwrap();
    let store = common::open(&base.path().join("base")).unwrap();
    let target = base.path().join("copy");
    let copied = store.copy_to(&target, None, &|_, _| {}, &|| false).unwrap();
    assert_eq!(copied.digest, store.info(&id("v1")).unwrap().digest);
    is_whole(&target, "v1");
    assert_eq!(fs::read_to_string(target.join("versions/v1/manifest.json")).unwrap(), "manifest.json");
}

#[test]
fn a_version_is_not_pruned_while_it_is_copied() {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    let in_use = Cell::new(0);
    let prune = |_, _| {
        let pruned = index.write().prune(&Keep { versions: 1, ..Keep::default() }, false).unwrap();
        in_use.set(in_use.get() + pruned.in_use.len());
    };
    let target = index.directory.path().join("copy");
    index.store.copy_to(&target, Some(&id("v1")), &prune, &|| false).unwrap();
    assert!(in_use.get() > 0);
    is_whole(&target, "v1");
}

#[test]
fn copies_that_were_killed_are_cleared_by_the_next_and_one_that_lives_is_not() {
    let index = Index::new();
    index.publish("v1");
    let parent = index.directory.path();
    let target = parent.join("copy");
    fs::create_dir_all(parent.join(".copy.cutover-copy-abcdef/versions/v1.staging")).unwrap();
    fs::write(parent.join(".copy.cutover-copy-abcdef/.index_rebuild.lock"), "").unwrap();
    fs::create_dir(parent.join(".copy.cutover-copy-000000")).unwrap();
    let kept = [".copy.cutover-copy-a-user", ".copy.cutover-copy-locked", ".other.cutover-copy-abcdef"];
    for name in kept {
        fs::create_dir(parent.join(name)).unwrap();
        fs::write(parent.join(name).join(".index_rebuild.lock"), "").unwrap();
    }
    let lock = parent.join(kept[1]).join(".index_rebuild.lock");
    let mut holder = Command::new("flock").arg(&lock).args(["sleep", "60"]).stdout(Stdio::null()).spawn().unwrap();
    while Command::new("flock").arg("-n").arg(&lock).arg("true").status().unwrap().success() {
        thread::sleep(Duration::from_millis(1));
    }
    copy(&index, &target).unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    is_whole(&target, "v1");
    let mut expected = kept.to_vec();
    expected.extend(["copy", "index"]);
    assert_eq!(siblings(&index), expected);

    // In a directory that was there, a copy that was killed is an index in which nothing was published.
    let within = parent.join("within");
    fs::create_dir_all(within.join("versions/v1.staging")).unwrap();
    fs::write(within.join("used-ids"), "v1\n").unwrap();
    assert_eq!(common::open(&within).unwrap().current().unwrap(), None);
    copy(&index, &within).unwrap();
    is_whole(&within, "v1");
}
