//! Codes as points: distances are those that codes estimate, whichever way they are asked for.

use super::{
    super::{Building, Caller, CodePoints, Points, codes::FromCode, insert_all, levels, repair, repair::reachable},
    LINE, Random,
};
use crate::{
    codes::{CodedRows, Coding},
    parameters::{Metric, Parameters},
};

const COUNT: usize = 1000;

fn coded(metric: Metric, dimensions: usize) -> CodedRows {
    let rows: Vec<Vec<f32>> = Random(dimensions as u64).rows(COUNT, dimensions);
    let coding = Coding::fit(metric, dimensions, COUNT, |i, row| row.clone_from(&rows[i]));
    let mut coded = CodedRows::new(coding, COUNT).unwrap();
    assert!(rows.iter().all(|row| coded.push(row)));
    coded
}

#[test]
fn points_are_as_far_as_their_codes_say_from_both_ends_in_any_number() {
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        for dimensions in [1, 16, 63, 64, 65, 384] {
            let coded = coded(metric, dimensions);
            let points = CodePoints::new(&coded, COUNT);
            let nodes: Vec<u32> = (0..COUNT as u32).rev().collect();
            let (mut there, mut back) = (FromCode::default(), FromCode::default());
            points.prepare(7, &mut there);
            let mut distances = vec![0.0; COUNT];
            points.measure(&there, &nodes, &mut distances);
            for (&node, &distance) in nodes.iter().zip(&distances) {
                let product: i32 = coded
                    .code(7)
                    .iter()
                    .zip(coded.code(node))
                    .fold(0, |sum, (a, b)| sum + (i32::from(*a) - 128) * (i32::from(*b) - 128));
                let expected = coded.coding().distance(coded.terms(7), coded.terms(node), product);
                assert_eq!(distance.to_bits(), expected.to_bits(), "{metric:?} {dimensions} {node}");
                points.prepare(node, &mut back);
                let mut other = [0.0];
                points.measure(&back, &[7], &mut other);
                assert_eq!(other[0].to_bits(), distance.to_bits(), "{metric:?} {dimensions} {node}");
            }
        }
    }
}

#[test]
fn a_graph_over_codes_reaches_all() {
    let coded = coded(Metric::L2, 32);
    let points = CodePoints::new(&coded, COUNT);
    let parameters = Parameters { dimensions: 32, m: 16, ef_construction: 100, ..LINE };
    let levels: Vec<u8> = levels(parameters.m, 1).take(COUNT).collect();
    let building = Building::new(&parameters, &points, &levels).unwrap();
    insert_all(&building, Caller { threads: 4, cancel: &|| false, progress: &|_, _| (), on_thread: &|| () }).unwrap();
    let built = building.finish();
    let lost = repair(&built, &|| false).unwrap();
    assert!(lost <= COUNT / 1000, "{lost}");
    assert_eq!(reachable(&built), COUNT);
}
