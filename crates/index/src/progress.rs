//! Where a build stands, for whoever asks from another thread.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// The parts of a build, in their order. Waiting for the lock comes before there is anything to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Documents are read and indexed.
    Reading = 0,
    /// Graphs are built and files written.
    Building = 1,
    /// The finished draft is opened and checked.
    Verifying = 2,
    /// The version is being made current.
    Publishing = 3,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    done: AtomicU64,
    /// 0: not known.
    total: AtomicU64,
}

impl Progress {
    pub(crate) fn enter(&self, phase: Phase, total: Option<u64>) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, done: usize, total: usize) {
        self.done.store(done as u64, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_done(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// The phase and what is done of it.
    pub(crate) fn read(&self) -> (Phase, u64) {
        let phase = match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Reading,
            1 => Phase::Building,
            2 => Phase::Verifying,
            _ => Phase::Publishing,
        };
        (phase, self.done.load(Ordering::Relaxed))
    }

    /// `{phase, done, total?}` as the public API shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (phase, done) = self.read();
        let name = match phase {
            Phase::Reading => "reading",
            Phase::Building => "building",
            Phase::Verifying => "verifying",
            Phase::Publishing => "publishing",
        };
        match self.total.load(Ordering::Relaxed) {
            0 => json!({ "phase": name, "done": done }),
            total => json!({ "phase": name, "done": done, "total": total }),
        }
    }
}
