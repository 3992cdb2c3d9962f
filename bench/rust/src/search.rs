//! Queries a second at equal recall@10, on one thread, the two systems taking turns.

use std::{path::Path, time::Instant};

use cutover_vectors::VectorIndex;

use crate::{
    data::{Data, Rows, exact, recall},
    measure::{least_ef, median, timed},
    ours,
    peer::Peer,
};

const K: usize = 10;
const TARGETS: [f64; 2] = [0.95, 0.99];
const RUNS: usize = 5;
/// Seconds that one system's turn takes at least.
const TURN: f64 = 0.6;

/// One of the two, asked alike: rows of the nearest for query number `at` with `ef` candidates.
type Ask<'a> = &'a dyn Fn(usize, usize, &mut Vec<u32>);

pub fn run(data: &Data, keep: Option<&Path>) {
    built(data, keep);
}

/// Built, or loaded from the directory that keeps it.
fn hnswlib(data: &Data, keep: Option<&Path>) -> Peer {
    let file = keep.map(|directory| directory.join(format!("hnswlib-{}.bin", data.name)));
    if let Some(file) = file.as_ref().filter(|file| file.exists()) {
        println!("hnswlib loaded from {}", file.display());
        return Peer::load(file, data.base.dimensions());
    }
    let started = Instant::now();
    let peer = Peer::build(&data.base.unit(), ours::M, ours::EF_CONSTRUCTION, 2);
    println!("hnswlib built on two threads in {:.1} s", started.elapsed().as_secs_f64());
    if let Some(file) = file {
        peer.save(&file);
    }
    peer
}

fn compare(data: &Data, index: &VectorIndex, peer: &Peer) -> Vec<[f64; 2]> {
    let unit = data.queries.unit();
    let ours: Ask = &|at, ef, rows: &mut Vec<u32>| ours::search(index, data.queries.row(at), K, Some(ef), None, rows);
    let theirs: Ask = &|at, ef, rows: &mut Vec<u32>| peer.search(unit.row(at), K, ef, rows);
    println!("recall@10  system   ef    recall  queries/s  ratio  by processor time  of 5 runs");
    TARGETS.map(|target| at_recall(data, target, [ours, theirs])).into()
}

/// Finds each system's ef for the target, lets them take turns, and prints and returns queries a second.
fn at_recall(data: &Data, target: f64, systems: [Ask; 2]) -> [f64; 2] {
    let found = systems.map(|ask| least_ef(target, |ef| mean_recall(data, ask, ef)));
    let mut rows = Vec::new();
    let mut turn = |ask: Ask, ef| {
        let mut passes = 0;
        let started = Instant::now();
        let (wall, processor) = timed(|| {
            while passes == 0 || started.elapsed().as_secs_f64() < TURN {
                (0..data.queries.len()).for_each(|at| ask(at, ef, &mut rows));
                passes += 1;
            }
        });
        let asked = (passes * data.queries.len()) as f64;
        (asked / wall, asked / processor)
    };
    let runs: Vec<[(f64, f64); 2]> = (0..RUNS).map(|_| [0, 1].map(|at| turn(systems[at], found[at].0))).collect();
    let ratio = |of: fn((f64, f64)) -> f64| median(runs.iter().map(|[one, other]| of(*one) / of(*other)).collect());
    let each: Vec<String> = runs.iter().map(|[one, other]| format!("{:.2}", one.0 / other.0)).collect();
    let speeds = [0, 1].map(|at| median(runs.iter().map(|run| run[at].0).collect()));
    for (at, name) in ["Cutover", "hnswlib"].into_iter().enumerate() {
        let (ef, reached) = found[at];
        println!("{target:<9}  {name}  {ef:4}  {reached:.4}  {:9.0}", speeds[at]);
    }
    println!(
        "{target:<9}  ratio                           {:.2}  {:.2}               {}",
        ratio(|run| run.0),
        ratio(|run| run.1),
        each.join(" ")
    );
    speeds
}

fn mean_recall(data: &Data, ask: Ask, ef: usize) -> f64 {
    let mut rows = Vec::new();
    let sum: f64 = (0..data.queries.len())
        .map(|at| {
            ask(at, ef, &mut rows);
            recall(&rows, &data.truth[at], K)
        })
        .sum();
    sum / data.queries.len() as f64
}

/// Queries a second at ten times the vectors ÷ at once, same recall, for both systems.
pub fn scaling(data: Data) {
    let small = built(&data, None);
    let base = data.base.tiled(10);
    let unit = base.unit();
    let asked = 200.min(data.queries.len());
    let dimensions = base.dimensions();
    let queries = Rows::new(data.queries.flat()[..asked * dimensions].to_vec(), dimensions);
    let truth = queries.unit().iter().map(|query| exact(&unit, query, K, |_| true)).collect();
    drop(unit);
    println!("\n{} vectors", base.len());
    let large = built(&Data { name: data.name, base, queries, truth }, None);
    println!("\nqueries/s at 10× ÷ at 1×  Cutover  hnswlib");
    for (at, target) in TARGETS.into_iter().enumerate() {
        let [ours, theirs] = [0, 1].map(|system| large[at][system] / small[at][system]);
        println!("recall@10 {target:<15}  {ours:7.2}  {theirs:7.2}");
    }
}

/// Both systems over the data, compared.
fn built(data: &Data, keep: Option<&Path>) -> Vec<[f64; 2]> {
    let peer = hnswlib(data, keep);
    let directory = tempfile::tempdir().unwrap();
    let took = ours::build(&data.base, directory.path(), 2);
    println!("Cutover built on two threads in {:.1} s", took.as_secs_f64());
    compare(data, &ours::open(directory.path()), &peer)
}
