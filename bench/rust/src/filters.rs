//! Recall@10 and time under filters, random and correlated with the query, beside the unfiltered search at recall .95.

use std::{collections::BTreeMap, rc::Rc, time::Instant};

use cutover_vectors::{Filter, Search, VectorIndex};
use fixedbitset::FixedBitSet;

use crate::{
    data::{Data, Rows, dot, exact, recall},
    measure::{least_ef, median},
    ours,
};

const K: usize = 10;
const SHARES: [f64; 5] = [0.5, 0.1, 0.01, 0.001, 0.0001];
/// Of filters that allow as much as this or more, the first search is shown, too.
const LEARNED: f64 = 0.1;
/// Queries under each filter, spread over all, which may be in an order: a far one takes a pass over all vectors for each of them.
const ASKED: usize = 200;
/// Times that each query is asked; its fastest counts, so that what else the machine does counts less.
const TIMES: usize = 3;

pub fn run(data: &Data) {
    let directory = tempfile::tempdir().unwrap();
    ours::build(&data.base, directory.path(), 2);
    let index = ours::open(directory.path());
    let (base, queries) = (data.base.unit(), data.queries.unit());
    let spread = (0..ASKED).flat_map(|at| queries.row(at * queries.len() / ASKED).to_vec()).collect();
    let asked = Rows::new(spread, queries.dimensions());
    let plain = unfiltered(data, &index, &queries, &asked);
    println!("filter    allowed  recall@10  least   median µs  mean µs  ÷ unfiltered  chosen");
    for share in SHARES {
        let count = ((base.len() as f64 * share).round() as usize).max(1);
        let random = random(base.len(), count);
        let cluster = extreme(&base, base.row(7), count, true);
        let line = |name: &str, of: &dyn Fn(usize) -> Rc<Filter>| {
            let (found, times) = filtered(&index, &base, &asked, of);
            let chosen: Vec<String> =
                chosen(&index, &asked, of).iter().map(|(way, of)| format!("{way} {of}")).collect();
            let mean = times.iter().sum::<f64>() / times.len() as f64;
            println!(
                "{name:8}  {count:7}  {:.4}     {:.1}  {:9.0}  {mean:9.0}  {:12.2}  {}",
                found.iter().sum::<f64>() / found.len() as f64,
                found.iter().copied().fold(1.0, f64::min),
                median(times),
                mean / plain,
                chosen.join(", ")
            );
        };
        line("random", &|_| random.clone());
        line("cluster", &|_| cluster.clone());
        line("far", &|at| extreme(&base, asked.row(at), count, false));
        if share >= LEARNED {
            println!("the first search under a filter of {count}: {:.0} µs", first(&index, &asked, &random));
        }
    }
}

/// Microseconds of the first search under a filter, which has to learn where its vectors are, in the median.
fn first(index: &VectorIndex, queries: &Rows, filter: &Filter) -> f64 {
    let mut rows = Vec::new();
    let time = |at| {
        let fresh = Filter::from(filter.allowed().clone());
        let started = Instant::now();
        ours::search(index, queries.row(at), K, None, Some(&fresh), &mut rows);
        started.elapsed().as_secs_f64() * 1e6
    };
    median((0..ASKED).map(time).collect())
}

/// Prints and returns mean microseconds of a search without a filter at recall .95.
fn unfiltered(data: &Data, index: &VectorIndex, queries: &Rows, asked: &Rows) -> f64 {
    let mut rows = Vec::new();
    let mut at_ef = |ef| {
        let mut one = |at: usize| {
            ours::search(index, queries.row(at), K, Some(ef), None, &mut rows);
            recall(&rows, &data.truth[at], K)
        };
        (0..queries.len()).map(&mut one).sum::<f64>() / queries.len() as f64
    };
    let (ef, reached) = least_ef(0.95, &mut at_ef);
    let times = fastest(&mut |at| ours::search(index, asked.row(at), K, Some(ef), None, &mut rows));
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!("unfiltered, ef {ef}: recall@10 {reached:.4}, {mean:.0} µs\n");
    mean
}

/// Each query's recall and microseconds under the filter of its number, with the default ef.
fn filtered(
    index: &VectorIndex,
    base: &Rows,
    queries: &Rows,
    of: &dyn Fn(usize) -> Rc<Filter>,
) -> (Vec<f64>, Vec<f64>) {
    let allowed: Vec<Rc<Filter>> = (0..ASKED).map(of).collect();
    let mut rows = Vec::new();
    let found = (0..ASKED)
        .map(|at| {
            let (query, allowed) = (queries.row(at), &allowed[at]);
            let truth = exact(base, query, K, |row| allowed.allowed().contains(row));
            ours::search(index, query, K, None, Some(allowed), &mut rows);
            assert_eq!(rows.len(), truth.len(), "as many hits as are allowed, up to {K}");
            recall(&rows, &truth, K)
        })
        .collect();
    let ask = &mut |at: usize| ours::search(index, queries.row(at), K, None, Some(&allowed[at]), &mut rows);
    (found, fastest(ask))
}

/// How often each way was gone.
fn chosen(index: &VectorIndex, queries: &Rows, of: &dyn Fn(usize) -> Rc<Filter>) -> BTreeMap<String, usize> {
    let mut ways = BTreeMap::new();
    for at in 0..ASKED {
        let allowed = of(at);
        let search = Search { k: K, ef: None, allowed: Some(&allowed), within: f32::INFINITY, by_cells: false, cancel: &ours::never };
        let (_, plan) = index.find(queries.row(at), &search).unwrap();
        *ways.entry(format!("{:?}", plan.strategy)).or_insert(0) += 1;
    }
    ways
}

/// Microseconds of each query, the fastest of its times; all others are asked between two of them, so that none finds its own data near.
fn fastest(ask: &mut dyn FnMut(usize)) -> Vec<f64> {
    let mut times = vec![f64::INFINITY; ASKED];
    for _ in 0..TIMES {
        for (at, least) in times.iter_mut().enumerate() {
            let started = Instant::now();
            ask(at);
            *least = least.min(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    times
}

/// So many rows, each as likely as any other.
fn random(rows: usize, count: usize) -> Rc<Filter> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut allowed = FixedBitSet::with_capacity(rows);
    while allowed.count_ones(..) < count {
        for _ in allowed.count_ones(..)..count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            allowed.insert((state % rows as u64) as usize);
        }
    }
    Rc::new(allowed.into())
}

/// The rows that are nearest to a vector, or farthest from it.
fn extreme(base: &Rows, vector: &[f32], count: usize, nearest: bool) -> Rc<Filter> {
    let sign = if nearest { -1.0 } else { 1.0 };
    let mut order: Vec<(f32, usize)> = base.iter().map(|row| sign * dot(row, vector)).zip(0..).collect();
    order.select_nth_unstable_by(count - 1, |one, other| one.0.total_cmp(&other.0));
    let mut allowed = FixedBitSet::with_capacity(base.len());
    allowed.extend(order[..count].iter().map(|(_, row)| *row));
    Rc::new(allowed.into())
}
