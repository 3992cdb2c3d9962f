//! A look at every vector and every link of a field, which no search takes.

use fixedbitset::FixedBitSet;

use crate::{
    cells, distance,
    error::{Error, Result},
    full::Rows,
    graph::Links,
    index::{VectorIndex, foreign},
};

/// How many nodes are looked at between two looks at the cancel flag.
const NODES_BETWEEN_CHECKS: usize = 1024;

/// Vectors that no walk can come to, because no chain of links leads from the entry point to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// How many there are.
    pub count: usize,
    /// The lowest of their ordinals.
    pub first: u32,
}

impl VectorIndex {
    /// Reads both files whole: vectors and their lengths are finite and agree, the two files are of the same ordinals, every link on
    /// every level leads to a node, and every node can be reached from the entry point on level 0. Says which cannot.
    ///
    /// # Errors
    /// [`Error::Durable`] that names the file and what is wrong in it; [`Error::Cancelled`].
    pub fn verify(&self, cancel: &dyn Fn() -> bool) -> Result<Option<Unreachable>> {
        let (rows, links) = (self.full().rows()?, self.graph().links()?);
        self.verify_rows(rows, links, cancel)?;
        verify_upper(links, cancel)?;
        if let Some(cells) = self.graph().cells()? {
            cells::check(&cells, rows.len())?;
        }
        let reached = reach(links, rows.len(), cancel)?;
        let mut lost = reached.zeroes();
        let first = lost.next();
        Ok(first.map(|node| Unreachable { count: 1 + lost.count(), first: rows.ordinals.get(node as u32) }))
    }

    fn verify_rows(&self, rows: Rows, links: Links, cancel: &dyn Fn() -> bool) -> Result<()> {
        let mut after = None;
        for row in 0..rows.len() {
            check(row, cancel)?;
            let ordinal = rows.ordinals.get(row as u32);
            let ascends = after.is_none_or(|after| after < ordinal) && u64::from(ordinal) < self.ordinal_bound();
            if !ascends || ordinal != links.ordinals.get(row as u32) {
                return Err(foreign(self.graph()));
            }
            after = Some(ordinal);
            if !self.is_sound(rows, row as u32) {
                let detail =
                    format!("the vector of document {ordinal} is not finite, or its length is another than noted");
                return Err(cutover_durable::Error::malformed(self.full().map().path(), detail).into());
            }
        }
        Ok(())
    }

    /// Whether the row is a vector that could have been added, and the inverse of its length is the one noted beside it.
    fn is_sound(&self, rows: Rows, row: u32) -> bool {
        let row = rows.row(row);
        distance::check(self.parameters(), &row.numbers.wide())
            .is_ok_and(|found| found.to_bits() == row.inverse.to_bits())
    }
}

fn verify_upper(links: Links, cancel: &dyn Fn() -> bool) -> Result<()> {
    for level in 1..=links.levels() {
        for position in 0..links.on_level(level) {
            check(position, cancel)?;
            links.upper(level, position as u32).try_for_each(|link| link.map(drop))?;
        }
    }
    Ok(())
}

/// The nodes that links lead to from the entry point on level 0.
fn reach(links: Links, nodes: usize, cancel: &dyn Fn() -> bool) -> Result<FixedBitSet> {
    let mut reached = FixedBitSet::with_capacity(nodes);
    if nodes == 0 {
        return Ok(reached);
    }
    let mut open = vec![links.entry()];
    reached.insert(links.entry() as usize);
    let mut seen = 0;
    while let Some(node) = open.pop() {
        check(seen, cancel)?;
        seen += 1;
        for &slot in links.slots(node) {
            let Some(next) = links.node(slot)? else { break };
            if !reached.put(next as usize) {
                open.push(next);
            }
        }
    }
    Ok(reached)
}

fn check(done: usize, cancel: &dyn Fn() -> bool) -> Result<()> {
    if done.is_multiple_of(NODES_BETWEEN_CHECKS) && cancel() { Err(Error::Cancelled) } else { Ok(()) }
}
