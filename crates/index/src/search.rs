//! How a query is answered on a snapshot: the filter first, then the ranking of its legs, then what is counted.

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::explain::{Explanation, explain};
use crate::facets::{self, Counts};
use crate::fusion::{Candidate, Hybrid};
use crate::groups::{self, Group, Grouping};
use crate::legs::Legs;
use crate::query::Query;
use crate::ranking::{Ranked, Ranking};
use crate::schema::{Field, Schema};
use crate::snapshot::Snapshot;
use crate::text_leg::text_query;
use crate::vector_leg::VectorSearch;
use cutover_text::{SortKey, TextPlan, TextQuery};

/// What a query found.
pub(crate) struct Found {
    pub hits: Vec<Hit>,
    pub total: u64,
    pub exact: bool,
    pub facets: Counts,
    pub explanation: Option<Explanation>,
    /// What the text leg looked for.
    pub text: Option<TextPlan>,
}

/// A document found; with its group, the best of it.
pub(crate) struct Hit {
    pub best: Candidate,
    pub group: Option<Group>,
}

/// Answers a query.
///
/// # Errors
/// [`Error::Type`] and [`Error::Range`] for a query that does not fit the schema; [`Error::Cancelled`].
pub(crate) fn search(snapshot: &Snapshot, query: &Query, vector: Option<&[f32]>, cancel: &Cancel) -> Result<Found> {
    let schema = &snapshot.schema;
    let text = query.text.as_ref().map(|leg| text_query(schema, leg)).transpose()?;
    let vector = match (&query.vector, vector) {
        (Some(leg), Some(values)) => Some(VectorSearch::new(snapshot, leg, values)?),
        (None, None) => None,
        _ => return Err(Error::Internal("a vector leg and its values come together".into())),
    };
    facets::check(schema, &query.facets)?;
    let sort = sort_keys(schema, query)?;
    let group_by = grouping(schema, query)?;
    let allowed = snapshot.allowed(query.r#where.as_ref(), cancel)?;
    let legs = Legs { snapshot, allowed: &allowed, cancel };
    let plan = |text: TextQuery| TextPlan::new(&legs.segments(), &text, &|| cancel.is_set());
    let text = text.map(plan).transpose()?;
    let ranking = match (&text, &vector) {
        (None, None) => Ranking::Browse(&sort),
        (Some(text), None) if sort.is_empty() => Ranking::Text(text),
        (Some(text), None) => Ranking::SortedText(text, &sort),
        (None, Some(vector)) => Ranking::Vector(vector),
        (Some(text), Some(vector)) => Ranking::Hybrid(Hybrid { text, vector, fusion: query.fusion }),
    };
    let wanted = if query.limit == 0 { 0 } else { query.offset + query.limit };
    let (hits, ranked): (Vec<Hit>, Ranked) = match group_by {
        None => {
            let mut ranked = ranking.first(legs, wanted, None)?;
            let hits = std::mem::take(&mut ranked.hits);
            (page(query, hits).map(|best| Hit { best, group: None }).collect(), ranked)
        }
        Some(by) => {
            let (groups, ranked) = groups::first(ranking, legs, by, wanted)?;
            let hit = |group: Group| Some(Hit { best: *group.hits.first()?, group: Some(group) });
            (page(query, groups).filter_map(hit).collect(), ranked)
        }
    };
    // With a vector everything that is allowed is a match, near or far.
    let matching = text.as_ref().filter(|_| vector.is_none());
    let facets = facets::count(snapshot, &query.facets, query.r#where.as_ref(), matching, cancel)?;
    let each = hits.iter().flat_map(|hit| hit.group.iter().flat_map(|group| &group.hits).chain([&hit.best]));
    let explanation = query.explain.then(|| explain(legs, ranking, &ranked, each)).transpose()?;
    Ok(Found { total: ranked.total, exact: ranking.exact(), hits, facets, explanation, text })
}

/// The hits, or groups, that were asked for.
fn page<T>(query: &Query, all: Vec<T>) -> impl Iterator<Item = T> {
    all.into_iter().skip(query.offset).take(query.limit)
}

fn sort_keys(schema: &Schema, query: &Query) -> Result<Vec<SortKey>> {
    if query.vector.is_some() && !query.sort.is_empty() {
        return Err(Error::Type("sort: a query with a vector leg ranks by distance, and everything is a match".into()));
    }
    let key = |by: &crate::query::SortBy| match schema.field(&by.field) {
        Some((field, _)) if field.is_filterable() => Ok(SortKey { field: by.field.clone(), order: by.order.into() }),
        Some((field, _)) => {
            Err(Error::Type(format!("sort: a {} field has no order, got {:?}", field.name(), by.field)))
        }
        None => Err(Error::Type(format!("sort: the schema has no field {:?}", by.field))),
    };
    query.sort.iter().map(key).collect()
}

fn grouping<'a>(schema: &Schema, query: &'a Query) -> Result<Option<Grouping<'a>>> {
    let Some(by) = &query.group_by else { return Ok(None) };
    match schema.field(&by.field) {
        Some((Field::Keyword(_), _)) => Ok(Some(Grouping { field: &by.field, hits: by.hits })),
        _ => Err(Error::Type(format!("groupBy.field: the schema has no keyword field {:?}", by.field))),
    }
}
