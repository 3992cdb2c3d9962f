//! What a search answers, whatever it is asked: how many, in which order, at which distances.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::cell::Cell;

use common::{METRICS, Random, build, build_some, clustered, never, parameters, wordnet};
use cutover_vectors::{Error, Filter, Metric, Neighbour, Parameters, VectorIndex};
use fixedbitset::FixedBitSet;

fn ordinals(hits: &[Neighbour]) -> Vec<u32> {
    hits.iter().map(|hit| hit.ordinal).collect()
}

fn assert_ordered(hits: &[Neighbour]) {
    for pair in hits.windows(2) {
        assert!((pair[0].distance, pair[0].ordinal) < (pair[1].distance, pair[1].ordinal), "{pair:?}");
    }
}

#[test]
fn no_one_and_two_vectors_answer() {
    for metric in METRICS {
        for count in 0..=2 {
            let vectors = [vec![1.0, 0.5], vec![0.5, 1.0]];
            let index = build(parameters(metric, 2), &vectors[..count], 2).index;
            assert_eq!((index.len(), index.ordinal_bound()), (count, count as u64));
            for k in 0..4 {
                let hits = index.search(&[1.0, 0.4], k, Some(1), None, &never).unwrap();
                assert_eq!(ordinals(&hits), (0..k.min(count) as u32).collect::<Vec<u32>>(), "{metric:?} {count} {k}");
            }
        }
    }
}

#[test]
fn k_above_the_collection_returns_all_of_it_in_order() {
    let (vectors, queries) = clustered(8, 3000, 3, 1);
    let index = build(parameters(Metric::L2, 8), &vectors, 2).index;
    for query in &queries {
        let hits = index.search(query, 10_000, Some(5), None, &never).unwrap();
        assert_ordered(&hits);
        let mut all = ordinals(&hits);
        all.sort_unstable();
        assert!(all.into_iter().eq(0..3000));
    }
}

#[test]
fn candidates_below_k_are_raised_to_k() {
    let (vectors, queries) = clustered(8, 4000, 10, 1);
    let index = build(parameters(Metric::L2, 8), &vectors, 2).index;
    for query in &queries {
        let hits = index.search(query, 50, Some(1), None, &never).unwrap();
        assert_eq!(hits.len(), 50);
        assert_ordered(&hits);
    }
}

#[test]
fn every_way_to_measure_a_pair_agrees_to_the_bit() {
    for metric in METRICS {
        for dimensions in [1, 7, 16, 33, 100] {
            let (vectors, queries) = clustered(dimensions, 4000, 5, 3);
            let index = build(parameters(metric, dimensions), &vectors, 2).index;
            let bits = |hits: &[Neighbour]| hits.iter().map(|hit| hit.distance.to_bits()).collect::<Vec<u32>>();
            for query in &queries {
                let exact = index.search_exact(query, 4000, None, &never).unwrap();
                let single = index.distances(query, &ordinals(&exact)).unwrap();
                assert_eq!(bits(&exact), single.iter().map(|d| d.unwrap().to_bits()).collect::<Vec<u32>>());
                let walked = index.search(query, 20, Some(60), None, &never).unwrap();
                let single = index.distances(query, &ordinals(&walked)).unwrap();
                assert_eq!(bits(&walked), single.iter().map(|d| d.unwrap().to_bits()).collect::<Vec<u32>>());
            }
        }
    }
}

#[test]
fn distances_are_what_the_metrics_say() {
    let (a, b) = ([3.0, 4.0, 0.0], vec![0.0, 2.0, 0.0]);
    for (metric, expected) in [(Metric::Cosine, 0.2), (Metric::L2, 13.0), (Metric::InnerProduct, -7.0)] {
        let index = build(parameters(metric, 3), std::slice::from_ref(&b), 1).index;
        let distance = index.distances(&a, &[0]).unwrap()[0].unwrap();
        assert!((distance - expected).abs() < 1e-6, "{metric:?}: {distance}");
    }
}

#[test]
fn vectors_come_back_as_given_and_some_documents_have_none() {
    let mut random = Random::new(4);
    let vectors: Vec<Vec<f32>> = (0..2000).map(|_| random.vector(5)).collect();
    let given = || vectors.iter().enumerate().map(|(i, vector)| (i as u32 * 3 + 1, vector.as_slice()));
    for metric in METRICS {
        let index = build_some(parameters(metric, 5), given(), 2).index;
        assert_eq!(index.ordinal_bound(), 1999 * 3 + 2);
        for (ordinal, vector) in given() {
            assert_eq!(index.vector(ordinal).unwrap(), vector);
            assert_eq!(index.vector(ordinal + 1), None);
        }
        assert_eq!(index.vector(0), None);
        assert_eq!(index.vector(u32::MAX), None);
        let distances = index.distances(&vectors[0], &[0, 1, 2, u32::MAX]).unwrap();
        assert!(distances[1].is_some() && [0, 2, 3].iter().all(|&i| distances[i].is_none()));
        let hits = index.search(&vectors[7], 2000, Some(10), None, &never).unwrap();
        assert!(hits.len() == 2000 && hits.iter().all(|hit| hit.ordinal % 3 == 1));
    }
}

