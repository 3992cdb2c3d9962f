//! What the documents of an index look like: its fields, their bounds, and which schema fits which.
//!
//! Fields are kept in the order of their names, so that a schema means the same however it was written down.

use crate::analyzers::{AnalyzerName, CaseSensitive};
use crate::error::{Error, Result};
use cutover_text::{FieldKind, FieldSpec, TextSchema};
use cutover_vectors::{Metric, Parameters, Precision, Quantisation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MAX_FIELDS: usize = 256;
const RESERVED: [&str; 5] = ["id", "ids", "and", "or", "not"];
/// Levels are drawn from a fixed seed, so that one build thread gives the same bytes from run to run.
const SEED: u64 = 0x0043_7574_6f76_6572;

/// A field as `fields` of the public API declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Field {
    /// Searched by words.
    Text {
        /// A document without it is invalid.
        #[serde(default)]
        required: bool,
        /// How text becomes terms.
        #[serde(default)]
        analyzer: AnalyzerName,
        /// Whether capitals are told from small letters. Default false.
        #[serde(default)]
        case_sensitive: CaseSensitive,
        /// Weight of the field's BM25 score, above 0 and at most 1,000. Default 1.
        #[serde(default = "one")]
        boost: f32,
        /// Whether highlights show it where a query names no fields for them. Default true.
        #[serde(default = "yes")]
        highlight: bool,
    },
    /// An exact string: filtered, counted, never tokenised.
    Keyword(Filterable),
    /// A finite 64-bit float.
    Number(Filterable),
    /// A whole number from −2^53 to 2^53.
    Integer(Filterable),
    /// Milliseconds since the epoch.
    Date(Filterable),
    /// True or false.
    Boolean(Filterable),
    /// A vector, searched by distance.
    Vector {
        /// A document without it is invalid.
        #[serde(default)]
        required: bool,
        /// Components, 1–4096.
        dimensions: usize,
        /// Default cosine.
        #[serde(default)]
        metric: MetricName,
        /// What steers a search. Default int8.
        #[serde(default)]
        codes: CodesName,
        /// What vectors are kept as. Default float32.
        #[serde(default)]
        precision: PrecisionName,
        /// Links per node, 4–64. Default 16.
        #[serde(default = "default_m")]
        m: usize,
        /// Candidates while building, m–2000. Default 200.
        #[serde(default = "default_ef_construction")]
        ef_construction: usize,
    },
    /// JSON, returned but never searched.
    Stored {
        /// A document without it is invalid.
        #[serde(default)]
        required: bool,
    },
}

/// The options that keyword, number, integer, date and boolean fields share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filterable {
    /// A document without it is invalid.
    #[serde(default)]
    pub required: bool,
    /// Whether queries may count its values.
    #[serde(default)]
    pub facet: bool,
    /// Whether a document may have several values.
    #[serde(default)]
    pub many: bool,
}

/// The public names of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricName {
    /// 1 − cos.
    #[default]
    Cosine,
    /// Squared euclidean distance.
    L2,
    /// 1 − dot product.
    InnerProduct,
}

/// The public names of what steers a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodesName {
    /// A byte a number, where that serves.
    #[default]
    Int8,
    /// Vectors as they are.
    None,
}

/// The public names of what vectors are kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionName {
    /// As given.
    #[default]
    Float32,
    /// Rounded to half precision.
    Float16,
}

fn one() -> f32 {
    1.0
}
fn yes() -> bool {
    true
}
fn default_m() -> usize {
    16
}
fn default_ef_construction() -> usize {
    200
}

/// Where a field's values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Field `usize` of the text layer.
    Searchable(usize),
    /// Vector field `usize`.
    Vector(usize),
    /// Kept with the document only.
    Stored,
}

/// A checked schema.
#[derive(Debug, Clone)]
pub struct Schema {
    fields: BTreeMap<String, (Field, Slot)>,
    searchable: TextSchema,
    vectors: Vec<(String, Parameters)>,
}

