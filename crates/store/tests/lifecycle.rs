//! Publishing, activating, rolling back: what is current, what states versions have.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::Command,
};

use common::{FILES, Index, code, complete, draft, id, put};
use cutover_store::{Contents, DraftOptions, Error, LockWait, State, Writer};
use serde_json::{Map, json};

fn umask() -> u32 {
    let output = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    u32::from_str_radix(String::from_utf8(output.stdout).unwrap().trim(), 8).unwrap()
}

#[test]
fn an_index_is_empty_until_the_first_publish_which_then_is_current() {
    let index = Index::new();
    assert_eq!(index.store.current().unwrap(), None);
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_EMPTY");
    assert!(index.store.versions().unwrap().is_empty());
    assert!(!index.store.root().exists(), "opening writes nothing");

    let published = index.publish("v1");
    assert!(published.visible <= published.durable && published.flushing <= published.durable);
    let snapshot = index.store.snapshot(None).unwrap();
    assert_eq!(*snapshot.info(), published.info);
    assert_eq!((snapshot.info().state, snapshot.info().documents, snapshot.info().bytes), (State::Published, 1, 6));
    assert_eq!(snapshot.manifest().content, json!({ "text": "v1" }));
    for file in FILES {
        assert_eq!(&*snapshot.map(file).unwrap(), b"v1");
    }
    assert_eq!(fs::read_to_string(index.path("CURRENT")).unwrap(), "v1\n");
    assert_eq!(index.names("versions"), ["v1"]);
    assert!(index.names("trash").is_empty());
}

