//! The threads that search and build: ours, never Node's pool, never rayon's global one.
//!
//! Searches run on a pool (`search_pool.rs`). A build has one thread of its own at idle priority, so that it takes only what queries leave.

use crate::error::{Error, Result};
pub use crate::search_pool::{Pool, search_pool};
pub use cutover_durable::priority::become_idle;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Threads that this process can run at once, at least 1.
#[must_use]
pub fn available() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs `work` once on a thread of its own at normal priority.
///
/// # Errors
/// [`Error::Threads`] when the system gives no thread.
pub fn spawn(name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|e| Error::Threads { what: name, detail: e.to_string() })
}

type Job = Box<dyn FnOnce() + Send>;

/// One thread that runs jobs in their order; it ends when the worker is dropped and its jobs are done.
pub struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Threads`] when the system gives no thread.
    pub fn start(name: &'static str) -> Result<Self> {
        let (jobs, queue) = channel::<Job>();
        spawn(name, move || queue.into_iter().for_each(|job| job()))?;
        Ok(Self { jobs })
    }

    /// Queues a job.
    ///
    /// # Errors
    /// [`Error::Internal`] when an earlier job panicked its way out of the thread.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) -> Result<()> {
        self.jobs.send(Box::new(job)).map_err(|_| Error::Internal("the build thread has ended".into()))
    }
}

/// Runs what `work` spawns on the pool that the calling thread belongs to, and returns when all of it is done.
pub fn scope<'a, T: Send>(work: impl FnOnce(&rayon_core::Scope<'a>) -> T + Send) -> T {
    rayon_core::scope(work)
}

/// Runs both, at once if the calling thread belongs to a pool that has another one free.
pub(crate) fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    // Elsewhere rayon would begin a pool of its own.
    if rayon_core::current_thread_index().is_some() { rayon_core::join(a, b) } else { (a(), b()) }
}
