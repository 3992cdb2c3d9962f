//! The one door to Tantivy: its errors and its panics come out as typed errors.
//!
//! Tantivy trusts its files: it does not verify checksums on open and indexes into what it finds, so a damaged file shows as a panic
//! somewhere within. Every entry that touches a container runs inside [`reading`]; a panic there says nothing but "damaged".
//! The panic hook stays silent for those panics alone: the error that is returned says the same, to the one who asked.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use tantivy::TantivyError;
use tantivy::directory::error::{OpenReadError, OpenWriteError};

use crate::{Error, Result};

/// Why guarded work stopped: an error of ours, which passes unchanged, or one of Tantivy's.
pub(crate) enum Stop {
    Ours(Error),
    Theirs(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<cutover_durable::Error> for Stop {
    fn from(error: cutover_durable::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<TantivyError> for Stop {
    fn from(error: TantivyError) -> Self {
        Self::Theirs(error.to_string())
    }
}

impl From<OpenReadError> for Stop {
    fn from(error: OpenReadError) -> Self {
        TantivyError::from(error).into()
    }
}

impl From<OpenWriteError> for Stop {
    fn from(error: OpenWriteError) -> Self {
        TantivyError::from(error).into()
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Theirs(error.to_string())
    }
}

/// Runs work that reads the container at `path`. What Tantivy cannot do there becomes [`Error::Corrupt`].
pub(crate) fn reading<T>(path: &Path, action: &str, work: impl FnOnce() -> Result<T, Stop>) -> Result<T> {
    caught(work, |detail| Error::Corrupt { path: path.to_path_buf(), detail: format!("could not {action}: {detail}") })
}

/// Runs work on a container under construction. What Tantivy cannot do there becomes [`Error::Internal`].
pub(crate) fn building<T>(action: &'static str, work: impl FnOnce() -> Result<T, Stop>) -> Result<T> {
    caught(work, |detail| Error::Internal { action, detail })
}

fn caught<T>(work: impl FnOnce() -> Result<T, Stop>, failed: impl FnOnce(String) -> Error) -> Result<T> {
    silence_guarded_panics();
    let depth = GUARDED.replace(true);
    // Whatever the work had in its hands is dropped with it; what outlives it (readers of immutable bytes and their caches) is
    // replaced whole or not at all, so it is sound to go on after a panic.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(depth);
    match outcome {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Stop::Ours(error))) => Err(error),
        Ok(Err(Stop::Theirs(detail))) => Err(failed(detail)),
        Err(panic) => Err(failed(message(panic.as_ref()))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

thread_local! {
    /// Whether this thread is inside guarded work.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

fn silence_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
}
