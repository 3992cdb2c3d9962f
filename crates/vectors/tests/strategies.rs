//! Every way of a filtered search is gone where it should be, and finds what a scan finds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{Random, build_some, clustered, never, parameters};
use cutover_vectors::{Metric, Parameters, Search, Strategy, VectorIndex, VectorPlan};
use fixedbitset::FixedBitSet;

const COUNT: usize = 40_000;
const DIMENSIONS: usize = 16;

/// Vectors of every ordinal, or of every third.
fn index(step: usize) -> (VectorIndex, Vec<Vec<f32>>, tempfile::TempDir) {
    let (vectors, queries) = clustered(DIMENSIONS, COUNT, 40, 19);
    let parameters = Parameters { m: 8, ..parameters(Metric::L2, DIMENSIONS) };
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

/// Searches for 10 with and without a scan. Returns what was missed, the plan, and how often each way was gone.
fn ask(
    index: &VectorIndex,
    queries: &[Vec<f32>],
    ef: Option<usize>,
    of: &dyn Fn(&[f32]) -> FixedBitSet,
) -> (f64, VectorPlan, BTreeMap<String, usize>) {
    let (mut found, mut ways, mut last) = (0, BTreeMap::new(), None);
    for query in queries {
        let allowed = of(query);
        let search = Search { k: 10, ef, allowed: Some(&allowed), within: f32::INFINITY, cancel: &never };
        let (hits, plan) = index.find(query, &search).unwrap();
        let exact = index.find_exact(query, &search).unwrap();
        assert_eq!((hits.len(), exact.len()), (10, 10));
        assert!(hits.iter().all(|hit| allowed.contains(hit.ordinal as usize)));
        found += hits.iter().filter(|hit| exact.contains(hit)).count();
        *ways.entry(format!("{:?}", plan.strategy)).or_insert(0) += 1;
        last = Some(plan);
    }
    (found as f64 / (10 * queries.len()) as f64, last.unwrap(), ways)
}

#[test]
fn the_share_that_is_allowed_decides() {
    for step in [1, 3] {
        let (index, queries, _directory) = index(step);
        for (share, ef, expected) in [
            (0.95, None, Strategy::MaskedWalk),
            (0.5, None, Strategy::MaskedWalk),
            (0.15, Some(40), Strategy::FilteredWalk),
            (0.02, None, Strategy::Scan),
        ] {
            let allowed = at_random(COUNT * step, share);
            let (recall, plan, ways) = ask(&index, &queries, ef, &|_| allowed.clone());
            let of_expected = ways.get(&format!("{expected:?}")).copied().unwrap_or(0);
            assert!(of_expected * 10 >= queries.len() * 7, "{share}: {ways:?}, {plan:?}");
            assert!(recall >= 0.98, "{share} of every {step}: {recall}");
            assert_eq!(plan.vectors, COUNT);
            assert!(plan.allowed <= allowed.count_ones(..) && plan.measured > 0 && plan.ef > 0, "{plan:?}");
            assert_eq!(plan.hops == 0, expected == Strategy::Scan, "{plan:?}");
        }
    }
}

/// What lies in every direction from the query, no walk finds: it must know that.
#[test]
fn what_is_far_on_all_sides_is_scanned() {
    let (index, queries, _directory) = index(1);
    let (recall, plan, ways) = ask(&index, &queries, None, &|query| {
        let mut allowed = FixedBitSet::with_capacity(COUNT);
        let order = index.search_exact(query, COUNT, None, &never).unwrap();
        allowed.extend(order[COUNT / 2..].iter().map(|hit| hit.ordinal as usize));
        allowed
    });
    assert_eq!(ways.keys().collect::<Vec<_>>(), ["WalkThenScan"], "{plan:?}");
    assert!(plan.measured > COUNT / 2, "{plan:?}");
    assert!(recall >= 0.99, "{recall}");
}
