//! `cargo run --release --manifest-path bench/rust/Cargo.toml -- FIGURE FOLDER [DIRECTORY]`: Cutover's vectors beside C++ hnswlib.
//!
//! FIGURE is one of `search`, `build`, `open`, `filters`, `scaling`, `defaults`; FOLDER holds W, M or the third set. Both systems take
//! m 16, efConstruction 200 and cosine. DIRECTORY keeps hnswlib's index from one run for the next. `CUTOVER_SIMD` chooses Cutover's
//! kernels.
#![expect(clippy::unwrap_used, reason = "a benchmark, which fails by panicking")]

mod construct;
mod data;
mod defaults;
mod filters;
mod measure;
mod once;
mod ours;
mod peer;
mod search;

use std::{env, path::Path, process::exit};

use data::Data;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (figure, folder, keep) = match words[..] {
        // What `open` and `build` start: a process of its own, so that memory and first calls are its own.
        ["once", directory, folder] => return once::run(Path::new(directory), Path::new(folder)),
        ["build-once", directory, folder] => return once::build(Path::new(directory), Path::new(folder)),
        [figure, folder] => (figure, folder, None),
        [figure, folder, keep] => (figure, folder, Some(Path::new(keep))),
        _ => usage(),
    };
    let data = Data::read(Path::new(folder));
    println!(
        "{}: {} vectors of {}, {} queries; hnswlib compiled for {}, CUTOVER_SIMD {}\n",
        data.name,
        data.base.len(),
        data.base.dimensions(),
        data.queries.len(),
        env!("BENCH_MARCH"),
        env::var("CUTOVER_SIMD").as_deref().unwrap_or("not set"),
    );
    match figure {
        "search" => search::run(&data, keep),
        "build" => construct::run(&data, Path::new(folder)),
        "open" => once::report(&data, Path::new(folder)),
        "filters" => filters::run(&data),
        "scaling" => search::scaling(data, keep),
        "defaults" => defaults::run(&data),
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!("Usage: cutover-bench search|build|open|filters|scaling|defaults FOLDER [DIRECTORY]");
    exit(2)
}
