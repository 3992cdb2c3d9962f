//! What the figures have in common: clocks, medians, and the candidate-list size at which a recall is reached.

use std::{
    fs,
    time::{Duration, Instant},
};

/// The middle one; of an even number, the upper of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The least ef from 10 on whose recall reaches the target, and that recall. Recall grows with ef, but for noise.
pub fn least_ef(target: f64, mut recall: impl FnMut(usize) -> f64) -> (usize, f64) {
    let (mut low, mut high) = (9, 10);
    let mut reached = recall(high);
    while reached < target {
        assert!(high < 20_000, "recall {target} is out of reach");
        (low, high) = (high, high * 2);
        reached = recall(high);
    }
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        let at = recall(middle);
        if at >= target {
            (high, reached) = (middle, at);
        } else {
            low = middle;
        }
    }
    (high, reached)
}

/// Runs the work and returns seconds by the clock, and on a processor by this thread (Linux; else the clock's).
pub fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (started, before) = (Instant::now(), on_processor("/proc/thread-self/schedstat"));
    work();
    let wall = started.elapsed().as_secs_f64();
    (wall, on_processor("/proc/thread-self/schedstat").zip(before).map_or(wall, |(after, before)| after - before))
}

fn on_processor(path: &str) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    text.split(' ').next()?.parse::<u64>().ok().map(|nanoseconds| nanoseconds as f64 * 1e-9)
}

/// Seconds on processors of all threads of this process so far, those that ended included.
pub fn process_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) as f64 / 100.0
}

/// Anonymous memory of this process in bytes.
pub fn anonymous_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Microseconds, with digits as it needs.
pub fn microseconds(duration: Duration) -> String {
    format!("{:.0} µs", duration.as_secs_f64() * 1e6)
}
