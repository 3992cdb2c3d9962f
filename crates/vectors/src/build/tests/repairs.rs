//! What repair finds to do, does, and leaves alone.

use super::{
    super::{levels, repair, repair::reachable},
    Ground, LINE, Random,
};
use crate::{error::Error, parameters::Parameters};

#[test]
fn repair_reaches_every_one_of_equal_rows_linked_by_two_threads() {
    let ground = Ground::new(LINE, &vec![vec![1.0, 2.0]; 3000]);
    let graph = ground.build(2);
    let before = reachable(&graph);
    let linked = repair(&graph, &|| false).unwrap();
    assert!(linked > 0, "{before} of 3000 were reachable: the test has nothing to repair");
    assert_eq!(reachable(&graph), 3000);
}

#[test]
fn islands_of_equal_rows_are_all_reached() {
    // Far more equal rows on each island than a list has slots, so that all its links stay at home.
    let rows: Vec<Vec<f32>> = (0..4000_u16).map(|i| vec![f32::from(i % 40) * 100.0, 0.0]).collect();
    let ground = Ground::new(LINE, &rows);
    let graph = ground.build(2);
    repair(&graph, &|| false).unwrap();
    assert_eq!(reachable(&graph), 4000);
    let room = 2 * LINE.m;
    for node in 0..4000 {
        let links: Vec<u32> = graph.lists().layer(0).links(node).collect();
        assert!(links.len() <= room && links.iter().all(|&link| link < 4000 && link != node), "{node}: {links:?}");
    }
}

#[test]
fn repair_leaves_a_connected_graph_alone() {
    let rows = Random(5).rows(1000, 2);
    let ground = Ground::new(Parameters { m: 16, ef_construction: 100, ..LINE }, &rows);
    assert_eq!(repair(&ground.build(1), &|| false).unwrap(), 0);
}

#[test]
fn a_repair_can_be_cancelled() {
    let ground = Ground::new(LINE, &Random(5).rows(5000, 2));
    assert!(matches!(repair(&ground.build(1), &|| true), Err(Error::Cancelled)));
}

#[test]
fn almost_all_nodes_are_reachable_without_repair() {
    for (dimensions, threads) in [(2, 1), (2, 2), (16, 2), (64, 2)] {
        let parameters = Parameters { dimensions, m: 16, ef_construction: 100, ..LINE };
        assert_eq!(levels(16, 1).take(6000).max(), Some(3), "the test wants upper levels");
        let ground = Ground::new(parameters, &Random(dimensions as u64).rows(6000, dimensions));
        let reached = reachable(&ground.build(threads));
        assert!(reached >= 5994, "{reached} of 6000 in {dimensions} dimensions on {threads} threads");
    }
}
