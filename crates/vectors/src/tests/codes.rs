//! Kernels and codes: every family computes the same, and what it computes is right.

use crate::{
    codes::{Codes, Coding, Terms},
    kernels::{kernels, supported},
    parameters::Metric,
};

use super::numbers;

/// Lengths around every width that a kernel works in, and the longest.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=200).chain([255, 256, 257, 383, 384, 385, 768, 1536, 4095, 4096])
}

/// Rows that a coding turns into the numbers of `pattern`, and others.
fn patterns(length: usize, salt: u32) -> Vec<Vec<f32>> {
    let signs = |turn: usize| (0..length).map(|i| if i % turn == 0 { -1.0 } else { 1.0 }).collect::<Vec<f32>>();
    let mut single = vec![0.0; length];
    single[length - 1] = -3.0;
    vec![
        vec![1.0; length],
        vec![-1.0; length],
        signs(2),
        signs(3),
        single,
        vec![0.0; length],
        numbers(length, salt),
        numbers(length, salt + 1),
    ]
}

struct Encoded {
    bytes: Vec<u8>,
    stride: usize,
    terms: Vec<Terms>,
}

/// Codes as a file has them: what lies behind a code is something else.
fn encoded(coding: &Coding, rows: &[Vec<f32>], gap: usize) -> Encoded {
    let stride = coding.padded() + gap;
    let mut bytes = vec![0xa5; rows.len() * stride];
    let terms = rows.iter().zip(bytes.chunks_mut(stride)).map(|(row, code)| coding.encode(row, code)).collect();
    Encoded { bytes, stride, terms }
}

fn product(a: &[u8], b: &[u8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| (i32::from(*a) - 128) * (i32::from(*b) - 128)).sum()
}

#[test]
fn every_family_multiplies_codes_exactly() {
    for length in lengths() {
        let rows = patterns(length, length as u32);
        let coding = Coding::new(Metric::L2, length, 0.0);
        for gap in [0, 64] {
            let encoded = encoded(&coding, &rows, gap);
            let codes = Codes::new(&coding, &encoded.bytes, encoded.stride);
            for (a, row) in rows.iter().enumerate() {
                let code = codes.code(a as u32);
                for (family, own) in supported().into_iter().flat_map(|family| [(family, true), (family, false)]) {
                    // As a code, and as a query from outside, whose numbers are smaller.
                    let terms = encoded.terms[a];
                    let query = if own { coding.query_of(code, terms) } else { coding.query(row) };
                    let numbers = query.numbers();
                    let query = query.with_kernels(family);
                    for count in 0..=rows.len() {
                        let nodes: Vec<u32> = (0..count as u32).rev().collect();
                        let mut products = vec![7; count + 1];
                        codes.many(&query, &nodes, &mut products);
                        let expected: Vec<i32> =
                            nodes.iter().map(|&node| product(&numbers, codes.code(node))).chain([7]).collect();
                        assert_eq!(products, expected, "{} of {length}", family.name);
                    }
                }
            }
        }
    }
}

#[test]
fn every_family_adds_floats_in_one_order() {
    for length in lengths().chain([0]) {
        for (a, b) in [(1, 77), (3, 3), (9, 1)] {
            let (a, b) = (numbers(length, a), numbers(length, b));
            let expected = supported().last().map(|last| ((last.dot)(&a, &b), (last.squared)(&a, &b))).unwrap();
            for family in supported() {
                let found = ((family.dot)(&a, &b), (family.squared)(&a, &b));
                assert_eq!(found.0.to_bits(), expected.0.to_bits(), "{} dot of {length}", family.name);
                assert_eq!(found.1.to_bits(), expected.1.to_bits(), "{} squared of {length}", family.name);
            }
        }
    }
}

#[test]
fn one_is_as_many_and_a_code_is_a_query_like_its_row() {
    let rows = patterns(70, 5);
    let coding = Coding::new(Metric::InnerProduct, 70, 0.0);
    let encoded = encoded(&coding, &rows, 0);
    let codes = Codes::new(&coding, &encoded.bytes, encoded.stride);
    let query = coding.query_of(codes.code(6), encoded.terms[6]);
    let mut many = [0; 4];
    codes.many(&query, &[7, 0, 6, 3], &mut many);
    assert_eq!([7, 0, 6, 3].map(|node| codes.one(&query, node)), many);
    let between = coding.distance(encoded.terms[6], encoded.terms[7], many[0]);
    assert_eq!(query.distance(encoded.terms[7], many[0]).to_bits(), between.to_bits());
}

