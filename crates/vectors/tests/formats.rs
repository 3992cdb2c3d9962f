//! What files hold: a file of this format answers for ever, on every processor, in either precision, with codes and without.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{env, fmt::Write as _, fs, path::PathBuf, process::Command};

use common::{METRICS, build, clustered, mean_recall, never, open, parameters};
use cutover_vectors::{Error, Metric, Parameters, Precision, Quantisation, VectorBuilder, VectorIndex};

const COUNT: usize = 150;
const DIMENSIONS: usize = 20;

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-2")
}

/// What an index answers to a few queries, to the bit.
fn answers(index: &VectorIndex) -> String {
    let (_, queries) = clustered(DIMENSIONS, COUNT, 8, 3);
    let mut lines = String::new();
    for query in &queries {
        for hit in index.search(query, 5, Some(32), None, &never).unwrap() {
            write!(lines, "{}:{:08x} ", hit.ordinal, hit.distance.to_bits()).unwrap();
        }
        lines.push('\n');
    }
    lines
}

fn kinds() -> impl Iterator<Item = (String, Parameters)> {
    METRICS.into_iter().flat_map(|metric| {
        [(Quantisation::Int8, Precision::Float32), (Quantisation::None, Precision::Float16)].map(
            |(codes, precision)| {
                let parameters = Parameters { codes, precision, m: 4, ..parameters(metric, DIMENSIONS) };
                (format!("{metric:?}-{codes:?}-{precision:?}").to_lowercase(), parameters)
            },
        )
    })
}

#[test]
#[ignore = "writes the fixture, which is done once for a format"]
fn write_the_fixture() {
    let (vectors, _) = clustered(DIMENSIONS, COUNT, 0, 3);
    for (name, parameters) in kinds() {
        let built = build(parameters, &vectors, 1);
        let directory = fixture().join(name);
        fs::create_dir_all(&directory).unwrap();
        for file in ["v.graph", "v.full"] {
            fs::copy(built.directory.path().join(file), directory.join(file)).unwrap();
        }
        fs::write(directory.join("answers"), answers(&built.index)).unwrap();
    }
}

#[test]
fn files_of_this_format_answer_for_ever() {
    for (name, parameters) in kinds() {
        let index = open(&fixture().join(&name)).unwrap();
        assert_eq!(index.len(), COUNT, "{name}");
        assert_eq!(*index.parameters(), parameters, "{name}");
        assert_eq!(index.verify(&never).unwrap(), None, "{name}");
        assert_eq!(answers(&index), fs::read_to_string(fixture().join(&name).join("answers")).unwrap(), "{name}");
    }
}

/// This process again, with each family of kernels; where the processor lacks one, with its best.
#[test]
fn answers_do_not_depend_on_the_kernels() {
    for family in ["avx512", "avx2", "portable"] {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "files_of_this_format_answer_for_ever"]).env("CUTOVER_SIMD", family);
        let output = again.output().unwrap();
        assert!(output.status.success(), "{family}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn float16_keeps_what_it_rounds_to_in_half_the_space() {
    let (vectors, queries) = clustered(100, 4000, 40, 5);
    for metric in METRICS {
        let whole = build(parameters(metric, 100), &vectors, 2);
        let half = build(Parameters { precision: Precision::Float16, ..parameters(metric, 100) }, &vectors, 2);
        let size = |built: &common::Built| fs::metadata(built.directory.path().join("v.full")).unwrap().len() as f64;
        assert!(size(&half) < 0.52 * size(&whole), "{metric:?}");
        for (ordinal, vector) in vectors.iter().enumerate().take(100) {
            let kept = half.index.vector(ordinal as u32).unwrap();
            assert!(kept.iter().zip(vector).all(|(kept, x)| (kept - x).abs() <= x.abs() / 2048.0), "{metric:?}");
            assert_eq!(*whole.index.vector(ordinal as u32).unwrap(), **vector, "{metric:?}");
        }
        let found = mean_recall(&half.index, &queries, 10, Some(100));
        assert!(found >= 0.97, "{metric:?}: {found}");
        assert_eq!(half.index.verify(&never).unwrap(), None);
    }
}

#[test]
fn what_float16_cannot_hold_is_refused() {
    let half = |metric| Parameters { precision: Precision::Float16, ..parameters(metric, 2) };
    let mut builder = VectorBuilder::new(half(Metric::L2)).unwrap();
    assert!(matches!(builder.push(0, &[1.0, -70_000.0]), Err(Error::NotHalf { component: 1, .. })));
    builder.push(0, &[1.0, 65_504.0]).unwrap();
    let mut builder = VectorBuilder::new(half(Metric::Cosine)).unwrap();
    assert!(matches!(builder.push(0, &[1e-10, 0.0]), Err(Error::Zero)));
}

#[test]
fn a_field_takes_little_more_than_its_vectors_and_links() {
    // hnswlib's file: 4 bytes a number, 4 a link, 12 more a node, and the upper levels.
    for (dimensions, float32, float16) in [(100, 1.3, 0.87), (384, 1.3, 0.82)] {
        let (vectors, _) = clustered(dimensions, 3000, 0, 5);
        let theirs = 3000.0 * (4.0 * dimensions as f64 + 4.0 * 32.0 + 12.0);
        for (precision, bar) in [(Precision::Float32, float32), (Precision::Float16, float16)] {
            let built = build(Parameters { precision, ..parameters(Metric::Cosine, dimensions) }, &vectors, 2);
            let size = |name| fs::metadata(built.directory.path().join(name)).unwrap().len() as f64;
            let ours = size("v.graph") + size("v.full");
            assert!(ours <= bar * theirs, "{dimensions} {precision:?}: {}", ours / theirs);
        }
    }
}

#[test]
fn many_dimensions_are_found() {
    for dimensions in [768, 1536, 4096] {
        let (vectors, queries) = clustered(dimensions, 700, 20, dimensions as u64);
        for metric in METRICS {
            let built = build(Parameters { m: 4, ef_construction: 40, ..parameters(metric, dimensions) }, &vectors, 2);
            let found = mean_recall(&built.index, &queries, 10, Some(16));
            assert!(found >= 0.93, "{metric:?} in {dimensions} dimensions: {found}");
        }
    }
}

#[test]
fn codes_are_left_out_where_they_do_not_serve() {
    let (few, _) = clustered(15, 500, 0, 5);
    assert_eq!(build(parameters(Metric::L2, 15), &few, 1).index.parameters().codes, Quantisation::None);
    let (more, _) = clustered(16, 1500, 0, 5);
    assert_eq!(build(parameters(Metric::L2, 16), &more, 1).index.parameters().codes, Quantisation::Int8);
    // One number dwarfs all others, which the codes then cannot tell apart.
    let dwarfed: Vec<Vec<f32>> = more.iter().map(|vector| [&[1e6], &vector[..]].concat()).collect();
    let index = build(parameters(Metric::L2, 17), &dwarfed, 1).index;
    assert_eq!(index.parameters().codes, Quantisation::None);
}
