//! The input is a file of hnswlib's behind one byte for the metric: parsed, taken over, opened, searched, verified.
#![no_main]

use std::sync::LazyLock;

use cutover_hostile::{choose::Script, fields::import};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

fuzz_target!(|input: &[u8]| {
    if let [metric, file @ ..] = input {
        import(PLACE.path(), file, usize::from(*metric), &mut Script(&[]));
    }
});
