//! The graph over those rows of a file that are kept: hnswlib's own links, mended where a row that they led to is not kept.
//!
//! A list that leads to kept rows only is taken over as it is. Where a list led to a row that is left out, that row's own links take
//! its place, and theirs where they lead to such rows again: of what is found so, nearest first, a row is linked unless it is nearer
//! to a row that is linked already (hnswlib's heuristic: Malkov & Yashunin 2018, algorithm 4), until the list is full. Deleting from
//! a graph in this way keeps its recall (Singh et al. 2021, `FreshDiskANN`, algorithm 4). A list that is longer than ours may be is
//! chosen anew from its own links by the same rule.

use super::Hnswlib;
use crate::{
    build::{Lists, Points},
    distance::Key,
    error::{Error, Result},
    format::NONE,
};

/// How many rows that are left out are passed through from one list, and how many kept ones are then enough to choose from.
const PASSED: usize = 64;
const ENOUGH: usize = 256;
/// Nodes between two looks at the cancel flag, and two reports of progress.
const NODES_BETWEEN_CHECKS: u32 = 256;

/// Kept rows as nodes, numbered in the order of their rows.
pub(super) struct Kept<'a, B, P: Points> {
    file: &'a Hnswlib<B>,
    /// The kept rows' vectors, by node.
    points: &'a P,
    /// The row of each node.
    rows: &'a [u32],
    /// The node of each row, [`NONE`] for one that is left out.
    nodes: Vec<u32>,
    links: Vec<u32>,
    passed: Vec<u32>,
    found: Vec<u32>,
    keys: Vec<Key>,
    from: P::From,
    distances: Vec<f32>,
}

impl<'a, B: AsRef<[u8]>, P: Points> Kept<'a, B, P> {
    /// Of `rows`, which ascend, and whose vectors are `points`.
    pub(super) fn new(file: &'a Hnswlib<B>, rows: &'a [u32], points: &'a P) -> Self {
        let mut nodes = vec![NONE; file.len()];
        for (node, &row) in (0..).zip(rows) {
            nodes[row as usize] = node;
        }
        Self {
            file,
            points,
            rows,
            nodes,
            links: Vec::new(),
            passed: Vec::new(),
            found: Vec::new(),
            keys: Vec::new(),
            from: P::From::default(),
            distances: Vec::new(),
        }
    }

    /// Fills the lists of a graph whose nodes are on the levels that their rows are on.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn link(
        &mut self,
        lists: &Lists,
        cancel: &dyn Fn() -> bool,
        progress: &dyn Fn(usize, usize),
    ) -> Result<()> {
        for node in 0..self.rows.len() as u32 {
            if node.is_multiple_of(NODES_BETWEEN_CHECKS) {
                if cancel() {
                    return Err(Error::Cancelled);
                }
                progress(node as usize, self.rows.len());
            }
            for level in 0..=self.file.level(self.rows[node as usize]) {
                let layer = lists.layer(level);
                self.list(node, level, layer.width());
                let links = self.links.iter().map(|&link| lists.place(link, level));
                layer.lock(lists.place(node, level)).fill(links, false);
            }
        }
        progress(self.rows.len(), self.rows.len());
        Ok(())
    }

    /// Makes `links` the nodes that a node links to on one of its levels, at most as many as there is room for.
    fn list(&mut self, node: u32, level: u8, room: usize) {
        self.links.clear();
        self.passed.clear();
        for row in self.file.links(self.rows[node as usize], level) {
            match self.nodes[row as usize] {
                NONE => self.passed.push(row),
                kept => self.links.push(kept),
            }
        }
        if !self.passed.is_empty() || self.links.len() > room {
            self.mend(node, level, room);
        }
    }

    #[cold]
    fn mend(&mut self, node: u32, level: u8, room: usize) {
        self.pass(level);
        if self.links.len() > room {
            self.found.append(&mut self.links);
        }
        let links = &mut self.links;
        self.found.retain(|&found| found != node && !links.contains(&found));
        self.found.sort_unstable();
        self.found.dedup();
        self.distances.resize(self.found.len().max(room), 0.0);
        self.points.prepare(node, &mut self.from);
        self.points.measure(&self.from, &self.found, &mut self.distances);
        self.keys.clear();
        self.keys.extend(self.found.iter().zip(&self.distances).map(|(&found, &distance)| Key::new(distance, found)));
        self.keys.sort_unstable();
        for key in &self.keys {
            if links.len() >= room {
                break;
            }
            self.points.prepare(key.node(), &mut self.from);
            self.points.measure(&self.from, links, &mut self.distances);
            if self.distances[..links.len()].iter().all(|&between| between >= key.distance()) {
                links.push(key.node());
            }
        }
    }

    /// Finds the kept nodes behind the rows that a list passes through.
    fn pass(&mut self, level: u8) {
        self.found.clear();
        let mut at = 0;
        while let Some(&through) = self.passed.get(at).filter(|_| self.found.len() < ENOUGH) {
            at += 1;
            for row in self.file.links(through, level) {
                match self.nodes[row as usize] {
                    NONE if self.passed.len() < PASSED && !self.passed.contains(&row) => self.passed.push(row),
                    NONE => {}
                    kept => self.found.push(kept),
                }
            }
        }
    }
}
