//! Exact search: the distance to every row that is allowed.

use std::collections::BinaryHeap;

use fixedbitset::FixedBitSet;

use crate::{
    distance::{Key, Query},
    error::{Error, Result},
    full::Rows,
};

/// Rows between two looks at the cancel flag.
const CANCEL_EVERY: usize = 1024;
/// Below one allowed ordinal in so many, finding each one's row is cheaper than asking every row.
const SPARSE: usize = 8;

/// The `k` rows nearest to the query, nearest first; rows at equal distance in their order.
///
/// `allowed` is a set of ordinals and how many are in it.
pub(crate) fn scan(
    rows: Rows,
    query: &Query,
    k: usize,
    allowed: Option<(&FixedBitSet, usize)>,
    cancel: &dyn Fn() -> bool,
) -> Result<Vec<Key>> {
    let all = 0..rows.len() as u32;
    match allowed {
        None => nearest(rows, query, k, all, cancel),
        Some((allowed, count)) if count < rows.len() / SPARSE => nearest(
            rows,
            query,
            k,
            allowed.ones().filter_map(|ordinal| rows.find(u32::try_from(ordinal).ok()?)),
            cancel,
        ),
        Some((allowed, _)) => {
            nearest(rows, query, k, all.filter(|&row| allowed.contains(rows.ordinal(row) as usize)), cancel)
        }
    }
}

fn nearest(
    rows: Rows,
    query: &Query,
    k: usize,
    candidates: impl Iterator<Item = u32>,
    cancel: &dyn Fn() -> bool,
) -> Result<Vec<Key>> {
    if k == 0 {
        return Ok(Vec::new());
    }
    let mut nearest = BinaryHeap::new();
    for (seen, row) in candidates.enumerate() {
        if seen.is_multiple_of(CANCEL_EVERY) && cancel() {
            return Err(Error::Cancelled);
        }
        let key = Key::new(rows.distance(query, row), row);
        if nearest.len() < k {
            nearest.push(key);
        } else if let Some(mut worst) = nearest.peek_mut().filter(|worst| key < **worst) {
            *worst = key;
        }
    }
    Ok(nearest.into_sorted_vec())
}
