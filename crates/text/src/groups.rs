//! Which group a document belongs to: the values of a keyword field.

use crate::index::FieldData;
use crate::{Error, Result, TextIndex, guard};

/// The values of a keyword field that a document of the segment has, ascending.
///
/// # Errors
/// [`Error::Query`] for a field that is not there or no keyword, and for a document that is not there; [`Error::Corrupt`].
pub fn keywords_of<'a>(index: &'a TextIndex, field: &str, ordinal: u32) -> Result<Vec<&'a str>> {
    let found = index.field(field)?;
    let FieldData::Keyword(column) = &found.data else {
        return Err(Error::query(field, format!("must be a keyword field, it is {}", found.spec.kind.name())));
    };
    if ordinal >= index.len() {
        return Err(Error::query(field, format!("the segment has no document {ordinal}")));
    }
    guard::reading(index.path(), "look up its keywords", || {
        let mut ranks = Vec::new();
        column.ranks_of(ordinal, |rank| ranks.push(rank))?;
        ranks.into_iter().map(|rank| column.keyword(rank)).collect()
    })
}
