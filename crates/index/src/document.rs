//! Documents as they come in: one JSON object a line, checked against the schema before anything is kept of them.
//!
//! Vectors travel beside the JSON as packed floats; a vector field holds how many of them are its own. So may the texts of text fields,
//! which then need not be read as JSON: in place of one is its length in bytes. What is stored is the object without its vectors and
//! nulls, dates as epoch milliseconds, everything else as it was written.

use crate::error::{Error, Result};
use crate::schema::{Field, Filterable, Schema, Slot};
use crate::unescape::unescape;
use cutover_text::{MAX_INTEGER, MAX_KEYWORD_BYTES, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Bytes of a document's JSON, without vectors.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 16 << 20;
const MAX_ID_BYTES: usize = 512;
const MAX_DATE_MS: f64 = 8.64e15;

/// A document that fits its schema.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub id: Cow<'a, str>,
    values: Vec<(usize, Owned<'a>)>,
    /// By the schema's number of the vector field.
    pub vectors: Vec<(usize, &'a [f32])>,
    /// The JSON that `get` returns, vectors aside.
    pub stored: Vec<u8>,
}

#[derive(Debug)]
enum Owned<'a> {
    Text(Cow<'a, str>),
    Keyword(Cow<'a, str>),
    Number(f64),
    Integer(i64),
    Date(i64),
    Boolean(bool),
}

impl Document<'_> {
    /// The values of its searchable fields, by the text layer's field numbers.
    pub fn values(&self) -> Vec<(usize, Value<'_>)> {
        self.values.iter().map(|(field, owned)| (*field, owned.value())).collect()
    }
}

impl Owned<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(s) => Value::Text(s),
            Self::Keyword(s) => Value::Keyword(s),
            Self::Number(n) => Value::Number(*n),
            Self::Integer(n) => Value::Integer(*n),
            Self::Date(n) => Value::Date(*n),
            Self::Boolean(b) => Value::Boolean(*b),
        }
    }
}

/// A document as it is stored, read again.
pub(crate) struct StoredDocument<'a> {
    pub id: Cow<'a, str>,
    values: Vec<(usize, Owned<'a>)>,
}

impl<'a> StoredDocument<'a> {
    /// # Errors
    /// [`Error::Document`] when no document that was accepted could be stored so.
    pub fn read(json: &'a str, schema: &Schema) -> Result<Self> {
        let wrong = |id: &str, field: Option<&str>, raw: &str, reason: String| Error::Document {
            id: id.to_owned(),
            field: field.map(str::to_owned),
            value: shorten(raw),
            reason,
        };
        let members: Members<'a> =
            serde_json::from_str(json).map_err(|e| wrong("", None, json, format!("is not a JSON object: {e}")))?;
        let id = id_of(&members)?;
        let mut values = Vec::with_capacity(members.0.len());
        for (name, raw) in members.0.iter().filter(|(name, _)| name != "id") {
            match schema.field(name) {
                Some((field, Slot::Searchable(number))) => {
                    let read = read(field, number, raw, &mut values);
                    read.map_err(|reason| wrong(&id, Some(name), raw.get(), reason))?;
                }
                Some((_, Slot::Stored)) => {}
                Some((_, Slot::Vector(_))) | None => {
                    return Err(wrong(&id, Some(name), raw.get(), "is not stored by this schema".into()));
                }
            }
        }
        Ok(Self { id, values })
    }

    /// The values of its searchable fields, by the text layer's field numbers.
    pub fn values(&self) -> Vec<(usize, Value<'_>)> {
        self.values.iter().map(|(field, owned)| (*field, owned.value())).collect()
    }
}

/// The members of a JSON object, unparsed, in order.
pub(crate) struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

/// A string that borrows from its JSON where it has no escapes.
#[derive(serde::Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Self::Value, M::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// What travels beside the lines of a batch: of all documents, in their order and that of their fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct Packed<'a> {
    /// The components of vectors.
    pub vectors: &'a [f32],
    /// Texts of text fields, one after another.
    pub texts: &'a str,
}

impl<'a> Packed<'a> {
    fn vector(&mut self, dimensions: usize) -> Result<&'a [f32]> {
        let (vector, rest) = self.vectors.split_at_checked(dimensions).ok_or_else(|| short("floats"))?;
        self.vectors = rest;
        Ok(vector)
    }

    fn text(&mut self, bytes: usize) -> Result<&'a str> {
        let (text, rest) = self.texts.split_at_checked(bytes).ok_or_else(|| short("texts"))?;
        self.texts = rest;
        Ok(text)
    }
}

