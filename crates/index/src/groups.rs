//! The best hits of each value of a keyword field.
//!
//! Groups come in the order of their best hits. The ranking is looked at deeper and deeper until so many groups were met; then those
//! that are not full yet are filled from a ranking of their documents alone. Both give what a scan over the whole ranking
//! would, unless the vector leg is approximate: then groups are met among its first [`MOST_APPROXIMATE`] hits. A document without a
//! value is in no group, one with several is in the group of each.

use crate::allowed::Allowed;
use crate::error::Result;
use crate::fusion::Candidate;
use crate::legs::Legs;
use crate::ranking::{Ranked, Ranking};
use cutover_text::Filter;
use std::collections::HashMap;

/// Hits that are looked at first for each group wanted, …
const HITS_PER_GROUP: usize = 4;
/// … at least so many, …
const LEAST_HITS: usize = 256;
/// … and so many times as many if they have too few groups.
const DEEPER: usize = 8;
/// What an approximate vector leg is asked for at most.
const MOST_APPROXIMATE: usize = 10_000;

/// What to group by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grouping<'a> {
    /// A keyword field.
    pub field: &'a str,
    /// Hits of each group.
    pub hits: usize,
}

/// A value and the best hits that have it.
#[derive(Debug)]
pub(crate) struct Group {
    pub value: String,
    pub hits: Vec<Candidate>,
}

/// The first `wanted` groups of a ranking, and the ranking as far as it was looked at.
pub(crate) fn first(
    ranking: Ranking<'_>,
    legs: Legs<'_>,
    by: Grouping<'_>,
    wanted: usize,
) -> Result<(Vec<Group>, Ranked)> {
    let most = if ranking.exact() { usize::MAX } else { MOST_APPROXIMATE };
    let mut depth = wanted.saturating_mul(HITS_PER_GROUP).max(LEAST_HITS).min(most);
    if wanted == 0 {
        depth = 0;
    }
    let (mut groups, ranked) = loop {
        let ranked = ranking.first(legs, depth, None)?;
        let groups = gather(legs, by, wanted, &ranked.hits)?;
        if groups.len() >= wanted || ranked.all || depth >= most {
            break (groups, ranked);
        }
        depth = depth.saturating_mul(DEEPER).min(most);
    };
    if !ranked.all {
        fill(ranking, legs, by, &mut groups, &ranked)?;
    }
    Ok((groups, ranked))
}

/// The first groups that hits belong to, with as many hits of each as are wanted.
fn gather(legs: Legs<'_>, by: Grouping<'_>, wanted: usize, hits: &[Candidate]) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for hit in hits {
        let index = &legs.snapshot.segments[hit.segment].segment.text;
        for value in cutover_text::keywords_of(index, by.field, hit.ordinal)? {
            if let Some(&place) = places.get(value) {
                if groups[place].hits.len() < by.hits {
                    groups[place].hits.push(*hit);
                }
            } else if groups.len() < wanted {
                places.insert(value, groups.len());
                groups.push(Group { value: value.to_owned(), hits: vec![*hit] });
            }
        }
    }
    Ok(groups)
}

/// Fills the groups that may have further hits beyond those looked at.
fn fill(ranking: Ranking<'_>, legs: Legs<'_>, by: Grouping<'_>, groups: &mut [Group], seen: &Ranked) -> Result<()> {
    let lacking: Vec<usize> = (0..groups.len()).filter(|&at| groups[at].hits.len() < by.hits).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let values = lacking.iter().map(|&at| groups[at].value.clone()).collect();
    let members = Filter::Keyword { field: by.field.to_owned(), any_of: values };
    let mut bits = Vec::with_capacity(legs.snapshot.segments.len());
    for view in &legs.snapshot.segments {
        bits.push(cutover_text::compile_filter(&view.segment.text, &members, &[], &|| legs.cancel.is_set())?);
    }
    let members = Allowed::within(&bits, legs.allowed);
    // One more than there are says that these are all.
    let all = ranking.first(Legs { allowed: &members, ..legs }, members.documents as usize + 1, seen.fused)?;
    let mut found: HashMap<String, Vec<Candidate>> =
        gather(legs, by, usize::MAX, &all.hits)?.into_iter().map(|group| (group.value, group.hits)).collect();
    for at in lacking {
        if let Some(hits) = found.remove(&groups[at].value)
            && hits.len() >= groups[at].hits.len()
        {
            groups[at].hits = hits;
        }
    }
    Ok(())
}
