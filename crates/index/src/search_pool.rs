//! The threads that answer searches: a pool that all indexes asking for the same number of threads share; it ends with the last of them.
//!
//! To wake a sleeping thread takes as long as a short search. So a thread that has ended its job lingers a moment: it looks for another
//! before it sleeps, and is handed it without a call to the system. One of a pool's threads does at a time, and none while jobs wait.

use crate::error::{Error, Result};
use rayon_core::{ThreadPool, ThreadPoolBuilder};
use std::collections::HashMap;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a thread lingers: as long as callers that ask one question after another take for the next.
const LINGER: Duration = Duration::from_micros(150);
/// Looks between two at the clock.
const LOOKS: usize = 64;

static POOLS: LazyLock<Mutex<HashMap<usize, Weak<Pool>>>> = LazyLock::new(Mutex::default);

type Job = Box<dyn FnOnce() + Send>;

/// A pool of search threads.
pub struct Pool {
    threads: ThreadPool,
    lingering: Arc<Lingering>,
}

/// The pool of `threads` search threads.
///
/// # Errors
/// [`Error::Threads`] when the system gives no threads.
pub fn search_pool(threads: usize) -> Result<Arc<Pool>> {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads).and_then(Weak::upgrade) {
        return Ok(pool);
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("cutover-search-{n}"))
        .build()
        .map_err(|e| Error::Threads { what: "the search pool", detail: e.to_string() })?;
    let pool = Arc::new(Pool { threads: pool, lingering: Arc::default() });
    pools.retain(|_, pool| pool.strong_count() > 0);
    pools.insert(threads, Arc::downgrade(&pool));
    Ok(pool)
}

impl Pool {
    /// Runs a job on one of the threads.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        let Err(job) = self.lingering.hand(Box::new(job)) else { return };
        self.lingering.waiting.fetch_add(1, Ordering::Relaxed);
        let lingering = Arc::clone(&self.lingering);
        self.threads.spawn(move || {
            lingering.waiting.fetch_sub(1, Ordering::Relaxed);
            job();
            lingering.linger();
        });
    }
}

/// No thread lingers.
const NONE: u8 = 0;
/// One does.
const LINGERS: u8 = 1;
/// It is about to be handed a job.
const CLAIMED: u8 = 2;
/// The job is there.
const HANDED: u8 = 3;

#[derive(Default)]
struct Lingering {
    state: AtomicU8,
    job: Mutex<Option<Job>>,
    /// Jobs that no thread has begun.
    waiting: AtomicUsize,
}

impl Lingering {
    /// Hands a job to the thread that lingers; back it comes when none does.
    fn hand(&self, job: Job) -> std::result::Result<(), Job> {
        if !self.pass(LINGERS, CLAIMED) {
            return Err(job);
        }
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.state.store(HANDED, Ordering::Release);
        Ok(())
    }

    /// Runs what is handed over, until nothing has been for a while.
    fn linger(&self) {
        while self.waiting.load(Ordering::Relaxed) == 0 && self.pass(NONE, LINGERS) {
            let Some(job) = self.handed() else { return };
            job();
        }
    }

    fn handed(&self) -> Option<Job> {
        let until = Instant::now() + LINGER;
        loop {
            for _ in 0..LOOKS {
                if self.state.load(Ordering::Acquire) == HANDED {
                    let job = self.job.lock().unwrap_or_else(PoisonError::into_inner).take();
                    self.state.store(NONE, Ordering::Release);
                    return job;
                }
                spin_loop();
            }
            let is_over = self.waiting.load(Ordering::Relaxed) > 0 || Instant::now() >= until;
            // One that is claimed already waits for its job.
            if is_over && self.pass(LINGERS, NONE) {
                return None;
            }
        }
    }

    fn pass(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::{LINGER, search_pool};
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread::sleep;

    #[test]
    fn every_job_is_run_once_whether_a_thread_lingers_or_not() {
        let pool = search_pool(3).unwrap();
        let (sender, receiver) = channel();
        for number in 0..20_000_u32 {
            let sender = sender.clone();
            pool.spawn(move || sender.send(number).unwrap());
            match number % 100 {
                0 => sleep(2 * LINGER),
                50 => sleep(LINGER / 4),
                _ => {}
            }
        }
        drop(sender);
        let mut run: Vec<u32> = receiver.iter().collect();
        run.sort_unstable();
        assert_eq!(run, (0..20_000).collect::<Vec<_>>());
    }

    #[test]
    fn jobs_spawn_others_and_may_outlive_the_pool() {
        let (sender, receiver) = channel();
        let pool = search_pool(5).unwrap();
        let inner = Arc::clone(&pool);
        pool.spawn(move || {
            for number in 0..100 {
                let sender = sender.clone();
                inner.spawn(move || sender.send(number).unwrap());
            }
        });
        drop(pool);
        assert_eq!(receiver.iter().sum::<i32>(), 4950);
    }
}