fn short(what: &str) -> Error {
    Error::Internal(format!("a batch has fewer {what} than its documents name"))
}

/// Reads one line of a batch, and takes what is its of `packed`, whether the document is valid or not.
///
/// # Errors
/// [`Error::Document`] when it breaks the schema; [`Error::Internal`] when the line is not what the boundary sends.
pub(crate) fn decode<'a>(line: &'a str, schema: &Schema, packed: &mut Packed<'a>) -> Result<Document<'a>> {
    let members: Members<'a> =
        serde_json::from_str(line).map_err(|e| Error::Internal(format!("a document is not a JSON object: {e}")))?;
    let (mut vectors, mut texts) = (Vec::new(), Vec::new());
    for (name, raw) in &members.0 {
        let Ok(length) = raw.get().parse() else { continue };
        match schema.field(name) {
            Some((_, Slot::Vector(field))) => vectors.push((field, packed.vector(length)?)),
            Some((Field::Text { .. }, Slot::Searchable(_))) => texts.push((name, packed.text(length)?)),
            _ => {}
        }
    }
    let bytes = line.len() + texts.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut texts = texts.into_iter().peekable();
    let id = id_of(&members)?;
    let blame = |field: &str, reason: String, raw: &str| Error::Document {
        id: id.to_string(),
        field: Some(field.to_owned()),
        value: shorten(raw),
        reason,
    };
    let too_long = |bytes: usize| {
        let reason = format!("must be at most {MAX_DOCUMENT_BYTES} bytes of JSON");
        Error::Document { id: id.to_string(), field: None, value: format!("{bytes} bytes"), reason }
    };
    if bytes > MAX_DOCUMENT_BYTES {
        return Err(too_long(bytes));
    }
    let mut values = Vec::with_capacity(members.0.len());
    let mut stored = Vec::with_capacity(bytes + bytes / 8);
    stored.push(b'{');
    put(&mut stored, "id", &json_string(&id)?);
    for (name, raw) in &members.0 {
        if name == "id" || raw.get() == "null" {
            continue;
        }
        let Some((field, slot)) = schema.field(name) else {
            return Err(blame(name, "is not a field of the schema".into(), raw.get()));
        };
        match slot {
            Slot::Vector(_) => {}
            Slot::Stored => put(&mut stored, name, raw.get()),
            Slot::Searchable(number) => {
                if let Some((_, text)) = texts.next_if(|(of, _)| *of == name) {
                    values.push((number, Owned::Text(Cow::Borrowed(text))));
                    put_name(&mut stored, name);
                    serde_json::to_writer(&mut stored, text).map_err(unwritten)?;
                    continue;
                }
                let before = values.len();
                read(field, number, raw, &mut values).map_err(|reason| blame(name, reason, raw.get()))?;
                if matches!(field, Field::Date(_)) {
                    put(&mut stored, name, &dates(field, &values[before..]));
                } else {
                    put(&mut stored, name, raw.get());
                }
            }
        }
    }
    stored.push(b'}');
    if stored.len() > MAX_DOCUMENT_BYTES {
        return Err(too_long(stored.len()));
    }
    for name in schema.required() {
        if !members.0.iter().any(|(n, raw)| n == name && raw.get() != "null") {
            return Err(blame(name, "is required".into(), "nothing"));
        }
    }
    Ok(Document { id, values, vectors, stored })
}

fn id_of<'a>(members: &Members<'a>) -> Result<Cow<'a, str>> {
    let wrong = |value: &str, reason: &str| Error::Document {
        id: String::new(),
        field: Some("id".into()),
        value: shorten(value),
        reason: reason.into(),
    };
    let raw = members.0.iter().find(|(name, _)| name == "id").map(|(_, raw)| *raw);
    let raw = raw.ok_or_else(|| wrong("nothing", "must be a string"))?;
    let Text(id) = serde_json::from_str(raw.get()).map_err(|_| wrong(raw.get(), "must be a string"))?;
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(wrong(raw.get(), "must be 1 to 512 bytes of UTF-8"));
    }
    Ok(id)
}

