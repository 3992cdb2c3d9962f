//! How a query is answered on a snapshot: filter first, then each leg over every segment, then one ranking.

use crate::allowed::Allowed;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::filter;
use crate::fusion::{Candidate, fuse, rank_by};
use crate::query::{Facet, Operator, Query, TextLeg, VectorLeg};
use crate::schema::{Field, Slot};
use crate::snapshot::Snapshot;
use cutover_text::{SegmentRef, TextQuery};
use cutover_vectors::Metric;
use fixedbitset::FixedBitSet;
use std::collections::BTreeMap;

/// Each leg of a hybrid query looks at least this deep.
const MIN_DEPTH: usize = 100;

/// What a query found.
pub(crate) struct Found {
    pub hits: Vec<Candidate>,
    pub total: u64,
    pub exact: bool,
    pub facets: BTreeMap<String, Vec<(String, u64)>>,
}

/// Answers a query.
///
/// # Errors
/// [`Error::Type`] and [`Error::Range`] for a query that does not fit the schema; [`Error::Cancelled`].
pub(crate) fn search(snapshot: &Snapshot, query: &Query, vector: Option<&[f32]>, cancel: &Cancel) -> Result<Found> {
    let text = query.text.as_ref().map(|leg| text_query(snapshot, leg)).transpose()?;
    let vector = match (&query.vector, vector) {
        (Some(leg), Some(values)) => Some(VectorSearch::new(snapshot, leg, values)?),
        (None, None) => None,
        _ => return Err(Error::Internal("a vector leg and its values come together".into())),
    };
    for name in query.facets.keys() {
        filter::facet_field(&snapshot.schema, name)?;
    }
    let allowed = snapshot.allowed(query.r#where.as_ref(), cancel)?;
    let legs = Legs { snapshot, allowed: &allowed, cancel };
    let wanted = if query.limit == 0 { 0 } else { query.offset + query.limit };
    let exact = vector.as_ref().is_none_or(|search| search.exact);
    let (mut hits, total) = match (&text, &vector) {
        (None, None) => (legs.browse(wanted), allowed.documents),
        (Some(text), None) => legs.text(text, wanted)?,
        (None, Some(vector)) => (legs.vector(vector, wanted)?, allowed.documents),
        (Some(text), Some(vector)) => {
            let depth = if wanted == 0 { 0 } else { wanted.max(MIN_DEPTH) };
            let mut hits = legs.both(text, vector, depth)?;
            fuse(&mut hits, query.fusion, vector.metric);
            (hits, allowed.documents)
        }
    };
    hits.truncate(wanted);
    hits.drain(..query.offset.min(hits.len()));
    let facets = legs.facets(&query.facets, text.as_ref().filter(|_| vector.is_none()))?;
    Ok(Found { hits, total, exact, facets })
}

pub(crate) fn text_query(snapshot: &Snapshot, leg: &TextLeg) -> Result<TextQuery> {
    let fields = leg.fields.as_ref().map(|fields| {
        let checked = fields.iter().map(|(name, boost)| match snapshot.schema.field(name) {
            Some((Field::Text { boost: own, .. }, _)) => Ok((name.clone(), boost.unwrap_or(*own))),
            _ => Err(Error::Type(format!("text.fields: the schema has no text field {name:?}"))),
        });
        checked.collect::<Result<Vec<_>>>()
    });
    let operator = match leg.operator {
        Operator::Or => cutover_text::Operator::Or,
        Operator::And => cutover_text::Operator::And,
    };
    Ok(TextQuery { query: leg.query.clone(), fields: fields.transpose()?, operator, ..TextQuery::default() })
}

/// A vector leg whose field and values fit the schema.
struct VectorSearch<'a> {
    field: usize,
    name: &'a str,
    metric: Metric,
    values: &'a [f32],
    ef: Option<usize>,
    max_distance: Option<f32>,
    exact: bool,
}

impl<'a> VectorSearch<'a> {
    fn new(snapshot: &'a Snapshot, leg: &VectorLeg, values: &'a [f32]) -> Result<Self> {
        let fields = snapshot.schema.vectors();
        let field = match (&leg.field, fields) {
            (Some(name), _) => match snapshot.schema.field(name) {
                Some((_, Slot::Vector(field))) => field,
                _ => return Err(Error::Type(format!("vector.field: the schema has no vector field {name:?}"))),
            },
            (None, [_]) => 0,
            (None, []) => return Err(Error::Type("vector: the schema has no vector field".into())),
            (None, _) => {
                return Err(Error::Type("vector.field must be named: the schema has several vector fields".into()));
            }
        };
        let (name, parameters) = &fields[field];
        parameters.check_query(values).map_err(|e| Error::Range(format!("vector: {e}")))?;
        let metric = parameters.metric;
        Ok(Self { field, name, metric, values, ef: leg.ef, max_distance: leg.max_distance, exact: leg.exact })
    }

    fn reaches(&self, distance: f32) -> bool {
        self.max_distance.is_none_or(|max| distance <= max)
    }
}

/// The legs of one query.
struct Legs<'a> {
    snapshot: &'a Snapshot,
    allowed: &'a Allowed,
    cancel: &'a Cancel,
}

