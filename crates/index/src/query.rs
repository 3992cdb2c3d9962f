//! A query as the boundary sends it: JSON, with the vector's values beside it.

use crate::error::{Error, Result};
use crate::highlight::Highlight;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `offset + limit` may not exceed this.
pub(crate) const MAX_HITS: usize = 10_000;
const MAX_EF: usize = 100_000;

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
    /// Fields whose values are counted over all matches.
    #[serde(default)]
    pub facets: BTreeMap<String, Facet>,
    /// Where hits match, shown with them.
    pub highlight: Option<Highlight>,
}

/// Words to look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextLeg {
    /// Any text: no input makes a query fail.
    pub query: String,
    /// Fields and their boosts; every text field with its own boost when absent.
    pub fields: Option<Vec<(String, Option<f32>)>>,
    /// Whether one word is enough.
    #[serde(default)]
    pub operator: Operator,
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

/// How the values of a facet are counted.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facet {
    /// Values wanted, the commonest first, 1–10,000. Default 10.
    #[serde(default = "ten")]
    pub limit: usize,
}

fn ten() -> usize {
    10
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
        for (name, boost) in query.text.iter().flat_map(|leg| leg.fields.iter().flatten()) {
            if boost.is_some_and(|boost| !(boost > 0.0 && boost <= 1000.0)) {
                let boost = boost.unwrap_or_default();
                return Err(Error::Range(format!("text.fields.{name} must be above 0 and at most 1000, got {boost}")));
            }
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
            _ => query.facets_in_bounds(),
        }
    }

    fn facets_in_bounds(self) -> Result<Self> {
        match self.facets.iter().find(|(_, facet)| !(1..=MAX_HITS).contains(&facet.limit)) {
            Some((name, facet)) => {
                Err(Error::Range(format!("facets.{name}.limit must be from 1 to {MAX_HITS}, got {}", facet.limit)))
            }
            None => Ok(self),
        }
    }
}