impl Schema {
    /// A schema from the JSON of `fields`.
    ///
    /// # Errors
    /// [`Error::Type`] for an unknown kind or option, [`Error::Range`] for a value outside its bounds; both name the field.
    pub fn from_json(json: &str) -> Result<Self> {
        let raw: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(json).map_err(|e| Error::Type(format!("fields must be an object: {e}")))?;
        let mut fields = BTreeMap::new();
        for (name, value) in raw {
            let shown = value.to_string();
            let field =
                serde_json::from_value(value).map_err(|e| Error::Type(format!("fields.{name}: {e}, got {shown}")))?;
            fields.insert(name, field);
        }
        Self::new(fields)
    }

    /// A schema of these fields.
    ///
    /// # Errors
    /// [`Error::Range`] naming the field and the bound.
    pub fn new(fields: BTreeMap<String, Field>) -> Result<Self> {
        if fields.is_empty() || fields.len() > MAX_FIELDS {
            return Err(Error::Range(format!("fields must have 1 to {MAX_FIELDS} entries, got {}", fields.len())));
        }
        let mut searchable = TextSchema { fields: Vec::new() };
        let mut vectors = Vec::new();
        let mut slotted = BTreeMap::new();
        for (name, field) in fields {
            check(&name, &field)?;
            let slot = match &field {
                Field::Stored { .. } => Slot::Stored,
                Field::Vector { dimensions, metric, codes, precision, m, ef_construction, .. } => {
                    let parameters = Parameters {
                        metric: (*metric).into(),
                        dimensions: *dimensions,
                        m: *m,
                        ef_construction: *ef_construction,
                        seed: SEED,
                        codes: (*codes).into(),
                        precision: (*precision).into(),
                    };
                    vectors.push((name.clone(), parameters));
                    Slot::Vector(vectors.len() - 1)
                }
                other => {
                    searchable.fields.push(FieldSpec { name: name.clone(), kind: kind_of(&name, other)? });
                    Slot::Searchable(searchable.fields.len() - 1)
                }
            };
            slotted.insert(name, (field, slot));
        }
        Ok(Self { fields: slotted, searchable, vectors })
    }

    /// The JSON that [`Schema::from_json`] reads, with every default spelled out.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.fields
            .iter()
            .map(|(name, (field, _))| (name.clone(), serde_json::to_value(field).unwrap_or(serde_json::Value::Null)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    pub(crate) fn field(&self, name: &str) -> Option<(&Field, Slot)> {
        self.fields.get(name).map(|(field, slot)| (field, *slot))
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, (field, _))| field.is_required()).map(|(name, _)| name.as_str())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    pub(crate) fn dates(&self) -> impl Iterator<Item = &str> {
        let dates = self.fields.iter().filter(|(_, (field, _))| matches!(field, Field::Date(_)));
        dates.map(|(name, _)| name.as_str())
    }

    pub(crate) fn searchable(&self) -> &TextSchema {
        &self.searchable
    }

    pub(crate) fn vectors(&self) -> &[(String, Parameters)] {
        &self.vectors
    }

    /// Whether documents declared as `declared` can be searched in a version of this schema: each declared field is here with
    /// equal type, dimensions and metric; more fields are fine.
    ///
    /// # Errors
    /// [`Error::Schema`] naming the first field that disagrees.
    pub fn serves(&self, declared: &Self) -> Result<()> {
        for (name, (want, _)) in &declared.fields {
            let problem = match self.fields.get(name) {
                None => format!("the version served has no field {name:?}, which was declared as {}", want.name()),
                Some((have, _)) if !have.compatible(want) => format!(
                    "field {name:?} is {} in the version served and was declared as {}",
                    have.describe(),
                    want.describe()
                ),
                Some(_) => continue,
            };
            return Err(Error::Schema { detail: problem });
        }
        Ok(())
    }
}

impl Field {
    fn is_required(&self) -> bool {
        match self {
            Self::Text { required, .. } | Self::Vector { required, .. } | Self::Stored { required } => *required,
            Self::Keyword(f) | Self::Number(f) | Self::Integer(f) | Self::Date(f) | Self::Boolean(f) => f.required,
        }
    }

