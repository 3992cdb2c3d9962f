//! The values of fields that are not text: written once, mapped, and read without believing a byte.
//!
//! A column is at most four sections of the container, named after its field's number:
//!
//! | section | what |
//! |---|---|
//! | `<n>.cells` | the values, a cell each, by document: u8, u16, u32 or u64 above the column's least value; f64 for numbers |
//! | `<n>.ends` | u32 for each document: where its cells end. Absent where every document has exactly one |
//! | `<n>.keys` | keywords only: the distinct values in ascending order, one after another; a cell is a value's rank |
//! | `<n>.key-ends` | keywords only: u32 for each of them: where it ends |
//!
//! and an entry of the section `columns`, for every field of the schema: the least value (i64), the number of cells (u64), the width of a
//! cell in bytes (u32; 0 where there is no cell), and zero (u32). Cells hold the numbers themselves, so a filter is one pass over
//! an array. Tantivy has columns too, but a damaged one can make it allocate without bound, which ends the process.

mod build;
mod keywords;
mod mark;
mod read;

pub(crate) use build::{ColumnBuilder, write_table};
pub(crate) use keywords::Keywords;
pub(crate) use read::{Floats, Integers, Table};

/// The name of the section that describes all columns.
const TABLE: &str = "columns";
/// The length of a column's entry in it, in bytes.
const ENTRY: usize = 24;
