//! How many candidates a finished graph needs, so that filtered searches know how wide to walk: vectors differ more in that than by their
//! number or dimensions.
//!
//! Some nodes are taken as queries, each as if it were not in the graph: no walk enters it, or its own links would lead to the answer.
//! What is compared is what walks over the points find with what a pass over all of them finds.

use super::{
    Points,
    insert::{Built, Inserter},
    pool::Near,
};
use crate::error::{Error, Result};

/// Of how many nearest …
const NEAREST: usize = 10;
/// … which share must be found.
const SHARE: f64 = 0.98;
/// Nodes that are taken as queries.
const TAKEN: usize = 96;
/// Fewer nodes than this are not tried: a scan of them costs as little.
const LEAST_NODES: u32 = 4096;
/// Candidate lists that are tried, each half as long again as the one before.
const FIRST: usize = 16;
const MOST: usize = 2048;
/// Points measured at a time.
const AT_ONCE: u32 = 64;

/// How many candidates find .98 of the nearest 10, at most about 2,000; 0 where there are too few nodes to tell.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn effort<P: Points>(graph: &Built<P>, cancel: &dyn Fn() -> bool) -> Result<u32> {
    let count = graph.len();
    if count < LEAST_NODES {
        return Ok(0);
    }
    let mut memory = Inserter::default();
    let mut taken = Vec::with_capacity(TAKEN);
    for at in 0..TAKEN as u64 {
        // Of neighbouring nodes one that is on level 0 alone: the levels above cannot lead to it then.
        let near = (at * u64::from(count) / TAKEN as u64) as u32;
        if let Some(node) = (near..count).find(|&node| !graph.is_tall(node)) {
            taken.push((node, nearest(graph, node, &mut memory, cancel)?));
        }
    }
    let (mut before, mut ef) = ((0.0, 0.0), FIRST);
    loop {
        let mut found = 0;
        for (node, nearest) in &taken {
            if cancel() {
                return Err(Error::Cancelled);
            }
            let kept = graph.without(*node, ef, &mut memory);
            // Of equally near ones any will do.
            let farthest = nearest.last().map_or(f32::MAX, |near| near.distance());
            found += kept.iter().take(NEAREST).filter(|near| near.distance() <= farthest).count();
        }
        let share = found as f64 / (taken.len() * NEAREST) as f64;
        if share >= SHARE || ef >= MOST {
            return Ok(between(before, (ef as f64, share)));
        }
        before = (ef as f64, share);
        ef += ef / 2;
    }
}

/// Where between two lists the share is reached, if it grows evenly.
#[expect(clippy::cast_sign_loss, reason = "it is between two counts")]
fn between((below, less): (f64, f64), (above, more): (f64, f64)) -> u32 {
    let part = if more > less { ((SHARE - less) / (more - less)).clamp(0.0, 1.0) } else { 1.0 };
    (below + part * (above - below)).ceil() as u32
}

/// The nodes nearest to one of them, nearest first, without itself.
fn nearest<P: Points>(
    graph: &Built<P>,
    node: u32,
    memory: &mut Inserter<P>,
    cancel: &dyn Fn() -> bool,
) -> Result<Vec<Near>> {
    let (mut best, mut distances): (Vec<Near>, Vec<f32>) = (Vec::new(), vec![0.0; AT_ONCE as usize]);
    let mut batch = Vec::with_capacity(AT_ONCE as usize);
    graph.prepare(node, memory);
    for start in (0..graph.len()).step_by(AT_ONCE as usize) {
        if start.is_multiple_of(AT_ONCE << 10) && cancel() {
            return Err(Error::Cancelled);
        }
        batch.clear();
        batch.extend((start..graph.len().min(start + AT_ONCE)).filter(|&other| other != node));
        graph.measure(&batch, &mut distances, memory);
        for (&other, &distance) in batch.iter().zip(&distances) {
            if best.len() < NEAREST || distance < best[NEAREST - 1].distance() {
                let at = best.partition_point(|near| near.distance() <= distance);
                best.insert(at, Near::new(distance, other));
                best.truncate(NEAREST);
            }
        }
    }
    Ok(best)
}