    /// Whether its values are columns: filtered, sorted by, counted.
    pub(crate) fn is_filterable(&self) -> bool {
        matches!(self, Self::Keyword(_) | Self::Number(_) | Self::Integer(_) | Self::Date(_) | Self::Boolean(_))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Keyword(_) => "keyword",
            Self::Number(_) => "number",
            Self::Integer(_) => "integer",
            Self::Date(_) => "date",
            Self::Boolean(_) => "boolean",
            Self::Vector { .. } => "vector",
            Self::Stored { .. } => "stored",
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Vector { dimensions, metric, .. } => format!("vector ({dimensions} dimensions, {metric:?})"),
            other => other.name().to_owned(),
        }
    }

    fn compatible(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vector { dimensions: a, metric: x, .. }, Self::Vector { dimensions: b, metric: y, .. }) => {
                a == b && x == y
            }
            (a, b) => a.name() == b.name(),
        }
    }
}

impl From<MetricName> for Metric {
    fn from(name: MetricName) -> Self {
        match name {
            MetricName::Cosine => Self::Cosine,
            MetricName::L2 => Self::L2,
            MetricName::InnerProduct => Self::InnerProduct,
        }
    }
}

impl From<CodesName> for Quantisation {
    fn from(name: CodesName) -> Self {
        match name {
            CodesName::Int8 => Self::Int8,
            CodesName::None => Self::None,
        }
    }
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::Float32 => Self::Float32,
            PrecisionName::Float16 => Self::Float16,
        }
    }
}

fn kind_of(name: &str, field: &Field) -> Result<FieldKind> {
    Ok(match field {
        Field::Text { analyzer, boost, case_sensitive, .. } => {
            FieldKind::Text { analyzer: analyzer.resolve(name)?, boost: *boost, case: (*case_sensitive).into() }
        }
        Field::Keyword(f) => FieldKind::Keyword { many: f.many, facet: f.facet },
        Field::Number(f) => FieldKind::Number { many: f.many, facet: f.facet },
        Field::Integer(f) => FieldKind::Integer { many: f.many, facet: f.facet },
        Field::Date(f) => FieldKind::Date { many: f.many, facet: f.facet },
        Field::Boolean(f) => FieldKind::Boolean { many: f.many, facet: f.facet },
        Field::Vector { .. } | Field::Stored { .. } => {
            return Err(Error::Internal(format!("{name} is not searchable")));
        }
    })
}

fn check(name: &str, field: &Field) -> Result<()> {
    let mut letters = name.bytes();
    let well_formed = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && name.len() <= 64;
    if !well_formed {
        return Err(Error::Range(format!("a field name must match [A-Za-z_][A-Za-z0-9_]{{0,63}}, got {name:?}")));
    }
    if RESERVED.contains(&name) {
        return Err(Error::Range(format!("the field name {name:?} is taken")));
    }
    let range = |option: &str, bounds: &str, value: &dyn std::fmt::Display| {
        Err(Error::Range(format!("fields.{name}.{option} must be {bounds}, got {value}")))
    };
    match field {
        Field::Vector { dimensions, m, ef_construction, .. } => {
            if !(1..=4096).contains(dimensions) {
                return range("dimensions", "an integer from 1 to 4096", dimensions);
            }
            if !(4..=64).contains(m) {
                return range("m", "an integer from 4 to 64", m);
            }
            if !(*m..=2000).contains(ef_construction) {
                return range("efConstruction", "an integer from m to 2000", ef_construction);
            }
        }
        Field::Text { boost, .. } if !(*boost > 0.0 && *boost <= 1000.0) => {
            return range("boost", "above 0 and at most 1000", boost);
        }
        _ => {}
    }
    Ok(())
}
