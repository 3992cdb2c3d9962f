//! A filter of the public API, compiled to the ordinals of a segment that it allows.
//!
//! One compiled filter serves every leg of a query, and tombstones are part of it.

use crate::document::{milliseconds, shorten};
use crate::error::{Error, Result};
use crate::schema::{Field, Schema, Slot};
use crate::segment::SegmentView;
use cutover_text::Filter;
use fixedbitset::FixedBitSet;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Bound;

/// Nesting of `and`, `or` and `not`; deeper is a mistake, or an attack on the stack.
const MAX_DEPTH: usize = 32;

/// The ordinals of `view` that `filter` and the version allow; none when that is all of them.
pub(crate) fn allowed<'a>(
    view: &'a SegmentView,
    schema: &Schema,
    filter: Option<&Value>,
) -> Result<Option<Cow<'a, FixedBitSet>>> {
    let Some(filter) = filter else { return Ok(view.live.as_ref().map(Cow::Borrowed)) };
    let compiled = convert(filter, schema, Some(view), 0)?;
    let mut bits = cutover_text::compile_filter(&view.segment.text, &compiled)?;
    if let Some(live) = &view.live {
        bits.intersect_with(live);
    }
    Ok(Some(Cow::Owned(bits)))
}

/// Checks a filter against the schema without a segment.
pub(crate) fn check(schema: &Schema, filter: &Value) -> Result<()> {
    convert(filter, schema, None, 0).map(drop)
}

