//! With the feature `oracle`, compiles the C++ shim over hnswlib's headers, after making sure that they are the headers it was
//! written for. Without it there is nothing to do: the product has no C++ in it.
//!
//! The headers are not in this repository: they come from the npm package `hnswlib-node`, or from the directory that
//! `CUTOVER_HNSWLIB_DIR` names. Another version of them would be another oracle, so each must have its digest.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

use sha2::{Digest as _, Sha256};

const DIRECTORY_VARIABLE: &str = "CUTOVER_HNSWLIB_DIR";

/// Every header that `hnswlib.h` includes, as `hnswlib-node` 3.0.0 ships it, with its SHA-256.
const HEADERS: [(&str, &str); 7] = [
    ("bruteforce.h", "da1f179e99d8e5a4c39b5db0c681bccf3c63e797aaa4982620519f8e001cb2c6"),
    ("hnswalg.h", "0fb2c1b1d3aae1ea959b536f96844f3f3ae6a2f32ce063f2c31f93d84a7e5c32"),
    ("hnswlib.h", "54403db81f55fd28246114c5c9f683e663a2a55ad64903b56578c73e6db5ad2c"),
    ("space_ip.h", "6a89b5275527fe3592a9b02ea4fc50293fdc68cbd9f7c1ec13683581e1ebbaf7"),
    ("space_l2.h", "c599d024657896412250b4fde1a95e39f8bc55cccd263f36c8948fa35779edf1"),
    ("stop_condition.h", "930da73eead77dff0c8c9f3281c5d12250051c90ef98fcfbab8f5f307bdae8d9"),
    ("visited_list_pool.h", "8e5bab8d12b5ef26e3b603b656b8a1acba6738498d1d98f44c9fdb1cb0e25110"),
];

fn main() {
    println!("cargo::rerun-if-env-changed={DIRECTORY_VARIABLE}");
    for file in ["build.rs", "shim/space.h", "shim/status.h", "shim/oracle.cc"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var_os("CARGO_FEATURE_ORACLE").is_none() {
        return;
    }
    match header_directory() {
        Ok(directory) => compile(&directory),
        Err(sentence) => {
            println!("cargo::error={sentence}");
            process::exit(1);
        }
    }
}

/// Where the headers are, all of them present and with their recorded digests; else one sentence saying what to do.
fn header_directory() -> Result<PathBuf, String> {
    let named = env::var_os(DIRECTORY_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let remedy = match &named {
        Some(_) => format!("point {DIRECTORY_VARIABLE} at `src/hnswlib` of the npm package hnswlib-node 3.0.0"),
        None => format!("run `npm install` in the repository's root, or set {DIRECTORY_VARIABLE}"),
    };
    // Asked for at run time: a build directory that was moved here keeps its build script.
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let directory = named.unwrap_or_else(|| {
        root.canonicalize().unwrap_or_else(|_| root.clone()).join("node_modules/hnswlib-node/src/hnswlib")
    });
    for (name, expected) in HEADERS {
        let path = directory.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes = fs::read(&path)
            .map_err(|error| format!("cannot read hnswlib's header {}: {error}; {remedy}", path.display()))?;
        if hexadecimal(&Sha256::digest(&bytes)) != expected {
            return Err(format!("{} is not the header of hnswlib-node 3.0.0; {remedy}", path.display()));
        }
    }
    Ok(directory)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn compile(headers: &Path) {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").file("shim/oracle.cc").warnings(true).extra_warnings(true);
    // The headers are somebody else's: their warnings are not ours to mend. MSVC has another spelling for "system header".
    if build.get_compiler().is_like_msvc() {
        build.flag("/external:W0").flag("/external:I").flag(headers).flag("/EHsc");
    } else {
        build.flag("-isystem").flag(headers).flag("-fvisibility=hidden");
    }
    // Optimised in every profile: a graph built by unoptimised templates takes minutes in the tests.
    build.opt_level(3).define("NDEBUG", None).compile("cutover_vectors_oracle");
}