/// All hits are allowed, and there are as many as can be. Returns how many of the true hits were found, of how many.
fn filtered(
    index: &VectorIndex,
    queries: &[Vec<f32>],
    allowed: &FixedBitSet,
    ef: Option<usize>,
    what: &str,
) -> (usize, usize) {
    let filter = &Filter::from(allowed.clone());
    let count = allowed.ones().filter(|&ordinal| index.vector(ordinal as u32).is_some()).count();
    let mut found = 0;
    let mut of = 0;
    for query in queries {
        let exact = index.search_exact(query, 10, Some(filter), &never).unwrap();
        let hits = index.search(query, 10, ef, Some(filter), &never).unwrap();
        assert_eq!((hits.len(), exact.len()), (count.min(10), count.min(10)), "{what}");
        assert!(hits.iter().chain(&exact).all(|hit| allowed.contains(hit.ordinal as usize)), "{what}");
        assert_ordered(&hits);
        found += hits.iter().filter(|hit| exact.contains(hit)).count();
        of += exact.len();
    }
    (found, of)
}

fn assert_found((found, of): (usize, usize), floor: f64, what: &str) {
    assert!(found as f64 >= floor * of as f64, "{what}: {found} of {of}");
}

#[test]
fn filters_of_any_share_lose_no_hit() {
    let (vectors, queries) = clustered(16, 12_000, 40, 12);
    let index = build(parameters(Metric::L2, 16), &vectors, 2).index;
    let mut random = Random::new(8);
    for share in [0.9, 0.5, 0.1, 0.01, 0.001, 0.0] {
        let mut allowed = FixedBitSet::with_capacity(vectors.len());
        (0..vectors.len()).for_each(|ordinal| allowed.set(ordinal, random.uniform() < share));
        let what = format!("{share} at random");
        assert_found(filtered(&index, &queries, &allowed, Some(64), &what), 0.98, &what);
    }
}

#[test]
fn filters_far_from_the_query_lose_no_hit() {
    let (vectors, queries) = clustered(16, 12_000, 20, 12);
    let index = build(parameters(Metric::L2, 16), &vectors, 1).index;
    let orders: Vec<Vec<u32>> = queries
        .iter()
        .map(|query| ordinals(&index.search_exact(query, vectors.len(), None, &never).unwrap()))
        .collect();
    for farthest in [10_000, 6000, 1000, 5] {
        let what = format!("the {farthest} farthest");
        let mut sum = (0, 0);
        for (query, order) in queries.iter().zip(&orders) {
            let mut allowed = FixedBitSet::with_capacity(vectors.len());
            order[order.len() - farthest..].iter().for_each(|&ordinal| allowed.insert(ordinal as usize));
            let (found, of) = filtered(&index, std::slice::from_ref(query), &allowed, None, &what);
            sum = (sum.0 + found, sum.1 + of);
        }
        // The answers are the edges of clusters that the way to the query does not touch.
        assert_found(sum, 0.95, &what);
    }
}

#[test]
fn filters_over_documents_without_vectors_lose_no_hit() {
    let (vectors, queries) = clustered(16, 4000, 20, 12);
    let sparse = vectors.iter().enumerate().map(|(i, vector)| (i as u32 * 10, vector.as_slice()));
    let index = build_some(parameters(Metric::L2, 16), sparse, 2).index;
    let mut all_but_most_vectors = FixedBitSet::with_capacity(50_000);
    all_but_most_vectors.insert_range(..);
    (7..4000).for_each(|row| all_but_most_vectors.set(row * 10, false));
    let (found, of) =
        filtered(&index, &queries, &all_but_most_vectors, Some(64), "seven with vectors among many without");
    assert_eq!((found, of), (7 * queries.len(), 7 * queries.len()));
    let short = FixedBitSet::with_capacity(3);
    assert_eq!(filtered(&index, &queries, &short, Some(64), "a set shorter than the segment"), (0, 0));
}