fn convert(filter: &Value, schema: &Schema, view: Option<&SegmentView>, depth: usize) -> Result<Filter> {
    let members = object(filter, "a filter")?;
    if depth > MAX_DEPTH {
        return Err(Error::Range(format!("a filter may nest at most {MAX_DEPTH} deep")));
    }
    let mut all = Vec::with_capacity(members.len());
    for (name, value) in members {
        let each = |value: &Value| -> Result<Vec<Filter>> {
            let list = value.as_array().ok_or_else(|| wrong(name, "an array of filters", value))?;
            list.iter().map(|inner| convert(inner, schema, view, depth + 1)).collect()
        };
        all.push(match name.as_str() {
            "and" => Filter::And(each(value)?),
            "or" => Filter::Or(each(value)?),
            "not" => Filter::Not(Box::new(convert(value, schema, view, depth + 1)?)),
            "ids" => Filter::Ordinals(ordinals(value, view)?),
            _ => match schema.field(name) {
                Some((field, Slot::Searchable(_))) => condition(name, field, value)?,
                Some((field, _)) => {
                    return Err(Error::Type(format!("where.{name}: a {} field cannot be filtered", field.name())));
                }
                None => return Err(Error::Type(format!("where.{name}: the schema has no such field"))),
            },
        });
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
}

fn ordinals(ids: &Value, view: Option<&SegmentView>) -> Result<FixedBitSet> {
    let list = ids.as_array().ok_or_else(|| wrong("ids", "an array of strings", ids))?;
    let mut bits = FixedBitSet::with_capacity(view.map_or(0, |view| view.segment.documents.len() as usize));
    for id in list {
        let id = id.as_str().ok_or_else(|| wrong("ids", "an array of strings", id))?;
        if let Some(ordinal) = view.map_or(Ok(None), |view| view.ordinal(id))? {
            bits.insert(ordinal as usize);
        }
    }
    Ok(bits)
}

fn condition(name: &str, field: &Field, value: &Value) -> Result<Filter> {
    let field_name = name.to_owned();
    match (field, value) {
        (Field::Text { .. }, _) => Err(Error::Type(format!("where.{name}: a text field is searched, not filtered"))),
        (_, Value::Object(operators)) => operators_of(name, field, operators),
        (Field::Keyword(_), Value::Array(list)) => {
            Ok(Filter::Keyword { field: field_name, any_of: strings(name, list)? })
        }
        (Field::Keyword(_), Value::String(one)) => Ok(Filter::Keyword { field: field_name, any_of: vec![one.clone()] }),
        (Field::Boolean(_), Value::Bool(is)) => Ok(Filter::Boolean { field: field_name, value: *is }),
        (Field::Keyword(_) | Field::Boolean(_), other) => {
            Err(wrong(name, &format!("a {} or its operators", field.name()), other))
        }
        (_, Value::Array(list)) => {
            let any_of = list.iter().map(|value| number(name, field, value)).collect::<Result<_>>()?;
            Ok(Filter::Number { field: field_name, any_of })
        }
        (_, one) => Ok(Filter::Number { field: field_name, any_of: vec![number(name, field, one)?] }),
    }
}

fn operators_of(name: &str, field: &Field, operators: &Map<String, Value>) -> Result<Filter> {
    let mut all = Vec::new();
    let (mut low, mut high) = (Bound::Unbounded, Bound::Unbounded);
    for (operator, value) in operators {
        let field_name = name.to_owned();
        match (operator.as_str(), field) {
            ("exists", _) => {
                let exists = value.as_bool().ok_or_else(|| wrong(&format!("{name}.exists"), "true or false", value))?;
                all.push(Filter::Exists { field: field_name, exists });
            }
            ("in" | "notIn", Field::Keyword(_)) => {
                let list = value
                    .as_array()
                    .ok_or_else(|| wrong(&format!("{name}.{operator}"), "an array of strings", value))?;
                let any_of = Filter::Keyword { field: field_name, any_of: strings(name, list)? };
                all.push(if operator == "in" { any_of } else { Filter::Not(Box::new(any_of)) });
            }
            ("gt" | "gte" | "lt" | "lte", Field::Number(_) | Field::Integer(_) | Field::Date(_)) => {
                let limit = number(&format!("{name}.{operator}"), field, value)?;
                match operator.as_str() {
                    "gt" => low = tighter(low, Bound::Excluded(limit), f64::max),
                    "gte" => low = tighter(low, Bound::Included(limit), f64::max),
                    "lt" => high = tighter(high, Bound::Excluded(limit), f64::min),
                    _ => high = tighter(high, Bound::Included(limit), f64::min),
                }
            }
            _ => {
                return Err(Error::Type(format!(
                    "where.{name}: a {} field has no operator {operator:?}",
                    field.name()
                )));
            }
        }
    }
    if low != Bound::Unbounded || high != Bound::Unbounded {
        all.push(Filter::Range { field: name.to_owned(), low, high });
    }
    if all.is_empty() {
        return Err(Error::Type(format!("where.{name}: needs an operator, got {{}}")));
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
}

/// Both bounds at once: the stricter number, and of two equal ones the excluded.
fn tighter(a: Bound<f64>, b: Bound<f64>, stricter: fn(f64, f64) -> f64) -> Bound<f64> {
    let (Bound::Included(x) | Bound::Excluded(x)) = a else { return b };
    let (Bound::Included(y) | Bound::Excluded(y)) = b else { return a };
    if x.total_cmp(&y).is_eq() {
        return if matches!(a, Bound::Excluded(_)) { a } else { b };
    }
    if stricter(x, y).total_cmp(&x).is_eq() { a } else { b }
}

/// A number to compare with; dates as epoch milliseconds or ISO 8601.
fn number(name: &str, field: &Field, value: &Value) -> Result<f64> {
    let found = match field {
        Field::Date(_) => milliseconds(&value.to_string()).map(|ms| ms as f64),
        _ => value.as_f64(),
    };
    found.ok_or_else(|| wrong(name, if matches!(field, Field::Date(_)) { "a date" } else { "a number" }, value))
}

fn strings(name: &str, list: &[Value]) -> Result<Vec<String>> {
    let string = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(name, "strings", value));
    list.iter().map(string).collect()
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| Error::Type(format!("{what} must be an object, got {}", shorten(&value.to_string()))))
}

fn wrong(name: &str, expected: &str, value: &Value) -> Error {
    Error::Type(format!("where.{name} must be {expected}, got {}", shorten(&value.to_string())))
}

/// Whether a field's values may be counted, and if not why.
pub(crate) fn facet_field(schema: &Schema, name: &str) -> Result<()> {
    let facet = match schema.field(name) {
        Some((Field::Keyword(f) | Field::Number(f) | Field::Integer(f) | Field::Date(f) | Field::Boolean(f), _)) => {
            f.facet
        }
        _ => false,
    };
    if facet {
        Ok(())
    } else {
        Err(Error::Type(format!("facets.{name}: the schema has no such field with facet: true")))
    }
}
