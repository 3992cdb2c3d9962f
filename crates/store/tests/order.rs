//! The order of the system calls of publishing: what must last does so before a name points at it, and everything is synced once.
//!
//! The calls are those of a process of its own, reported by a library preloaded into it (trace/trace.cc).
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::HashSet, path::Path};

use common::{
    complete, draft, id, open,
    traced::{INDEX, Traced},
};
use cutover_store::{Contents, How, Keep, LockWait};

/// Run traced by the tests below.
#[test]
#[ignore = "a part of other tests"]
fn child_that_publishes_rolls_back_and_prunes() {
    let root = std::env::var_os(INDEX).unwrap();
    let store = open(Path::new(&root)).unwrap();
    for version in ["v1", "v2", "v3"] {
        let staged = complete(draft(store.write("test", LockWait::Now, &|| false).unwrap(), Some(version)), true);
        staged.publish(None, &|| false).unwrap();
    }
    let mut writer = store.write("test", LockWait::Now, &|| false).unwrap();
    writer.rollback(None, None).unwrap();
    assert_eq!(writer.prune(&Keep { versions: 1, ..Keep::default() }, false).unwrap().removed, [id("v1")]);
}

/// Run traced by a test below.
#[test]
#[ignore = "a part of another test"]
fn child_that_publishes_artifacts() {
    let root = std::env::var_os(INDEX).unwrap();
    let store = open(Path::new(&root)).unwrap();
    let from = Path::new(&root).with_file_name("from");
    std::fs::create_dir(&from).unwrap();
    for file in ["one", "two"] {
        std::fs::write(from.join(file), file).unwrap();
    }
    let mut staged = draft(store.write("test", LockWait::Now, &|| false).unwrap(), Some("v1"));
    staged.attach("copied/deep", &from, How::Copy, &|| false).unwrap();
    staged.attach("moved", &from, How::Move, &|| false).unwrap();
    std::fs::write(staged.artifacts().unwrap().join("written"), "x").unwrap();
    staged.collect(&[], &|_, _| {}, &|| false).unwrap();
    staged.complete(Contents::default(), true).unwrap();
    staged.publish(None, &|| false).unwrap();
}

