//! A query as the boundary sends it: JSON, with the vector's values beside it.

use crate::error::{Error, Result};
use crate::highlight::Highlight;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `offset + limit` may not exceed this.
pub(crate) const MAX_HITS: usize = 10_000;
const MAX_EF: usize = 100_000;
/// Hits of one group.
const MAX_GROUP_HITS: usize = 100;
/// Ranges of one facet.
const MAX_RANGES: usize = 100;

/// One query. Without a text and a vector leg it browses: every document that the filter allows, by segment and ordinal.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// The text leg.
    pub text: Option<TextLeg>,
    /// The vector leg; its values come beside the query.
    pub vector: Option<VectorLeg>,
    /// The filter, as in the public API; dates are epoch milliseconds.
    pub r#where: Option<serde_json::Value>,
    /// How two legs become one ranking.
    #[serde(default)]
    pub fusion: Fusion,
    /// Hits wanted, 0–10,000. Default 10; 0 counts only.
    #[serde(default = "ten")]
    pub limit: usize,
    /// Hits to pass over first. Default 0; `offset + limit` is at most 10,000.
    #[serde(default)]
    pub offset: usize,
    /// Which fields of a document come back.
    #[serde(default)]
    pub select: Select,
    /// The fields to sort by instead of scores; none where there is a vector leg.
    #[serde(default)]
    pub sort: Vec<SortBy>,
    /// The keyword field whose values' best hits are wanted: hits are then groups.
    pub group_by: Option<GroupBy>,
    /// Fields whose values are counted over all matches.
    #[serde(default)]
    pub facets: BTreeMap<String, Facet>,
    /// Where hits match, shown with them.
    pub highlight: Option<Highlight>,
    /// Whether the answer says how it came about.
    #[serde(default)]
    pub explain: bool,
    /// Whether hits without documents may come as rows: `"leg"`, `"first"` and `"rows"` in place of `"hits"`. Default false.
    #[serde(default)]
    pub rows: bool,
}

/// What is looked for in text.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextLeg {
    /// What a user wrote; how it is read, `mode` says.
    pub query: String,
    /// Fields and their boosts; every text field with its own boost when absent.
    pub fields: Option<Vec<(String, Option<f32>)>>,
    /// How the query is read.
    #[serde(default)]
    pub mode: Mode,
    /// Whether one word is enough.
    #[serde(default)]
    pub operator: Operator,
    /// Letters of a word that may differ. Default 0; none in a regular expression.
    #[serde(default)]
    pub fuzzy: Fuzzy,
    /// Letters at the beginning of a word that may not differ, 0–64. Default 1.
    #[serde(default = "one")]
    pub prefix_length: u32,
    /// Whether capitals tell; as each field has it when absent.
    pub case_sensitive: Option<bool>,
    /// Positions that the words of a phrase may be moved in all, 0–100. Default 0.
    #[serde(default)]
    pub slop: u32,
}

/// How the query of a text leg is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Words: no input makes the query fail.
    #[default]
    Words,
    /// Words with operators.
    Syntax,
    /// One phrase.
    Phrase,
    /// Words, the last of which may be a beginning.
    Prefix,
    /// A regular expression for terms.
    Regex,
}

/// How many letters of a word may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Fuzzy {
    /// So many, 0–2.
    Edits(u8),
    /// By the word's length.
    Named(FuzzyName),
}

impl Default for Fuzzy {
    fn default() -> Self {
        Self::Edits(0)
    }
}

/// A way to say how many letters may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FuzzyName {
    /// None up to 3 letters, one up to 7, else two.
    Auto,
}

/// How the words of a text leg combine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    /// A document with any of the words matches.
    #[default]
    Or,
    /// A document must have every word.
    And,
}

/// Nearest neighbours of a vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VectorLeg {
    /// The vector field; may be left out when the schema has one only.
    pub field: Option<String>,
    /// Candidates that the graph walk keeps, 1–100,000; chosen from the limit when absent.
    pub ef: Option<usize>,
    /// Leaves out what is further away.
    pub max_distance: Option<f32>,
    /// Compares with every allowed vector. Default false.
    #[serde(default)]
    pub exact: bool,
}

/// How a text and a vector leg become one ranking.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fusion {
    /// Weighted sum of each leg's score over its best.
    Convex {
        /// Weight of the vector leg, 0–1. Default 0.4.
        #[serde(default = "vector_weight")]
        vector_weight: f64,
    },
    /// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009).
    Rrf {
        /// Added to every rank, at least 1. Default 60.
        #[serde(default = "rrf_k")]
        k: f64,
    },
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Convex { vector_weight: vector_weight() }
    }
}

/// Which fields of a document come back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub enum Select {
    /// `false`: ids and scores only (`true` is refused).
    Documents(bool),
    /// These fields, and the id.
    Fields(Vec<String>),
    /// All but vectors.
    #[default]
    Default,
}

/// A field to sort by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortBy {
    /// A keyword, number, integer, date or boolean field.
    pub field: String,
    /// Default ascending. Documents without a value come last either way.
    #[serde(default)]
    pub order: Order,
}

/// Which end of a field's values comes first.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The least first.
    #[default]
    Asc,
    /// The greatest first.
    Desc,
}

impl From<Order> for cutover_text::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Asc => Self::Ascending,
            Order::Desc => Self::Descending,
        }
    }
}

/// What hits are grouped by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    /// A keyword field.
    pub field: String,
    /// Hits of each group, 1–100. Default 3.
    #[serde(default = "three")]
    pub hits: usize,
}

