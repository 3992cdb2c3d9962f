//! Every call of an operation that changes the file system fails, with each error that it can have.

use crate::{
    kill::Tried,
    ops::Op,
    run::{Fault, Runner},
};

const EINTR: i32 = 4;
const EIO: i32 = 5;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;
/// No error: a write writes half of its bytes.
const SHORT: i32 = 0;

/// The errors that a call of this name can have.
#[must_use]
pub fn errors(call: &str) -> &'static [i32] {
    match call {
        "write" | "pwrite64" | "writev" | "pwritev" => &[EIO, ENOSPC, EDQUOT, EINTR, SHORT],
        "fsync" | "fdatasync" | "syncfs" => &[EIO, ENOSPC, EDQUOT, EINTR],
        "open" => &[EIO, ENOSPC, EDQUOT, EMFILE, EROFS, EACCES, EINTR],
        "mkdir" | "link" | "symlink" | "rename" => &[EIO, ENOSPC, EDQUOT, EROFS, EACCES],
        "flock" => &[EIO, EINTR],
        _ => &[EIO, EROFS, EACCES],
    }
}

/// Lets each of the calls fail that `wanted` accepts by their number, from 1, and their error.
#[must_use]
pub fn fail(runner: &Runner, op: Op, wanted: &mut dyn FnMut(usize, i32) -> bool) -> Tried {
    let calls = runner.calls(op);
    let mut tried = Tried::default();
    for (at, call) in (1..).zip(&calls) {
        let name = call.split(' ').next().unwrap_or_default();
        for error in errors(name).iter().copied().filter(|error| wanted(at, *error)) {
            let base = runner.base();
            op.prepare(base.path()).unwrap();
            let ended = runner.op(op, base.path(), Fault::Fail(at, error));
            tried.faults += 1;
            let what = || format!("{}, call {at} ({call}) fails with errno {error}", op.name());
            let log = String::from_utf8_lossy(&ended.log);
            if log.lines().any(|line| line.starts_with("resync")) {
                tried.violations.push(format!("{}: a sync that had failed was asked for again", what()));
            }
            let must = match ended.code {
                Some(0) => "be-done",
                Some(1) if names_a_path(&ended.output, base.path()) => "be-one-of-both",
                _ => {
                    tried
                        .violations
                        .push(format!("{}: neither success nor a typed error with a path: {ended:?}", what()));
                    "be-one-of-both"
                }
            };
            if is_last_sync(&calls, at) && !ended.output.starts_with("CUTOVER_INDETERMINATE") {
                tried.violations.push(format!("{}: it is unknown what lasts, but it says {ended:?}", what()));
            }
            if let Err(wrong) = runner.check(op, base.path(), must) {
                tried.violations.push(format!("{}: {wrong}", what()));
            }
        }
    }
    tried
}

/// Whether the call is the sync that makes the new `CURRENT` last.
fn is_last_sync(calls: &[String], at: usize) -> bool {
    let swapped =
        calls[..at - 1].iter().rposition(|call| call.starts_with("rename ") && call.ends_with("/index/CURRENT"));
    let after = swapped.map(|swapped| &calls[swapped + 1..at]);
    after.is_some_and(|after| {
        let syncs: Vec<&String> = after.iter().filter(|call| call.starts_with("fsync ")).collect();
        syncs.len() == 1 && calls[at - 1].starts_with("fsync ")
    })
}

fn names_a_path(output: &str, base: &std::path::Path) -> bool {
    output.starts_with("CUTOVER_") && output.contains(&base.display().to_string())
}
