//! Documents in the order of their values.
//!
//! A value becomes a number of the same order, so documents are compared by a few numbers each. The number of a keyword is its rank,
//! which means something in its segment alone: the best of each segment are compared by their keywords.

use fixedbitset::FixedBitSet;

use crate::guard::{self, Stop};
use crate::index::{FieldData, IndexedField};
use crate::{Error, Result, SegmentRef, TextIndex};

/// The most fields to sort by.
pub const MAX_SORT_KEYS: usize = 8;
/// How often a look at all documents asks whether it was cancelled.
const DOCUMENTS_BETWEEN_CHECKS: usize = 4096;
/// Rows that are gathered before the best of them are picked, at least.
const ROWS: usize = 1024;
/// What stands for no value: after every value, whichever the order.
const MISSING: u64 = u64::MAX;

/// Which end of a field's values comes first. Documents without a value come last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The least first; of a document's values the least counts.
    #[default]
    Ascending,
    /// The greatest first; of a document's values the greatest counts.
    Descending,
}

/// A field to sort by.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// Any field but text. Keywords are in the order of their UTF-8 bytes, false is before true.
    pub field: String,
    /// Which end comes first.
    pub order: Order,
}

/// A document's numbers, field by field, and its ordinal: rows compare as documents do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    keys: [u64; MAX_SORT_KEYS],
    segment: usize,
    ordinal: u32,
}

/// The first `limit` allowed documents, as (segment, ordinal), by the first key, among equals by the second and so on, then by
/// segment and ordinal.
///
/// # Errors
/// [`Error::Query`] for no key or more than [`MAX_SORT_KEYS`], and for a field that is not there or is text; [`Error::Cancelled`];
/// [`Error::Corrupt`].
pub fn sorted(
    segments: &[SegmentRef<'_>],
    keys: &[SortKey],
    limit: usize,
    cancel: &dyn Fn() -> bool,
) -> Result<Vec<(usize, u32)>> {
    if !(1..=MAX_SORT_KEYS).contains(&keys.len()) {
        return Err(Error::query("", format!("sort by 1 to {MAX_SORT_KEYS} fields, got {}", keys.len())));
    }
    let mut rows = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let columns = columns(segment.index, keys)?;
        rows.extend(guard::reading(segment.index.path(), "sort it", || {
            let mut best = Best { limit, rows: Vec::new(), worst: None };
            let mut seen = 0_usize;
            each(segment.index, segment.allowed, |ordinal| {
                if seen.is_multiple_of(DOCUMENTS_BETWEEN_CHECKS) && cancel() {
                    return Err(Error::Cancelled.into());
                }
                seen += 1;
                best.show(number, ordinal, &columns)
            })?;
            Ok(best.into_rows())
        })?);
    }
    if segments.len() > 1 {
        for (place, key) in keys.iter().enumerate() {
            by_keyword(segments, place, key, &mut rows)?;
        }
    }
    rows.sort_unstable();
    rows.truncate(limit);
    Ok(rows.into_iter().map(|row| (row.segment, row.ordinal)).collect())
}

fn each(
    index: &TextIndex,
    allowed: Option<&FixedBitSet>,
    mut visit: impl FnMut(u32) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match allowed {
        None => (0..index.len()).try_for_each(&mut visit),
        Some(bits) => {
            let within = bits.ones().take_while(|ordinal| *ordinal < index.len() as usize);
            within.map(|ordinal| ordinal as u32).try_for_each(&mut visit)
        }
    }
}

/// A column to sort by, and which way.
struct Column<'a> {
    data: &'a FieldData,
    order: Order,
}

fn columns<'a>(index: &'a TextIndex, keys: &[SortKey]) -> Result<Vec<Column<'a>>> {
    let column = |key: &SortKey| {
        let IndexedField { spec, data } = index.field(&key.field)?;
        match data {
            FieldData::Text { .. } => Err(Error::query(&spec.name, "a text field has no order to sort by")),
            data => Ok(Column { data, order: key.order }),
        }
    };
    keys.iter().map(column).collect()
}