impl Legs<'_> {
    fn segments(&self) -> Vec<SegmentRef<'_>> {
        let each = self.snapshot.segments.iter().enumerate();
        each.map(|(at, view)| SegmentRef { index: &view.segment.text, allowed: self.allowed.of(at) }).collect()
    }

    fn browse(&self, wanted: usize) -> Vec<Candidate> {
        let mut hits = Vec::new();
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            let left = wanted - hits.len();
            let mut take =
                |ordinal: u32| hits.push(Candidate { segment, ordinal, text: None, vector: None, score: 0.0 });
            match self.allowed.of(segment) {
                Some(bits) => bits.ones().take(left).for_each(|ordinal| take(ordinal as u32)),
                None => (0..view.segment.documents.len()).take(left).for_each(take),
            }
        }
        hits
    }

    fn text(&self, query: &TextQuery, wanted: usize) -> Result<(Vec<Candidate>, u64)> {
        let stop = || self.cancel.is_set();
        let found = cutover_text::search(&self.segments(), query, wanted, &stop)?;
        let hits = found.hits.iter().enumerate().map(|(at, hit)| Candidate {
            segment: hit.segment,
            ordinal: hit.ordinal,
            text: Some((at + 1, hit.score)),
            vector: None,
            score: f64::from(hit.score),
        });
        Ok((hits.collect(), found.total))
    }

    fn vector(&self, search: &VectorSearch<'_>, wanted: usize) -> Result<Vec<Candidate>> {
        let mut hits = Vec::new();
        if wanted == 0 {
            return Ok(hits);
        }
        let stop = || self.cancel.is_set();
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            let (index, bits) = (&view.segment.vectors[search.field], self.allowed.of(segment));
            let near = if search.exact {
                index.search_exact(search.values, wanted, bits, &stop)
            } else {
                index.search(search.values, wanted, search.ef, bits, &stop)
            };
            let near = near.map_err(Error::vectors(search.name))?;
            hits.extend(near.iter().filter(|near| search.reaches(near.distance)).map(|near| Candidate {
                segment,
                ordinal: near.ordinal,
                text: None,
                vector: Some((0, near.distance)),
                score: 0.0 - f64::from(near.distance),
            }));
        }
        hits.sort_by(|a, b| {
            b.score.total_cmp(&a.score).then_with(|| (a.segment, a.ordinal).cmp(&(b.segment, b.ordinal)))
        });
        hits.truncate(wanted);
        for (at, hit) in hits.iter_mut().enumerate() {
            hit.vector = hit.vector.map(|(_, distance)| (at + 1, distance));
        }
        Ok(hits)
    }

    /// The hits of both legs, each completed by its true score in the other.
    fn both(&self, text: &TextQuery, vector: &VectorSearch<'_>, depth: usize) -> Result<Vec<Candidate>> {
        let (by_text, _) = self.text(text, depth)?;
        let by_vector = self.vector(vector, depth)?;
        let mut merged: BTreeMap<(usize, u32), Candidate> =
            by_text.into_iter().map(|c| ((c.segment, c.ordinal), c)).collect();
        for candidate in by_vector {
            merged.entry((candidate.segment, candidate.ordinal)).or_insert(candidate).vector = candidate.vector;
        }
        let mut candidates: Vec<Candidate> = merged.into_values().collect();
        self.complete(&mut candidates, text, vector)?;
        rank_by(&mut candidates, |c| &mut c.text, true);
        rank_by(&mut candidates, |c| &mut c.vector, false);
        Ok(candidates)
    }

    fn complete(&self, candidates: &mut [Candidate], text: &TextQuery, vector: &VectorSearch<'_>) -> Result<()> {
        let places: Vec<(usize, u32)> = candidates.iter().map(|c| (c.segment, c.ordinal)).collect();
        let lacking: Vec<(usize, u32)> =
            candidates.iter().filter(|c| c.text.is_none()).map(|c| (c.segment, c.ordinal)).collect();
        let mut scores = cutover_text::scores(&self.segments(), text, &lacking)?.into_iter();
        for candidate in candidates.iter_mut().filter(|c| c.text.is_none()) {
            candidate.text = scores.next().flatten().map(|bm25| (0, bm25));
        }
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            let here: Vec<usize> =
                (0..places.len()).filter(|&at| places[at].0 == segment && candidates[at].vector.is_none()).collect();
            let ordinals: Vec<u32> = here.iter().map(|&at| places[at].1).collect();
            let index = &view.segment.vectors[vector.field];
            let distances = index.distances(vector.values, &ordinals).map_err(Error::vectors(vector.name))?;
            for (at, distance) in here.into_iter().zip(distances) {
                candidates[at].vector = distance.filter(|d| vector.reaches(*d)).map(|distance| (0, distance));
            }
        }
        Ok(())
    }

    /// Counts over all matches of the text leg, or over all that the filter allows.
    fn facets(
        &self,
        wanted: &BTreeMap<String, Facet>,
        text: Option<&TextQuery>,
    ) -> Result<BTreeMap<String, Vec<(String, u64)>>> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut segments = self.segments();
        let matches: Vec<FixedBitSet> = match text {
            Some(query) => cutover_text::matches(&segments, query, &|| self.cancel.is_set())?,
            None => Vec::new(),
        };
        for (segment, bits) in segments.iter_mut().zip(&matches) {
            segment.allowed = Some(bits);
        }
        let count = |(name, facet): (&String, &Facet)| -> Result<_> {
            Ok((name.clone(), cutover_text::facet_counts(&segments, name, facet.limit)?))
        };
        wanted.iter().map(count).collect()
    }
}
