//! Data that is hard on a graph takes no more work than other data.

use super::{Ground, LINE, Random};
use crate::parameters::Parameters;

const COUNT: u16 = 4000;

/// Distances measured for each node.
fn work(rows: &[Vec<f32>]) -> usize {
    let parameters = Parameters { dimensions: rows[0].len(), m: 8, ef_construction: 60, ..LINE };
    let ground = Ground::new(parameters, rows);
    ground.build(1);
    ground.measured() / rows.len()
}

#[test]
fn equal_sorted_and_clustered_rows_take_no_more_work_than_others() {
    let mut random = Random(3);
    let others = work(&random.rows(usize::from(COUNT), 8));
    let shapes: [(&str, Vec<Vec<f32>>); 4] = [
        ("all equal", vec![vec![0.5; 8]; usize::from(COUNT)]),
        ("half equal", (0..COUNT).map(|i| if i % 2 == 0 { vec![0.5; 8] } else { random.row(8) }).collect()),
        ("sorted", (0..COUNT).map(|i| vec![f32::from(i); 8]).collect()),
        ("one cluster", (0..COUNT).map(|_| random.row(8).iter().map(|x| 1e3 + x * 1e-3).collect()).collect()),
    ];
    for (name, rows) in shapes {
        let measured = work(&rows);
        println!("{name}: {measured} distances a node, others {others}");
        assert!(measured <= 2 * others, "{name}: {measured} distances a node, others {others}");
    }
}
