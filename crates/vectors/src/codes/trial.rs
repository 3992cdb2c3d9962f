//! Whether codes serve the vectors of a field, found out before its graph is built.
//!
//! Rows are taken as queries. Their true nearest are looked up in the order that codes put all rows in: a search finds at most those
//! that come early enough to be measured in full. Where too many come later, more have to be measured; where even that does not
//! help (vectors of very different lengths, of few distinct numbers), the field has no codes.

use super::rows::CodedRows;
use crate::{
    distance::{Key, Query},
    error::{Error, Result},
    given::GivenRows,
    parameters::Parameters,
    search::LEAST_RERANKED,
};

/// Rows that are taken as queries.
const QUERIES: usize = 48;
/// Products that may be computed; of more rows every second, third, … is looked at.
const PRODUCTS: usize = 2 << 30;
/// How many of the nearest are looked for.
const NEAREST: usize = 10;
/// The share of the nearest that must be among those that a search measures in full at least.
const FOUND: f64 = 0.996;
/// Nodes whose products are computed at a time.
const BATCH: usize = 64;

/// In quarters of a search's candidates, how many should be measured in full; none where codes do not serve.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn rerank(
    rows: &CodedRows,
    parameters: &Parameters,
    given: &GivenRows,
    cancel: &dyn Fn() -> bool,
) -> Result<Option<u16>> {
    let count = given.len();
    let every = (QUERIES * parameters.dimensions * count).div_ceil(PRODUCTS).max(1);
    let looked_at: Vec<u32> = (0..count as u32).step_by(every).collect();
    let mut ranks = Vec::new();
    let queries = QUERIES.min(count);
    for i in 0..queries {
        if cancel() {
            return Err(Error::Cancelled);
        }
        let own = (i as u64 * count as u64 / queries as u64) as u32;
        ranks_of(rows, parameters, own, &looked_at, given, &mut ranks)?;
    }
    // Among a part of the rows, fewer come before each.
    let early = |widened: usize| ranks.iter().filter(|&&rank| rank * every < widened * LEAST_RERANKED).count();
    let widths = [1, 2, 4, 8, 16];
    let enough = widths.into_iter().find(|&width| early(width.into()) as f64 >= FOUND * ranks.len() as f64);
    Ok(enough)
}

/// Appends, for each of the rows nearest to row `own`, how many rows the codes put before it.
fn ranks_of(
    rows: &CodedRows,
    parameters: &Parameters,
    own: u32,
    looked_at: &[u32],
    given: &GivenRows,
    ranks: &mut Vec<usize>,
) -> Result<()> {
    let vector = given.row(own as usize).numbers.wide();
    let query = Query::new(parameters, &vector)?;
    let distances: Vec<f32> = looked_at.iter().map(|&other| query.distance(given.row(other as usize))).collect();
    let keys = looked_at.iter().zip(&distances).filter(|&(&other, _)| other != own);
    let mut exact: Vec<Key> = keys.map(|(&other, &distance)| Key::new(distance, other)).collect();
    if exact.len() > NEAREST {
        exact.select_nth_unstable(NEAREST - 1);
        exact.truncate(NEAREST);
    }
    let farthest = exact.iter().max().map_or(f32::INFINITY, |key| key.distance());
    let asked = rows.coding().query(query.vector());
    let codes = rows.codes();
    let estimate = |other: u32, product| asked.distance(rows.terms(other), product);
    let wanted: Vec<f32> = exact.iter().map(|key| estimate(key.node(), codes.one(&asked, key.node()))).collect();
    let mut before = vec![0; wanted.len()];
    let mut products = [0; BATCH];
    for (nodes, distances) in looked_at.chunks(BATCH).zip(distances.chunks(BATCH)) {
        codes.many(&asked, nodes, &mut products);
        for ((&node, &product), &distance) in nodes.iter().zip(&products).zip(distances) {
            if node == own {
                continue;
            }
            let found = estimate(node, product);
            for (before, wanted) in before.iter_mut().zip(&wanted) {
                // What codes cannot tell apart though it is farther, comes before, too.
                *before += usize::from(found < *wanted || found <= *wanted && distance > farthest);
            }
        }
    }
    ranks.extend(before);
    Ok(())
}
