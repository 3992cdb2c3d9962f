//! Every way of a filtered search is gone where it should be, and finds what a scan finds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{Random, build_some, clustered, never, parameters};
use cutover_vectors::{Error, Filter, Metric, Parameters, Quantisation, Search, Strategy, VectorIndex, VectorPlan};
use fixedbitset::FixedBitSet;

const COUNT: usize = 40_000;
const DIMENSIONS: usize = 16;

/// Vectors of every ordinal, or of every third, with cells or, because there are no codes, without.
fn index(step: usize, codes: Quantisation) -> (VectorIndex, Vec<Vec<f32>>, tempfile::TempDir) {
    let (vectors, queries) = clustered(DIMENSIONS, COUNT, 40, 19);
    let parameters = Parameters { m: 8, codes, ..parameters(Metric::L2, DIMENSIONS) };
    let given = vectors.iter().enumerate().map(|(row, vector)| ((row * step) as u32, vector.as_slice()));
    let built = build_some(parameters, given, 2);
    (built.index, queries, built.directory)
}

fn at_random(bound: usize, share: f32) -> FixedBitSet {
    let mut random = Random::new(5);
    let mut allowed = FixedBitSet::with_capacity(bound);
    (0..bound).for_each(|ordinal| allowed.set(ordinal, random.uniform() < share));
    allowed
}

/// What is beyond the nearest half, or within the nearest tenth of a vector, if vectors are of every ordinal.
fn by_distance(index: &VectorIndex, vector: &[f32], near: bool) -> FixedBitSet {
    let order = index.search_exact(vector, COUNT, None, &never).unwrap();
    let mut allowed = FixedBitSet::with_capacity(COUNT);
    let these = if near { &order[..COUNT / 10] } else { &order[COUNT / 2..] };
    allowed.extend(these.iter().map(|hit| hit.ordinal as usize));
    allowed
}

/// Searches for 10 with and without a scan. Returns what was found, the plan, and how often each way was gone.
fn ask(
    index: &VectorIndex,
    queries: &[Vec<f32>],
    (ef, by_cells): (Option<usize>, bool),
    of: &dyn Fn(&[f32]) -> FixedBitSet,
) -> (f64, VectorPlan, BTreeMap<String, usize>) {
    let (mut found, mut ways, mut last) = (0, BTreeMap::new(), None);
    for query in queries {
        let allowed = Filter::from(of(query));
        let search = Search { k: 10, ef, allowed: Some(&allowed), within: f32::INFINITY, by_cells, cancel: &never };
        let (hits, plan) = index.find(query, &search).unwrap();
        let exact = index.find_exact(query, &search).unwrap();
        assert_eq!((hits.len(), exact.len()), (10, 10));
        assert!(hits.iter().all(|hit| allowed.allowed().contains(hit.ordinal as usize)));
        assert!(hits.iter().zip(&hits[1..]).all(|(hit, next)| hit.ordinal != next.ordinal));
        found += hits.iter().filter(|hit| exact.contains(hit)).count();
        *ways.entry(format!("{:?}", plan.strategy)).or_insert(0) += 1;
        last = Some(plan);
    }
    (found as f64 / (10 * queries.len()) as f64, last.unwrap(), ways)
}

fn the_share_decides(codes: Quantisation, expected: [(f32, Option<usize>, Strategy); 4]) {
    for step in [1, 3] {
        let (index, queries, _directory) = index(step, codes);
        for (share, ef, expected) in expected {
            let allowed = at_random(COUNT * step, share);
            let (recall, plan, ways) = ask(&index, &queries, (ef, false), &|_| allowed.clone());
            let of_expected = ways.get(&format!("{expected:?}")).copied().unwrap_or(0);
            assert!(of_expected * 10 >= queries.len() * 7, "{share}: {ways:?}, {plan:?}");
            assert!(recall >= 0.98, "{share} of every {step}: {recall}");
            assert_eq!(plan.vectors, COUNT);
            assert!(plan.allowed <= allowed.count_ones(..) && plan.measured > 0 && plan.ef > 0, "{plan:?}");
            assert_eq!(plan.hops == 0, expected == Strategy::Scan, "{plan:?}");
        }
    }
}