#[test]
fn a_shell_can_follow_the_link_check_the_digests_and_find_read_only_files() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    assert_eq!(fs::read_link(index.path("current")).unwrap().to_str(), Some("versions/v2"));
    let checked = Command::new("sha256sum")
        .args(["--strict", "-c", "SHA256SUMS"])
        .current_dir(index.path("current"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(String::from_utf8(checked.stdout).unwrap().lines().count(), FILES.len() + 1);
    let mode = |name: &str| fs::metadata(index.path(name)).unwrap().mode() & 0o777;
    for file in FILES.into_iter().chain(["manifest.json", "SHA256SUMS", ".lease"]) {
        assert_eq!(mode(&format!("versions/v2/{file}")), 0o444 & !umask(), "{file}");
    }
    for directory in ["", "versions", "trash", "versions/v2", "versions/v2/segments", "versions/v2/segments/0"] {
        assert_eq!(mode(directory), 0o755 & !umask(), "{directory}");
    }
}

#[test]
fn a_draft_is_private_invisible_and_gone_when_dropped() {
    let index = Index::new();
    index.publish("v1");
    let staged = complete(draft(index.write(), Some("v2")), true);
    assert_eq!(index.names("versions"), ["v1", "v2.staging"]);
    assert_eq!(index.states(), ["v1 published"]);
    assert_eq!(index.store.status().unwrap().drafts, 1);
    assert_eq!(code(index.store.snapshot(Some(&id("v2")))), "CUTOVER_NOT_FOUND");
    assert_eq!(code(index.store.info(&id("v2"))), "CUTOVER_NOT_FOUND");
    drop(staged);
    assert_eq!(index.names("versions"), ["v1"]);

    let begun = draft(index.write(), Some("v2"));
    assert_eq!(fs::metadata(begun.directory()).unwrap().permissions().mode() & 0o777, 0o700);
    let writer = begun.discard().unwrap();
    assert_eq!(index.names("versions"), ["v1"]);
    // A discarded id was never used.
    complete(draft(writer, Some("v2")), true).publish(None, &|| false).unwrap();
    assert_eq!(index.current(), "v2");
}

#[test]
fn the_draft_is_checked_with_the_production_reader_and_its_snapshot_follows_it() {
    let index = Index::new();
    let staged = complete(draft(index.write(), Some("v1")), true);
    let snapshot = staged.snapshot().unwrap();
    assert_eq!(snapshot.directory(), index.path("versions/v1.staging"));
    assert_eq!(snapshot.info().state, State::Published);
    let map = snapshot.map("top").unwrap();
    let (published, mut writer) = staged.publish(None, &|| false).unwrap();
    assert_eq!(snapshot.directory(), index.path("versions/v1"));
    assert_eq!(*snapshot.info(), published.info);
    assert_eq!((&*map, &*snapshot.map("top").unwrap()), (&b"v1"[..], &b"v1"[..]));
    // The lease taken on the draft holds the version.
    complete(draft(writer, Some("v2")), true).publish(None, &|| false).unwrap();
    index.publish("v3");
    writer = index.write();
    let pruned = writer.prune(&cutover_store::Keep { versions: 1, ..Default::default() }, false).unwrap();
    assert_eq!(pruned.in_use, [id("v1")]);
}

#[test]
fn a_prepared_version_becomes_current_only_by_activate() {
    let index = Index::new();
    index.publish("v1");
    let prepared = index.prepare("v2");
    assert_eq!(prepared.info.state, State::Prepared);
    assert_eq!((index.current().as_str(), index.states()), ("v1", vec!["v1 published".into(), "v2 prepared".into()]));
    drop(index.store.snapshot(Some(&id("v2"))).unwrap());
    let activated = index.write().activate(&id("v2"), None).unwrap();
    assert_eq!((activated.changed, activated.info.state), (true, State::Published));
    assert_eq!(index.states(), ["v1 published", "v2 published"]);
    assert_eq!(fs::read_link(index.path("current")).unwrap().to_str(), Some("versions/v2"));
    let again = index.write().activate(&id("v2"), None).unwrap();
    assert!(!again.changed);
    // Activating records where rollback leads.
    index.write().rollback(None, None).unwrap();
    assert_eq!(index.current(), "v1");
}

#[test]
fn an_index_with_nothing_but_a_prepared_version_is_empty() {
    let index = Index::new();
    index.prepare("v1");
    assert_eq!(index.store.current().unwrap(), None);
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_EMPTY");
    assert_eq!(code(index.write().rollback(None, None)), "CUTOVER_EMPTY");
    index.write().activate(&id("v1"), None).unwrap();
    assert_eq!(index.current(), "v1");
    assert_eq!(code(index.write().rollback(None, None)), "CUTOVER_NOT_FOUND");
}

#[test]
fn rollback_leads_to_the_version_before_and_withdraws_the_one_left() {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    let rolled = index.write().rollback(None, None).unwrap();
    assert_eq!((rolled.info.id.as_str(), index.current().as_str()), ("v2", "v2"));
    assert_eq!(index.states(), ["v1 published", "v2 published", "v3 withdrawn"]);
    // The version before is v3 now, which comes back by name only.
    let error = index.write().rollback(None, None).unwrap_err();
    assert!(matches!(&error, Error::NoRollbackTarget { detail, .. } if detail.contains("v3")), "{error}");
    assert_eq!(index.current(), "v2");
    index.write().rollback(Some(&id("v1")), None).unwrap();
    assert_eq!(index.states(), ["v1 published", "v2 withdrawn", "v3 withdrawn"]);
    index.write().activate(&id("v3"), None).unwrap();
    assert_eq!(index.states(), ["v1 published", "v2 withdrawn", "v3 published"]);
    index.publish("v4");
    index.write().rollback(None, None).unwrap();
    assert_eq!(index.current(), "v3");
}

#[test]
fn rolling_back_to_the_current_version_changes_nothing() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    assert!(!index.write().rollback(Some(&id("v2")), None).unwrap().changed);
    assert_eq!(index.states(), ["v1 published", "v2 published"]);
}

