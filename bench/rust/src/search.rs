//! Queries a second at equal recall@10, on one thread, the systems taking turns.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

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

/// A system, asked as the others are: rows of the nearest for query number `at` with `ef` candidates.
type Ask<'a> = &'a dyn Fn(usize, usize, &mut Vec<u32>);

pub fn run(data: &Data, keep: Option<&Path>) {
    compare(data, keep);
}

/// Built, or loaded from the directory that keeps it; and the file that it is saved in.
fn hnswlib(data: &Data, keep: &Path) -> (Peer, PathBuf) {
    let file = keep.join(format!("hnswlib-{}-{}.bin", data.name, data.base.len()));
    if file.exists() {
        println!("hnswlib loaded from {}", file.display());
        return (Peer::load(&file, data.base.dimensions()), file);
    }
    let started = Instant::now();
    let peer = Peer::build(&data.base.unit(), ours::M, ours::EF_CONSTRUCTION, 2);
    println!("hnswlib built on two threads in {:.1} s", started.elapsed().as_secs_f64());
    peer.save(&file);
    (peer, file)
}

/// Cutover on a graph of its own, Cutover on hnswlib's graph, and hnswlib, compared.
fn compare(data: &Data, keep: Option<&Path>) -> Vec<Vec<f64>> {
    let directory = tempfile::tempdir().unwrap();
    let [own, taken] = ["own", "taken"].map(|name| directory.path().join(name));
    for path in [&own, &taken] {
        fs::create_dir(path).unwrap();
    }
    let (peer, file) = hnswlib(data, keep.unwrap_or(directory.path()));
    let labels = ours::adopt(&file, data.base.dimensions(), &taken);
    let took = ours::build(&data.base, &own, 2);
    println!("Cutover built on two threads in {:.1} s\n", took.as_secs_f64());
    let (own, taken) = (ours::open(&own), ours::open(&taken));
    let unit = data.queries.unit();
    let systems: [(&str, Ask); 3] = [
        ("Cutover", &|at, ef, rows| ours::search(&own, data.queries.row(at), K, Some(ef), None, rows)),
        ("on hnswlib's graph", &|at, ef, rows| {
            ours::search(&taken, data.queries.row(at), K, Some(ef), None, rows);
            rows.iter_mut().for_each(|row| *row = labels[*row as usize]);
        }),
        ("hnswlib", &|at, ef, rows| peer.search(unit.row(at), K, ef, rows)),
    ];
    println!("recall@10  system                ef  recall  queries/s  ÷ hnswlib  by processor time  its runs");
    TARGETS.map(|target| at_recall(data, target, systems)).into()
}

/// Finds each system's ef for the target, lets them take turns, and prints and returns queries a second.
fn at_recall(data: &Data, target: f64, systems: [(&str, Ask); 3]) -> Vec<f64> {
    let found = systems.map(|(_, ask)| least_ef(target, |ef| mean_recall(data, ask, ef)));
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
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push([0, 1, 2].map(|at| turn(systems[at].1, found[at].0)));
    }
    let line = |at: usize| {
        let (ef, reached) = found[at];
        let ratios: Vec<f64> = runs.iter().map(|run| run[at].0 / run[2].0).collect();
        let each: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let speed = median(runs.iter().map(|run| run[at].0).collect());
        println!(
            "{target:<9}  {:18}  {ef:4}  {reached:.4}  {speed:9.0}  {:9.2}  {:17.2}  {}",
            systems[at].0,
            median(ratios),
            median(runs.iter().map(|run| run[at].1 / run[2].1).collect()),
            each.join(" ")
        );
        speed
    };
    [0, 1, 2].map(line).into()
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

/// Queries a second at ten times the vectors ÷ at once, same recall, for all three.
pub fn scaling(data: Data, keep: Option<&Path>) {
    let small = compare(&data, keep);
    let base = data.base.tiled(10);
    let unit = base.unit();
    let asked = 200.min(data.queries.len());
    let dimensions = base.dimensions();
    let queries = Rows::new(data.queries.flat()[..asked * dimensions].to_vec(), dimensions);
    let truth = queries.unit().iter().map(|query| exact(&unit, query, K, |_| true)).collect();
    drop(unit);
    println!("\n{} vectors", base.len());
    let large = compare(&Data { name: data.name, base, queries, truth }, keep);
    println!("\nqueries/s at 10× ÷ at 1×  Cutover  on hnswlib's graph  hnswlib");
    for (at, target) in TARGETS.into_iter().enumerate() {
        let [own, taken, theirs] = [0, 1, 2].map(|system| large[at][system] / small[at][system]);
        println!("recall@10 {target:<15}  {own:7.2}  {taken:18.2}  {theirs:7.2}");
    }
}
