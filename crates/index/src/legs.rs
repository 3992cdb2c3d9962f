//! The legs of a query, each over every segment: what text finds, what vectors find, and what a filter alone allows.

use crate::allowed::Allowed;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::fusion::Candidate;
use crate::snapshot::Snapshot;
use crate::vector_leg::VectorSearch;
use cutover_text::{SegmentRef, SortKey, TextDepths, TextHit, TextPlan};
use cutover_vectors::{Search, VectorPlan, default_ef};
use fixedbitset::FixedBitSet;

/// Where the legs look, and how they are stopped.
#[derive(Clone, Copy)]
pub(crate) struct Legs<'a> {
    pub snapshot: &'a Snapshot,
    pub allowed: &'a Allowed,
    pub cancel: &'a Cancel,
}

impl<'a> Legs<'a> {
    /// The segments as the text layer searches them.
    pub fn segments(&self) -> Vec<SegmentRef<'a>> {
        let each = self.snapshot.segments.iter().enumerate();
        each.map(|(at, view)| SegmentRef { index: &view.segment.text, allowed: self.allowed.of(at) }).collect()
    }

    /// The first of what is allowed, by segment and ordinal, or by their values.
    pub fn browse(&self, sort: &[SortKey], wanted: usize) -> Result<Vec<Candidate>> {
        if !sort.is_empty() {
            let places = cutover_text::sorted(&self.segments(), sort, wanted, &|| self.cancel.is_set())?;
            return Ok(places.into_iter().map(|(segment, ordinal)| Candidate::at(segment, ordinal)).collect());
        }
        let mut hits = Vec::new();
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            let left = wanted - hits.len();
            let mut take = |ordinal: u32| hits.push(Candidate::at(segment, ordinal));
            match self.allowed.of(segment) {
                Some(bits) => bits.ones().take(left).for_each(|ordinal| take(ordinal as u32)),
                None => (0..view.segment.documents.len()).take(left).for_each(take),
            }
        }
        Ok(hits)
    }

    /// The best matches, and how many there are.
    pub fn text(&self, plan: &TextPlan, wanted: usize) -> Result<(Vec<Candidate>, u64)> {
        let stop = || self.cancel.is_set();
        let found = plan.search(&self.segments(), wanted, &stop)?;
        Ok((ranked(&found.hits), found.total))
    }

    /// The ranking of a plan, to be looked at as deep as it turns out to be wanted.
    pub fn text_depths(&self, plan: &'a TextPlan) -> TextDepths<'a> {
        TextDepths::new(plan, self.segments())
    }

    /// The best matches, not counted.
    pub fn best_text(&self, depths: &mut TextDepths<'_>, wanted: usize) -> Result<Vec<Candidate>> {
        Ok(ranked(&depths.best(wanted, &|| self.cancel.is_set())?))
    }

    /// What matches and is allowed, by segment.
    pub fn matching(&self, plan: &TextPlan) -> Result<Vec<FixedBitSet>> {
        Ok(plan.matches(&self.segments(), &|| self.cancel.is_set())?)
    }

    /// The nearest, and which way each segment was searched; nothing of that where every vector was to be measured. The first
    /// `sure` of them are to be found as surely as if no more were wanted.
    pub fn vector(
        &self,
        search: &VectorSearch<'_>,
        wanted: usize,
        sure: usize,
    ) -> Result<(Vec<Candidate>, Vec<VectorPlan>)> {
        let (mut hits, mut plans): (Vec<Candidate>, _) = (Vec::new(), Vec::new());
        if wanted == 0 {
            return Ok((hits, plans));
        }
        let cancel = || self.cancel.is_set();
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            // Later segments need not look for what would come after those that there are already.
            let last =
                hits.get(wanted - 1).and_then(|last| last.vector).map_or(f32::INFINITY, |(_, distance)| distance);
            let within = search.max_distance.map_or(last, |most| most.min(last));
            let (index, allowed) = (&view.segment.vectors[search.field], self.allowed.filter(segment));
            let enough = Some(default_ef(sure, index.len())).filter(|ef| allowed.is_none() && *ef >= 2 * wanted);
            let ask = Search { k: wanted, ef: search.ef.or(enough), allowed, within, by_cells: false, cancel: &cancel };
            let near = if search.exact {
                index.find_exact(search.values, &ask)
            } else {
                index.find(search.values, &ask).map(|(near, plan)| {
                    plans.push(plan);
                    near
                })
            };
            hits.extend(near.map_err(Error::vectors(search.name))?.iter().map(|near| Candidate {
                vector: Some((0, near.distance)),
                score: 0.0 - f64::from(near.distance),
                ..Candidate::at(segment, near.ordinal)
            }));
            hits.sort_by(Candidate::better);
            hits.truncate(wanted);
        }
        for (at, hit) in hits.iter_mut().enumerate() {
            hit.vector = hit.vector.map(|(_, distance)| (at + 1, distance));
        }
        Ok((hits, plans))
    }

    /// The scores of given documents by text, none for those that do not match.
    pub fn text_scores(&self, plan: &TextPlan, candidates: &[Candidate]) -> Result<Vec<Option<f32>>> {
        let places: Vec<(usize, u32)> = candidates.iter().map(Candidate::place).collect();
        Ok(plan.scores(&self.segments(), &places)?)
    }

    /// The distances of given documents, none for those without a vector or too far.
    pub fn distances(&self, search: &VectorSearch<'_>, candidates: &[&mut Candidate]) -> Result<Vec<Option<f32>>> {
        let mut found = vec![None; candidates.len()];
        for (segment, view) in self.snapshot.segments.iter().enumerate() {
            let here: Vec<usize> = (0..candidates.len()).filter(|&at| candidates[at].segment == segment).collect();
            let ordinals: Vec<u32> = here.iter().map(|&at| candidates[at].ordinal).collect();
            let index = &view.segment.vectors[search.field];
            let distances = index.distances(search.values, &ordinals).map_err(Error::vectors(search.name))?;
            for (at, distance) in here.into_iter().zip(distances) {
                found[at] = distance.filter(|distance| search.reaches(*distance));
            }
        }
        Ok(found)
    }
}

/// Hits of the text leg, best first, with their ranks.
fn ranked(hits: &[TextHit]) -> Vec<Candidate> {
    let one = |(at, hit): (usize, &TextHit)| Candidate {
        text: Some((at + 1, hit.score)),
        score: f64::from(hit.score),
        ..Candidate::at(hit.segment, hit.ordinal)
    };
    hits.iter().enumerate().map(one).collect()
}
