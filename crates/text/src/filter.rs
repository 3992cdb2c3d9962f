//! Filters, compiled to the ordinals of a segment that they allow.

use std::ops::Bound;

use fixedbitset::FixedBitSet;

use crate::columns::Keywords;
use crate::guard::{self, Stop};
use crate::index::{FieldData, IndexedField};
use crate::{Error, Glob, Result, TextIndex, range};

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
    /// A keyword begins so.
    Prefix {
        /// The keyword field.
        field: String,
        /// The bytes that it begins with; none are those of every keyword.
        prefix: String,
    },
    /// A keyword matches. Of several keywords one that is not excluded is enough.
    Glob {
        /// The keyword field.
        field: String,
        /// The patterns.
        glob: Glob,
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
    /// The ordinals in the list of this number, of those that come with the filter; those beyond the segment's end are ignored.
    Listed(usize),
}

/// The deepest nesting of filters.
const MAX_DEPTH: usize = 100;

/// The ordinals of this segment that `filter` allows, dead ones included: as many bits as the segment has documents. `lists` are what
/// [`Filter::Listed`] refers to.
///
/// # Errors
/// [`Error::Query`] for a field that is not there or not of the filter's kind, a list that is not there, or nesting deeper than
/// 100; [`Error::Cancelled`]; [`Error::Corrupt`].
pub fn compile_filter(
    index: &TextIndex,
    filter: &Filter,
    lists: &[FixedBitSet],
    cancel: &dyn Fn() -> bool,
) -> Result<FixedBitSet> {
    guard::reading(index.path(), "filter it", || Compiler { index, lists, cancel }.compile(filter, 0))
}

struct Compiler<'a> {
    index: &'a TextIndex,
    lists: &'a [FixedBitSet],
    cancel: &'a dyn Fn() -> bool,
}

impl Compiler<'_> {
    fn compile(&self, filter: &Filter, depth: usize) -> Result<FixedBitSet, Stop> {
        if depth > MAX_DEPTH {
            return Err(Error::query("", format!("filters may nest {MAX_DEPTH} deep at most")).into());
        }
        if (self.cancel)() {
            return Err(Error::Cancelled.into());
        }
        let mut bits = FixedBitSet::with_capacity(self.index.len() as usize);
        match filter {
            Filter::And(all) => {
                bits.insert_range(..);
                for inner in all {
                    bits.intersect_with(&self.compile(inner, depth + 1)?);
                }
            }
            Filter::Or(any) => {
                for inner in any {
                    bits.union_with(&self.compile(inner, depth + 1)?);
                }
            }
            Filter::Not(inner) => {
                bits = self.compile(inner, depth + 1)?;
                bits.toggle_range(..);
            }
            Filter::Keyword { field, any_of } => self.keywords(field)?.any_of(any_of, &mut bits)?,
            Filter::Prefix { field, prefix } => self.keywords(field)?.beginning(prefix, &mut bits)?,
            Filter::Glob { field, glob } => self.keywords(field)?.matching(glob, self.cancel, &mut bits)?,
            Filter::Exists { field, exists } => {
                existing(self.index.field(field)?, &mut bits)?;
                if !exists {
                    bits.toggle_range(..);
                }
            }
            Filter::Range { field, low, high } => range(self.index.field(field)?, *low, *high, &mut bits)?,
            Filter::Number { field, any_of } => numbers(self.index.field(field)?, any_of, &mut bits)?,
            Filter::Boolean { field, value } => {
                let field = self.index.field(field)?;
                let FieldData::Boolean(column) = &field.data else { return Err(unfit(field, "boolean").into()) };
                column.within(&(i64::from(*value)..=i64::from(*value)), &mut bits)?;
            }
            Filter::Listed(number) => {
                let list = self.lists.get(*number).ok_or_else(|| Error::query("", format!("no list {number} came")))?;
                bits.insert_range(..);
                bits.intersect_with(list);
            }
        }
        Ok(bits)
    }

    fn keywords(&self, field: &str) -> Result<&Keywords> {
        let field = self.index.field(field)?;
        let FieldData::Keyword(column) = &field.data else { return Err(unfit(field, "keyword")) };
        Ok(column)
    }
}

fn numbers(field: &IndexedField, any_of: &[f64], bits: &mut FixedBitSet) -> Result<(), Stop> {
    match &field.data {
        FieldData::Number(column) => column.any_of(any_of.to_vec(), bits),
        FieldData::Integer(column) => {
            let exact = |number: &f64| range::integers(Bound::Included(*number), Bound::Included(*number));
            column.any_of(any_of.iter().filter_map(exact).map(|range| *range.start()).collect(), bits)
        }
        _ => Err(unfit(field, "number, integer or date").into()),
    }
}

/// Marks the documents with a number within the bounds.
pub(crate) fn range(
    field: &IndexedField,
    low: Bound<f64>,
    high: Bound<f64>,
    bits: &mut FixedBitSet,
) -> Result<(), Stop> {
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
