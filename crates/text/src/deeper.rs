//! The best of a text query where how deep they are wanted turns out later: what one look added up, the next goes on from.

use fixedbitset::FixedBitSet;

use crate::guard::{self, Stop};
use crate::query::rank::{self, Way};
use crate::query::{Asked, Tally, Top, matched};
use crate::search::known;
use crate::{Result, SegmentRef, TextHit, TextPlan};

/// A look gets to know so many times as many as it wants where that costs little, since the next is likely to want them.
const BEFOREHAND: usize = 4;

/// The looks at one query's ranking, none yet.
pub struct TextDepths<'a> {
    plan: &'a TextPlan,
    segments: Vec<SegmentRef<'a>>,
    reached: Vec<Option<Reached>>,
}

impl<'a> TextDepths<'a> {
    /// Of a plan, over the segments that it was made for.
    #[must_use]
    pub fn new(plan: &'a TextPlan, segments: Vec<SegmentRef<'a>>) -> Self {
        let reached = segments.iter().map(|_| None).collect();
        Self { plan, segments, reached }
    }

    /// The best `limit` documents that match and are allowed: the hits of [`TextPlan::search`], without counting how many match.
    ///
    /// # Errors
    /// As [`TextPlan::search`].
    pub fn best(&mut self, limit: usize, cancel: &dyn Fn() -> bool) -> Result<Vec<TextHit>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (work, mut top) = (self.plan.0.spent.go_on(), Top::new(limit));
        for (segment, (SegmentRef { index, allowed }, reached)) in
            self.segments.iter().zip(&mut self.reached).enumerate()
        {
            let asked = self.plan.asked(&work, segment, index, cancel);
            guard::reading(index.path(), "search it", || {
                let reached = Reached::begun(reached, &asked, *allowed)?;
                reached.look(&asked, *allowed, limit, top.threshold())?;
                reached.show(segment, &mut top);
                Ok(())
            })?;
        }
        Ok(top.into_hits())
    }

    /// The scores of given documents, (segment, ordinal), as [`TextPlan::scores`] tells them. They must be allowed.
    ///
    /// # Errors
    /// As [`TextPlan::scores`].
    pub fn scores(&mut self, documents: &[(usize, u32)]) -> Result<Vec<Option<f32>>> {
        documents.iter().try_for_each(|place| known(&self.segments, *place))?;
        let work = self.plan.0.spent.go_on();
        let mut scores = vec![None; documents.len()];
        for (segment, (SegmentRef { index, allowed }, reached)) in
            self.segments.iter().zip(&mut self.reached).enumerate()
        {
            let here: Vec<usize> = (0..documents.len()).filter(|at| documents[*at].0 == segment).collect();
            if here.is_empty() {
                continue;
            }
            let asked = self.plan.asked(&work, segment, index, &|| false);
            guard::reading(index.path(), "score documents of it", || {
                let mut only = FixedBitSet::with_capacity(index.len() as usize);
                only.extend(here.iter().map(|at| documents[*at].1 as usize));
                let told = Reached::begun(reached, &asked, *allowed)?.scores(&asked, &only)?;
                for at in here {
                    scores[at] = of(&told, documents[at].1).flatten();
                }
                Ok(())
            })?;
        }
        Ok(scores)
    }
}

/// What is known of a segment's documents.
enum Reached {
    /// All that match, in ascending order.
    Visited(Vec<(u32, f32)>),
    /// Some of the scored words of all.
    Added {
        tally: Tally,
        /// Documents whose scores are whole, in ascending order, …
        whole: Vec<(u32, f32)>,
        /// … which are all that score as much as this; none where nothing is left to add.
        floor: Option<f32>,
    },
}

impl Reached {
    /// What there is, or what is known before anything of the ranking is.
    fn begun<'a>(
        reached: &'a mut Option<Self>,
        asked: &Asked<'_>,
        allowed: Option<&FixedBitSet>,
    ) -> std::result::Result<&'a mut Self, Stop> {
        let known = match reached.take() {
            Some(known) => known,
            None => Self::new(asked, allowed)?,
        };
        Ok(reached.insert(known))
    }

    fn new(asked: &Asked<'_>, allowed: Option<&FixedBitSet>) -> std::result::Result<Self, Stop> {
        let plain = asked.plan.rule.is_plain();
        let mut candidates = None;
        if !plain {
            let mut matching = matched(asked, &asked.plan.rule)?;
            allowed.inspect(|allowed| matching.intersect_with(allowed));
            candidates = Some(matching);
        }
        if let Some(few) = candidates.as_ref().or(allowed)
            && rank::choose(asked, few.count_ones(..)) == Way::Visit
        {
            let mut visited = Vec::new();
            rank::visit(asked, few, |document, score| visited.push((document, score)))?;
            return Ok(Self::Visited(visited));
        }
        let mut tally = Tally::new(asked);
        let mut floor = Some(f32::INFINITY);
        if let Some(candidates) = candidates {
            while tally.add(asked)? {}
            tally.seen = candidates;
            floor = None;
        }
        Ok(Self::Added { tally, whole: Vec::new(), floor })
    }

    /// Gets to know the scores of the best `limit`, as far as those are at least `least`.
    fn look(
        &mut self,
        asked: &Asked<'_>,
        allowed: Option<&FixedBitSet>,
        limit: usize,
        least: f32,
    ) -> std::result::Result<(), Stop> {
        let Self::Added { tally, whole, floor } = self else { return Ok(()) };
        let Some(known) = *floor else { return Ok(()) };
        if known <= least || whole.iter().filter(|(_, score)| *score >= known).count() >= limit {
            return Ok(());
        }
        loop {
            if let Some(few) = tally.few(asked, allowed, limit, least, rank::ADD_UP) {
                let few = tally.narrowed(asked, few, limit.saturating_mul(BEFOREHAND))?;
                (*whole, *floor) = (few.documents, Some(few.floor));
                return Ok(());
            }
            if !tally.add(asked)? {
                allowed.inspect(|allowed| tally.seen.intersect_with(allowed));
                *floor = None;
                return Ok(());
            }
        }
    }

    /// Shows all whose scores are known.
    fn show(&self, segment: usize, top: &mut Top) {
        match self {
            Self::Visited(whole) | Self::Added { whole, floor: Some(_), .. } => {
                for (document, score) in whole {
                    if *score >= top.threshold() {
                        top.push(segment, *document, *score);
                    }
                }
            }
            Self::Added { tally, floor: None, .. } => tally.scan(None, top.threshold(), |document, score| {
                top.push(segment, document, score);
                top.threshold()
            }),
        }
    }

    /// The scores of these documents and perhaps of others, in ascending order; none of those that do not match.
    fn scores(&self, asked: &Asked<'_>, only: &FixedBitSet) -> std::result::Result<Vec<(u32, Option<f32>)>, Stop> {
        match self {
            Self::Visited(whole) => Ok(whole.iter().map(|(document, score)| (*document, Some(*score))).collect()),
            Self::Added { tally, .. } => tally.whole(asked, only),
        }
    }
}

/// What is told of a document.
fn of<T: Copy>(told: &[(u32, T)], document: u32) -> Option<T> {
    let at = told.binary_search_by_key(&document, |(other, _)| *other).ok()?;
    Some(told[at].1)
}