#[test]
#[should_panic(expected = "has no code")]
fn a_node_beyond_the_codes_is_not_read() {
    let coding = Coding::new(Metric::L2, 8, 0.0);
    let bytes = vec![128; 64 * 3];
    Codes::new(&coding, &bytes, 64).one(&coding.query(&[1.0; 8]), 3);
}

fn unit(mut row: Vec<f32>) -> Vec<f32> {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut row {
        *x /= length;
    }
    row
}

#[test]
fn estimates_are_near_the_distances() {
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        for length in [16, 17, 100, 768, 4096] {
            // Different lengths, and none shared by the three rows that are compared.
            let rows: Vec<Vec<f32>> = (0..40)
                .map(|i| match metric {
                    Metric::Cosine => unit(numbers(length, i * 7919)),
                    _ => numbers(length, i * 7919).iter().map(|x| x * (i + 1) as f32).collect(),
                })
                .collect();
            let coding = Coding::fit(metric, length, rows.len(), |i, row| row.clone_from(&rows[i]));
            let encoded = encoded(&coding, &rows, 0);
            let codes = Codes::new(&coding, &encoded.bytes, encoded.stride);
            let query = coding.query(&rows[3]);
            for (node, row) in rows.iter().enumerate() {
                let terms = encoded.terms[node];
                assert_eq!(coding.common_terms().is_some_and(|common| common == terms), metric == Metric::Cosine);
                let dot = (kernels().dot)(&rows[3], row);
                let (exact, size) = match metric {
                    Metric::L2 => ((kernels().squared)(&rows[3], row), (kernels().dot)(row, row)),
                    _ => (1.0 - dot, (kernels().dot)(row, row).sqrt() * (kernels().dot)(&rows[3], &rows[3]).sqrt()),
                };
                let found = query.distance(terms, codes.one(&query, node as u32));
                assert!((found - exact).abs() <= 0.02 * size.max(1.0), "{metric:?} {length}: {found} for {exact}");
            }
        }
    }
}

#[test]
fn a_scale_clamps_what_is_rare_and_large() {
    let fit = |metric, greatest: f32| {
        let row = |i: usize, row: &mut Vec<f32>| {
            *row = (0..100).map(|j| (i * 100 + j) as f32 / 5000.0).collect();
            if i == 7 {
                row[3] = greatest;
            }
        };
        Coding::fit(metric, 100, 50, row).scale()
    };
    // Numbers from 0 to 1 are best left whole, but not for one outlier.
    assert!((fit(Metric::Cosine, 0.5) - 1.0).abs() < 1e-3, "{}", fit(Metric::Cosine, 0.5));
    assert!((fit(Metric::Cosine, 1.04) - 1.0).abs() < 1e-3, "{}", fit(Metric::Cosine, 1.04));
    // A loss as large as this would be worse than coarse steps.
    assert!((fit(Metric::Cosine, -90.0) - 90.0).abs() < 1e-3, "{}", fit(Metric::Cosine, -90.0));
    assert_eq!(fit(Metric::L2, 0.5).to_bits(), 0.0_f32.to_bits());
    // Rows that are almost all zeroes keep their other numbers.
    let mut sparse = vec![0.0; 4000];
    sparse[17] = 1.0;
    let coding = Coding::fit(Metric::Cosine, 4000, 3, |_, row| row.clone_from(&sparse));
    assert_eq!(coding.scale().to_bits(), 1.0_f32.to_bits());
    assert_eq!(Coding::fit(Metric::Cosine, 4000, 0, |_, _| ()).scale().to_bits(), 0.0_f32.to_bits());
}

#[test]
fn rows_that_are_too_long_for_codes_say_so_and_queries_stay_ordered() {
    let huge = vec![f32::MAX; 32];
    let coding = Coding::new(Metric::L2, 32, 0.0);
    let mut code = [0; 64];
    assert!(!coding.encode(&huge, &mut code).norm.is_finite());
    let terms = coding.encode(&[1.0; 32], &mut code);
    let codes = Codes::new(&coding, &code, 64);
    let query = coding.query(&huge);
    assert_eq!(query.distance(terms, codes.one(&query, 0)).to_bits(), f32::INFINITY.to_bits());
    let zero = coding.query(&[0.0; 32]);
    assert_eq!(zero.distance(terms, codes.one(&zero, 0)).to_bits(), terms.norm.to_bits());
}
