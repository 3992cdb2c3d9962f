//! What readers hold, in this process and in others, and that they leave nothing behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use common::{Index, id, open};
use cutover_store::{Keep, VersionId};

const INDEX: &str = "CUTOVER_TEST_INDEX";

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Run alone by the next test, since descriptors are counted.
#[test]
#[ignore = "a part of another test"]
fn child_that_opens_and_closes() {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    let cycle = |count: usize| {
        for number in 0..count {
            let version = (number % 2 == 0).then(|| id("v2"));
            let snapshot = index.store.snapshot(version.as_ref()).unwrap();
            assert_eq!(snapshot.map("top").unwrap().len(), 2);
        }
    };
    cycle(100);
    let (open, before, maps) = (descriptors(), resident(), maps());
    cycle(10_000);
    assert_eq!((descriptors(), self::maps()), (open, maps));
    assert!(resident() < before + 4096, "{} kB before, {} after", before, resident());
    assert!(index.store.status().unwrap().in_use.is_empty());
    let pruned = index.write().prune(&Keep { versions: 1, ..Keep::default() }, false).unwrap();
    assert_eq!((pruned.removed, pruned.in_use), (vec![id("v1")], vec![]));
    println!("\nnothing leaked");
}

/// Files of the index that are mapped.
fn maps() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().lines().filter(|line| line.contains("/versions/")).count()
}

#[test]
fn ten_thousand_snapshots_opened_and_closed_leak_neither_descriptors_nor_maps_nor_memory_nor_leases() {
    if !Path::new("/proc/self/fd").exists() {
        return eprintln!("not run: there is no /proc to count descriptors in");
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_that_opens_and_closes", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("nothing leaked"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Run by the next test, and killed.
#[test]
#[ignore = "a part of another test"]
fn child_that_reads() {
    let store = open(Path::new(&std::env::var_os(INDEX).unwrap())).unwrap();
    let held = store.snapshot(Some(&id("v1"))).unwrap();
    println!("\nheld {}", held.id());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_version_that_another_process_reads_is_never_pruned_and_a_killed_reader_blocks_nothing() {
    let index = Index::new();
    for version in ["v1", "v2", "v3", "v4"] {
        index.publish(version);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_that_reads", "--ignored", "--nocapture", "--test-threads=1"]);
    let mut child = child.env(INDEX, index.store.root()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().any(|line| line.unwrap() == "held v1");
    assert!(said);

    // Neither by number, nor by size; and asking first does not change that.
    let everything = Keep { versions: 1, days: Some(0.0), max_bytes: Some(0) };
    for dry_run in [true, false] {
        let pruned = index.write().prune(&everything, dry_run).unwrap();
        let names = |ids: &[VersionId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((names(&pruned.removed), names(&pruned.in_use)), (vec!["v2".to_owned()], vec!["v1".to_owned()]));
    }
    assert_eq!(index.store.status().unwrap().in_use, [id("v1")]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(index.store.status().unwrap().in_use.is_empty());
    assert_eq!(index.write().prune(&everything, false).unwrap().removed, [id("v1")]);
    index.publish("v5");
    assert_eq!(index.current(), "v5");
}
