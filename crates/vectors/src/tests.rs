//! What can be seen only from inside: kernels, keys and distances.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codes;

use crate::{
    distance::{Key, Query},
    full::{Numbers, Row},
    kernels::{kernels, supported},
    parameters::{Metric, Parameters},
};

const LINE: Parameters = Parameters { m: 4, ef_construction: 16, seed: 1, ..Parameters::new(Metric::L2, 2) };

fn row(numbers: &[f32], inverse: f32) -> Row<'_> {
    Row { numbers: Numbers::Float32(numbers), inverse }
}

/// Numbers of very different sizes, without pattern but always the same.
fn numbers(count: usize, salt: u32) -> Vec<f32> {
    (0..count as u32).map(|i| ((i + salt).wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5) * 8.0).collect()
}

#[test]
fn every_kernel_agrees_with_sums_in_64_bits_at_every_length() {
    for length in 0..=150 {
        let (a, b) = (numbers(length, 1), numbers(length, 77));
        let pairs = || a.iter().zip(&b).map(|(x, y)| (f64::from(*x), f64::from(*y)));
        let dot: f64 = pairs().map(|(x, y)| x * y).sum();
        let squared: f64 = pairs().map(|(x, y)| (x - y) * (x - y)).sum();
        for family in supported() {
            let error = 1e-5 * (length as f64 + 1.0);
            assert!((f64::from((family.dot)(&a, &b)) - dot).abs() < error, "{} dot of {length}", family.name);
            let found = f64::from((family.squared)(&a, &b));
            assert!((found - squared).abs() < 4.0 * error, "{} squared of {length}: {found} {squared}", family.name);
        }
    }
}

#[test]
fn the_kernel_in_use_is_the_first_supported() {
    assert_eq!(kernels().name, supported()[0].name);
    assert_eq!(supported().last().unwrap().name, "portable");
}

#[test]
fn keys_sort_as_distances_do_and_return_them() {
    let ascending = [
        f32::NEG_INFINITY,
        -f32::MAX,
        -1.5,
        -f32::MIN_POSITIVE,
        0.0,
        f32::MIN_POSITIVE,
        0.1,
        2.0,
        f32::MAX,
        f32::INFINITY,
    ];
    for pair in ascending.windows(2) {
        assert!(Key::new(pair[0], 9) < Key::new(pair[1], 3), "{pair:?}");
    }
    assert!(Key::new(0.5, 3) < Key::new(0.5, 4));
    for distance in ascending {
        let key = Key::new(distance, 123);
        assert_eq!((key.distance().to_bits(), key.node()), (distance.to_bits(), 123));
    }
}

#[test]
fn sums_that_overflow_are_ordered_not_nan() {
    let parameters = |metric| Parameters { metric, dimensions: 2, ..LINE };
    let large = f32::MAX;
    let both = [large, large];
    let inner = Query::new(&parameters(Metric::InnerProduct), &both).unwrap();
    // In 32 bits this is ∞ − ∞; in truth it is 0.
    assert_eq!(inner.distance(row(&[large, -large], 0.0)).to_bits(), 1.0_f32.to_bits());
    assert_eq!(inner.distance(row(&[large, large], 0.0)).to_bits(), f32::NEG_INFINITY.to_bits());
    let squared = Query::new(&parameters(Metric::L2), &both).unwrap();
    assert_eq!(squared.distance(row(&[-large, large], 0.0)).to_bits(), f32::INFINITY.to_bits());
}

#[test]
fn a_damaged_row_is_infinitely_far_not_nan() {
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        let query = Query::new(&Parameters { metric, ..LINE }, &[1.0, 2.0]).unwrap();
        assert_eq!(query.distance(row(&[f32::NAN, 1.0], f32::NAN)).to_bits(), f32::INFINITY.to_bits(), "{metric:?}");
    }
}
