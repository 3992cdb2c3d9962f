//! Which versions a prune removes, and which it never does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use common::{Index, code, draft, id};
use cutover_store::{Contents, Error, Keep, LockWait, Pruned};

fn keep(versions: u32) -> Keep {
    Keep { versions, ..Keep::default() }
}

fn published(count: usize) -> Index {
    let index = Index::new();
    for number in 1..=count {
        index.publish(&format!("v{number}"));
    }
    index
}

fn removed(pruned: &Pruned) -> Vec<&str> {
    pruned.removed.iter().map(cutover_store::VersionId::as_str).collect()
}

#[test]
fn the_newest_published_versions_stay() {
    let index = published(6);
    let dry = index.write().prune(&keep(3), true).unwrap();
    assert_eq!((removed(&dry), index.names("versions").len()), (vec!["v1", "v2", "v3"], 6));
    let pruned = index.write().prune(&keep(3), false).unwrap();
    assert_eq!(pruned, dry);
    assert_eq!(pruned.kept, [id("v4"), id("v5"), id("v6")]);
    assert_eq!(index.names("versions"), ["v4", "v5", "v6"]);
    assert!(index.names("trash").is_empty() && pruned.bytes_freed > 0);
    assert_eq!(index.write().prune(&Keep::default(), false).unwrap().removed, []);
}

#[test]
fn the_current_version_its_rollback_target_and_tagged_ones_stay() {
    let index = published(5);
    let mut writer = index.write();
    writer.tag("golden", Some(&id("v2"))).unwrap();
    writer.activate(&id("v1"), None).unwrap();
    let everything = Keep { versions: 1, days: None, max_bytes: Some(0) };
    assert_eq!(removed(&writer.prune(&everything, false).unwrap()), ["v3", "v4"]);
    drop(writer);
    assert_eq!(
        (index.names("versions"), index.current().as_str()),
        (vec!["v1".into(), "v2".into(), "v5".into()], "v1")
    );
    // What is kept works: rolling back leads to v5.
    assert_eq!(index.write().rollback(None, None).unwrap().info.id, id("v5"));
}

#[test]
fn prepared_and_withdrawn_versions_go_once_they_are_older_than_all_that_count() {
    let index = published(2);
    index.prepare("p");
    index.write().rollback(None, None).unwrap();
    assert_eq!(index.states(), ["v1 published", "v2 withdrawn", "p prepared"]);
    assert_eq!(
        removed(&index.write().prune(&keep(1), false).unwrap()),
        [""; 0],
        "they are newer than the current version"
    );
    index.publish("v3");
    assert_eq!(removed(&index.write().prune(&keep(2), false).unwrap()), [""; 0], "v1 counts, and they are newer");
    index.publish("v4");
    assert_eq!(removed(&index.write().prune(&keep(2), false).unwrap()), ["v1", "v2", "p"]);
}

#[test]
fn published_versions_that_are_not_counted_go_though_the_current_one_is_older() {
    let index = published(9);
    index.prepare("p");
    index.write().activate(&id("v1"), None).unwrap();
    // v1, v9 and v8 count; v9 is also where rollback leads. Nothing is older than v1, so what was never counted stays.
    assert_eq!(removed(&index.write().prune(&keep(3), false).unwrap()), ["v2", "v3", "v4", "v5", "v6", "v7"]);
    assert_eq!(index.names("versions"), ["p", "v1", "v8", "v9"]);
}

#[test]
fn a_prepared_version_can_be_discarded_and_only_such_a_one() {
    let index = published(2);
    let prepare = || {
        let staged = common::complete(draft(index.write(), None), false);
        staged.publish(None, &|| false).unwrap().0.info
    };
    let prepared = prepare();
    let mut writer = index.write();
    writer.tag("golden", Some(&prepared.id)).unwrap();
    for version in [&prepared.id, &id("v1"), &id("v2")] {
        let error = writer.discard_prepared(version).unwrap_err();
        assert!(matches!(&error, Error::Kept { version: kept, .. } if kept == version), "{error}");
    }
    writer.tag("golden", None).unwrap();
    let reader = index.store.snapshot(Some(&prepared.id)).unwrap();
    assert_eq!(code(writer.discard_prepared(&prepared.id)), "CUTOVER_BUSY");
    drop(reader);
    writer.discard_prepared(&prepared.id).unwrap();
    assert_eq!(code(writer.discard_prepared(&prepared.id)), "CUTOVER_NOT_FOUND");
    drop(writer);
    assert_eq!((index.names("versions"), index.names("trash")), (vec!["v1".into(), "v2".into()], vec![]));
    assert_eq!(prepare().sequence, prepared.sequence + 1, "neither its id nor its sequence comes again");
    assert!(fs::read_to_string(index.path("history.jsonl")).unwrap().contains("\"discarded\""));
}

#[test]
fn young_versions_stay_and_the_size_limit_overrules_that() {
    let index = published(4);
    let young = Keep { versions: 1, days: Some(1.0), max_bytes: None };
    assert_eq!(removed(&index.write().prune(&young, false).unwrap()), [""; 0]);
    assert_eq!(removed(&index.write().prune(&Keep { days: Some(0.0), ..young }, true).unwrap()), ["v1", "v2"]);
    let bytes = index.store.status().unwrap().bytes;
    let limit = |max_bytes| Keep { versions: 9, days: Some(1.0), max_bytes: Some(max_bytes) };
    assert_eq!(removed(&index.write().prune(&limit(bytes), true).unwrap()), [""; 0]);
    assert_eq!(removed(&index.write().prune(&limit(bytes - 1), true).unwrap()), ["v1"]);
    assert_eq!(removed(&index.write().prune(&limit(0), false).unwrap()), ["v1", "v2"]);
}

