//! Hostile directories: an index is damaged at random or by malice, and everything that reads is tried on it.
//!
//! Cases run in a child whose memory is limited and whose silence is measured. Errors are typed, nothing panics or hangs, nothing
//! outside the index changes, and where digests are compared no answer is wrong.

mod damage;

use std::{fs, io::Write, path::Path, process::Command};

use cutover_durable::Digest;
use cutover_index::{Cancel, Depth as IndexDepth, Index};
use cutover_store::{Depth, Integrity, LockWait};
use nix::{
    sys::resource::{Resource, setrlimit},
    unistd::Uid,
};

use crate::{
    campaign::{Outcome, number, seed},
    children::supervise,
    corpus::{self, DOCUMENTS},
    power::{inside, isolated, tool},
    random::Random,
    workload,
};
use damage::Damage;

/// Memory that a child may write to: an index of a few dozen documents needs a small part of it.
const MEMORY: u64 = 512 << 20;

/// `hostile [--cases N] [--seed N]`; a single case again with `--seed N --cases 1`.
pub fn run(arguments: &[&str]) -> Outcome<()> {
    // In memory where it can be, since these cases are about what is read, and where devices can be opened, as in /tmp.
    let may_mount = Uid::effective().is_root();
    if may_mount && !inside() {
        return isolated(arguments);
    }
    let directory = tempfile::tempdir()?;
    let at = directory.path();
    if may_mount {
        tool(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(at))?;
    }
    let tried = try_all(at, arguments);
    if may_mount {
        tool(Command::new("umount").arg(at))?;
    }
    tried
}

fn try_all(at: &Path, arguments: &[&str]) -> Outcome<()> {
    let (cases, first) = (number(arguments, "--cases", 4000)?, seed(arguments, "hostile")?);
    let end = first + cases;
    let violations = supervise("hostile-child", first..end, at)?.violations;
    let summary = format!("hostile directories: seeds {first} to {}, {cases} cases, violations: {violations}", end - 1);
    if violations > 0 {
        return Err(summary.into());
    }
    println!("{summary}");
    Ok(())
}

/// `hostile-child --from SEED --to SEED`.
pub fn child(arguments: &[&str]) -> Outcome<()> {
    setrlimit(Resource::RLIMIT_DATA, MEMORY, MEMORY)?;
    let directory = tempfile::tempdir()?;
    let sound = directory.path().join("sound");
    let index = corpus::open(&sound, Integrity::Sizes)?;
    let mut right = Vec::new();
    for name in ["one", "two", "three"] {
        corpus::publish(&index, Some(name), DOCUMENTS)?;
        right.push(corpus::answers(&index, Some(name))?);
    }
    workload::writer(&workload::open(&sound)?)?.tag("good", Some(&cutover_store::VersionId::parse("one")?))?;
    index.close();
    let canary = directory.path().join("outside");
    fs::create_dir(&canary)?;
    fs::create_dir(canary.join("directory"))?;
    fs::write(canary.join("file"), "nobody may touch this")?;
    fs::write(canary.join("directory/inner"), "nor this")?;
    let untouched = fingerprint(&canary)?;
    for case in number(arguments, "--from", 0)?..number(arguments, "--to", 0)? {
        println!("case {case}");
        std::io::stdout().flush()?;
        let hostile = directory.path().join("hostile");
        copy(&sound, &hostile)?;
        let mut random = Random(case);
        let damage = Damage::inflict(&hostile, &canary, &mut random)?;
        try_digests(&hostile, &right, &damage, case);
        try_everything(&hostile, &mut random);
        if fingerprint(&canary)? != untouched {
            println!("seed {case}: something outside was touched: {damage:?}");
            return Err("the canary is gone".into());
        }
        remove(&hostile)?;
    }
    Ok(())
}

/// Answers where every byte is compared: right, or an error.
fn try_digests(path: &Path, right: &[(String, Vec<String>)], damage: &Damage, case: u64) {
    let Ok(index) = corpus::open(path, Integrity::Digests) else { return };
    for version in [None, Some("one"), Some("two"), Some("three")] {
        match corpus::answers(&index, version) {
            // Whoever can sign digests can make a version say anything; it must only not crash.
            Ok(answer) if !damage.signed && !right.contains(&answer) => {
                println!("seed {case}: a wrong answer of {}: {damage:?}", answer.0);
            }
            _ => {}
        }
    }
    index.close();
}

/// All that reads and mends, with no look at its answers: it must end, and not by a signal or a panic.
fn try_everything(path: &Path, random: &mut Random) {
    if let Ok(index) = corpus::open(path, Integrity::Sizes) {
        let _ = corpus::answers(&index, None);
        let _ = corpus::answers(&index, Some("two"));
        let _ = index.status();
        let _ = index.verify(None, IndexDepth::Contents, &|_, _| {}, &Cancel::default());
        try_write(&index, random);
        index.close();
    }
    if let Ok(store) = workload::open(path) {
        let _ = store.verify(None, Depth::Digests, &|_, _| {}, &|| false);
        let _ = store.status();
        let _ = store.repair(None, false, LockWait::Now, &|_, _| {}, &|| false);
        let _ = store.verify(None, Depth::Sizes, &|_, _| {}, &|| false);
        if let Ok(mut writer) = store.write("torture", LockWait::Now, &|| false) {
            let _ = writer.rollback(None, None);
            let _ = writer.prune(&cutover_store::Keep { versions: 1, ..Default::default() }, false);
        }
    }
}

fn try_write(index: &Index, random: &mut Random) {
    if random.once_in(4) {
        let _ = corpus::publish(index, None, 5);
    }
}

/// Everything that can be seen of a tree.
fn fingerprint(directory: &Path) -> Outcome<Vec<String>> {
    let mut seen = Vec::new();
    for entry in fs::read_dir(directory)? {
        let (path, metadata) = {
            let entry = entry?;
            (entry.path(), entry.metadata()?)
        };
        if metadata.is_dir() {
            seen.extend(fingerprint(&path)?);
        }
        let content = if metadata.is_file() { Digest::of(&fs::read(&path)?).to_string() } else { String::new() };
        seen.push(format!("{} {:?} {:?} {content}", path.display(), metadata.permissions(), metadata.modified()?));
    }
    seen.sort();
    Ok(seen)
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    let status = Command::new("cp").args(["-a", "--no-target-directory"]).arg(from).arg(to).status()?;
    if status.success() { Ok(()) } else { Err("cp".into()) }
}

fn remove(path: &Path) -> Outcome<()> {
    let status = Command::new("rm").arg("-rf").arg(path).status()?;
    if status.success() { Ok(()) } else { Err("rm".into()) }
}
