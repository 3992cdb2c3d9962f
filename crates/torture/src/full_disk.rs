//! Full disk: a tmpfs grows in small steps, and at each a fresh process tries to publish, until it can; then once more.
//!
//! What fails says so with a typed error and leaves the old version whole. A process that wrote through a map would die by SIGBUS
//! here: none may die by any signal.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Output},
};

use cutover_store::Depth;

use crate::{
    campaign::{Outcome, number},
    corpus,
    power::{inside, isolated, tool},
    workload,
};

/// Kibibytes at which nothing can be published.
const FIRST: u64 = 16;
/// Where it is clear that space is not what is missing.
const LAST: u64 = 64 * 1024;

/// `full-disk [--step KIB] [--publishes N]`.
pub fn run(arguments: &[&str]) -> Outcome<()> {
    if !nix::unistd::Uid::effective().is_root() {
        println!("full disk: not run: this is not root");
        return Ok(());
    }
    if !inside() {
        return isolated(arguments);
    }
    let (step, publishes) = (number(arguments, "--step", 4)?.max(4), number(arguments, "--publishes", 3)?);
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    tool(Command::new("mount").args(["-t", "tmpfs", "-o", &size(FIRST), "tmpfs"]).arg(at))?;
    let counted = grow(at, step, publishes);
    tool(Command::new("umount").arg(at))?;
    let (sizes, codes) = counted?;
    println!("full disk: {codes:?}");
    println!("full disk: {sizes} sizes, {publishes} publishes, violations: 0");
    Ok(())
}

fn grow(at: &Path, step: u64, publishes: u64) -> Outcome<(usize, BTreeMap<String, usize>)> {
    let index = at.join("index");
    let (mut done, mut sizes, mut codes) = (0, 0, BTreeMap::new());
    for kibibytes in (FIRST..LAST).step_by(step as usize) {
        tool(Command::new("mount").args(["-o", &format!("remount,{}", size(kibibytes))]).arg(at))?;
        let before = current(&index)?;
        let output = Command::new(std::env::current_exe()?).arg("publish-once").arg(&index).output()?;
        let after = current(&index)?;
        sizes += 1;
        if output.status.success() {
            if after == before {
                return Err(format!("{kibibytes} KiB: publish resolved and nothing is current that was not").into());
            }
            done += 1;
            if done == publishes {
                return Ok((sizes, codes));
            }
        } else {
            let code = typed(&output).map_err(|wrong| format!("{kibibytes} KiB: {wrong}"))?;
            // The rename may have come before the last sync failed; that has a code of its own.
            if after != before && code != "CUTOVER_INDETERMINATE" {
                return Err(format!("{kibibytes} KiB: publish failed with {code}, and yet it is {after:?}").into());
            }
            *codes.entry(code).or_insert(0) += 1;
        }
    }
    Err(format!("{done} publishes at {LAST} KiB").into())
}

/// The code that the process failed with.
fn typed(output: &Output) -> Outcome<String> {
    let said = String::from_utf8_lossy(&output.stdout);
    match (output.status.signal(), said.split_whitespace().find(|word| word.starts_with("CUTOVER_"))) {
        (None, Some(code)) => Ok(code.to_owned()),
        _ => Err(format!("{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The current version, all of whose bytes are as they were published.
fn current(index: &Path) -> Outcome<Option<String>> {
    let store = workload::open(index)?;
    let Some(current) = store.current()? else { return Ok(None) };
    let report = store.verify(Some(&current), Depth::Digests, &|_, _| {}, &|| false)?;
    if report.ok { Ok(Some(current.to_string())) } else { Err(format!("{:?}", report.problems).into()) }
}

fn size(kibibytes: u64) -> String {
    format!("size={kibibytes}k")
}

/// Publishes a version of a search index, or prints the code of the error.
pub fn publish_once(path: &Path) -> Outcome<()> {
    let index = corpus::open(path, cutover_store::Integrity::Sizes);
    let published = index.and_then(|index| corpus::publish(&index, None, 200));
    published.map(drop).map_err(|error| format!("{} {error}", error.code()).into())
}
