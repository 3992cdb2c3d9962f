//! What no program can promise: a file that somebody truncates while it is mapped. Its pages are gone, and looking at them is a signal.
//! That is why published files are read-only, why nothing of ours truncates one, and why digests are compared by reading.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

use cutover_durable::{Map, digest_file};

const FILE: &str = "CUTOVER_TEST_TRUNCATED";
const SIGBUS: i32 = 7;

fn child(test: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, vec![7; 64 * 1024]).unwrap();
    Command::new(env::current_exe().unwrap()).args(["--exact", test, "--ignored"]).env(FILE, file).output().unwrap()
}

#[test]
#[ignore = "a part of another test"]
fn child_that_looks_at_a_map() {
    let path = env::var(FILE).unwrap();
    let map = Map::open(path.as_ref()).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert_ne!(map.iter().fold(0_u64, |sum, byte| sum + u64::from(*byte)), 1);
}

#[test]
#[ignore = "a part of another test"]
fn child_that_reads() {
    let path = env::var(FILE).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    digest_file(path.as_ref()).unwrap();
}

#[test]
fn a_mapped_file_that_is_truncated_ends_the_process_that_looks_at_it() {
    assert_eq!(child("child_that_looks_at_a_map").status.signal(), Some(SIGBUS));
}

#[test]
fn a_file_that_is_truncated_can_be_read() {
    let output = child("child_that_reads");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
