//! How many candidates a graph is found to need.

use super::{super::effort, Ground, Random};
use crate::{
    error::Error,
    parameters::{Metric, Parameters},
};

/// A graph over rows that fill so many dimensions evenly.
fn effort_in(dimensions: usize, count: usize) -> u32 {
    let parameters = Parameters { m: 8, ef_construction: 40, ..Parameters::new(Metric::L2, dimensions) };
    let ground = Ground::new(parameters, &Random(5).rows(count, dimensions));
    effort(&ground.build(2), &|| false).unwrap()
}

#[test]
fn the_more_dimensions_are_filled_the_more_candidates_are_needed() {
    let efforts = [3, 12, 48].map(|dimensions| effort_in(dimensions, 5_000));
    assert!(efforts[0] > 0 && efforts[0] <= 32, "{efforts:?}");
    assert!(efforts[0] < efforts[1] && efforts[1] * 2 < efforts[2] && efforts[2] <= 4_096, "{efforts:?}");
}

#[test]
fn a_small_graph_is_not_tried() {
    assert_eq!(effort_in(3, 4_000), 0);
}

#[test]
fn all_equal_rows_need_no_effort() {
    let ground = Ground::new(
        Parameters { m: 4, ef_construction: 16, ..Parameters::new(Metric::L2, 2) },
        &vec![vec![1.0, 2.0]; 4_200],
    );
    assert_eq!(effort(&ground.build(1), &|| false).unwrap(), 16);
}

#[test]
fn a_trial_can_be_cancelled() {
    let rows: Vec<Vec<f32>> = (0..4_200_u16).map(|at| vec![f32::from(at), 0.0]).collect();
    let ground = Ground::new(Parameters { m: 4, ef_construction: 16, ..Parameters::new(Metric::L2, 2) }, &rows);
    assert!(matches!(effort(&ground.build(2), &|| true), Err(Error::Cancelled)));
}