impl Column<'_> {
    /// The number of the document's value that counts.
    fn key(&self, ordinal: u32) -> Result<u64, Stop> {
        let mut best = None;
        let order = self.order;
        let mut take = |number: u64| {
            let key = directed(order, number);
            best = Some(best.map_or(key, |best: u64| best.min(key)));
        };
        match self.data {
            FieldData::Text { .. } => {}
            // The first rank is 1, since 0 descending would be what is missing.
            FieldData::Keyword(column) => column.ranks_of(ordinal, |rank| take(rank + 1))?,
            FieldData::Number(column) => column.of(ordinal, |number| take(ordered(number)))?,
            FieldData::Integer(column) | FieldData::Boolean(column) => {
                column.of(ordinal, |integer| take(integer.cast_unsigned() ^ (1 << 63)))?;
            }
        }
        Ok(best.unwrap_or(MISSING))
    }
}

/// A number in the order in which keys are compared.
fn directed(order: Order, number: u64) -> u64 {
    match order {
        Order::Ascending => number,
        Order::Descending => !number,
    }
}

/// A float's bits in the order of floats.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// The first rows of those it was shown.
struct Best {
    limit: usize,
    rows: Vec<Row>,
    /// What is not before this is not among the first.
    worst: Option<Row>,
}

impl Best {
    fn show(&mut self, segment: usize, ordinal: u32, columns: &[Column<'_>]) -> Result<(), Stop> {
        let mut row = Row { keys: [0; MAX_SORT_KEYS], segment, ordinal };
        for (place, column) in columns.iter().enumerate() {
            row.keys[place] = column.key(ordinal)?;
            if self.worst.as_ref().is_some_and(|worst| row.keys[..=place] > worst.keys[..=place]) {
                return Ok(());
            }
        }
        if self.worst.is_none_or(|worst| row < worst) {
            self.rows.push(row);
            if self.rows.len() >= self.limit.saturating_mul(2).max(ROWS) {
                self.pick();
            }
        }
        Ok(())
    }

    fn pick(&mut self) {
        if self.limit == 0 {
            self.rows.clear();
        } else if self.rows.len() > self.limit {
            let (_, worst, _) = self.rows.select_nth_unstable(self.limit - 1);
            self.worst = Some(*worst);
            self.rows.truncate(self.limit);
        }
    }

    fn into_rows(mut self) -> Vec<Row> {
        self.pick();
        self.rows
    }
}

/// Replaces ranks of single segments by ranks among all keywords that the rows have.
fn by_keyword(segments: &[SegmentRef<'_>], place: usize, key: &SortKey, rows: &mut [Row]) -> Result<()> {
    let mut keywords = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let index = segments[row.segment].index;
        let FieldData::Keyword(column) = &index.field(&key.field)?.data else { return Ok(()) };
        let keyword = if row.keys[place] == MISSING {
            None
        } else {
            let rank = directed(key.order, row.keys[place]) - 1;
            Some(guard::reading(index.path(), "sort it", || column.keyword(rank))?)
        };
        keywords.push(keyword);
    }
    let mut distinct: Vec<&str> = keywords.iter().flatten().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    for (row, keyword) in rows.iter_mut().zip(keywords) {
        if let Some(keyword) = keyword {
            let rank = distinct.partition_point(|other| *other < keyword) as u64;
            row.keys[place] = directed(key.order, rank + 1);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn floats_keep_their_order_as_numbers() {
        let floats = [f64::NEG_INFINITY, f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 1.5, f64::MAX, f64::INFINITY];
        assert!(floats.is_sorted_by_key(|float| ordered(*float)));
        assert!(floats.iter().all(|float| !matches!(ordered(*float), 0 | u64::MAX)));
    }
}
