//! Inserting all nodes of a graph, on several threads.
//!
//! The first nodes go in one after another, so that threads begin on a graph that is connected. With one thread the order is
//! always the same, and so is the graph that comes out.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use super::{
    Points,
    insert::{Building, Inserter},
};
use crate::error::{Error, Result};

/// Nodes inserted by one thread before the others begin.
const IN_ORDER: u32 = 500;
/// Nodes between two reports of progress.
const REPORT_EVERY: u32 = 256;

/// What a build needs from its caller.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Threads to insert on, at least 1.
    pub(crate) threads: usize,
    /// Asked before each node and now and then while one is inserted; true stops the build.
    pub(crate) cancel: &'a (dyn Fn() -> bool + Sync),
    /// Told how many nodes of how many are done.
    pub(crate) progress: &'a (dyn Fn(usize, usize) + Sync),
    /// The first thing that each thread of the build calls.
    pub(crate) on_thread: &'a (dyn Fn() + Sync),
}

/// Inserts all nodes.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::Thread`], or [`Error::Build`] when a thread panicked; the graph is of no use then.
pub(crate) fn insert_all<P: Points>(building: &Building<P>, caller: Caller) -> Result<()> {
    let count = building.len();
    let in_order = if caller.threads > 1 { count.min(IN_ORDER) } else { count };
    let work = |from, end| Work { building, next: AtomicU32::new(from), end, stop: AtomicBool::new(false), caller };
    work(0, in_order).run(1)?;
    work(in_order, count).run(caller.threads)?;
    (caller.progress)(count as usize, count as usize);
    Ok(())
}

/// Waits for all of a scope's threads, and returns the first error of them, or that one panicked.
pub(crate) fn join(workers: Vec<thread::ScopedJoinHandle<Result<()>>>) -> Result<()> {
    let join = |worker: thread::ScopedJoinHandle<Result<()>>| {
        let panicked = |_| Err(Error::Build { message: "a thread of the build panicked".to_owned() });
        worker.join().unwrap_or_else(panicked)
    };
    // Every one is joined before any error is returned: a scope panics for a thread that panicked unjoined.
    let results: Vec<Result<()>> = workers.into_iter().map(join).collect();
    results.into_iter().collect()
}

/// A run of nodes that threads take turns at.
struct Work<'a, P> {
    building: &'a Building<'a, P>,
    next: AtomicU32,
    end: u32,
    stop: AtomicBool,
    caller: Caller<'a>,
}

impl<P: Points> Work<'_, P> {
    /// Runs on up to `threads` threads: fewer when the system refuses to start more, but at least one.
    fn run(&self, threads: usize) -> Result<()> {
        if self.next.load(Ordering::Relaxed) >= self.end {
            return Ok(());
        }
        thread::scope(|scope| {
            let mut workers = Vec::with_capacity(threads);
            for _ in 0..threads {
                let worker = thread::Builder::new().name("cutover-build".to_owned());
                match worker.spawn_scoped(scope, || self.work()) {
                    Ok(worker) => workers.push(worker),
                    Err(error) if workers.is_empty() => return Err(Error::Thread(error)),
                    Err(_) => break,
                }
            }
            join(workers)
        })
    }

    fn work(&self) -> Result<()> {
        let result = self.insert_in_turn();
        if result.is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
        result
    }

    fn insert_in_turn(&self) -> Result<()> {
        (self.caller.on_thread)();
        let mut memory = Inserter::default();
        let stop = || self.stop.load(Ordering::Relaxed) || (self.caller.cancel)();
        while !self.stop.load(Ordering::Relaxed) {
            if (self.caller.cancel)() {
                return Err(Error::Cancelled);
            }
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            if turn >= self.end {
                break;
            }
            if !self.building.insert(self.node(turn), &stop, &mut memory) {
                return if self.stop.load(Ordering::Relaxed) { Ok(()) } else { Err(Error::Cancelled) };
            }
            if (turn + 1).is_multiple_of(REPORT_EVERY) {
                (self.caller.progress)(turn as usize + 1, self.building.len() as usize);
            }
        }
        Ok(())
    }

    /// The node whose turn it is: the entry point, then all others as they are numbered.
    fn node(&self, turn: u32) -> u32 {
        let first = self.building.first();
        match turn {
            0 => first,
            turn if turn <= first => turn - 1,
            turn => turn,
        }
    }
}
