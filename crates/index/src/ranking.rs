//! The order in which a query finds documents, whichever legs it has.

use crate::allowed::Allowed;
use crate::error::Result;
use crate::fusion::{Candidate, Fused, Hybrid};
use crate::legs::Legs;
use crate::vector_leg::VectorSearch;
use cutover_text::{SortKey, TextPlan};
use cutover_vectors::VectorPlan;

/// An order of documents.
#[derive(Clone, Copy)]
pub(crate) enum Ranking<'a> {
    /// Everything that is allowed, by values, else by segment and ordinal.
    Browse(&'a [SortKey]),
    /// What matches, by score.
    Text(&'a TextPlan),
    /// What matches, by values.
    SortedText(&'a TextPlan, &'a [SortKey]),
    /// What is near, nearest first.
    Vector(&'a VectorSearch<'a>),
    /// Both in one.
    Hybrid(Hybrid<'a>),
}

/// The first of a ranking.
pub(crate) struct Ranked {
    /// Best first: as many as were wanted, where there are; with reciprocal ranks all that have one.
    pub hits: Vec<Candidate>,
    /// Whether there are no more.
    pub all: bool,
    /// How many documents match; where a vector takes part, how many are allowed.
    pub total: u64,
    /// How two legs became one.
    pub fused: Option<Scale>,
    /// Which way each segment's vectors were searched; none where all were measured.
    pub plans: Vec<VectorPlan>,
}

/// How deep the legs of a hybrid query looked, and what their scores are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub bests: crate::fusion::Bests,
    pub depth: usize,
}

impl Ranking<'_> {
    /// The first `wanted` of the ranking. `scale` is that of a ranking of more documents, which scores are to agree with.
    pub fn first(self, legs: Legs<'_>, wanted: usize, scale: Option<Scale>) -> Result<Ranked> {
        let allowed = legs.allowed.documents;
        let of_one_leg = |hits: Vec<Candidate>, total| Ranked {
            all: hits.len() < wanted,
            hits,
            total,
            fused: None,
            plans: Vec::new(),
        };
        Ok(match self {
            Ranking::Browse(sort) => of_one_leg(legs.browse(sort, wanted)?, allowed),
            Ranking::Text(plan) => {
                let (hits, total) = legs.text(plan, wanted)?;
                of_one_leg(hits, total)
            }
            Ranking::SortedText(plan, sort) => {
                let matches = Allowed::these(legs.matching(plan)?);
                let legs = Legs { allowed: &matches, ..legs };
                let mut hits = legs.browse(sort, wanted)?;
                let scores = legs.text_scores(plan, &hits)?;
                for (hit, score) in hits.iter_mut().zip(scores) {
                    hit.score = score.map_or(0.0, f64::from);
                }
                of_one_leg(hits, matches.documents)
            }
            Ranking::Vector(search) => {
                let (hits, plans) = legs.vector(search, wanted, wanted)?;
                Ranked { plans, ..of_one_leg(hits, allowed) }
            }
            Ranking::Hybrid(_) if wanted == 0 => of_one_leg(Vec::new(), allowed),
            Ranking::Hybrid(hybrid) => {
                let fused = hybrid.first(legs, wanted, scale.map(|scale| scale.bests))?;
                let Fused { hits, bests, depth, all, plans } = fused;
                Ranked { hits, all, total: allowed, fused: Some(Scale { bests, depth }), plans }
            }
        })
    }

    /// The plan of its text leg.
    pub fn text(&self) -> Option<&TextPlan> {
        match self {
            Ranking::Text(plan) | Ranking::SortedText(plan, _) | Ranking::Hybrid(Hybrid { text: plan, .. }) => {
                Some(plan)
            }
            Ranking::Browse(_) | Ranking::Vector(_) => None,
        }
    }

    /// Whether nothing that belongs before what is found can be missed.
    pub fn exact(self) -> bool {
        match self {
            Ranking::Vector(search) => search.exact,
            Ranking::Hybrid(hybrid) => hybrid.vector.exact,
            _ => true,
        }
    }
}
