//! Data that is hard on a graph: equal, sorted and crowded vectors are found as others are, and every one can be reached.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Random, build, clustered, never, parameters, recall};
use cutover_vectors::{Metric, Search, Strategy, oracle::Oracle};

type Vectors = Vec<Vec<f32>>;

const COUNT: usize = 6000;
/// Few enough candidates that so many vectors are walked, not scanned.
const EF: usize = 40;

/// Recall@10 of our graph, whose every vector can be reached, and of hnswlib's.
fn recalls(metric: Metric, vectors: &[Vec<f32>], queries: &[Vec<f32>]) -> (f64, f64) {
    let parameters = parameters(metric, vectors[0].len());
    let index = build(parameters, vectors, 2).index;
    assert_eq!(index.verify(&never).unwrap(), None);
    let mut oracle = Oracle::new(&parameters, vectors.len()).unwrap();
    vectors.iter().try_for_each(|vector| oracle.add(vector)).unwrap();
    let search = Search { k: 10, ef: Some(EF), allowed: None, within: f32::INFINITY, by_cells: false, cancel: &never };
    let (mut ours, mut theirs) = (0.0, 0.0);
    for query in queries {
        let exact = index.search_exact(query, 10, None, &never).unwrap();
        let (found, plan) = index.find(query, &search).unwrap();
        assert_eq!(plan.strategy, Strategy::Walk, "{plan:?}");
        ours += recall(found.iter().map(|hit| hit.distance), &exact);
        let labels: Vec<u32> = oracle.search(query, 10, EF).unwrap().iter().map(|&label| label as u32).collect();
        theirs += recall(index.distances(query, &labels).unwrap().into_iter().flatten(), &exact);
    }
    (ours / queries.len() as f64, theirs / queries.len() as f64)
}

#[test]
fn hard_shapes_are_found_as_others_are() {
    // Without codes, and with them.
    for (dimensions, metric) in [(8, Metric::L2), (24, Metric::Cosine)] {
        let (vectors, queries) = clustered(dimensions, COUNT, 100, 31);
        let one = vectors[0].clone();
        let half_equal = (0..COUNT).map(|i| if i % 2 == 0 { one.clone() } else { vectors[i].clone() }).collect();
        let equal_first = (0..COUNT).map(|i| if i < COUNT / 2 { one.clone() } else { vectors[i].clone() }).collect();
        let mut sorted = vectors.clone();
        sorted.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut random = Random::new(77);
        let mut crowd = |count: usize| -> Vectors {
            (0..count).map(|_| one.iter().map(|x| x + 0.01 * random.normal()).collect()).collect()
        };
        let crowded = crowd(COUNT);
        let shapes: [(&str, Vectors, Vectors); 4] = [
            ("half are equal", half_equal, queries.clone()),
            ("the first half is equal", equal_first, queries.clone()),
            ("sorted", sorted, queries.clone()),
            ("one cluster", crowded, crowd(100)),
        ];
        for (name, vectors, queries) in shapes {
            let (ours, theirs) = recalls(metric, &vectors, &queries);
            println!("{name}, {dimensions} dimensions, {metric:?}: {ours:.4}, hnswlib {theirs:.4}");
            assert!(ours >= 0.96, "{name}, {dimensions} dimensions, {metric:?}: {ours}, hnswlib {theirs}");
        }
    }
}

#[test]
fn of_equal_vectors_as_many_as_are_asked_for_are_found() {
    for dimensions in [8, 24] {
        let vectors = vec![vec![0.25; dimensions]; COUNT];
        let index = build(parameters(Metric::L2, dimensions), &vectors, 2).index;
        assert_eq!(index.verify(&never).unwrap(), None);
        assert_eq!(index.search(&vectors[0], 50, Some(EF), None, &never).unwrap().len(), 50);
    }
}
