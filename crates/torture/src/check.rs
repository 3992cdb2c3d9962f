//! What may be left of an operation that was cut off: the state before it or the state after it, whole, and a directory that the next
//! writer finds in order.

use std::{collections::BTreeMap, fs, path::Path};

use cutover_store::{Depth, ProblemKind, State, Store, StoreOptions};
use serde_json::Value;

use crate::ops::{COPY, INDEX, Op, PLAIN, SOURCE, publish, write};

/// What an index looks like to a reader. Generated ids differ between runs: such a version is known by its place in the order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    current: Option<String>,
    /// Where `rollback` leads.
    back: Option<String>,
    versions: BTreeMap<String, (String, Value, Vec<String>)>,
}

impl Seen {
    /// Looks at the index at `path`; one that is not there has nothing in it.
    ///
    /// # Errors
    /// What a reader would be told.
    pub fn at(path: &Path) -> Result<Self, String> {
        if !path.join("versions").exists() {
            return Ok(Self::default());
        }
        let store = Store::open(path, StoreOptions::default()).map_err(|error| error.to_string())?;
        let current = store.current().map_err(|error| error.to_string())?;
        let mut seen = Self::default();
        for info in store.versions().map_err(|error| error.to_string())? {
            let id = info.id.as_str();
            let name = if id.contains('-') && id.len() == 17 { format!("#{}", info.sequence) } else { id.to_owned() };
            if current.as_ref() == Some(&info.id) {
                seen.current = Some(name.clone());
                let state = fs::read(path.join("versions").join(id).join("state.json")).unwrap_or_default();
                let state: Value = serde_json::from_slice(&state).unwrap_or_default();
                seen.back = state["previous"].as_str().map(str::to_owned);
            }
            let state = match info.state {
                State::Prepared => "prepared",
                State::Published => "published",
                State::Withdrawn => "withdrawn",
            };
            seen.versions.insert(name, (state.to_owned(), Value::Object(info.attributes), info.tags));
        }
        match current {
            Some(id) if seen.current.is_none() => Err(format!("CURRENT names {id}, which is not listed")),
            _ => Ok(seen),
        }
    }
}

/// The states before and after an operation, from a run that nothing happened to.
#[derive(Debug, Default)]
pub struct Expected {
    before: Seen,
    after: Seen,
}

impl Expected {
    /// Runs the operation in a directory of its own in `directory`.
    ///
    /// # Errors
    /// When it does not run by itself.
    pub fn of(op: Op, directory: &Path) -> Result<Self, String> {
        if op.is_plain() {
            return Ok(Self::default());
        }
        let base = tempfile::tempdir_in(directory).map_err(|error| error.to_string())?;
        let index = base.path().join(INDEX);
        op.prepare(base.path()).map_err(|error| error.to_string())?;
        let before = if op == Op::Adopt { Seen::default() } else { Seen::at(&index)? };
        op.run(base.path()).map_err(|error| format!("{} fails by itself: {error}", op.name()))?;
        Ok(Self { before, after: Seen::at(&index)? })
    }
}

/// What must be found: either state, or the one after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// The state before or the state after.
    BeOneOfBoth,
    /// The state after: the operation said that it succeeded.
    BeDone,
}

/// Judges what is below `base`.
///
/// # Errors
/// What is wrong.
pub fn check(op: Op, base: &Path, must: Must) -> Result<(), String> {
    let beside = base.parent().ok_or("it has no parent")?;
    check_against(op, base, must, &Expected::of(op, beside)?)
}

/// [`check`] when the states are known.
///
/// # Errors
/// What is wrong.
pub fn check_against(op: Op, base: &Path, must: Must, expected: &Expected) -> Result<(), String> {
    if op.is_plain() {
        return plain(op, base, must);
    }
    let Expected { before, after } = expected;
    let index = base.join(INDEX);
    match op {
        // What is damaged, or nobody's yet, is not judged before the same was done again.
        Op::Repair | Op::Adopt if must == Must::BeOneOfBoth => again(op, base)?,
        _ => whole(&index)?,
    }
    if op == Op::CopyTo {
        copied(base, must)?;
    }
    if op == Op::Repair && fs::read_dir(index.join("damaged")).map_or(0, Iterator::count) == 0 {
        return Err("what was damaged is gone instead of set aside".to_owned());
    }
    // The next writer settles and clears away.
    if index.exists() || op != Op::FirstPublish {
        drop(write(&index).map_err(|error| format!("the next writer is refused: {error}"))?);
    }
    let seen = Seen::at(&index)?;
    let is_between = op == Op::Prune
        && seen.current == before.current
        && after.versions.keys().all(|id| seen.versions.contains_key(id))
        && seen.versions.iter().all(|(id, version)| before.versions.get(id) == Some(version));
    let fits = seen == *after || (must == Must::BeOneOfBoth && (seen == *before || is_between));
    if !fits {
        return Err(format!("found {seen:?}\nbefore {before:?}\nafter {after:?}"));
    }
    used(&index, &seen)?;
    moved(op, base)?;
    let writer = write(&index).and_then(|writer| publish(writer, None, true));
    drop(writer.map_err(|error| format!("the next publish fails: {error}"))?);
    whole(&index)?;
    tidy(&index)
}

