//! Hostile vector files: structured lies in the two files of a field, and in files of hnswlib's that are imported.
//!
//! The lies leave the container sound more often than not, so that what is inside is tried. Nothing panics, hangs, crashes or takes memory
//! without bound; what a damaged field answers may be wrong, and is an answer.

use std::{io::Write as _, path::Path};

use cutover_hostile::{
    choose::Choose as _,
    fields::{Field, attack_import},
    random::Random,
};
use nix::sys::resource::{Resource, setrlimit};

use crate::{
    campaign::{Outcome, number, seed},
    children::supervise,
};

/// Memory that a child may write to; its files take a few hundred kilobytes.
const MEMORY: u64 = 256 << 20;
/// One case in so many is an import.
const IMPORTS: u64 = 4;

/// `vectors [--cases N] [--seed N]`; a single case again with `--seed N --cases 1`.
pub fn run(arguments: &[&str]) -> Outcome<()> {
    let (cases, first) = (number(arguments, "--cases", 1_000_000)?, seed(arguments, "vectors")?);
    // In memory where it can be: a file is written for every case.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let tried = supervise("vectors-child", first..first + cases, &place)?;
    let share = |of: &str| {
        let (open, all) = (tried.sum(&format!("{of} opened")), tried.sum(&format!("{of} tried")));
        (open, all, 100 * open / all.max(1))
    };
    let ((open, all, percent), (taken, imports, import_percent)) = (share("fields"), share("imports"));
    let summary = format!(
        "hostile vector files: seeds {first} to {}, {open} of {all} fields opened ({percent} %), {taken} of {imports} imports taken \
         ({import_percent} %), violations: {}",
        first + cases - 1,
        tried.violations
    );
    // With a few cases chance decides, and children that died counted nothing.
    let opened_enough = cases < 1000 || tried.violations > 0 || 2 * open >= all;
    if tried.violations > 0 || !opened_enough {
        return Err(summary.into());
    }
    println!("{summary}");
    Ok(())
}

/// `vectors-child --from SEED --to SEED`.
pub fn child(arguments: &[&str]) -> Outcome<()> {
    setrlimit(Resource::RLIMIT_DATA, MEMORY, MEMORY)?;
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    let fields = Field::all(at)?;
    let (mut tried, mut opened) = ([0_u64; 2], [0_u64; 2]);
    let mut out = std::io::stdout().lock();
    for case in number(arguments, "--from", 0)?..number(arguments, "--to", 0)? {
        writeln!(out, "case {case}")?;
        out.flush()?;
        let mut random = Random(case);
        // The seeds are in a row: without this, one kind of case would have the even ones.
        let is_import = random.number().is_multiple_of(IMPORTS);
        tried[usize::from(is_import)] += 1;
        let is_open = if is_import {
            attack_import(at, &mut random)
        } else {
            let field = random.below(fields.len());
            fields[field].attack(at, &mut random)
        };
        opened[usize::from(is_import)] += u64::from(is_open);
    }
    for (at, of) in ["fields", "imports"].into_iter().enumerate() {
        writeln!(out, "count {of} tried {}\ncount {of} opened {}", tried[at], opened[at])?;
    }
    Ok(())
}
