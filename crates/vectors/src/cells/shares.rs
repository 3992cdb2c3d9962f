//! The allowed members of each cell.

use fixedbitset::FixedBitSet;

use super::Cells;
use crate::{
    error::{Error, Result},
    ordinals::Ordinals,
};

/// Cells between two looks at the cancel flag.
const CELLS_BETWEEN_CHECKS: usize = 64;
/// Bits of a block of a bitset.
const BLOCK: usize = usize::BITS as usize;

/// Allowed nodes in the order of their cells, each once.
#[derive(Debug)]
pub(crate) struct Shares {
    nodes: Vec<u32>,
    /// Nodes of the cells up to each.
    ends: Vec<u32>,
}

impl Shares {
    /// Looks at every member of every cell.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; that the file is malformed, when its cells do not share out its nodes.
    pub(crate) fn new(
        cells: &Cells,
        ordinals: Ordinals,
        allowed: &FixedBitSet,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Self> {
        // What was met is taken out, so that nothing is met twice.
        let mut left = allowed.clone();
        let blocks = left.as_mut_slice();
        let mut nodes = vec![0; allowed.count_ones(..).min(ordinals.len())];
        let (mut ends, mut end) = (Vec::with_capacity(cells.len()), 0);
        for cell in 0..cells.len() {
            if cell.is_multiple_of(CELLS_BETWEEN_CHECKS) && cancel() {
                return Err(Error::Cancelled);
            }
            for &node in cells.members(cell)? {
                if node as usize >= ordinals.len() {
                    return Err(cells.malformed());
                }
                let ordinal = ordinals.get(node) as usize;
                let Some(block) = blocks.get_mut(ordinal / BLOCK) else { continue };
                let bit = 1 << (ordinal % BLOCK);
                // Written whether it is allowed or not, and overwritten if not: a branch here would be a guess. Behind the last that is
                // allowed there is no room, and nothing to keep.
                if let Some(place) = nodes.get_mut(end) {
                    *place = node;
                }
                end += usize::from(*block & bit != 0);
                *block &= !bit;
            }
            ends.push(end as u32);
        }
        nodes.truncate(end);
        Ok(Self { nodes, ends })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.nodes.capacity() + self.ends.capacity())
    }

    /// Those in a cell.
    #[inline]
    pub(crate) fn of(&self, cell: u32) -> &[u32] {
        let cell = cell as usize;
        let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.nodes[start as usize..self.ends[cell] as usize]
    }
}
