//! The values that a document's fields hold.

use std::cmp::Ordering;

/// The longest keyword in bytes: what a term of the index can hold.
pub const MAX_KEYWORD_BYTES: usize = 65_000;

/// The largest magnitude of an integer or date: 2^53, up to which every integer is a number of JavaScript's.
pub const MAX_INTEGER: i64 = 1 << 53;

/// One value of one field. A field with several values is given several times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Text to be searched by words.
    Text(&'a str),
    /// An exact string of at most [`MAX_KEYWORD_BYTES`].
    Keyword(&'a str),
    /// A number; NaN is refused, −0 is 0.
    Number(f64),
    /// An integer of a magnitude up to [`MAX_INTEGER`].
    Integer(i64),
    /// Milliseconds since the epoch, of a magnitude up to [`MAX_INTEGER`].
    Date(i64),
    /// True or false.
    Boolean(bool),
}

impl Value<'_> {
    /// What the field would have to be, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Keyword(_) => "keyword",
            Self::Number(_) => "number",
            Self::Integer(_) => "integer",
            Self::Date(_) => "date",
            Self::Boolean(_) => "boolean",
        }
    }

    /// Why no field can hold the value, if so.
    pub(crate) fn fault(&self) -> Option<String> {
        match *self {
            Self::Keyword(keyword) if keyword.len() > MAX_KEYWORD_BYTES => {
                Some(format!("a keyword has at most {MAX_KEYWORD_BYTES} bytes, got {}", keyword.len()))
            }
            Self::Number(number) if number.is_nan() => Some("must be a number, got NaN".to_owned()),
            Self::Integer(integer) | Self::Date(integer) if integer.unsigned_abs() > MAX_INTEGER.unsigned_abs() => {
                Some(format!("must be within ±{MAX_INTEGER}, got {integer}"))
            }
            _ => None,
        }
    }

    /// An order in which equal values of one field are neighbours.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Keyword(a), Self::Keyword(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => one_zero(*a).total_cmp(&one_zero(*b)),
            (Self::Integer(a), Self::Integer(b)) | (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

/// The number itself, but 0 for −0: the index compares bits.
pub(crate) fn one_zero(number: f64) -> f64 {
    number + 0.0
}
