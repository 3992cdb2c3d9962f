//! A part of the lies that `npm run torture -- vectors` tells, in this process: a panic fails the test, and its seed is printed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, time::SystemTime};

use cutover_hostile::{
    choose::{Choose as _, Script},
    fields::{Field, attack_import},
    random::Random,
};

const CASES: u64 = 4000;

fn seed() -> u64 {
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64);
    let seed = env::var("CUTOVER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(clock);
    println!("CUTOVER_SEED={seed}");
    seed
}

#[test]
fn a_field_that_lies_is_refused_or_survived_and_more_than_half_get_past_the_open() {
    let directory = tempfile::tempdir().unwrap();
    let fields = Field::all(directory.path()).unwrap();
    let mut opened = 0;
    let first = seed();
    for case in first..first + CASES {
        println!("case {case}");
        let mut random = Random(case);
        let field = random.below(fields.len());
        opened += u64::from(fields[field].attack(directory.path(), &mut random));
    }
    assert!(2 * opened > CASES, "{opened} of {CASES} were opened");
}

#[test]
fn what_is_taken_of_a_file_of_hnswlibs_that_lies_is_a_field_that_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let mut taken = 0;
    let first = seed();
    for case in first..first + CASES {
        println!("case {case}");
        taken += u64::from(attack_import(directory.path(), &mut Random(case)));
    }
    assert!(taken > CASES / 4, "{taken} of {CASES} were taken");
}

#[test]
fn a_fuzzers_bytes_choose_as_a_seed_does() {
    let directory = tempfile::tempdir().unwrap();
    let fields = Field::all(directory.path()).unwrap();
    let mut opened = 0;
    for byte in 0..=255 {
        let mut script = Script(&[byte, byte, 9, 200, 3, byte, 77, 1, 5, byte, 8, 8, 130, 4, 4, 90]);
        let field = script.below(fields.len());
        opened += u64::from(fields[field].attack(directory.path(), &mut script));
    }
    assert!(opened > 64, "{opened} of 256 were opened");
}
