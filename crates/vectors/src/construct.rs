//! Inserting all nodes of a graph, on several threads.
//!
//! Levels come from the seed alone, and the first nodes go in one after another, so that threads begin on a graph that is
//! connected. With one thread the order is the nodes' own, and the same graph comes out every time.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use crate::{
    error::{Error, Result},
    ffi::Building,
    format::MAX_LEVEL,
};

/// Nodes inserted by one thread before the others begin.
const IN_ORDER: u32 = 500;
/// Nodes between two reports of progress.
const REPORT_EVERY: u32 = 256;

/// What a build needs from its caller.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Threads to insert on, at least 1.
    pub(crate) threads: usize,
    /// Asked before each node; true stops the build.
    pub(crate) cancel: &'a (dyn Fn() -> bool + Sync),
    /// Told how many nodes of how many are done.
    pub(crate) progress: &'a (dyn Fn(usize, usize) + Sync),
    /// The first thing that each thread of the build calls.
    pub(crate) on_thread: &'a (dyn Fn() + Sync),
}

/// The levels of the nodes of a graph, without end: level l or higher with probability m⁻ˡ.
pub(crate) fn levels(m: usize, seed: u64) -> impl Iterator<Item = u8> {
    let scale = 1.0 / (m as f64).ln();
    let mut state = seed;
    std::iter::repeat_with(move || {
        // In (0, 1], so that the logarithm is finite.
        let uniform = ((split_mix(&mut state) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let level = -uniform.ln() * scale;
        (1..=MAX_LEVEL).take_while(|&next| f64::from(next) <= level).last().unwrap_or(0)
    })
}

/// The next number of Steele, Lea and Flood's `SplitMix64`.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Inserts nodes 0 to `count` − 1, all of which have been placed.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::Thread`], or what an insertion failed with; the graph is of no use then.
pub(crate) fn insert_all(building: &Building, count: u32, caller: Caller) -> Result<()> {
    let in_order = if caller.threads > 1 { count.min(IN_ORDER) } else { count };
    Work { building, next: AtomicU32::new(0), end: in_order, total: count, stop: AtomicBool::new(false), caller }
        .run(1)?;
    Work { building, next: AtomicU32::new(in_order), end: count, total: count, stop: AtomicBool::new(false), caller }
        .run(caller.threads)?;
    (caller.progress)(count as usize, count as usize);
    Ok(())
}

/// A run of nodes that threads take turns at.
struct Work<'a> {
    building: &'a Building,
    next: AtomicU32,
    end: u32,
    total: u32,
    stop: AtomicBool,
    caller: Caller<'a>,
}

impl Work<'_> {
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
            let join = |worker: thread::ScopedJoinHandle<Result<()>>| {
                let panicked = |_| Err(Error::Build { message: "a thread of the build panicked".to_owned() });
                worker.join().unwrap_or_else(panicked)
            };
            // Every one is joined before any error is returned: a scope panics for a thread that panicked unjoined.
            let results: Vec<Result<()>> = workers.into_iter().map(join).collect();
            results.into_iter().collect()
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
        while !self.stop.load(Ordering::Relaxed) {
            if (self.caller.cancel)() {
                return Err(Error::Cancelled);
            }
            let node = self.next.fetch_add(1, Ordering::Relaxed);
            if node >= self.end {
                break;
            }
            self.building.insert(node)?;
            if (node + 1).is_multiple_of(REPORT_EVERY) {
                (self.caller.progress)(node as usize + 1, self.total as usize);
            }
        }
        Ok(())
    }
}
