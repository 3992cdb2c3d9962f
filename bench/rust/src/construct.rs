//! Build speed on two threads each, recall@10 of what came out, file sizes, and the memory of a build.

use std::{env, fs, path::Path, process::Command, time::Instant};

use crate::{
    data::{Data, recall},
    measure::process_seconds,
    ours,
    peer::Peer,
};

const THREADS: usize = 2;
const K: usize = 10;
const EFS: [usize; 3] = [50, 100, 200];

pub fn run(data: &Data, folder: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let unit = data.base.unit();
    let (started, before) = (Instant::now(), process_seconds());
    let peer = Peer::build(&unit, ours::M, ours::EF_CONSTRUCTION, THREADS);
    let theirs = (started.elapsed().as_secs_f64(), process_seconds() - before);
    let before = process_seconds();
    let ours = (ours::build(&data.base, directory.path(), THREADS).as_secs_f64(), process_seconds() - before);
    println!("build on {THREADS} threads  seconds  on processors");
    println!("Cutover, synced     {:7.1}  {:13.1}", ours.0, ours.1);
    println!("hnswlib, in memory  {:7.1}  {:13.1}", theirs.0, theirs.1);
    println!("speed ratio         {:7.2}  {:13.2}\n", theirs.0 / ours.0, theirs.1 / ours.1);

    let index = ours::open(directory.path());
    let queries = data.queries.unit();
    let mean = |ask: &dyn Fn(usize, &mut Vec<u32>)| {
        let mut rows = Vec::new();
        let one = |at| {
            ask(at, &mut rows);
            recall(&rows, &data.truth[at], K)
        };
        (0..queries.len()).map(one).sum::<f64>() / queries.len() as f64
    };
    println!("recall@10   Cutover  hnswlib  difference");
    for ef in EFS {
        let ours = mean(&|at, rows| ours::search(&index, queries.row(at), K, Some(ef), None, rows));
        let theirs = mean(&|at, rows| peer.search(queries.row(at), K, ef, rows));
        println!("ef {ef:<7}  {ours:.4}   {theirs:.4}   {:+.4}", ours - theirs);
    }

    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
    let saved = directory.path().join("hnswlib.bin");
    peer.save(&saved);
    let half = directory.path().join("half");
    fs::create_dir(&half).unwrap();
    ours::build_half(&data.base, &half, THREADS);
    let parts = [size(&directory.path().join("v.graph")), size(&directory.path().join("v.full"))];
    let files = parts[0] + parts[1];
    let halved = size(&half.join("v.graph")) + size(&half.join("v.full"));
    println!("\nfiles          MB  ÷ hnswlib's");
    println!("hnswlib    {:6.1}", size(&saved) / 1e6);
    println!(
        "float32    {:6.1}  {:.2} (graph {:.1}, full {:.1})",
        files / 1e6,
        files / size(&saved),
        parts[0] / 1e6,
        parts[1] / 1e6
    );
    println!("float16    {:6.1}  {:.2}", halved / 1e6, halved / size(&saved));
    let index16 = ours::open(&half);
    let recall16 = mean(&|at, rows| ours::search(&index16, queries.row(at), K, Some(100), None, rows));
    println!("recall@10 of float16 at ef 100: {recall16:.4}\n");
    drop((peer, index, index16, unit));
    let child = Command::new(env::current_exe().unwrap()).arg("build-once").args([directory.path(), folder]).output();
    let output = String::from_utf8(child.unwrap().stdout).unwrap();
    let peak: f64 = output.trim().parse().unwrap();
    println!("anonymous memory of a build at its peak: {:.1} MB, {:.2} × the files", peak / 1e6, peak / files);
}
