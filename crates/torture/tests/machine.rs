//! The part of the campaigns with mounts, crowds and hostile directories that runs with all tests. Each prints its seed and what it
//! could not run here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

fn campaign(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cutover-torture")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_power_cut_at_any_moment_leaves_what_had_resolved() {
    campaign(&["power", "--fs", "ext4", "--images", "36"]);
}

#[test]
fn a_disk_that_ignores_flushes_is_caught() {
    campaign(&["power", "--fs", "ext4", "--images", "24", "--lying"]);
}

#[test]
fn a_disk_too_small_by_any_amount_is_a_typed_error_and_changes_nothing() {
    campaign(&["full-disk", "--step", "12", "--publishes", "2"]);
}

#[test]
fn every_answer_is_the_named_versions_while_processes_are_killed() {
    campaign(&["processes", "--seconds", "10"]);
}

#[test]
fn a_hostile_directory_is_an_error_and_nothing_else() {
    campaign(&["hostile", "--cases", "200"]);
}

#[test]
fn a_hostile_vector_file_is_an_error_or_an_answer_and_nothing_else() {
    campaign(&["vectors", "--cases", "20000"]);
}
