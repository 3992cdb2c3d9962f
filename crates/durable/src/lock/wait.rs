//! Waiting for a lock: polled, so that the wait can end early, and in turn, so that nobody is passed over.
//!
//! Who comes first waits in the line of [`super::queue`]; who is not first still asks, since the first may be stopped: once the lock
//! was found free for long enough without the first taking it, or the wait is over, whoever asks keeps it. Programs that are not ours
//! (`flock(1)`) stand in no line and take the lock when they find it free.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{WriterLock, queue};
use crate::{Error, Result, random};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);
/// How long a free lock is left to those who have waited longer.
const COURTESY: Duration = Duration::from_secs(1);
/// Attempts of a caller that does not wait: one probe of the lock by somebody who looks can make a single attempt fail.
const IMPATIENT_ATTEMPTS: u32 = 3;

/// How long to wait while another holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Until it is free.
    Forever,
    /// At most this long.
    AtMost(Duration),
    /// Not at all: a lock that is free is taken, though others may be waiting for it.
    Now,
}

impl LockWait {
    /// As long as a caller says: `None` is for ever, 0 not at all.
    #[must_use]
    pub fn milliseconds(milliseconds: Option<f64>) -> Self {
        match milliseconds {
            Some(ms) if ms <= 0.0 => Self::Now,
            Some(ms) => Duration::try_from_secs_f64(ms / 1000.0).map_or(Self::Forever, Self::AtMost),
            None => Self::Forever,
        }
    }
}

/// Takes the lock at `path`, making the file when it is not there; waits for it as `wait` says, until `cancel` answers true.
///
/// # Errors
/// [`Error::Contended`] when the wait is over, [`Error::Cancelled`], [`Error::LockUnsupported`].
pub fn wait(path: &Path, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<WriterLock> {
    let started = Instant::now();
    let mut place: Option<queue::Place> = None;
    let mut gives_way = wait != LockWait::Now && queue::is_waited_for(path);
    let mut free_since = None;
    let mut pause = Duration::from_millis(1);
    let mut attempts = 0;
    let over = |attempts: u32| match wait {
        LockWait::Forever => false,
        LockWait::AtMost(limit) => started.elapsed() >= limit,
        LockWait::Now => attempts >= IMPATIENT_ATTEMPTS,
    };
    loop {
        if cancel() {
            return Err(Error::Cancelled { path: path.to_path_buf() });
        }
        match WriterLock::try_acquire(path) {
            Ok(lock) => {
                let free_since = free_since.get_or_insert_with(Instant::now);
                if !gives_way || over(attempts) || free_since.elapsed() >= COURTESY {
                    return Ok(lock);
                }
            }
            Err(Error::Contended { .. }) => free_since = None,
            Err(error) => return Err(error),
        }
        attempts += 1;
        if over(attempts) {
            return Err(Error::Contended { path: path.to_path_buf() });
        }
        if place.is_none() && wait != LockWait::Now {
            place = queue::Place::take(path)?;
        }
        let first = place.as_ref().is_none_or(queue::Place::is_first);
        if gives_way && first {
            // Its turn comes next.
            pause = Duration::from_millis(1);
        }
        gives_way = !first;
        thread::sleep(jittered(pause)?.min(remaining(wait, started)));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// From one millisecond to `pause`, so that those who wait do not ask in step.
fn jittered(pause: Duration) -> Result<Duration> {
    let spread = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX).saturating_sub(1000);
    Ok(Duration::from_micros(1000 + random::below(spread + 1)?))
}

fn remaining(wait: LockWait, started: Instant) -> Duration {
    match wait {
        LockWait::AtMost(limit) => limit.saturating_sub(started.elapsed()),
        LockWait::Forever => LONGEST_PAUSE,
        LockWait::Now => Duration::from_millis(1),
    }
}
