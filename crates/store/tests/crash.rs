//! What a crash can leave, made by hand: what the next reader reads and the next writer settles and removes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use common::{Index, code, complete, draft, edit, id, overwrite};
use cutover_store::{LockWait, State};

/// Copies a version's directory to make one in another state out of it.
fn imitate(index: &Index, from: &str, to: &str, state: &str) {
    let (source, target) = (index.path("versions").join(from), index.path("versions").join(to));
    assert!(Command::new("cp").arg("-r").arg(&source).arg(&target).status().unwrap().success());
    overwrite(&target.join("state.json"), format!("{{\"state\":\"{state}\"}}"));
}

fn state(index: &Index, version: &str) -> String {
    fs::read_to_string(index.path("versions").join(version).join("state.json")).unwrap()
}

#[test]
fn the_next_writer_removes_what_crashed_writers_left_and_nothing_else() {
    let index = Index::new();
    index.publish("v1");
    let outside = index.directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    let dead = [
        "CURRENT.tmp-abc123",
        "tags.json.tmp-abc123",
        ".index_rebuild.holder.tmp-abc123",
        "versions/v1/state.json.tmp-abc123",
    ];
    for name in dead {
        fs::write(index.path(name), "x").unwrap();
    }
    symlink("versions/v0", index.path("current.tmp-abc123")).unwrap();
    fs::create_dir_all(index.path("versions/v2.staging/segments")).unwrap();
    symlink(&outside, index.path("versions/v2.staging/segments/link")).unwrap();
    fs::create_dir_all(index.path("trash/v0~abc123/segments")).unwrap();
    symlink(&outside, index.path("trash/link")).unwrap();
    imitate(&index, "v1", "v3", "publishing");
    let kept = ["notes.txt", "versions/README", "CURRENTLY", "versions/Not Ours"];
    for name in kept {
        fs::write(index.path(name), "x").unwrap();
    }
    fs::create_dir(index.path("versions/bare")).unwrap();
    assert_eq!(index.states(), ["v1 published"]);
    assert_eq!(index.store.status().unwrap().drafts, 1);

    drop(index.write());
    assert!(dead.into_iter().chain(["current.tmp-abc123"]).all(|name| fs::symlink_metadata(index.path(name)).is_err()));
    assert_eq!(index.names("versions"), ["Not Ours", "README", "bare", "v1"]);
    assert!(index.names("trash").is_empty());
    assert!(kept.into_iter().all(|name| index.path(name).exists()));
    assert!(outside.join("file").exists(), "links are removed, not followed");
    assert_eq!(fs::read_link(index.path("current")).unwrap(), Path::new("versions/v1"));
    let limitations = index.store.status().unwrap().limitations;
    assert!(limitations.len() == 1 && limitations[0].contains("bare"), "{limitations:?}");
    // The id of a draft that never became visible was not used.
    index.publish("v2");
}

#[test]
fn a_writer_that_died_after_the_rename_of_current_has_published() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    edit(&index.path("versions/v2/state.json"), "published", "publishing");
    assert_eq!(index.store.snapshot(None).unwrap().info().state, State::Published);
    assert_eq!(index.states(), ["v1 published", "v2 published"]);
    drop(index.write());
    assert!(state(&index, "v2").contains("\"published\"") && state(&index, "v2").contains("\"v1\""));
    // It counts as published for ever: another current version does not take that away.
    index.publish("v3");
    assert_eq!(index.states(), ["v1 published", "v2 published", "v3 published"]);
}

#[test]
fn a_writer_that_died_before_the_rename_of_current_has_published_nothing() {
    let index = Index::new();
    index.publish("v1");
    imitate(&index, "v1", "v2", "publishing");
    edit(&index.path("versions/v2/manifest.json"), "\"v1\"", "\"v2\"");
    fs::write(index.path("CURRENT.tmp-abc123"), "v2\n").unwrap();
    assert_eq!((index.current().as_str(), index.states()), ("v1", vec!["v1 published".to_owned()]));
    assert_eq!(code(index.store.snapshot(Some(&id("v2")))), "CUTOVER_CORRUPT");
    drop(index.write());
    assert_eq!(index.names("versions"), ["v1"]);
}

#[test]
fn a_publisher_that_could_not_write_its_state_does_not_lose_its_version_to_the_next() {
    let index = Index::new();
    index.publish("v1");
    let (_, writer) = complete(draft(index.write(), Some("v2")), true).publish(None, &|| false).unwrap();
    // As if the write after the last sync had failed.
    edit(&index.path("versions/v2/state.json"), "published", "publishing");
    complete(draft(writer, Some("v3")), true).publish(None, &|| false).unwrap();
    drop(index.write());
    assert_eq!(index.states(), ["v1 published", "v2 published", "v3 published"]);
    let (_, mut writer) = complete(draft(index.write(), Some("v4")), true).publish(None, &|| false).unwrap();
    edit(&index.path("versions/v4/state.json"), "published", "publishing");
    writer.rollback(None, None).unwrap();
    drop(writer);
    drop(index.write());
    assert_eq!(index.states(), ["v1 published", "v2 published", "v3 published", "v4 withdrawn"]);
}

#[test]
fn a_rollback_that_died_after_the_rename_of_current_is_completed_by_the_next_writer() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    overwrite(
        &index.path("versions/v1/state.json"),
        r#"{"state":"published","previous":"v2","withdraws":"v2","attributes":{"a":1}}"#,
    );
    fs::write(index.path("CURRENT"), "v1\n").unwrap();
    assert_eq!(index.states(), ["v1 published", "v2 published"]);
    drop(index.write());
    assert_eq!(index.states(), ["v1 published", "v2 withdrawn"]);
    assert!(!state(&index, "v1").contains("withdraws"));
    assert_eq!(index.store.info(&id("v1")).unwrap().attributes["a"], 1);
    assert_eq!(fs::read_link(index.path("current")).unwrap(), Path::new("versions/v1"));
}

