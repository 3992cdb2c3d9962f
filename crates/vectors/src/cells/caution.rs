//! How cautious searches of cells must be: how far a field's numbers are from normal ones is found out when the cells are made.
//!
//! Some nodes are taken as queries, and a tenth of the others are allowed. What searches of the cells find is compared with what
//! is nearest.

use fixedbitset::FixedBitSet;

use super::{Caution, CellScan, Cells, Shares};
use crate::{
    codes::{CodeQuery, CodedRows},
    distance::Key,
    error::Result,
    filter::Filter,
    measure::Measure,
    ordinals::Ordinals,
    scan::scan,
};

/// Of how many nearest …
const NEAREST: usize = 10;
/// … which share must be found.
const SHARE: f64 = 0.99;
/// Nodes that are taken as queries.
const TAKEN: usize = 96;
/// One node in so many is allowed.
const ALLOWED: u64 = 10;
/// What is tried.
const LEAST: f64 = 1.0;
const STEP: f64 = 0.05;
const MOST: f64 = 2.5;

/// By codes that are not in a file yet.
struct ByCode<'a> {
    rows: &'a CodedRows,
    query: CodeQuery,
}

impl Measure for ByCode<'_> {
    fn prefetch(&self, _: u32) {}

    fn keys(&self, nodes: &[u32], keys: &mut Vec<Key>) {
        let mut products = vec![0; nodes.len()];
        self.rows.codes().many(&self.query, nodes, &mut products);
        let key = |(&node, &product)| Key::new(self.query.distance(self.rows.terms(node), product), node);
        keys.extend(nodes.iter().zip(&products).map(key));
    }
}

/// The least caution that finds .99 of the nearest 10 among the nodes of these codes, at most 2.5.
///
/// # Errors
/// [`Error::Cancelled`].
pub(crate) fn caution(rows: &CodedRows, cells: Cells, count: usize, cancel: &dyn Fn() -> bool) -> Result<f64> {
    let ordinals = Ordinals::rows(count);
    // Spread by Knuth's multiplicative hash, so that no order of the nodes shows in it.
    let is_allowed = |node: u64| (node.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(ALLOWED);
    let mut allowed = FixedBitSet::with_capacity(count);
    allowed.extend((0..count).filter(|&node| is_allowed(node as u64)));
    let filter = Filter::from(allowed);
    let shares = Shares::new(&cells, ordinals, filter.allowed(), cancel)?;
    let mut asked = Vec::with_capacity(TAKEN);
    for at in 0..TAKEN as u64 {
        let near = at * count as u64 / TAKEN as u64;
        if let Some(node) = (near..count as u64).find(|&node| !is_allowed(node)) {
            let node = node as u32;
            let measure = ByCode { rows, query: rows.coding().query_of(rows.code(node), rows.terms(node)) };
            let exact = scan(ordinals, &measure, NEAREST, f32::INFINITY, Some(&filter), cancel)?.keys;
            // Of equally near ones any will do.
            let farthest = exact.iter().max().map_or(f32::INFINITY, |key| key.distance());
            asked.push((measure, exact.len(), farthest));
        }
    }
    let mut caution = LEAST;
    while caution < MOST {
        let (mut found, mut wanted) = (0, 0);
        for (measure, count, farthest) in &asked {
            let search = CellScan {
                cells,
                shares: &shares,
                measure,
                query: &measure.query,
                caution: Caution { least: caution, where_rare: 0.0 },
                cancel,
            };
            let keys = search.run(NEAREST, NEAREST, 1)?.nearest;
            found += keys.iter().filter(|key| key.distance() <= *farthest).count();
            wanted += count;
        }
        if found as f64 >= SHARE * wanted as f64 {
            break;
        }
        caution += STEP;
    }
    Ok(caution)
}
