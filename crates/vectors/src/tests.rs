//! What can be seen only from inside: kernels, keys, levels, and the graph before it is written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codes;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    construct::{Caller, insert_all, levels},
    distance::{Key, Query},
    ffi::{Building, Built},
    kernels::{kernels, supported},
    parameters::{Metric, Parameters},
    repair::{reachable, repair},
};

const LINE: Parameters = Parameters { metric: Metric::L2, dimensions: 2, m: 4, ef_construction: 16, seed: 1 };

fn graph_of(parameters: Parameters, rows: &[Vec<f32>], threads: usize) -> Built {
    let mut building = Building::new(&parameters, rows.len()).unwrap();
    for (row, level) in rows.iter().zip(levels(parameters.m, parameters.seed)) {
        building.place(row, level).unwrap();
    }
    let caller = Caller { threads, cancel: &|| false, progress: &|_, _| (), on_thread: &|| () };
    insert_all(&building, rows.len() as u32, caller).unwrap();
    building.finish()
}

/// Numbers of very different sizes, without pattern but always the same.
fn numbers(count: usize, salt: u32) -> Vec<f32> {
    (0..count as u32).map(|i| ((i + salt).wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5) * 8.0).collect()
}

#[test]
fn every_kernel_agrees_with_sums_in_64_bits_at_every_length() {
    for length in 0..=150 {
        let (a, b) = (numbers(length, 1), numbers(length, 77));
        let pairs = || a.iter().zip(&b).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let dot: f64 = pairs().map(|(x, y)| x * y).sum();
        let squared: f64 = pairs().map(|(x, y)| (x - y) * (x - y)).sum();
        for family in supported() {
            let error = 1e-5 * (length as f64 + 1.0);
            assert!((f64::from((family.dot)(&a, &b)) - dot).abs() < error, "{} dot of {length}", family.name);
            let found = f64::from((family.squared)(&a, &b));
            assert!((found - squared).abs() < 4.0 * error, "{} squared of {length}: {found} {squared}", family.name);
        }
    }
}

#[test]
fn the_kernel_in_use_is_the_first_supported() {
    assert_eq!(kernels().name, supported()[0].name);
    assert_eq!(supported().last().unwrap().name, "portable");
}

#[test]
fn keys_sort_as_distances_do_and_return_them() {
    let ascending = [
        f32::NEG_INFINITY,
        -f32::MAX,
        -1.5,
        -f32::MIN_POSITIVE,
        0.0,
        f32::MIN_POSITIVE,
        0.1,
        2.0,
        f32::MAX,
        f32::INFINITY,
    ];
    for pair in ascending.windows(2) {
        assert!(Key::new(pair[0], 9) < Key::new(pair[1], 3), "{pair:?}");
    }
    assert!(Key::new(0.5, 3) < Key::new(0.5, 4));
    for distance in ascending {
        let key = Key::new(distance, 123);
        assert_eq!((key.distance().to_bits(), key.node()), (distance.to_bits(), 123));
    }
}

#[test]
fn sums_that_overflow_are_ordered_not_nan() {
    let parameters = |metric| Parameters { metric, dimensions: 2, ..LINE };
    let large = f32::MAX;
    let both = [large, large];
    let inner = Query::new(&parameters(Metric::InnerProduct), &both).unwrap();
    // In 32 bits this is ∞ − ∞; in truth it is 0.
    assert_eq!(inner.distance(&[large, -large], 0.0).to_bits(), 1.0_f32.to_bits());
    assert_eq!(inner.distance(&[large, large], 0.0).to_bits(), f32::NEG_INFINITY.to_bits());
    let squared = Query::new(&parameters(Metric::L2), &both).unwrap();
    assert_eq!(squared.distance(&[-large, large], 0.0).to_bits(), f32::INFINITY.to_bits());
}

#[test]
fn a_damaged_row_is_infinitely_far_not_nan() {
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        let query = Query::new(&Parameters { metric, ..LINE }, &[1.0, 2.0]).unwrap();
        assert_eq!(query.distance(&[f32::NAN, 1.0], f32::NAN).to_bits(), f32::INFINITY.to_bits(), "{metric:?}");
    }
}

