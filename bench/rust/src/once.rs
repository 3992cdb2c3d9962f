//! Opening, in a process of its own: time to the first answer with the files in the system's cache, and memory afterwards.

use std::{
    env,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    data::Data,
    measure::{anonymous_bytes, median, microseconds},
    ours,
};

const PROCESSES: usize = 11;
const SEARCHES: usize = 10_000;

/// Builds an index and starts processes that open it.
pub fn report(data: &Data, folder: &Path) {
    let directory = tempfile::tempdir().unwrap();
    ours::build(&data.base, directory.path(), 2);
    let once = || -> Vec<f64> {
        let child = Command::new(env::current_exe().unwrap()).arg("once").args([directory.path(), folder]).output();
        let output = String::from_utf8(child.unwrap().stdout).unwrap();
        output.split_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let runs: Vec<Vec<f64>> = (0..PROCESSES).map(|_| once()).collect();
    let column = |at: usize| median(runs.iter().map(|run| run[at]).collect());
    let time = |at| microseconds(Duration::from_secs_f64(column(at)));
    println!("medians of {PROCESSES} processes, files in the system's cache");
    println!("open                                  {}", time(0));
    println!("open and first search                 {}", time(1));
    println!("the same again in that process        {}", time(2));
    println!("anonymous memory after {SEARCHES} searches  {:.1} MB", column(3) / 1e6);
}

/// Prints seconds to open, to the first answer, the same again, and the anonymous bytes that searches added.
pub fn run(directory: &Path, folder: &Path) {
    let queries = Data::read(folder).queries;
    let mut rows = Vec::new();
    let before = anonymous_bytes();
    let started = Instant::now();
    let index = ours::open(directory);
    let opened = started.elapsed();
    ours::search(&index, queries.row(0), 10, None, None, &mut rows);
    let first = started.elapsed();
    drop(index);
    let started = Instant::now();
    let index = ours::open(directory);
    ours::search(&index, queries.row(0), 10, None, None, &mut rows);
    let again = started.elapsed();
    for at in 0..SEARCHES {
        ours::search(&index, queries.row(at % queries.len()), 10, None, None, &mut rows);
    }
    let memory = anonymous_bytes().saturating_sub(before);
    println!("{} {} {} {memory}", opened.as_secs_f64(), first.as_secs_f64(), again.as_secs_f64());
}

/// Builds again and prints the most anonymous bytes that were seen above those of the vectors that the caller holds.
pub fn build(directory: &Path, folder: &Path) {
    let data = Data::read(folder);
    let before = anonymous_bytes();
    let (peak, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let again = directory.join("again");
    std::fs::create_dir(&again).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(anonymous_bytes(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
        });
        ours::build(&data.base, &again, 2);
        done.store(true, Ordering::Relaxed);
    });
    println!("{}", peak.load(Ordering::Relaxed).saturating_sub(before));
}