#[test]
fn hostile_and_unknown_targets_are_refused() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    fs::create_dir(index.path("versions/v3.staging")).unwrap();
    for hostile in ["v3.staging", "../../a", "..", "v1/../v2", ""] {
        assert_eq!(code(cutover_store::VersionId::parse(hostile)), "RangeError");
    }
    fs::create_dir(index.path("versions/bare")).unwrap();
    assert_eq!(code(index.write().rollback(Some(&id("bare")), None)), "CUTOVER_CORRUPT");
    assert_eq!(code(index.write().activate(&id("unknown"), None)), "CUTOVER_NOT_FOUND");
    std::os::unix::fs::symlink("v1", index.path("versions/link")).unwrap();
    assert_eq!(code(index.write().activate(&id("link"), None)), "CUTOVER_NOT_FOUND");
    assert_eq!(index.current(), "v2");
}

#[test]
fn a_write_that_insists_on_a_version_is_refused_once_another_is_current() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    let expected = Some(id("v1"));
    let staged = complete(draft(index.write(), Some("v3")), true);
    let error = staged.publish(expected.as_ref(), &|| false).unwrap_err();
    assert!(matches!(&error, Error::Conflict { actual: Some(actual), .. } if actual.as_str() == "v2"), "{error}");
    assert_eq!(code(index.write().rollback(None, expected.as_ref())), "CUTOVER_CONFLICT");
    assert_eq!(code(index.write().activate(&id("v1"), expected.as_ref())), "CUTOVER_CONFLICT");
    assert_eq!((index.current().as_str(), index.names("versions")), ("v2", vec!["v1".to_owned(), "v2".to_owned()]));
}

#[test]
fn cancelling_is_honoured_before_the_first_rename_and_leaves_nothing() {
    let index = Index::new();
    index.publish("v1");
    let staged = complete(draft(index.write(), Some("v2")), true);
    assert!(matches!(staged.publish(None, &|| true), Err(Error::Cancelled)));
    assert_eq!((index.current().as_str(), index.names("versions")), ("v1", vec!["v1".to_owned()]));
    // The id was not used.
    index.publish("v2");
    assert!(matches!(index.store.write("test", LockWait::Forever, &|| true), Err(Error::Cancelled)));
}

#[test]
fn a_removed_lock_file_stops_the_publish_of_its_holder() {
    let index = Index::new();
    index.publish("v1");
    let staged = complete(draft(index.write(), Some("v2")), true);
    fs::remove_file(index.path(".index_rebuild.lock")).unwrap();
    assert_eq!(code(staged.publish(None, &|| false)), "CUTOVER_CONFLICT");
    assert_eq!(index.current(), "v1");
}

#[test]
fn a_draft_refuses_what_would_make_its_version_incomplete() {
    let index = Index::new();
    let mut staged = draft(index.write(), None);
    for hostile in ["../a", "/a", "a/../../b", "manifest.json", ".lease", ""] {
        assert!(matches!(staged.create(hostile), Err(Error::InvalidName { .. })), "{hostile:?}");
    }
    put(&staged, "a", b"x");
    assert!(matches!(staged.create("a"), Err(Error::Misuse { .. })));
    let unrecorded = staged.create("b").unwrap().finish().unwrap();
    assert!(matches!(staged.complete(Contents::default(), true), Err(Error::Misuse { .. })));
    staged.record("b", unrecorded).unwrap();
    assert!(matches!(staged.record("b", unrecorded), Err(Error::Misuse { .. })));
    std::os::unix::fs::symlink("/etc/passwd", staged.directory().join("link")).unwrap();
    assert!(matches!(staged.complete(Contents::default(), true), Err(Error::Misuse { .. })));
    assert!(matches!(staged.snapshot(), Err(Error::Misuse { .. })));
    fs::remove_file(staged.directory().join("link")).unwrap();
    staged.complete(Contents::default(), true).unwrap();
    assert!(matches!(staged.create("c"), Err(Error::Misuse { .. })));
    staged.publish(None, &|| false).unwrap();
}