#[test]
fn a_version_in_use_stays_until_its_last_reader_lets_go() {
    let index = published(4);
    let (one, two) = (index.store.snapshot(Some(&id("v1"))).unwrap(), index.store.snapshot(Some(&id("v1"))).unwrap());
    assert_eq!(index.store.status().unwrap().in_use, [id("v1")]);
    drop(one);
    let pruned = index.write().prune(&keep(1), false).unwrap();
    assert_eq!((removed(&pruned), &pruned.in_use[..]), (vec!["v2"], &[id("v1")][..]));
    assert_eq!(&*two.map("top").unwrap(), b"v1");
    let map = two.map("top").unwrap();
    drop(two);
    assert_eq!(removed(&index.write().prune(&keep(1), false).unwrap()), ["v1"]);
    assert_eq!(&*map, b"v1", "a map outlives its version");
    assert_eq!(code(index.store.snapshot(Some(&id("v1")))), "CUTOVER_NOT_FOUND");
}

#[test]
fn a_reader_in_another_language_holds_a_version_by_its_lease_file() {
    let index = published(3);
    let lease = index.path("versions/v1/.lease");
    let program = "import fcntl,sys\nf=open(sys.argv[1])\nfcntl.flock(f,fcntl.LOCK_SH)\nprint('held',flush=True)\nsys.stdin.read()";
    let mut flock = Command::new("flock");
    flock.args(["-F", "-s"]).arg(&lease).args(["sh", "-c", "echo held; read _"]);
    let mut python = Command::new("python3");
    python.args(["-c", program]).arg(&lease);
    let mut holders = 0;
    for command in [&mut flock, &mut python] {
        let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else { continue };
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let pruned = index.write().prune(&keep(1), true).unwrap();
        assert_eq!((pruned.removed, pruned.in_use), (vec![], vec![id("v1")]));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(removed(&index.write().prune(&keep(1), true).unwrap()), ["v1"]);
        holders += 1;
    }
    assert!(holders > 0, "neither flock(1) nor python3 is here to test with");
}

#[test]
fn only_bytes_that_no_version_links_any_more_are_freed() {
    let index = Index::new();
    let mut writer = index.write();
    for version in ["v1", "v2", "v3"] {
        let mut staged = draft(writer, Some(version));
        match index.store.snapshot(None) {
            Ok(before) => staged.link(&before, "large").unwrap(),
            Err(_) => common::put(&staged, "large", &vec![7; 1_000_000]),
        }
        staged.complete(Contents::default(), true).unwrap();
        writer = staged.publish(None, &|| false).unwrap().1;
    }
    let bytes = index.store.status().unwrap().bytes;
    assert!((1_000_000..1_020_000).contains(&bytes), "{bytes}");
    let pruned = writer.prune(&keep(1), false).unwrap();
    assert_eq!(removed(&pruned), ["v1"]);
    assert!(pruned.bytes_freed < 10_000, "{}", pruned.bytes_freed);
    assert_eq!(index.store.snapshot(None).unwrap().map("large").unwrap().len(), 1_000_000);
}

/// Where a version cannot be renamed into the trash it is deleted where it is. Where nothing can be mounted this is not tested.
#[test]
fn a_version_that_cannot_be_moved_is_deleted_in_place() {
    let index = published(3);
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "cutover-test"]).arg(index.path("trash")).output();
    if !mounted.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: no file system can be mounted here ({mounted:?})");
        return;
    }
    let pruned =
        index.store.write("test", LockWait::Now, &|| false).and_then(|mut writer| writer.prune(&keep(1), false));
    assert!(Command::new("umount").arg(index.path("trash")).status().unwrap().success());
    assert_eq!(removed(&pruned.unwrap()), ["v1"]);
    assert_eq!(index.names("versions"), ["v2", "v3"]);
}

/// As the deletion in place leaves it when it is cut short.
#[test]
fn a_half_deleted_version_is_removed_by_the_next_writer() {
    let index = published(3);
    common::edit(&index.path("versions/v1/state.json"), "published", "publishing");
    fs::remove_file(index.path("versions/v1/manifest.json")).unwrap();
    assert_eq!(index.states(), ["v2 published", "v3 published"]);
    drop(index.write());
    assert_eq!(index.names("versions"), ["v2", "v3"]);
}

#[test]
fn a_version_of_an_unknown_format_is_left_alone() {
    let index = published(4);
    common::edit(&index.path("versions/v1/manifest.json"), "\"format\": 1", "\"format\": 2");
    assert_eq!(removed(&index.write().prune(&keep(1), false).unwrap()), ["v2"]);
    assert!(index.path("versions/v1").exists());
}

#[test]
fn prune_refuses_when_the_rollback_target_cannot_be_known() {
    let index = published(4);
    fs::write(index.path("versions/v4/broken"), "").unwrap();
    common::overwrite(&index.path("versions/v4/state.json"), "{");
    assert_eq!(code(index.write().prune(&keep(1), false)), "CUTOVER_CORRUPT");
    assert_eq!(index.names("versions").len(), 4);
}