#[test]
fn the_share_that_is_allowed_decides() {
    the_share_decides(
        Quantisation::Int8,
        [
            (0.95, None, Strategy::MaskedWalk),
            (0.5, None, Strategy::MaskedWalk),
            (0.1, None, Strategy::CellWalk),
            (0.02, None, Strategy::Scan),
        ],
    );
}

#[test]
fn it_decides_without_cells_too() {
    the_share_decides(
        Quantisation::None,
        [
            (0.95, None, Strategy::MaskedWalk),
            (0.5, None, Strategy::MaskedWalk),
            (0.15, Some(40), Strategy::FilteredWalk),
            (0.02, None, Strategy::Scan),
        ],
    );
}

/// What lies in every direction from the query, no walk finds, and no cell tells: they must know that.
#[test]
fn what_is_far_on_all_sides_is_scanned() {
    for (codes, expected) in [(Quantisation::Int8, "CellScan"), (Quantisation::None, "WalkThenScan")] {
        let (index, queries, _directory) = index(1, codes);
        let (recall, plan, ways) = ask(&index, &queries, (None, false), &|query| by_distance(&index, query, false));
        assert_eq!(ways.keys().collect::<Vec<_>>(), [expected], "{plan:?}");
        assert!(plan.measured >= COUNT / 2, "{plan:?}");
        assert!(recall >= 0.99, "{recall}");
    }
}

/// Allowed is what is near another vector: the graph around the query leads past it, its cells do not.
#[test]
fn a_cluster_elsewhere_is_found_by_its_cells() {
    let (index, queries, _directory) = index(1, Quantisation::Int8);
    let cluster = by_distance(&index, &queries[3], true);
    let way = (None, true);
    let (recall, plan, ways) = ask(&index, &queries, way, &|_| cluster.clone());
    assert!(ways.keys().all(|way| way.starts_with("Cell")) && ways.contains_key("CellWalk"), "{ways:?}, {plan:?}");
    assert!(recall >= 0.98, "{recall}");
}

/// What a filter learned about one field, it does not take for another's.
#[test]
fn a_filter_tells_fields_apart() {
    let (one, queries, _one) = index(1, Quantisation::Int8);
    let (other, _, _other) = index(3, Quantisation::Int8);
    let allowed = Filter::from(at_random(COUNT, 0.1));
    assert_eq!(allowed.bytes(), COUNT / 8);
    for index in [&one, &other, &one] {
        let search =
            Search { k: 10, ef: None, allowed: Some(&allowed), within: f32::INFINITY, by_cells: true, cancel: &never };
        let (hits, plan) = index.find(&queries[0], &search).unwrap();
        let exact = index.find_exact(&queries[0], &search).unwrap();
        assert!(matches!(plan.strategy, Strategy::CellWalk | Strategy::CellScan), "{plan:?}");
        assert!(hits.iter().filter(|hit| exact.contains(hit)).count() >= 9, "{hits:?}, {exact:?}");
        assert!(allowed.bytes() >= COUNT / 8 + 4 * allowed.count() / 3, "what was learned counts");
    }
}

#[test]
fn a_search_by_cells_can_be_cancelled() {
    let (index, queries, _directory) = index(1, Quantisation::Int8);
    let allowed = Filter::from(at_random(COUNT, 0.1));
    let search =
        Search { k: 10, ef: None, allowed: Some(&allowed), within: f32::INFINITY, by_cells: true, cancel: &|| true };
    assert!(matches!(index.find(&queries[0], &search), Err(Error::Cancelled)));
    assert_eq!(allowed.bytes(), COUNT / 8, "nothing was learned");
}
