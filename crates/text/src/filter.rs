//! Filters, compiled to the ordinals of a segment that they allow.

use std::ops::Bound;

use fixedbitset::FixedBitSet;

use crate::guard::{self, Stop};
use crate::index::{FieldData, IndexedField};
use crate::{Error, Result, TextIndex, range};

/// Which documents are allowed. A field of many values passes a test when one of its values does; a document without a value passes none
/// but [`Filter::Exists`] of false, and what [`Filter::Not`] makes of the others.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of them; none given allows everything.
    And(Vec<Filter>),
    /// Any of them; none given allows nothing.
    Or(Vec<Filter>),
    /// What the filter does not allow.
    Not(Box<Filter>),
    /// A keyword is one of these.
    Keyword {
        /// The keyword field.
        field: String,
        /// The values; none allows nothing.
        any_of: Vec<String>,
    },
    /// There is a value, or there is none. Not for text.
    Exists {
        /// The field.
        field: String,
        /// Whether there must be one.
        exists: bool,
    },
    /// A number, integer or date (in milliseconds) lies within the bounds. NaN as a bound allows nothing; −0 is 0.
    Range {
        /// The field.
        field: String,
        /// The lower bound.
        low: Bound<f64>,
        /// The upper bound.
        high: Bound<f64>,
    },
    /// A number, integer or date (in milliseconds) equals one of these.
    Number {
        /// The field.
        field: String,
        /// The values; none allows nothing.
        any_of: Vec<f64>,
    },
    /// A boolean has this value.
    Boolean {
        /// The boolean field.
        field: String,
        /// The value.
        value: bool,
    },
    /// These ordinals of the segment; those beyond its end are ignored.
    Ordinals(FixedBitSet),
}

/// The deepest nesting of filters.
const MAX_DEPTH: usize = 100;

/// The ordinals of this segment that `filter` allows, dead ones included: as many bits as the segment has documents.
///
/// # Errors
/// [`Error::Query`] for a field that is not there or not of the filter's kind, or nesting deeper than 100; [`Error::Corrupt`].
pub fn compile_filter(index: &TextIndex, filter: &Filter) -> Result<FixedBitSet> {
    guard::reading(index.path(), "filter it", || compile(index, filter, 0))
}

fn compile(index: &TextIndex, filter: &Filter, depth: usize) -> Result<FixedBitSet, Stop> {
    if depth > MAX_DEPTH {
        return Err(Error::query("", format!("filters may nest {MAX_DEPTH} deep at most")).into());
    }
    let documents = index.len() as usize;
    let mut bits = FixedBitSet::with_capacity(documents);
    match filter {
        Filter::And(all) => {
            bits.insert_range(..);
            for inner in all {
                bits.intersect_with(&compile(index, inner, depth + 1)?);
            }
        }
        Filter::Or(any) => {
            for inner in any {
                bits.union_with(&compile(index, inner, depth + 1)?);
            }
        }
        Filter::Not(inner) => {
            bits = compile(index, inner, depth + 1)?;
            bits.toggle_range(..);
        }
        Filter::Keyword { field, any_of } => {
            let field = index.field(field)?;
            let FieldData::Keyword(column) = &field.data else { return Err(unfit(field, "keyword").into()) };
            column.any_of(any_of, &mut bits)?;
        }
        Filter::Exists { field, exists } => {
            existing(index.field(field)?, &mut bits)?;
            if !exists {
                bits.toggle_range(..);
            }
        }
        Filter::Range { field, low, high } => numbers(index.field(field)?, *low, *high, &mut bits)?,
        Filter::Number { field, any_of } => {
            let field = index.field(field)?;
            for number in any_of {
                numbers(field, Bound::Included(*number), Bound::Included(*number), &mut bits)?;
            }
        }
        Filter::Boolean { field, value } => {
            let field = index.field(field)?;
            let FieldData::Boolean(column) = &field.data else { return Err(unfit(field, "boolean").into()) };
            column.within(&(i64::from(*value)..=i64::from(*value)), &mut bits)?;
        }
        Filter::Ordinals(ordinals) => {
            bits.insert_range(..);
            bits.intersect_with(ordinals);
        }
    }
    Ok(bits)
}

fn numbers(field: &IndexedField, low: Bound<f64>, high: Bound<f64>, bits: &mut FixedBitSet) -> Result<(), Stop> {
    match &field.data {
        FieldData::Number(column) => range::floats(low, high).map_or(Ok(()), |range| column.within(&range, bits)),
        FieldData::Integer(column) => range::integers(low, high).map_or(Ok(()), |range| column.within(&range, bits)),
        _ => Err(unfit(field, "number, integer or date").into()),
    }
}

fn existing(field: &IndexedField, bits: &mut FixedBitSet) -> Result<(), Stop> {
    match &field.data {
        FieldData::Text(_) => Err(unfit(field, "keyword, number, integer, date or boolean").into()),
        FieldData::Keyword(column) => column.existing(bits),
        FieldData::Number(column) => column.existing(bits),
        FieldData::Integer(column) | FieldData::Boolean(column) => column.existing(bits),
    }
}

fn unfit(field: &IndexedField, wanted: &str) -> Error {
    Error::query(
        &field.spec.name,
        format!("must be a {wanted} field to be filtered so, it is {}", field.spec.kind.name()),
    )
}
