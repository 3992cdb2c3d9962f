//! The command lines of the campaigns that need a machine of their own: mounts, crowds of processes, hostile directories and files.

use std::{error::Error, path::Path, process::ExitCode};

use crate::{full_disk, hostile, observe, power, processes, random::Random, vectors, workload};

/// Whatever ended a campaign; the text says it all.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The value of `--name VALUE`.
#[must_use]
pub fn option<'a>(arguments: &[&'a str], name: &str) -> Option<&'a str> {
    arguments.iter().position(|argument| *argument == name).and_then(|at| arguments.get(at + 1)).copied()
}

/// The value of `--name NUMBER`, or the default.
pub fn number(arguments: &[&str], name: &str, default: u64) -> Outcome<u64> {
    option(arguments, name).map_or(Ok(default), |text| Ok(text.parse()?))
}

/// The value of `--seed NUMBER`, else a seed that is printed.
pub fn seed(arguments: &[&str], what: &str) -> Outcome<u64> {
    match option(arguments, "--seed") {
        Some(text) => Ok(text.parse()?),
        None => Ok(Random::seeded(what).0 % 1_000_000_007),
    }
}

/// Runs a campaign, or one of its processes; `None` when the arguments name neither.
#[must_use]
pub fn run(arguments: &[&str]) -> Option<ExitCode> {
    let outcome = match arguments {
        ["power", ..] => power::run(arguments),
        ["full-disk", ..] => full_disk::run(arguments),
        ["processes", ..] => processes::run(arguments),
        ["hostile", ..] => hostile::run(arguments),
        ["vectors", ..] => vectors::run(arguments),
        ["workload", path, ..] => workload::run(Path::new(path), arguments),
        ["observe", path] => observe::run(Path::new(path)),
        ["publish-once", path] => full_disk::publish_once(Path::new(path)),
        ["reader", path] => processes::read(Path::new(path)),
        ["writer", path, name] => processes::write(Path::new(path), name),
        ["pruner", path] => processes::prune(Path::new(path)),
        ["hostile-child", ..] => hostile::child(arguments),
        ["vectors-child", ..] => vectors::child(arguments),
        _ => return None,
    };
    Some(match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    })
}
