//! Ranges of numbers as a column holds them: inclusive, in the column's own type.

use std::ops::{Bound, RangeInclusive};

use crate::value::one_zero;

/// The floats within the bounds; none when there are none. A bound of NaN allows nothing, as every comparison with it fails.
pub(crate) fn floats(low: Bound<f64>, high: Bound<f64>) -> Option<RangeInclusive<f64>> {
    let from = match low {
        Bound::Unbounded => f64::NEG_INFINITY,
        Bound::Included(number) => number,
        Bound::Excluded(f64::INFINITY) => return None,
        Bound::Excluded(number) => one_zero(number).next_up(),
    };
    let to = match high {
        Bound::Unbounded => f64::INFINITY,
        Bound::Included(number) => number,
        Bound::Excluded(f64::NEG_INFINITY) => return None,
        Bound::Excluded(number) => one_zero(number).next_down(),
    };
    // Columns compare bits and know one zero.
    (from <= to).then(|| one_zero(from)..=one_zero(to))
}

/// The integers within the bounds; none when there are none.
pub(crate) fn integers(low: Bound<f64>, high: Bound<f64>) -> Option<RangeInclusive<i64>> {
    // Casts saturate, which is right for bounds beyond every integer; one excluded there leaves nothing.
    let from = match low {
        Bound::Unbounded => i64::MIN,
        Bound::Included(number) | Bound::Excluded(number) if number.is_nan() || number >= TWO_TO_63 => return None,
        Bound::Included(number) => number.ceil() as i64,
        Bound::Excluded(number) if number < -TWO_TO_63 => i64::MIN,
        Bound::Excluded(number) => (number.floor() as i64).checked_add(1)?,
    };
    let to = match high {
        Bound::Unbounded => i64::MAX,
        Bound::Included(number) | Bound::Excluded(number) if number.is_nan() || number < -TWO_TO_63 => return None,
        Bound::Included(number) => number.floor() as i64,
        Bound::Excluded(number) if number >= TWO_TO_63 => i64::MAX,
        Bound::Excluded(number) => (number.ceil() as i64).checked_sub(1)?,
    };
    (from <= to).then_some(from..=to)
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

#[cfg(test)]
mod tests {
    use super::{floats, integers};
    use std::ops::Bound::{self, Excluded, Included, Unbounded};

    const EDGES: [f64; 17] = [
        f64::NEG_INFINITY,
        f64::MIN,
        -1e19,
        -9_223_372_036_854_775_808.0,
        -9_007_199_254_740_992.0,
        -1.5,
        -1.0,
        -0.0,
        0.0,
        f64::MIN_POSITIVE,
        1.0,
        1.5,
        9_007_199_254_740_992.0,
        9_223_372_036_854_775_808.0,
        1e19,
        f64::MAX,
        f64::INFINITY,
    ];

    fn within(number: f64, low: Bound<f64>, high: Bound<f64>) -> bool {
        let above = match low {
            Unbounded => true,
            Included(bound) => number >= bound,
            Excluded(bound) => number > bound,
        };
        above
            && match high {
                Unbounded => true,
                Included(bound) => number <= bound,
                Excluded(bound) => number < bound,
            }
    }

    fn bounds() -> Vec<Bound<f64>> {
        let each = EDGES.iter().chain(&[f64::NAN]).flat_map(|edge| [Included(*edge), Excluded(*edge)]);
        each.chain([Unbounded]).collect()
    }

    #[test]
    fn floats_are_in_the_range_when_they_are_within_the_bounds() {
        for low in bounds() {
            for high in bounds() {
                let range = floats(low, high);
                for number in EDGES {
                    let number = number + 0.0;
                    let inside = range.as_ref().is_some_and(|range| range.contains(&number));
                    assert_eq!(inside, within(number, low, high), "{number} in {low:?} {high:?}: {range:?}");
                }
            }
        }
    }

    #[test]
    fn integers_are_in_the_range_when_they_are_within_the_bounds() {
        let big = 1_i64 << 53;
        for low in bounds() {
            for high in bounds() {
                let range = integers(low, high);
                for number in [-big, -big + 1, -2, -1, 0, 1, 2, big - 1, big] {
                    let inside = range.as_ref().is_some_and(|range| range.contains(&number));
                    assert_eq!(inside, within(number as f64, low, high), "{number} in {low:?} {high:?}: {range:?}");
                }
            }
        }
    }
}