/// How the values of a facet are counted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facet {
    /// Values wanted, the commonest first, 1–10,000. Default 10. Ranges are shown all.
    #[serde(default = "ten")]
    pub limit: usize,
    /// Counts as if the filter said nothing of this field, where it says so at its top or within `and`.
    #[serde(default)]
    pub ignore_own_filter: bool,
    /// Counts the documents with a value in each of these instead, 1–100.
    pub ranges: Option<Vec<FacetRange>>,
}

/// From the first number on, before the second; without one there is no bound.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct FacetRange(Option<f64>, Option<f64>);

impl FacetRange {
    pub(crate) fn bounds(self) -> (f64, f64) {
        (self.0.unwrap_or(f64::NEG_INFINITY), self.1.unwrap_or(f64::INFINITY))
    }
}

impl std::fmt::Display for FacetRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |side: Option<f64>| side.map(|number| number.to_string()).unwrap_or_default();
        write!(f, "{}..{}", side(self.0), side(self.1))
    }
}

fn ten() -> usize {
    10
}
fn one() -> u32 {
    1
}
fn three() -> usize {
    3
}
fn vector_weight() -> f64 {
    0.4
}
fn rrf_k() -> f64 {
    60.0
}

impl Query {
    /// Reads a query and checks every bound that does not depend on the schema.
    ///
    /// # Errors
    /// [`Error::Type`] for a wrong shape, [`Error::Range`] for a value outside its bounds.
    pub fn from_json(json: &str) -> Result<Self> {
        let query: Self = serde_json::from_str(json).map_err(|e| Error::Type(format!("the query: {e}")))?;
        if query.limit > MAX_HITS {
            return Err(Error::Range(format!("limit must be an integer from 0 to {MAX_HITS}, got {}", query.limit)));
        }
        if query.offset + query.limit > MAX_HITS {
            let sum = query.offset + query.limit;
            return Err(Error::Range(format!("offset + limit must be at most {MAX_HITS}, got {sum}")));
        }
        if let Some(ef) = query.vector.as_ref().and_then(|leg| leg.ef)
            && !(1..=MAX_EF).contains(&ef)
        {
            return Err(Error::Range(format!("vector.ef must be an integer from 1 to {MAX_EF}, got {ef}")));
        }
        if let Some(leg) = &query.text {
            leg.in_bounds()?;
        }
        if let Some(highlight) = &query.highlight {
            highlight.check()?;
        }
        match query.fusion {
            Fusion::Convex { vector_weight: w } if !(0.0..=1.0).contains(&w) => {
                Err(Error::Range(format!("fusion.vectorWeight must be from 0 to 1, got {w}")))
            }
            Fusion::Rrf { k } if !(1.0..=1e9).contains(&k) => {
                Err(Error::Range(format!("fusion.k must be from 1 to 1e9, got {k}")))
            }
            _ if matches!(query.select, Select::Documents(true)) => {
                Err(Error::Type("select must be false or an array of field names, got true".into()))
            }
            _ => query.shown_in_bounds(),
        }
    }

    fn shown_in_bounds(self) -> Result<Self> {
        if self.sort.len() > cutover_text::MAX_SORT_KEYS {
            let (most, count) = (cutover_text::MAX_SORT_KEYS, self.sort.len());
            return Err(Error::Range(format!("sort may name at most {most} fields, got {count}")));
        }
        if let Some(GroupBy { hits, .. }) = &self.group_by {
            if !(1..=MAX_GROUP_HITS).contains(hits) {
                let message = format!("groupBy.hits must be an integer from 1 to {MAX_GROUP_HITS}, got {hits}");
                return Err(Error::Range(message));
            }
            let hits = self.limit * hits;
            if hits > MAX_HITS {
                let message = format!("limit times groupBy.hits must be at most {MAX_HITS}, got {hits}");
                return Err(Error::Range(message));
            }
        }
        for (name, facet) in &self.facets {
            if !(1..=MAX_HITS).contains(&facet.limit) {
                let limit = facet.limit;
                return Err(Error::Range(format!("facets.{name}.limit must be from 1 to {MAX_HITS}, got {limit}")));
            }
            if let Some(ranges) = &facet.ranges
                && !(1..=MAX_RANGES).contains(&ranges.len())
            {
                let count = ranges.len();
                return Err(Error::Range(format!("facets.{name}.ranges must be 1 to {MAX_RANGES}, got {count}")));
            }
        }
        Ok(self)
    }
}

impl TextLeg {
    fn in_bounds(&self) -> Result<()> {
        match self {
            Self { fuzzy: Fuzzy::Edits(edits @ 3..), .. } => {
                Err(Error::Range(format!("text.fuzzy must be 0, 1, 2 or \"auto\", got {edits}")))
            }
            Self { prefix_length: length @ 65.., .. } => {
                Err(Error::Range(format!("text.prefixLength must be an integer from 0 to 64, got {length}")))
            }
            Self { slop: slop @ 101.., .. } => {
                Err(Error::Range(format!("text.slop must be an integer from 0 to 100, got {slop}")))
            }
            Self { mode: Mode::Regex, fuzzy, .. } if *fuzzy != Fuzzy::default() => {
                Err(Error::Type("text.fuzzy: a regular expression says itself what may differ".into()))
            }
            _ => self.weights_in_bounds(),
        }
    }

    fn weights_in_bounds(&self) -> Result<()> {
        for (name, boost) in self.fields.iter().flatten() {
            if boost.is_some_and(|boost| !(boost > 0.0 && boost <= 1000.0)) {
                let boost = boost.unwrap_or_default();
                return Err(Error::Range(format!("text.fields.{name} must be above 0 and at most 1000, got {boost}")));
            }
        }
        Ok(())
    }
}