#[test]
fn equal_vectors_in_any_number_are_all_found() {
    for threads in [1, 2] {
        let index = build(parameters(Metric::Cosine, 4), &vec![vec![1.0, 2.0, 3.0, 4.0]; 5000], threads).index;
        let hits = index.search(&[1.0, 2.0, 3.0, 4.0], 100, Some(100), None, &never).unwrap();
        assert_eq!(hits.len(), 100);
        assert_ordered(&hits);
        assert!(hits.iter().all(|hit| hit.distance.abs() < 1e-6));
    }
}

#[test]
fn duplicates_do_not_hide_what_is_near() {
    // Every vector thirty times, dealt out to two threads.
    let (vectors, queries) = clustered(16, 300, 60, 21);
    let many: Vec<Vec<f32>> = (0..9000).map(|i| vectors[i % 300].clone()).collect();
    let index = build(parameters(Metric::L2, 16), &many, 2).index;
    let found = common::mean_recall(&index, &queries, 100, Some(200));
    assert!(found >= 0.95, "{found}");
}

#[test]
fn huge_and_tiny_numbers_are_ordered() {
    let (huge, tiny) = (f32::MAX, f32::MIN_POSITIVE / 4.0);
    let mut random = Random::new(17);
    let scales = [huge, -huge, 1e20, 1.0, 1e-20, tiny, 0.0];
    let vectors: Vec<Vec<f32>> =
        (0..4000).map(|_| (0..3).map(|_| scales[random.below(scales.len())]).collect()).collect();
    for metric in [Metric::L2, Metric::InnerProduct] {
        let index = build(parameters(metric, 3), &vectors, 2).index;
        for query in &vectors[..20] {
            for hits in [
                index.search(query, 4000, Some(50), None, &never).unwrap(),
                index.search(query, 30, Some(50), None, &never).unwrap(),
            ] {
                assert!(hits.iter().all(|hit| !hit.distance.is_nan()));
                assert_ordered(&hits);
            }
        }
    }
}

#[test]
fn queries_that_are_no_vectors_are_refused() {
    let index = build(parameters(Metric::Cosine, 3), &[vec![1.0, 2.0, 3.0]], 1).index;
    let refused = |query: &[f32]| index.search(query, 1, None, None, &never).unwrap_err();
    assert!(matches!(refused(&[1.0, 2.0]), Error::Dimensions { expected: 3, actual: 2 }));
    assert!(matches!(refused(&[1.0, f32::NAN, 0.0]), Error::NotFinite { component: 1, .. }));
    assert!(matches!(refused(&[1.0, 0.0, f32::INFINITY]), Error::NotFinite { component: 2, .. }));
    assert!(matches!(refused(&[0.0, -0.0, 0.0]), Error::Zero));
    assert!(matches!(refused(&[1e-40, 0.0, 0.0]), Error::Length { .. }));
    assert!(matches!(index.distances(&[1.0], &[0]), Err(Error::Dimensions { .. })));
    assert!(matches!(index.search_exact(&[0.0; 3], 1, None, &never), Err(Error::Zero)));
}

#[test]
fn a_search_stops_when_it_is_cancelled() {
    let (vectors, queries) = wordnet();
    let index = build(parameters(Metric::Cosine, 384), &vectors, 2).index;
    for (ef, exact) in [(Some(64), false), (None, false), (None, true)] {
        let asked = Cell::new(0);
        let cancel = || asked.replace(asked.get() + 1) >= 1;
        let result = if exact {
            index.search_exact(&queries[0], 10, None, &cancel)
        } else {
            index.search(&queries[0], 10, ef, None, &cancel)
        };
        assert!(matches!(result, Err(Error::Cancelled)), "{ef:?}: {result:?}");
    }
}

#[test]
fn a_cancel_function_may_search_too() {
    let (vectors, queries) = clustered(4, 5000, 1, 2);
    let index = build(parameters(Metric::L2, 4), &vectors, 2).index;
    let alone = index.search(&queries[0], 10, Some(64), None, &never).unwrap();
    let nested = Cell::new(0);
    let cancel = || {
        nested.set(nested.get() + index.search(&vectors[0], 5, Some(64), None, &never).unwrap().len());
        false
    };
    assert_eq!(index.search(&queries[0], 10, Some(64), None, &cancel).unwrap(), alone);
    assert!(nested.get() > 0);
}

#[test]
fn many_threads_search_one_index() {
    let (vectors, queries) = clustered(16, 5000, 100, 31);
    let index = &build(Parameters { m: 8, ..parameters(Metric::L2, 16) }, &vectors, 2).index;
    let answers =
        || queries.iter().map(|query| index.search(query, 10, Some(64), None, &never).unwrap()).collect::<Vec<_>>();
    let alone = answers();
    std::thread::scope(|scope| {
        for thread in (0..8).map(|_| scope.spawn(answers)).collect::<Vec<_>>() {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}
