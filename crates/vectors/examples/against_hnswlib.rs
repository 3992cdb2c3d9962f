//! Measures this crate's search against hnswlib's own, on the same vectors, parameters and distances, in one process.
//!
//! `cargo run --release -p cutover-vectors --example against_hnswlib -- DOCUMENTS.npy QUERIES.npy`, both of 384
//! half-precision floats a row behind a header of 128 bytes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a tool, which fails by panicking")]

use std::{env, hint::black_box, path::Path, time::Instant};

use cutover_vectors::{Metric, Parameters, default_ef, oracle::Oracle};

#[path = "../tests/common/mod.rs"]
mod common;
use common::{build, never, parameters, read_f16, recall};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [documents, queries] = &arguments[..] else { panic!("two paths: documents and queries") };
    let documents = read_f16(Path::new(documents), 128);
    let queries = &read_f16(Path::new(queries), 128)[..1000];
    let parameters = Parameters { ef_construction: 200, ..parameters(Metric::Cosine, 384) };

    let start = Instant::now();
    let built = build(parameters, &documents, 2);
    println!("built {} vectors on two threads, and wrote them, in {:.1?}", documents.len(), start.elapsed());
    let index = &built.index;
    let start = Instant::now();
    let mut theirs = Oracle::new(&parameters, documents.len()).unwrap();
    for vector in &documents {
        theirs.add(vector).unwrap();
    }
    println!("hnswlib built them on one thread in {:.1?}", start.elapsed());

    let start = Instant::now();
    let exact: Vec<_> = queries.iter().map(|query| index.search_exact(query, 100, None, &never).unwrap()).collect();
    println!("exact search: {:.2?} a query", start.elapsed() / queries.len() as u32);

    for k in [1, 10, 100] {
        for ef in
            [k, 32, 48, 64, 96, 128, 192, 256, 400, default_ef(k, documents.len())].into_iter().filter(|ef| *ef >= k)
        {
            let (mut ours_took, mut theirs_took) = (Vec::new(), Vec::new());
            for _ in 0..3 {
                let start = Instant::now();
                for query in queries {
                    black_box(index.search(query, k, Some(ef), None, &never).unwrap());
                }
                ours_took.push(start.elapsed());
                let start = Instant::now();
                for query in queries {
                    black_box(theirs.search(query, k, ef).unwrap());
                }
                theirs_took.push(start.elapsed());
            }
            ours_took.sort();
            theirs_took.sort();
            let (mut ours_found, mut theirs_found) = (0.0, 0.0);
            for (query, exact) in queries.iter().zip(&exact) {
                let found = index.search(query, k, Some(ef), None, &never).unwrap();
                ours_found += recall(found.iter().map(|hit| hit.distance), &exact[..k]);
                let labels: Vec<u32> = theirs.search(query, k, ef).unwrap().iter().map(|label| *label as u32).collect();
                theirs_found += recall(index.distances(query, &labels).unwrap().into_iter().flatten(), &exact[..k]);
            }
            let count = queries.len() as f64;
            let (ours_qps, theirs_qps) = (count / ours_took[1].as_secs_f64(), count / theirs_took[1].as_secs_f64());
            println!(
                "k {k:3} ef {ef:3}: recall {:.4} (hnswlib {:.4}), {ours_qps:6.0} queries a second (hnswlib {theirs_qps:6.0}), ratio {:.2}",
                ours_found / count,
                theirs_found / count,
                ours_qps / theirs_qps
            );
        }
    }
}