/// Every version has the bytes that it was published with, and the current one opens.
fn whole(index: &Path) -> Result<(), String> {
    if !index.join("versions").exists() {
        return Ok(());
    }
    let store = Store::open(index, StoreOptions::default()).map_err(|error| format!("it does not open: {error}"))?;
    if store.current().map_err(|error| error.to_string())?.is_some() {
        store.snapshot(None).map_err(|error| format!("the current version does not open: {error}"))?;
    }
    let report = store.verify(None, Depth::Digests, &|_, _| (), &|| false).map_err(|error| error.to_string())?;
    // The beginnings of a replacement are nobody's yet.
    let harmless = |file: &str, kind| kind == ProblemKind::Unexpected && file.contains(".tmp-");
    match report.problems.iter().find(|problem| !harmless(&problem.file, problem.kind)) {
        Some(problem) => Err(format!("it does not verify: {problem:?}")),
        None => Ok(()),
    }
}

/// What was to be moved into a version is in one, or where it was.
fn moved(op: Op, base: &Path) -> Result<(), String> {
    if !matches!(op, Op::FirstPublish | Op::Publish | Op::PublishNamed | Op::Prepare) {
        return Ok(());
    }
    // What it holds is for its digest to say; before the version is complete nobody promised anything.
    let is_it = |path: &Path| path.exists();
    let versions = fs::read_dir(base.join(INDEX).join("versions")).into_iter().flatten().flatten();
    let within = versions.map(|version| version.path().join("artifacts/moved")).any(|path| is_it(&path));
    if within || is_it(&base.join(SOURCE).join("moved")) {
        Ok(())
    } else {
        Err("the file that was to be moved is neither in a version nor where it was".to_owned())
    }
}

/// Every id that somebody chose is among those that are never used again.
fn used(index: &Path, seen: &Seen) -> Result<(), String> {
    let used = fs::read_to_string(index.join("used-ids")).unwrap_or_default();
    match seen.versions.keys().find(|id| !id.starts_with('#') && !used.lines().any(|line| line == id.as_str())) {
        Some(id) => Err(format!("{id} is not among the used ids: it could be given to another version one day")),
        None => Ok(()),
    }
}

/// Nothing is left of what was cut off.
fn tidy(index: &Path) -> Result<(), String> {
    let names = |directory: &str| -> Vec<String> {
        let entries = fs::read_dir(index.join(directory)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    };
    let versions = names("versions").into_iter().filter(|name| name.ends_with(".staging"));
    let debris: Vec<String> =
        versions.chain(names("trash")).chain(names("").into_iter().filter(|name| name.contains(".tmp-"))).collect();
    if debris.is_empty() { Ok(()) } else { Err(format!("left behind: {debris:?}")) }
}

fn again(op: Op, base: &Path) -> Result<(), String> {
    op.run(base).map_err(|error| format!("doing it again fails: {error}"))?;
    whole(&base.join(INDEX))
}

/// The copy is not there, or no index yet, or a whole one; and it can be made (again).
fn copied(base: &Path, must: Must) -> Result<(), String> {
    let copy = base.join(COPY);
    let is_whole = copy.join("CURRENT").exists();
    if is_whole {
        whole(&copy)?;
        let seen = Seen::at(&copy)?;
        if seen.current.as_deref() != Some("three") || seen.versions.len() != 1 {
            return Err(format!("the copy is {seen:?}"));
        }
        used(&copy, &seen)?;
    } else if must == Must::BeDone {
        return Err("there is no copy".to_owned());
    } else {
        Op::CopyTo.run(base).map_err(|error| format!("copying again fails: {error}"))?;
        whole(&copy)?;
    }
    drop(write(&copy).map_err(|error| format!("the copy's next writer is refused: {error}"))?);
    tidy(&copy)
}

/// Each of the files is old or new, and those of one directory agree.
fn plain(op: Op, base: &Path, must: Must) -> Result<(), String> {
    let read = |name: &str| fs::read_to_string(base.join(PLAIN).join(name)).map_err(|error| format!("{name}: {error}"));
    let now = || -> Result<Vec<String>, String> { ["live/a", "live/sub/b", "file"].map(read).into_iter().collect() };
    let found = now()?;
    let new = if op == Op::ReplaceWith { ["new a", "new b", "old file"] } else { ["new a", "new b", "new file"] };
    let old = ["old a", "old b", "old file"];
    let directory_fits = found[..2] == new[..2] || found[..2] == old[..2];
    if !directory_fits || (found[2] != old[2] && found[2] != new[2]) || (must == Must::BeDone && found != new) {
        return Err(format!("found {found:?}"));
    }
    if read("beside")? != "kept" {
        return Err("what lay beside has changed".to_owned());
    }
    if op == Op::ReplaceWith && found == new {
        return Ok(());
    }
    op.run(base).map_err(|error| format!("doing it again fails: {error}"))?;
    let staging = fs::read_dir(base.join(PLAIN))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".cutover-staging"));
    if now()? != new || (op == Op::RebuildInPlace && staging.count() > 0) {
        return Err(format!("after doing it again: {:?}", now()?));
    }
    Ok(())
}
