//! How many documents have each value of a field, or a value in each of some ranges.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Bound;

use fixedbitset::FixedBitSet;

use crate::index::FieldData;
use crate::{Error, Result, SegmentRef, filter, guard};

/// The `limit` values of `field` that most allowed documents have, each with their number: exact, most first, equal ones by value
/// (numbers by size, false before true). Booleans read `true` and `false`; dates are milliseconds.
///
/// # Errors
/// [`Error::Query`] when the field is not there or not declared as a facet; [`Error::Corrupt`].
pub fn facet_counts(segments: &[SegmentRef<'_>], field: &str, limit: usize) -> Result<Vec<(String, u64)>> {
    declared(segments, field)?;
    // A document's values of one field differ, so each value counts it once.
    let (mut keywords, mut numbers, mut integers, mut booleans) =
        (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
    for segment in segments {
        let (data, allowed) = (&segment.index.field(field)?.data, segment.allowed);
        guard::reading(segment.index.path(), "count its values", || match data {
            FieldData::Text(_) => Ok(()),
            FieldData::Keyword(column) => column.count(allowed, |keyword, count| match keywords.get_mut(keyword) {
                Some(sum) => *sum += count,
                None => drop(keywords.insert(keyword.to_owned(), count)),
            }),
            FieldData::Number(column) => {
                column.visit(allowed, |number| *numbers.entry(number.to_bits()).or_insert(0) += 1)
            }
            FieldData::Integer(column) => {
                column.count(allowed, |integer, count| *integers.entry(integer).or_insert(0) += count)
            }
            FieldData::Boolean(column) => {
                column.count(allowed, |boolean, count| *booleans.entry(boolean != 0).or_insert(0) += count)
            }
        })?;
    }
    let mut best = most(keywords, limit, Ord::cmp, |keyword| keyword);
    best.extend(most(
        numbers,
        limit,
        |a, b| f64::from_bits(*a).total_cmp(&f64::from_bits(*b)),
        |n| f64::from_bits(n).to_string(),
    ));
    best.extend(most(integers, limit, Ord::cmp, |integer| integer.to_string()));
    best.extend(most(booleans, limit, Ord::cmp, |boolean| boolean.to_string()));
    Ok(best)
}

/// How many allowed documents have a value in each range, from its first number on and before its second: exact. Documents with
/// several values count once in each range that has one of them.
///
/// # Errors
/// [`Error::Query`] when the field is not there, not declared as a facet, or no number, integer or date; [`Error::Corrupt`].
pub fn range_counts(segments: &[SegmentRef<'_>], field: &str, ranges: &[(f64, f64)]) -> Result<Vec<u64>> {
    declared(segments, field)?;
    let mut counts = vec![0; ranges.len()];
    for segment in segments {
        let (column, documents) = (segment.index.field(field)?, segment.index.len() as usize);
        guard::reading(segment.index.path(), "count its values", || {
            for ((from, to), count) in ranges.iter().zip(&mut counts) {
                let mut bits = FixedBitSet::with_capacity(documents);
                filter::range(column, Bound::Included(*from), Bound::Excluded(*to), &mut bits)?;
                *count += match segment.allowed {
                    Some(allowed) => bits.intersection_count(allowed),
                    None => bits.count_ones(..),
                } as u64;
            }
            Ok(())
        })?;
    }
    Ok(counts)
}

fn declared(segments: &[SegmentRef<'_>], field: &str) -> Result<()> {
    match segments.first().map(|segment| segment.index.field(field)).transpose()? {
        Some(field) if !field.spec.kind.facet() => Err(Error::query(&field.spec.name, "is not declared as a facet")),
        _ => Ok(()),
    }
}

fn most<K>(
    counts: HashMap<K, u64>,
    limit: usize,
    order: impl Fn(&K, &K) -> Ordering,
    name: impl Fn(K) -> String,
) -> Vec<(String, u64)> {
    let mut all: Vec<(K, u64)> = counts.into_iter().collect();
    let better = |(a, x): &(K, u64), (b, y): &(K, u64)| y.cmp(x).then_with(|| order(a, b));
    if limit > 0 && limit < all.len() {
        all.select_nth_unstable_by(limit - 1, better);
    }
    all.truncate(limit);
    all.sort_unstable_by(better);
    all.into_iter().map(|(value, number)| (name(value), number)).collect()
}
