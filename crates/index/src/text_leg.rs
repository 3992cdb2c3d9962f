//! The text leg of a query, checked against the schema.

use crate::error::{Error, Result};
use crate::query::{Fuzzy, Mode, Operator, TextLeg};
use crate::schema::{Field, Schema};
use cutover_text::TextQuery;

/// What the text layer is asked.
///
/// # Errors
/// [`Error::Type`] naming a field that is not there or not text.
pub(crate) fn text_query(schema: &Schema, leg: &TextLeg) -> Result<TextQuery> {
    let fields = leg.fields.as_ref().map(|fields| {
        let checked = fields.iter().map(|(name, boost)| match schema.field(name) {
            Some((Field::Text { boost: own, .. }, _)) => Ok((name.clone(), boost.unwrap_or(*own))),
            _ => Err(Error::Type(format!("text.fields: the schema has no text field {name:?}"))),
        });
        checked.collect::<Result<Vec<_>>>()
    });
    Ok(TextQuery {
        query: leg.query.clone(),
        fields: fields.transpose()?,
        mode: match leg.mode {
            Mode::Words => cutover_text::Mode::Words,
            Mode::Syntax => cutover_text::Mode::Syntax,
            Mode::Phrase => cutover_text::Mode::Phrase,
            Mode::Prefix => cutover_text::Mode::Prefix,
            Mode::Regex => cutover_text::Mode::Regex,
        },
        operator: match leg.operator {
            Operator::Or => cutover_text::Operator::Or,
            Operator::And => cutover_text::Operator::And,
        },
        fuzzy: match leg.fuzzy {
            Fuzzy::Edits(0) => cutover_text::Fuzzy::Exact,
            Fuzzy::Edits(1) => cutover_text::Fuzzy::One,
            Fuzzy::Edits(_) => cutover_text::Fuzzy::Two,
            Fuzzy::Named(_) => cutover_text::Fuzzy::Auto,
        },
        // Where nothing may differ it says nothing.
        prefix_length: if leg.fuzzy == Fuzzy::default() && leg.mode != Mode::Syntax { 0 } else { leg.prefix_length },
        case_sensitive: leg.case_sensitive,
        slop: leg.slop,
    })
}