#[test]
fn a_rollback_that_died_before_the_rename_of_current_withdraws_nothing() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    overwrite(&index.path("versions/v1/state.json"), r#"{"state":"published","previous":"v2","withdraws":"v2"}"#);
    drop(index.write());
    assert_eq!((index.current().as_str(), index.states()), ("v2", vec!["v1 published".into(), "v2 published".into()]));
    // Nor does it when the version becomes current in another way.
    index.write().activate(&id("v1"), None).unwrap();
    drop(index.write());
    assert_eq!(index.states(), ["v1 published", "v2 published"]);
}

#[test]
fn a_lost_current_is_damage_only_if_something_was_published() {
    let index = Index::new();
    index.prepare("v1");
    imitate(&index, "v1", "v0", "publishing");
    assert_eq!(index.store.current().unwrap(), None);
    index.publish("v2");
    fs::remove_file(index.path("CURRENT")).unwrap();
    assert_eq!(code(index.store.current()), "CUTOVER_CORRUPT");
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT");
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_CORRUPT");
    // What is left can still be listed, and nothing was removed.
    assert_eq!(index.states(), ["v1 prepared", "v2 published"]);
    assert!(index.store.status().unwrap().limitations[0].contains("CURRENT"));
    drop(index.store.snapshot(Some(&id("v2"))).unwrap());
}

#[test]
fn a_current_that_names_nothing_stops_writers_and_prune() {
    let index = Index::new();
    index.publish("v1");
    for wrong in ["", "\n", "v1\nv1\n", " v1\n", "../v1\n", "v1.staging\n", "V1\n", "\0\0", &"v".repeat(500)] {
        fs::write(index.path("CURRENT"), wrong).unwrap();
        assert_eq!(code(index.store.current()), "CUTOVER_CORRUPT", "{wrong:?}");
        assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_CORRUPT", "{wrong:?}");
    }
    fs::write(index.path("CURRENT"), "v9\n").unwrap();
    assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT");
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_CORRUPT");
    fs::remove_file(index.path("CURRENT")).unwrap();
    symlink("versions/v1/top", index.path("CURRENT")).unwrap();
    assert_eq!(code(index.store.current()), "CUTOVER_CORRUPT");
    fs::remove_file(index.path("CURRENT")).unwrap();
    fs::write(index.path("CURRENT"), "v1").unwrap();
    assert_eq!(index.current(), "v1", "a hand-written file may lack the newline");
    assert_eq!(index.names("versions"), ["v1"]);
}

#[test]
fn damage_of_the_current_version_does_not_keep_a_new_one_from_being_published() {
    for file in ["state.json", "manifest.json", "SHA256SUMS", ".lease"] {
        let index = Index::new();
        index.publish("v1");
        index.publish("v2");
        fs::remove_file(index.path("versions/v2").join(file)).unwrap();
        assert_eq!(code(index.store.snapshot(None)), "CUTOVER_CORRUPT", "{file}");
        index.publish("v3");
        assert_eq!(*index.store.snapshot(None).unwrap().id(), id("v3"), "{file}");
        assert!(index.path("versions/v2").exists());
    }
}

#[test]
fn an_index_whose_making_was_cut_short_is_made_again() {
    let names = [".index_rebuild.lock", ".index_rebuild.holder", "used-ids", "trash"];
    for cut in 0..=names.len() {
        let index = Index::new();
        fs::create_dir(index.store.root()).unwrap();
        for name in &names[..cut] {
            if *name == "trash" {
                fs::create_dir(index.path(name)).unwrap();
            } else {
                fs::write(index.path(name), "").unwrap();
            }
        }
        assert_eq!(index.store.current().unwrap(), None);
        common::open(index.store.root()).unwrap();
        index.publish("v1");
        assert_eq!(index.current(), "v1");
    }
}

#[test]
fn trash_that_leads_elsewhere_is_refused() {
    let index = Index::new();
    index.publish("v1");
    let outside = index.directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    fs::remove_dir(index.path("trash")).unwrap();
    symlink(&outside, index.path("trash")).unwrap();
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_CORRUPT");
    assert_eq!(code(common::open(index.store.root())), "CUTOVER_CORRUPT");
    assert!(outside.join("file").exists());
}

const CHILD: &str = "CUTOVER_TEST_INDEX";

/// Run in a process of its own by the next test: holds the lock and a draft until it is killed.
#[test]
#[ignore = "a part of another test"]
fn child_that_holds_a_draft() {
    let store = common::open(Path::new(&std::env::var_os(CHILD).unwrap())).unwrap();
    let staged = complete(draft(store.write("child", LockWait::Now, &|| false).unwrap(), Some("v2")), true);
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(staged);
}

#[test]
fn a_killed_writer_frees_the_lock_and_its_draft_goes_with_the_next() {
    let index = Index::new();
    index.publish("v1");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_holds_a_draft", "--ignored", "--nocapture"])
        .env(CHILD, index.store.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ready"));
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_LOCKED");
    assert_eq!(index.store.status().unwrap().lock.unwrap().operation, "child");
    assert_eq!(index.names("versions"), ["v1", "v2.staging"]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!index.store.status().unwrap().locked);
    assert_eq!(index.current(), "v1");
    drop(index.write());
    assert_eq!(index.names("versions"), ["v1"]);
    index.publish("v2");
}