/// The calls of a child.
fn trace_of(child: &str) -> Vec<String> {
    let traced = Traced::new();
    let output = traced.run(child, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    traced.calls()
}

fn trace() -> Vec<String> {
    trace_of("child_that_publishes_rolls_back_and_prunes")
}

#[test]
fn artifacts_last_before_their_directories_and_these_before_the_records() {
    let trace = trace_of("child_that_publishes_artifacts");
    let path = |name: &str| format!("sync versions/v1.staging/artifacts{name}");
    let records = at(&trace, "sync versions/v1.staging/manifest.json", 0);
    for (directory, files) in
        [("/copied/deep", &["/one", "/two"][..]), ("/moved", &["/one", "/two"]), ("", &["/written"])]
    {
        let synced = at(&trace, &path(directory), 0);
        for file in files {
            let file = path(&format!("{directory}{file}"));
            assert!(at(&trace, &file, 0) < synced && synced < records, "{file}");
            assert_eq!(trace.iter().filter(|call| **call == file).count(), 1, "{file}");
        }
    }
    in_order(
        &trace,
        &[&path("/copied/deep"), &path("/copied"), &path(""), "sync versions/v1.staging/manifest.json"],
        0,
    );
}

/// Where `call` is found first at or after `from`.
fn at(trace: &[String], call: &str, from: usize) -> usize {
    let found = trace[from..].iter().position(|line| line == call);
    from + found.unwrap_or_else(|| unreachable!("no {call:?} after {from} in {trace:#?}"))
}

/// Asserts that the calls come in this order, each after the one before; returns where the last is.
fn in_order(trace: &[String], calls: &[&str], mut from: usize) -> usize {
    for call in calls {
        from = at(trace, call, from) + 1;
    }
    from
}

#[test]
fn an_index_lasts_in_its_parent_before_versions_are_made_in_it() {
    let trace = trace();
    in_order(
        &trace,
        &["mkdir .", "sync ..", "create used-ids", "mkdir versions", "sync .", "mkdir versions/v1.staging"],
        0,
    );
}

#[test]
fn everything_lasts_before_the_name_that_makes_it_count() {
    let trace = trace();
    for version in ["v1", "v2", "v3"] {
        let staging = |name: &str| format!("versions/{version}.staging{name}");
        let named = at(&trace, &format!("rename {} versions/{version}", staging("")), 0);
        let begun = at(&trace, &format!("mkdir {}", staging("")), 0);
        let before = &trace[begun..named];

        // Steps 2 and 3: every file is synced, and every directory after all that is in it.
        let inner = at(before, &format!("sync {}", staging("/segments/0")), 0);
        for file in common::FILES.into_iter().chain([".lease"]) {
            let created = at(before, &format!("create {}", staging(&format!("/{file}"))), 0);
            assert!(at(before, &format!("sync {}", staging(&format!("/{file}"))), created) < inner, "{file}");
        }
        // Step 4, and the last of step 3.
        let records = ["/segments", "/manifest.json", "/SHA256SUMS", "/state.json.tmp"]
            .map(|name| format!("sync {}", staging(name)));
        let renamed = format!("rename {} {}", staging("/state.json.tmp"), staging("/state.json"));
        let last = [renamed, format!("sync {}", staging("")), "sync used-ids".to_owned()];
        let calls: Vec<&str> = records.iter().chain(&last).map(String::as_str).collect();
        assert_eq!(in_order(before, &calls, inner), before.len(), "nothing comes after them: {before:#?}");

        // Steps 6 to 8, and then what follows from them.
        let expected = [
            "sync versions",
            "create CURRENT.tmp",
            "sync CURRENT.tmp",
            "rename CURRENT.tmp CURRENT",
            "sync .",
            &format!("create versions/{version}/state.json.tmp"),
        ];
        assert_eq!(trace[named + 1..][..expected.len()], expected);
    }
}

#[test]
fn rollback_records_what_it_will_do_before_current_changes_and_settles_it_after() {
    let trace = trace();
    let begun = at(&trace, "rename versions/v3.staging versions/v3", 0);
    let begun = at(&trace, "rename CURRENT.tmp CURRENT", begun) + 1;
    let state = |version: &str| {
        let path = format!("versions/{version}/state.json");
        [format!("sync {path}.tmp"), format!("rename {path}.tmp {path}"), format!("sync versions/{version}")]
    };
    let (before, withdrawn, after) = (state("v2"), state("v3"), state("v2"));
    let current = ["sync versions", "sync CURRENT.tmp", "rename CURRENT.tmp CURRENT", "sync ."].map(str::to_owned);
    let calls: Vec<&str> = before.iter().chain(&current).chain(&withdrawn).chain(&after).map(String::as_str).collect();
    // From the state of v3 that follows its publish on.
    let begun = in_order(&trace, &["sync versions/v3"], begun);
    in_order(&trace, &calls, begun);
}

#[test]
fn a_pruned_version_has_no_name_on_disk_before_its_files_go() {
    let trace = trace();
    let moved = trace.iter().position(|line| line.starts_with("rename versions/v1 trash/v1~")).unwrap();
    assert_eq!(trace[moved + 1..][..2], ["sync versions", "sync trash"]);
}

#[test]
fn no_file_of_a_version_is_synced_twice_or_created_twice() {
    let trace = trace();
    let mut seen = HashSet::new();
    for line in trace.iter().filter(|line| line.contains(".staging/") && !line.starts_with("mkdir")) {
        assert!(seen.insert(line), "{line} again");
    }
    assert!(seen.len() > 3 * 2 * (common::FILES.len() + 3), "{}", seen.len());
}
