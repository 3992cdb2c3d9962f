//! The graph beside the one that hnswlib's unmodified builder makes of the same rows.

use super::{Ground, Random};
use crate::{
    oracle::Oracle,
    parameters::{Metric, Parameters},
};

const COUNT: usize = 5000;

/// How many nodes have 0–7, 8–15, … links on level 0, and how many links there are.
fn distribution(degrees: impl Iterator<Item = usize>) -> ([usize; 5], usize) {
    let (mut counts, mut links) = ([0; 5], 0);
    for degree in degrees {
        counts[degree / 8] += 1;
        links += degree;
    }
    (counts, links)
}

#[test]
fn degrees_are_distributed_as_in_hnswlibs_graph() {
    for (metric, dimensions) in [(Metric::L2, 4), (Metric::L2, 32), (Metric::InnerProduct, 32)] {
        let parameters = Parameters { ef_construction: 100, seed: 7, ..Parameters::new(metric, dimensions) };
        let rows = Random(dimensions as u64).rows(COUNT, dimensions);
        let ground = Ground::new(parameters, &rows);
        let graph = ground.build(2);
        let mut oracle = Oracle::new(&parameters, COUNT).unwrap();
        for row in &rows {
            oracle.add(row).unwrap();
        }
        let layer = graph.lists().layer(0);
        let (ours, our_links) = distribution((0..COUNT as u32).map(|node| layer.links(node).count()));
        let (theirs, their_links) = distribution((0..COUNT).map(|label| oracle.degree(label)));
        println!("{metric:?} {dimensions}: {ours:?} and {our_links} links, hnswlib {theirs:?} and {their_links}");
        assert!(our_links.abs_diff(their_links) * 50 < their_links, "{our_links} links, hnswlib {their_links}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(ours.abs_diff(theirs) < COUNT / 50, "{ours} nodes, hnswlib {theirs}");
        }
    }
}