#[test]
fn a_level_is_as_rare_as_m_says() {
    let drawn: Vec<u8> = levels(16, 7).take(160_000).collect();
    let above = |level| drawn.iter().filter(|&&drawn| drawn >= level).count();
    assert!((9_000..11_000).contains(&above(1)), "{}", above(1));
    assert!((500..750).contains(&above(2)), "{}", above(2));
    assert_eq!(drawn, levels(16, 7).take(160_000).collect::<Vec<u8>>());
    assert_ne!(drawn, levels(16, 8).take(160_000).collect::<Vec<u8>>());
}

#[test]
fn repair_reaches_every_one_of_equal_rows_linked_by_two_threads() {
    let rows = vec![vec![1.0, 2.0]; 3000];
    let mut graph = graph_of(LINE, &rows, 2);
    let before = reachable(&graph);
    let linked = repair(&mut graph).unwrap();
    assert!(linked > 0, "{before} of 3000 were reachable: the test has nothing to repair");
    assert_eq!(reachable(&graph), 3000);
}

#[test]
fn repair_reaches_islands_of_equal_rows() {
    // Far more equal rows on each island than a list has slots, so that all its links stay at home.
    let rows: Vec<Vec<f32>> = (0..4000_u16).map(|i| vec![f32::from(i % 40) * 100.0, 0.0]).collect();
    let mut graph = graph_of(LINE, &rows, 2);
    assert!(reachable(&graph) < 4000, "the test has nothing to repair");
    repair(&mut graph).unwrap();
    assert_eq!(reachable(&graph), 4000);
    let room = 2 * LINE.m;
    for node in 0..4000 {
        let links = graph.links(node, 0);
        assert!(links.len() <= room && links.iter().all(|&link| link < 4000 && link != node), "{node}: {links:?}");
    }
}

#[test]
fn repair_leaves_a_connected_graph_alone() {
    let rows: Vec<Vec<f32>> = numbers(2000, 5).chunks(2).map(<[f32]>::to_vec).collect();
    let mut graph = graph_of(Parameters { m: 16, ef_construction: 100, ..LINE }, &rows, 1);
    assert_eq!(repair(&mut graph).unwrap(), 0);
}

#[test]
fn the_shim_refuses_what_is_out_of_its_bounds() {
    let mut building = Building::new(&LINE, 1).unwrap();
    assert!(building.insert(0).unwrap_err().to_string().contains("not placed"));
    assert!(building.place(&[1.0], 0).is_err());
    building.place(&[1.0, 2.0], 1).unwrap();
    assert!(building.place(&[1.0, 2.0], 0).unwrap_err().to_string().contains("more rows"));
    building.insert(0).unwrap();
    let mut built = building.finish();
    assert!(built.links(0, 2).is_empty() && built.links(7, 0).is_empty() && built.links_mut(7).is_empty());
    assert!(!built.append(7, 0) && built.append(0, 0));
}

#[test]
fn a_build_stops_within_a_node_of_being_cancelled() {
    let mut building = Building::new(&LINE, 2000).unwrap();
    for (row, level) in numbers(4000, 3).chunks(2).zip(levels(LINE.m, 1)) {
        building.place(row, level).unwrap();
    }
    let (asked, reported) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let cancel = || asked.fetch_add(1, Ordering::Relaxed) >= 700;
    let progress = |done: usize, _| {
        reported.fetch_max(done, Ordering::Relaxed);
    };
    let caller = Caller { threads: 2, cancel: &cancel, progress: &progress, on_thread: &|| () };
    assert!(matches!(insert_all(&building, 2000, caller), Err(crate::Error::Cancelled)));
    assert_eq!(reported.load(Ordering::Relaxed), 512);
    assert!(asked.load(Ordering::Relaxed) <= 702);
}

#[test]
fn a_thread_that_panics_is_an_error() {
    let mut building = Building::new(&LINE, 1).unwrap();
    building.place(&[1.0, 2.0], 0).unwrap();
    #[expect(clippy::panic, reason = "what is tested")]
    let on_thread = || panic!("in the caller's function");
    let caller = Caller { threads: 1, cancel: &|| false, progress: &|_, _| (), on_thread: &on_thread };
    assert!(matches!(insert_all(&building, 1, caller), Err(crate::Error::Build { .. })));
}
