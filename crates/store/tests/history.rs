//! `history.jsonl` is advice: it is rotated, may be lost, and nothing depends on it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Index, id};
use cutover_store::Keep;
use serde_json::Value;

fn events(index: &Index, name: &str) -> Vec<String> {
    let text = fs::read_to_string(index.path(name)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| format!("{} {}", line["event"].as_str().unwrap(), line["version"].as_str().unwrap())).collect()
}

#[test]
fn what_happened_to_versions_is_written_down_in_order() {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    index.prepare("v4");
    let mut writer = index.write();
    writer.rollback(None, None).unwrap();
    writer.discard_prepared(&id("v4")).unwrap();
    writer.activate(&id("v3"), None).unwrap();
    writer.prune(&Keep { versions: 1, ..Keep::default() }, true).unwrap();
    writer.prune(&Keep { versions: 1, ..Keep::default() }, false).unwrap();
    let expected = ["published v1", "published v2", "published v3", "prepared v4", "rolled-back v2", "discarded v4"];
    let after = ["activated v3", "pruned v1"];
    assert_eq!(events(&index, "history.jsonl"), expected.into_iter().chain(after).collect::<Vec<_>>());
}

#[test]
fn a_long_history_is_set_aside_once_and_the_one_before_it_goes() {
    let index = Index::new();
    index.publish("v1");
    let line = "{\"event\":\"published\",\"version\":\"old\"}\n";
    fs::write(index.path("history.1.jsonl"), "older\n").unwrap();
    fs::write(index.path("history.jsonl"), line.repeat(1024 * 1024 / line.len() + 1)).unwrap();
    index.publish("v2");
    index.publish("v3");
    assert_eq!(events(&index, "history.jsonl"), ["published v2", "published v3"]);
    assert!(events(&index, "history.1.jsonl").iter().all(|event| event == "published old"));
}

#[test]
fn a_history_that_cannot_be_written_keeps_nothing_from_being_published_and_is_not_followed_elsewhere() {
    let index = Index::new();
    index.publish("v1");
    let outside = index.directory.path().join("outside");
    fs::write(&outside, "mine").unwrap();
    fs::remove_file(index.path("history.jsonl")).unwrap();
    std::os::unix::fs::symlink(&outside, index.path("history.jsonl")).unwrap();
    index.publish("v2");
    fs::remove_file(index.path("history.jsonl")).unwrap();
    fs::create_dir(index.path("history.jsonl")).unwrap();
    index.publish("v3");
    assert_eq!((index.current().as_str(), fs::read_to_string(outside).unwrap().as_str()), ("v3", "mine"));
}
