//! The two files of a vector field with structured lies that the input chooses: opened, searched, verified.
#![no_main]

use std::sync::LazyLock;

use cutover_hostile::{
    choose::{Choose as _, Script},
    fields::Field,
};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static SOUND: LazyLock<(TempDir, Vec<Field>)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let fields = Field::all(directory.path()).expect("sound fields");
    (directory, fields)
});

fuzz_target!(|input: &[u8]| {
    let (directory, fields) = &*SOUND;
    let mut script = Script(input);
    let field = script.below(fields.len());
    fields[field].attack(directory.path(), &mut script);
});
