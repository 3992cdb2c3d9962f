//! A filter of the public API, checked against the schema and read into the text layer's form.
//!
//! It is read once for all segments of a version; what it allows of each, `allowed.rs` says.

use crate::document::{milliseconds, shorten};
use crate::error::{Error, Result};
use crate::schema::{Field, Schema, Slot};
use cutover_text::{Filter, Glob};
use serde_json::{Map, Value};
use std::ops::Bound;

/// Nesting of `and`, `or` and `not`; deeper is a mistake, or an attack on the stack.
const MAX_DEPTH: usize = 32;
/// Conditions and groups of one filter: each may cost a pass over a column.
const MAX_CONDITIONS: usize = 4096;

/// A filter that fits its schema.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub filter: Filter,
    /// The ids that a [`Filter::Listed`] stands for, by its number.
    pub ids: Vec<Vec<String>>,
}

/// Reads a filter.
///
/// # Errors
/// [`Error::Type`] and [`Error::Range`] naming the place in the filter that does not fit the schema or is out of bounds.
pub(crate) fn parse(schema: &Schema, filter: &Value) -> Result<Parsed> {
    let mut parser = Parser { schema, ids: Vec::new(), conditions: 0 };
    let filter = parser.filter(filter, 0)?;
    Ok(Parsed { filter, ids: parser.ids })
}

struct Parser<'a> {
    schema: &'a Schema,
    ids: Vec<Vec<String>>,
    conditions: usize,
}

impl Parser<'_> {
    fn filter(&mut self, filter: &Value, depth: usize) -> Result<Filter> {
        let members = object(filter, "a filter")?;
        if depth > MAX_DEPTH {
            return Err(Error::Range(format!("a filter may nest at most {MAX_DEPTH} deep")));
        }
        self.conditions += members.len().max(1);
        if self.conditions > MAX_CONDITIONS {
            return Err(Error::Range(format!("a filter may have at most {MAX_CONDITIONS} conditions")));
        }
        let mut all = Vec::with_capacity(members.len());
        for (name, value) in members {
            all.push(match name.as_str() {
                "and" => Filter::And(self.each(name, value, depth)?),
                "or" => Filter::Or(self.each(name, value, depth)?),
                "not" => Filter::Not(Box::new(self.filter(value, depth + 1)?)),
                "ids" => {
                    let list = value.as_array().ok_or_else(|| wrong("ids", "an array of strings", value))?;
                    self.ids.push(strings("ids", list)?);
                    Filter::Listed(self.ids.len() - 1)
                }
                _ => match self.schema.field(name) {
                    Some((field, Slot::Searchable(_))) => condition(name, field, value)?,
                    Some((field, _)) => {
                        return Err(Error::Type(format!("where.{name}: a {} field cannot be filtered", field.name())));
                    }
                    None => return Err(Error::Type(format!("where.{name}: the schema has no such field"))),
                },
            });
        }
        Ok(one_or_all(all))
    }

    fn each(&mut self, name: &str, value: &Value, depth: usize) -> Result<Vec<Filter>> {
        let list = value.as_array().ok_or_else(|| wrong(name, "an array of filters", value))?;
        list.iter().map(|inner| self.filter(inner, depth + 1)).collect()
    }
}

fn one_or_all(mut all: Vec<Filter>) -> Filter {
    if all.len() == 1 { all.remove(0) } else { Filter::And(all) }
}

fn condition(name: &str, field: &Field, value: &Value) -> Result<Filter> {
    match (field, value) {
        (Field::Text { .. }, _) => Err(Error::Type(format!("where.{name}: a text field is searched, not filtered"))),
        (_, Value::Object(operators)) => operators_of(name, field, operators),
        (_, Value::Array(list)) => any_of(name, field, list),
        (_, one) => any_of(name, field, std::slice::from_ref(one)),
    }
}

/// A value is one of these.
fn any_of(name: &str, field: &Field, list: &[Value]) -> Result<Filter> {
    let named = name.to_owned();
    Ok(match field {
        Field::Keyword(_) => Filter::Keyword { field: named, any_of: strings(name, list)? },
        Field::Boolean(_) => {
            let is = |value: &Value| value.as_bool().ok_or_else(|| wrong(name, "true, false or its operators", value));
            let values = list.iter().map(is).collect::<Result<Vec<_>>>()?;
            Filter::Or(values.into_iter().map(|value| Filter::Boolean { field: named.clone(), value }).collect())
        }
        _ => {
            let numbers = list.iter().map(|value| number(name, field, value));
            Filter::Number { field: named, any_of: numbers.collect::<Result<_>>()? }
        }
    })
}

fn operators_of(name: &str, field: &Field, operators: &Map<String, Value>) -> Result<Filter> {
    let mut all = Vec::new();
    let (mut low, mut high) = (Bound::Unbounded, Bound::Unbounded);
    for (operator, value) in operators {
        let place = format!("{name}.{operator}");
        let list = || value.as_array().ok_or_else(|| wrong(&place, "an array", value));
        match (operator.as_str(), field) {
            ("exists", _) => {
                let exists = value.as_bool().ok_or_else(|| wrong(&place, "true or false", value))?;
                all.push(Filter::Exists { field: name.to_owned(), exists });
            }
            ("in", _) => all.push(any_of(name, field, list()?)?),
            ("notIn", _) => all.push(Filter::Not(Box::new(any_of(name, field, list()?)?))),
            ("prefix", Field::Keyword(_)) => {
                let prefix = value.as_str().ok_or_else(|| wrong(&place, "a string", value))?.to_owned();
                all.push(Filter::Prefix { field: name.to_owned(), prefix });
            }
            ("glob", Field::Keyword(_)) => {
                let patterns = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                let glob = Glob::new(&strings(&place, patterns)?).map_err(|e| match e {
                    cutover_text::Error::Query { reason, .. } => Error::Range(format!("where.{place}: {reason}")),
                    other => other.into(),
                })?;
                all.push(Filter::Glob { field: name.to_owned(), glob });
            }
            ("gt" | "gte" | "lt" | "lte", Field::Number(_) | Field::Integer(_) | Field::Date(_)) => {
                let limit = number(&place, field, value)?;
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
    Ok(one_or_all(all))
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
