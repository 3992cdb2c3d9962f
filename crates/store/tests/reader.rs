//! What readers accept: whole versions of a format they know. Damaged and hostile ones are refused with what is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use common::{FILES, Index, code, complete, draft, edit, id, overwrite};
use cutover_store::{Error, Keep, Store, StoreOptions};

fn index() -> Index {
    let index = Index::new();
    index.publish("v1");
    index
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let index = index();
    edit(&index.path("versions/v1/manifest.json"), "\"format\": 1", "\"format\": 7");
    let error = index.store.snapshot(None).unwrap_err();
    assert!(matches!(&error, Error::FormatTooNew { found: 7, supported: 1, .. }), "{error}");
    assert_eq!((error.code(), error.detail()["found"].as_u64()), ("CUTOVER_FORMAT_TOO_NEW", Some(7)));
    // Whatever else a newer format may have changed.
    overwrite(&index.path("versions/v1/manifest.json"), r#"{"format": 99999999999, "files": "elsewhere"}"#);
    assert_eq!(code(index.store.info(&id("v1"))), "CUTOVER_FORMAT_TOO_NEW");
    assert!(index.store.versions().unwrap().is_empty());
    assert!(index.store.status().unwrap().limitations[0].contains("format"));
}

#[test]
fn hostile_manifests_are_refused() {
    let edits = [
        ("\"top\"", "\"../../../etc/passwd\""),
        ("\"top\"", "\"/etc/passwd\""),
        ("\"top\"", "\"segments/../../v0/top\""),
        ("\"top\"", "\"segments//top\""),
        ("\"top\"", "\"\""),
        ("\"top\"", "\"state.json\""),
        ("\"top\"", "\"a\\u0000\""),
        ("\"top\"", "\"segments/0/text\""),
        ("\"top\"", "\"unlisted\""),
        ("\"id\": \"v1\"", "\"id\": \"v2\""),
        ("\"id\": \"v1\"", "\"id\": \"../v1\""),
        ("\"format\": 1", "\"format\": 0"),
        ("\"format\": 1", "\"format\": \"1\""),
        ("\"sequence\": 1", "\"sequence\": -1"),
        ("\"bytes\": 2", "\"bytes\": 1e30"),
        ("\"files\"", "\"other\""),
        ("{", ""),
        ("\"documents\": 1", "\"documents\": 2"),
    ];
    for (from, to) in edits {
        let index = index();
        edit(&index.path("versions/v1/manifest.json"), from, to);
        assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT", "{to}");
        assert_eq!(code(index.store.info(&id("v1"))), "CUTOVER_CORRUPT", "{to}");
    }
}

#[test]
fn damaged_records_are_refused() {
    for (file, text) in [
        ("SHA256SUMS", "x"),
        ("SHA256SUMS", ""),
        ("state.json", ""),
        ("state.json", r#"{"state":"great"}"#),
        ("manifest.json", ""),
    ] {
        let index = index();
        overwrite(&index.path("versions/v1").join(file), text);
        assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT", "{file} {text:?}");
    }
    for file in ["SHA256SUMS", "state.json", "manifest.json", ".lease"] {
        let index = index();
        let path = index.path("versions/v1").join(file);
        fs::rename(&path, index.path("moved")).unwrap();
        symlink(index.path("moved"), &path).unwrap();
        assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT", "{file}");
    }
}

/// What it is called, how it is done, and the size that is found then.
type Damage<'a> = (&'a str, &'a dyn Fn(&Path), Option<u64>);

#[test]
fn a_file_of_another_size_is_named() {
    let damages: [Damage; 5] = [
        ("truncated", &|path| overwrite(path, ""), Some(0)),
        ("longer", &|path| overwrite(path, "v1!"), Some(3)),
        ("missing", &|path| fs::remove_file(path).unwrap(), None),
        ("a link", &|path| (fs::remove_file(path).unwrap(), symlink("documents", path).unwrap()).1, None),
        ("a directory", &|path| (fs::remove_file(path).unwrap(), fs::create_dir(path).unwrap()).1, None),
    ];
    for (name, damage, found) in damages {
        let index = index();
        index.publish("v2");
        damage(&index.path("versions/v1/segments/0/text"));
        let error = index.store.snapshot(Some(&id("v1"))).unwrap_err();
        let Error::SizeMismatch { version, file, expected, actual } = &error else { unreachable!("{name}: {error}") };
        assert_eq!(
            (version.as_str(), file.as_str(), *expected, *actual),
            ("v1", "segments/0/text", 2, found),
            "{name}"
        );
        assert_eq!(error.code(), "CUTOVER_CORRUPT");
        // Nor is it made current.
        assert_eq!(code(index.write().rollback(None, None)), "CUTOVER_CORRUPT", "{name}");
        assert_eq!(index.current(), "v2");
    }
}

#[test]
fn a_file_damaged_after_it_was_held_is_named_when_mapped() {
    let index = index();
    let snapshot = index.store.snapshot(None).unwrap();
    overwrite(&index.path("versions/v1/top"), "other");
    assert!(matches!(snapshot.map("top"), Err(Error::SizeMismatch { actual: Some(5), .. })));
    assert_eq!(code(snapshot.map("state.json")), "CUTOVER_CORRUPT");
    assert_eq!(code(snapshot.path("../v1/top")), "RangeError");
    assert_eq!(code(snapshot.artifact("model")), "CUTOVER_NOT_FOUND");
}

#[test]
fn directories_that_lead_elsewhere_are_refused() {
    let index = index();
    fs::rename(index.path("versions/v1/segments"), index.path("segments")).unwrap();
    symlink(index.path("segments"), index.path("versions/v1/segments")).unwrap();
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT");
    fs::rename(index.path("versions/v1"), index.path("elsewhere")).unwrap();
    symlink(index.path("elsewhere"), index.path("versions/v1")).unwrap();
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT");
    assert_eq!(code(index.store.snapshot(Some(&id("v1")))), "CUTOVER_NOT_FOUND");
}

#[test]
fn an_artifact_is_found_by_its_name() {
    let index = Index::new();
    let mut staged = draft(index.write(), None);
    common::put(&staged, "artifacts/model/weights", b"x");
    common::put(&staged, "artifacts/graph.json", b"x");
    staged.complete(cutover_store::Contents::default(), true).unwrap();
    staged.publish(None, &|| false).unwrap();
    let snapshot = index.store.snapshot(None).unwrap();
    for name in ["model", "graph.json", "model/weights"] {
        assert!(snapshot.artifact(name).unwrap().exists(), "{name}");
    }
    assert_eq!(code(snapshot.artifact("mod")), "CUTOVER_NOT_FOUND");
    assert_eq!(code(snapshot.artifact("..")), "RangeError");
}

#[test]
fn a_read_only_store_reads_and_refuses_to_write() {
    let index = index();
    let store = Store::open(index.store.root(), StoreOptions { read_only: true, ..StoreOptions::default() }).unwrap();
    assert_eq!(*store.snapshot(None).unwrap().id(), id("v1"));
    assert_eq!(code(store.write("test", cutover_store::LockWait::Now, &|| false)), "CUTOVER_READ_ONLY");
}

/// Readers that ask at any moment of a publish, a rollback or a prune hold one whole version.
#[test]
fn readers_hold_whole_versions_while_others_publish_and_prune() {
    let index = Index::new();
    complete(draft(index.write(), None), true).publish(None, &|| false).unwrap();
    let done = AtomicBool::new(false);
    let satisfied = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let reader = || {
            let mut versions = std::collections::BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                let snapshot = index.store.snapshot(None).unwrap();
                for file in FILES {
                    assert_eq!(&*snapshot.map(file).unwrap(), snapshot.id().as_str().as_bytes());
                }
                if versions.insert(snapshot.id().clone()) && versions.len() == 10 {
                    satisfied.fetch_add(1, Ordering::Relaxed);
                }
                // By name a version may be pruned between being listed and being held, but it is never half there.
                for listed in index.store.versions().unwrap() {
                    match index.store.snapshot(Some(&listed.id)) {
                        Ok(snapshot) => assert_eq!(&*snapshot.map("top").unwrap(), listed.id.as_str().as_bytes()),
                        Err(Error::NotFound { .. }) => {}
                        Err(error) => unreachable!("{error}"),
                    }
                }
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let mut round = 0;
        // Until each reader has met ten versions, or failed.
        while satisfied.load(Ordering::Relaxed) < 2 && !readers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
            let staged = complete(
                draft(index.store.write("test", cutover_store::LockWait::Forever, &|| false).unwrap(), None),
                true,
            );
            let (_, mut writer) = staged.publish(None, &|| false).unwrap();
            round += 1;
            if round % 10 == 0 {
                writer.rollback(None, None).unwrap();
            }
            writer.prune(&Keep { versions: 1, days: None, max_bytes: Some(0) }, false).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
