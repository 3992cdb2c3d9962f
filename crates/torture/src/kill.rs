//! SIGKILL before every call of an operation that changes the file system.

use crate::{
    ops::Op,
    run::{Fault, Runner},
};

/// What a campaign tried, and what went wrong.
#[derive(Debug, Default)]
pub struct Tried {
    /// Faults that were injected.
    pub faults: usize,
    /// What was found that must not be.
    pub violations: Vec<String>,
}

impl Tried {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.faults += other.faults;
        self.violations.extend(other.violations);
    }
}

/// Kills an operation before each of the calls that `wanted` accepts by their number, from 1.
#[must_use]
pub fn kill(runner: &Runner, op: Op, wanted: &mut dyn FnMut(usize) -> bool) -> Tried {
    let calls = runner.calls(op);
    let mut tried = Tried::default();
    for at in (1..=calls.len()).filter(|at| wanted(*at)) {
        let base = runner.base();
        op.prepare(base.path()).unwrap();
        let ended = runner.op(op, base.path(), Fault::Kill(at));
        tried.faults += 1;
        let call = &calls[at - 1];
        if ended.signal != Some(9) {
            tried.violations.push(format!("{} was not killed before call {at} ({call}): {ended:?}", op.name()));
        }
        if let Err(wrong) = runner.check(op, base.path(), "be-one-of-both") {
            tried.violations.push(format!("{} killed before call {at} ({call}): {wrong}", op.name()));
        }
    }
    tried
}
