//! Counts of values over everything that a query matches, not over the hits that it shows.

use crate::allowed::Allowed;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::legs::Legs;
use crate::query::Facet;
use crate::schema::{Field, Schema};
use crate::snapshot::Snapshot;
use cutover_text::TextPlan;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The counts of each facet.
pub(crate) type Counts = BTreeMap<String, Vec<(String, u64)>>;

/// Checks the facets of a query against the schema.
///
/// # Errors
/// [`Error::Type`] naming the field.
pub(crate) fn check(schema: &Schema, facets: &BTreeMap<String, Facet>) -> Result<()> {
    for (name, facet) in facets {
        let declared = match schema.field(name) {
            Some((
                Field::Keyword(f) | Field::Number(f) | Field::Integer(f) | Field::Date(f) | Field::Boolean(f),
                _,
            )) => f.facet,
            _ => false,
        };
        if !declared {
            return Err(Error::Type(format!("facets.{name}: the schema has no such field with facet: true")));
        }
        let numeric = matches!(schema.field(name), Some((Field::Number(_) | Field::Integer(_) | Field::Date(_), _)));
        if facet.ranges.is_some() && !numeric {
            return Err(Error::Type(format!("facets.{name}.ranges: only numbers, integers and dates have ranges")));
        }
    }
    Ok(())
}

/// Counts over all documents that the filter allows and, where there is a text leg, that it matches.
pub(crate) fn count(
    snapshot: &Snapshot,
    facets: &BTreeMap<String, Facet>,
    filter: Option<&Value>,
    text: Option<&TextPlan>,
    cancel: &Cancel,
) -> Result<Counts> {
    if facets.is_empty() {
        return Ok(Counts::new());
    }
    let shown = Legs { snapshot, allowed: &snapshot.all, cancel };
    let matches = text.map(|plan| shown.matching(plan)).transpose()?;
    let counted = |filter: Option<&Value>| -> Result<Arc<Allowed>> {
        let allowed = snapshot.allowed(filter, cancel)?;
        Ok(match &matches {
            Some(matches) => Arc::new(Allowed::within(matches, &allowed)),
            None => allowed,
        })
    };
    let own = counted(filter)?;
    let mut counts = Counts::new();
    for (name, facet) in facets {
        cancel.check()?;
        let others = filter.filter(|_| facet.ignore_own_filter).map(|filter| without(filter, name));
        let allowed = match &others {
            Some(Cow::Owned(filter)) => counted(Some(filter))?,
            _ => Arc::clone(&own),
        };
        let segments = Legs { snapshot, allowed: &allowed, cancel }.segments();
        let of_field = match &facet.ranges {
            None => cutover_text::facet_counts(&segments, name, facet.limit)?,
            Some(ranges) => {
                let bounds: Vec<(f64, f64)> = ranges.iter().map(|range| range.bounds()).collect();
                let numbers = cutover_text::range_counts(&segments, name, &bounds)?;
                ranges.iter().map(ToString::to_string).zip(numbers).collect()
            }
        };
        counts.insert(name.clone(), of_field);
    }
    Ok(counts)
}

/// The filter without its conditions on a field, where all of them must hold: at its top, and in `and` below. Those within `or` and
/// `not` stay.
fn without<'a>(filter: &'a Value, field: &str) -> Cow<'a, Value> {
    let Some(members) = filter.as_object() else { return Cow::Borrowed(filter) };
    let mut kept = members.clone();
    let mut changed = kept.remove(field).is_some();
    if let Some(Value::Array(all)) = members.get("and") {
        let all: Vec<Cow<'_, Value>> = all.iter().map(|inner| without(inner, field)).collect();
        if all.iter().any(|inner| matches!(inner, Cow::Owned(_))) {
            changed = true;
            kept.insert("and".to_owned(), all.into_iter().map(Cow::into_owned).collect());
        }
    }
    if changed { Cow::Owned(Value::Object(kept)) } else { Cow::Borrowed(filter) }
}

#[cfg(test)]
mod tests {
    use super::without;
    use serde_json::json;

    #[test]
    fn only_what_must_hold_of_the_field_is_left_out() {
        let cases = [
            (json!({"a": 1, "b": 2}), json!({"b": 2})),
            (json!({"b": 2}), json!({"b": 2})),
            (
                json!({"and": [{"a": 1}, {"b": 2, "a": 3}, {"and": [{"a": 4}]}]}),
                json!({"and": [{}, {"b": 2}, {"and": [{}]}]}),
            ),
            (json!({"or": [{"a": 1}], "not": {"a": 2}}), json!({"or": [{"a": 1}], "not": {"a": 2}})),
        ];
        for (filter, expected) in cases {
            assert_eq!(*without(&filter, "a"), expected, "{filter}");
        }
    }
}
