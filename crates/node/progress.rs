//! `NativeProgress`: how far work on another thread is, for JavaScript to look at.

use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is done of a total.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    done: AtomicU64,
    /// 0: not known.
    total: AtomicU64,
}

impl Meter {
    /// Says how far the work is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }
}

/// A meter as JavaScript holds it: given to a call, and looked at while that runs.
#[napi]
pub struct NativeProgress {
    phase: String,
    meter: Arc<Meter>,
}

#[napi]
impl NativeProgress {
    /// A meter of work that has not begun and is called `phase`.
    #[napi(constructor)]
    #[must_use]
    pub fn new(phase: String) -> Self {
        Self { phase, meter: Arc::default() }
    }

    /// `{phase, done, total?}` as JSON, in bytes.
    #[napi]
    #[must_use]
    pub fn look(&self) -> String {
        let done = self.meter.done.load(Ordering::Relaxed);
        match self.meter.total.load(Ordering::Relaxed) {
            0 => json!({ "phase": self.phase, "done": done }).to_string(),
            total => json!({ "phase": self.phase, "done": done, "total": total }).to_string(),
        }
    }
}

/// The meter that JavaScript looks at, or one that nobody does.
pub(crate) fn meter(progress: Option<&NativeProgress>) -> Arc<Meter> {
    progress.map_or_else(Arc::default, |progress| Arc::clone(&progress.meter))
}
