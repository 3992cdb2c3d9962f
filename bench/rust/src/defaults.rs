//! Recall@1, @10 and @100 of a search that is given no ef, and the least ef that would do.
//!
//! A walk keeps at least as many candidates as are measured in full, which the graph decides when it is built: so a smaller ef can find
//! as much, and the least is 10 where that alone is enough.

use std::time::Instant;

use cutover_vectors::{Search, VectorPlan};

use crate::{
    data::{Data, recall},
    measure::least_ef,
    ours,
};

const KS: [usize; 3] = [1, 10, 100];
const TARGET: f64 = 0.95;

pub fn run(data: &Data) {
    let directory = tempfile::tempdir().unwrap();
    ours::build(&data.base, directory.path(), 2);
    let index = ours::open(directory.path());
    let ask = |at: usize, k, ef| -> (f64, VectorPlan) {
        let search = Search { k, ef, allowed: None, within: f32::INFINITY, by_cells: false, cancel: &ours::never };
        let (found, plan) = index.find(data.queries.row(at), &search).unwrap();
        let rows: Vec<u32> = found.iter().map(|near| near.ordinal).collect();
        (recall(&rows, &data.truth[at], k), plan)
    };
    let queries = data.queries.len();
    let mean = |of: &dyn Fn(usize) -> f64| (0..queries).map(of).sum::<f64>() / queries as f64;
    println!("  k  recall@k   ef  kept  in full  mean µs  least ef for {TARGET}");
    for k in KS {
        let started = Instant::now();
        let reached = mean(&|at| ask(at, k, None).0);
        let microseconds = started.elapsed().as_secs_f64() * 1e6 / queries as f64;
        let (least, _) = least_ef(TARGET, |ef| mean(&|at| ask(at, k, Some(ef)).0));
        println!(
            "{k:3}  {reached:8.4}  {:3}  {:4}  {:7.0}  {microseconds:7.0}  {least:17}",
            cutover_vectors::default_ef(k, data.base.len()),
            ask(0, k, None).1.ef,
            mean(&|at| ask(at, k, None).1.reranked as f64),
        );
    }
}