/// Reads the value or values of a searchable field; the error says what was expected.
fn read<'a>(
    field: &Field,
    number: usize,
    raw: &'a RawValue,
    values: &mut Vec<(usize, Owned<'a>)>,
) -> std::result::Result<(), String> {
    if many(field) {
        let items: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| format!("must be an array of {}s", field.name()))?;
        for item in items {
            values.push((number, one(field, item.get()).map_err(|e| format!("each value {e}"))?));
        }
    } else {
        values.push((number, one(field, raw.get())?));
    }
    Ok(())
}

pub(crate) fn many(field: &Field) -> bool {
    match field {
        Field::Keyword(Filterable { many, .. })
        | Field::Number(Filterable { many, .. })
        | Field::Integer(Filterable { many, .. })
        | Field::Date(Filterable { many, .. })
        | Field::Boolean(Filterable { many, .. }) => *many,
        _ => false,
    }
}

fn one<'a>(field: &Field, raw: &'a str) -> std::result::Result<Owned<'a>, String> {
    let string = || unescape(raw).ok_or_else(|| "must be a string".to_owned());
    let float = || serde_json::from_str::<f64>(raw).ok().filter(|n| n.is_finite());
    match field {
        Field::Text { .. } => string().map(Owned::Text),
        Field::Keyword(_) => match string()? {
            long if long.len() > MAX_KEYWORD_BYTES => Err(format!("must be at most {MAX_KEYWORD_BYTES} bytes")),
            keyword => Ok(Owned::Keyword(keyword)),
        },
        Field::Number(_) => float().map(Owned::Number).ok_or_else(|| "must be a finite number".into()),
        Field::Integer(_) => float()
            .filter(|n| n.fract() == 0.0 && n.abs() <= MAX_INTEGER as f64)
            .map(|n| Owned::Integer(n as i64))
            .ok_or_else(|| "must be an integer from -2^53 to 2^53".into()),
        Field::Boolean(_) => {
            serde_json::from_str::<bool>(raw).map(Owned::Boolean).map_err(|_| "must be true or false".into())
        }
        Field::Date(_) => milliseconds(raw).map(Owned::Date).ok_or_else(|| {
            "must be a date as epoch milliseconds or ISO 8601 (a day, or a moment with its offset)".into()
        }),
        Field::Vector { .. } | Field::Stored { .. } => Err("is not searchable".into()),
    }
}

/// Epoch milliseconds from a JSON number, a day (`2024-02-29`) or a moment with its offset (`2024-02-29T12:00:00Z`).
pub(crate) fn milliseconds(raw: &str) -> Option<i64> {
    use time::format_description::well_known::Iso8601;
    if let Ok(ms) = serde_json::from_str::<f64>(raw) {
        return (ms.fract() == 0.0 && ms.abs() <= MAX_DATE_MS).then_some(ms as i64);
    }
    let Text(text) = serde_json::from_str(raw).ok()?;
    let moment = time::OffsetDateTime::parse(&text, &Iso8601::DEFAULT)
        .ok()
        .or_else(|| time::Date::parse(&text, &Iso8601::DEFAULT).ok().map(|day| day.midnight().assume_utc()))?;
    i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

fn dates(field: &Field, values: &[(usize, Owned<'_>)]) -> String {
    let mut each = values.iter().filter_map(|(_, value)| match value {
        Owned::Date(ms) => Some(ms.to_string()),
        _ => None,
    });
    if many(field) { format!("[{}]", each.collect::<Vec<_>>().join(",")) } else { each.next().unwrap_or_default() }
}

/// `text` as a JSON string.
pub(crate) fn json_string(text: &str) -> Result<String> {
    serde_json::to_string(text).map_err(unwritten)
}

#[expect(clippy::needless_pass_by_value, reason = "as an error is mapped")]
fn unwritten(error: serde_json::Error) -> Error {
    Error::Internal(format!("writing a string as JSON: {error}"))
}

/// Appends a member to a JSON object under construction.
pub(crate) fn put(object: &mut Vec<u8>, name: &str, json: &str) {
    put_name(object, name);
    object.extend_from_slice(json.as_bytes());
}

fn put_name(object: &mut Vec<u8>, name: &str) {
    if object.last() != Some(&b'{') {
        object.push(b',');
    }
    object.push(b'"');
    object.extend_from_slice(name.as_bytes());
    object.extend_from_slice(b"\":");
}

/// A value for an error message: at most 100 characters of its JSON.
pub(crate) fn shorten(json: &str) -> String {
    match json.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}
