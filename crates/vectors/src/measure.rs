//! Two ways to compare a query with nodes: by their codes, or by their rows in full.

use crate::{
    codes::{CodeQuery, Codes, Coding, Terms},
    distance::{Key, Query},
    full::Rows,
    graph::Links,
};

/// How a walk or a scan learns how far nodes are.
pub(crate) trait Measure {
    /// Asks for what [`Measure::keys`] will read of a node.
    fn prefetch(&self, node: u32);
    /// Appends the keys of nodes, which the caller has checked.
    fn keys(&self, nodes: &[u32], keys: &mut Vec<Key>);
}

/// By the distances that codes estimate.
pub(crate) struct ByCode<'a> {
    links: Links<'a>,
    codes: Codes<'a>,
    query: CodeQuery,
    common: Option<Terms>,
}

impl<'a> ByCode<'a> {
    pub(crate) fn new(links: Links<'a>, coding: &Coding, query: &Query) -> Self {
        let codes = links.codes(coding);
        Self { links, codes, query: coding.query(query.vector()), common: coding.common_terms() }
    }

    /// The query as numbers that codes are multiplied with.
    pub(crate) fn query(&self) -> &CodeQuery {
        &self.query
    }
}

/// Nodes that are measured at a time.
const BATCH: usize = 64;

impl Measure for ByCode<'_> {
    #[inline]
    fn prefetch(&self, node: u32) {
        self.links.prefetch_code(node);
    }

    #[inline]
    fn keys(&self, nodes: &[u32], keys: &mut Vec<Key>) {
        let mut products = [0; BATCH];
        for nodes in nodes.chunks(BATCH) {
            self.codes.many(&self.query, nodes, &mut products);
            let measured = nodes.iter().zip(&products);
            match self.common {
                Some(terms) => {
                    keys.extend(measured.map(|(&node, &product)| Key::new(self.query.distance(terms, product), node)));
                }
                None => keys.extend(
                    measured
                        .map(|(&node, &product)| Key::new(self.query.distance(self.links.terms(node), product), node)),
                ),
            }
        }
    }
}

/// By the distances themselves.
pub(crate) struct ByRow<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) query: &'a Query<'a>,
}

impl Measure for ByRow<'_> {
    #[inline]
    fn prefetch(&self, node: u32) {
        self.rows.prefetch(node);
    }

    #[inline]
    fn keys(&self, nodes: &[u32], keys: &mut Vec<Key>) {
        keys.extend(nodes.iter().map(|&node| Key::new(self.rows.distance(self.query, node), node)));
    }
}