#[test]
fn files_are_shared_by_hard_link_with_the_digest_they_had() {
    let index = Index::new();
    index.publish("v1");
    let from = index.store.snapshot(None).unwrap();
    let mut staged = draft(index.write(), Some("v2"));
    staged.link(&from, "segments/0/text").unwrap();
    assert_eq!(code(staged.link(&from, "absent")), "CUTOVER_CORRUPT");
    put(&staged, "new", b"new");
    staged.complete(Contents::default(), true).unwrap();
    staged.publish(None, &|| false).unwrap();
    let to = index.store.snapshot(None).unwrap();
    let inode =
        |snapshot: &cutover_store::Snapshot| fs::metadata(snapshot.path("segments/0/text").unwrap()).unwrap().ino();
    assert_eq!(inode(&from), inode(&to));
    assert_eq!(from.digest("segments/0/text"), to.digest("segments/0/text"));
    assert_eq!(to.info().bytes, 5);
    // Shared bytes count once.
    let status = index.store.status().unwrap();
    let alone = |version: &str| index.names(&format!("versions/{version}")).len();
    assert!(alone("v1") > 0 && status.bytes > 0 && status.limitations.is_empty(), "{status:?}");
}

#[test]
fn attributes_travel_with_the_version_and_merge_and_tags_move() {
    let index = Index::new();
    let attributes = |text: serde_json::Value| text.as_object().unwrap().clone();
    let options = DraftOptions { attributes: attributes(json!({ "model": "a", "old": 1 })), ..Default::default() };
    let staged = complete(index.write().draft(options).unwrap(), true);
    let (published, mut writer) = staged.publish(None, &|| false).unwrap();
    assert_eq!(published.info.attributes["model"], "a");
    let version = published.info.id;
    let info = writer.set_attributes(&version, attributes(json!({ "model": "b", "old": null, "new": [1] }))).unwrap();
    assert_eq!(info.attributes, attributes(json!({ "model": "b", "new": [1] })));
    assert_eq!(info.digest, published.info.digest);
    writer.tag("release", Some(&version)).unwrap();
    assert_eq!(index.store.info(&version).unwrap().tags, ["release"]);
    assert_eq!(code(writer.tag("release", Some(&id("unknown")))), "CUTOVER_NOT_FOUND");
    assert_eq!(code(writer.tag("", Some(&version))), "RangeError");
    assert_eq!(code(writer.set_attributes(&id("unknown"), Map::new())), "CUTOVER_NOT_FOUND");
    writer.tag("release", None).unwrap();
    assert!(index.store.info(&version).unwrap().tags.is_empty());
}

#[test]
fn the_holder_is_named_while_the_lock_is_held_and_only_then() {
    let index = Index::new();
    index.publish("v1");
    let writer = index.store.write("rebuild", LockWait::Now, &|| false).unwrap();
    let Err(Error::Locked { holder: Some(holder), .. }) = index.store.write("other", LockWait::Now, &|| false) else {
        unreachable!("the lock is held, and its holder said so");
    };
    assert_eq!((holder.pid, holder.operation.as_str()), (std::process::id(), "rebuild"));
    let status = index.store.status().unwrap();
    assert_eq!((status.locked, status.lock), (true, Some(holder)));
    drop(writer);
    let status = index.store.status().unwrap();
    assert_eq!((status.locked, status.lock), (false, None));
    let waited = index.store.write("other", LockWait::AtMost(std::time::Duration::ZERO), &|| false);
    assert!(waited.is_ok());
}

#[test]
fn a_writer_waits_for_the_one_before_and_drafts_cross_threads() {
    fn usable_from_threads<T: Send>() {}
    fn shared<T: Send + Sync + Clone>() {}
    usable_from_threads::<Writer>();
    usable_from_threads::<cutover_store::Draft>();
    shared::<cutover_store::Store>();
    let index = Index::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let writer = index.store.write("test", LockWait::Forever, &|| false).unwrap();
                    complete(draft(writer, None), true).publish(None, &|| false).unwrap();
                }
            });
        }
    });
    let sequences: Vec<u64> = index.store.versions().unwrap().iter().map(|info| info.sequence).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
    assert_eq!(index.store.info(&id(&index.current())).unwrap().sequence, 20);
}
