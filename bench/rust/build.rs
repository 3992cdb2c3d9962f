//! Compiles C++ hnswlib, from the headers that the npm package `hnswlib-node` ships, for x86-64-v4 (AVX-512).
//!
//! `BENCH_MARCH` names another `-march`. The vectors crate's own build script checks the same headers' digests.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=peer.cc");
    println!("cargo::rerun-if-env-changed=BENCH_MARCH");
    let march = env::var("BENCH_MARCH").unwrap_or_else(|_| "x86-64-v4".to_owned());
    println!("cargo::rustc-env=BENCH_MARCH={march}");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file("peer.cc")
        .flag("-isystem")
        .flag("../../node_modules/hnswlib-node/src/hnswlib")
        .flag(format!("-march={march}"))
        // Somebody else's headers.
        .warnings(false)
        .flag("-w")
        .opt_level(3)
        .define("NDEBUG", None)
        .compile("cutover_bench_peer");
}
