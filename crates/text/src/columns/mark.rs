//! Marking documents by their cells: one pass over an array, as fast as memory gives it.
//!
//! Comparisons of 64 cells become a word of bits. The loop that compares knows the cell's own width, so that the compiler puts many
//! cells in one register; a multiplication gathers eight results into a byte.

use std::ops::RangeInclusive;

use fixedbitset::FixedBitSet;

use super::read::{Rows, out_of_order};
use crate::guard::Stop;

/// Cells that become one block of a bitset.
const BLOCK: usize = usize::BITS as usize;
/// Up to so many ranges, a pass over the cells for each is faster than looking every cell up.
const MOST_PASSES: usize = 4;
/// The longest table of cells that is made to look them up in, in bits.
const MOST_TABLE: u64 = 1 << 26;

/// A cell as it lies in the file.
pub(super) trait Cell: Copy + PartialOrd + Into<u64> + TryFrom<u64> {}
impl<T: Copy + PartialOrd + Into<u64> + TryFrom<u64>> Cell for T {}

/// The blocks of bits that say which cells pass.
fn blocks<T: Copy>(cells: &[T], passes: impl Fn(T) -> bool) -> impl Iterator<Item = usize> {
    cells.chunks(BLOCK).map(move |chunk| {
        let mut flags = [0_u8; 64];
        for (flag, cell) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(passes(*cell));
        }
        gather(&flags) as usize
    })
}

/// The bit of each flag, which is 0 or 1.
fn gather(flags: &[u8; 64]) -> u64 {
    let (bytes, _) = flags.as_chunks::<8>();
    // Flag i is bit 8i; each term of the factor moves one of them to bit 56 + i, and no two sums meet.
    let byte = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    bytes.iter().rev().fold(0, |word, eight| (word << 8) | byte(eight))
}

impl Rows {
    /// Marks the documents with a cell that passes.
    pub(super) fn mark<T: Copy>(
        &self,
        cells: &[T],
        bits: &mut FixedBitSet,
        passes: impl Fn(T) -> bool,
    ) -> Result<(), Stop> {
        let Some(ends) = self.ends()? else {
            for (block, found) in bits.as_mut_slice().iter_mut().zip(blocks(cells, passes)) {
                *block |= found;
            }
            return Ok(());
        };
        let mut owner = Owner { ends, document: 0 };
        for (at, mut found) in blocks(cells, passes).enumerate() {
            while found != 0 {
                bits.insert(owner.of(at * BLOCK + found.trailing_zeros() as usize)?);
                found &= found - 1;
            }
        }
        Ok(())
    }

    /// Marks the documents with a cell in one of the ranges, which ascend and are apart.
    pub(super) fn mark_ranges<T: Cell>(
        &self,
        cells: &[T],
        ranges: &[RangeInclusive<u64>],
        bits: &mut FixedBitSet,
    ) -> Result<(), Stop> {
        if ranges.len() <= MOST_PASSES {
            return ranges.iter().try_for_each(|range| self.mark_range(cells, range, bits));
        }
        let last = ranges.last().map_or(0, |range| *range.end());
        if last >= MOST_TABLE {
            return self.mark(cells, bits, |cell| {
                let cell: u64 = cell.into();
                let next = ranges.partition_point(|range| *range.end() < cell);
                ranges.get(next).is_some_and(|range| range.contains(&cell))
            });
        }
        let mut table = FixedBitSet::with_capacity(last as usize + 1);
        for range in ranges {
            table.insert_range(*range.start() as usize..*range.end() as usize + 1);
        }
        self.mark(cells, bits, |cell| table.contains(cell.into() as usize))
    }

    fn mark_range<T: Cell>(
        &self,
        cells: &[T],
        range: &RangeInclusive<u64>,
        bits: &mut FixedBitSet,
    ) -> Result<(), Stop> {
        let most = u64::MAX >> (64 - 8 * size_of::<T>());
        // Where the range begins above every cell there is none in it.
        let (Ok(from), Ok(to)) = (T::try_from(*range.start()), T::try_from(most.min(*range.end()))) else {
            return Ok(());
        };
        self.mark(cells, bits, |cell| from <= cell && cell <= to)
    }
}

/// Whose a cell is, for ascending cells.
struct Owner<'a> {
    ends: &'a [u32],
    /// No cell asked for is of an earlier document.
    document: usize,
}

impl Owner<'_> {
    /// The document of a cell, found in steps that double.
    fn of(&mut self, cell: usize) -> Result<usize, Stop> {
        let before = |end: &u32| *end as usize <= cell;
        let rest = self.ends.get(self.document..).unwrap_or_default();
        let mut step = 1;
        while rest.get(step - 1).is_some_and(before) {
            step *= 2;
        }
        let from = step / 2;
        let within = &rest[from..rest.len().min(step)];
        let document = self.document + from + within.partition_point(before);
        let start = if document == 0 { 0 } else { self.ends.get(document - 1).map_or(usize::MAX, |end| *end as usize) };
        if document < self.ends.len() && start <= cell {
            self.document = document;
            Ok(document)
        } else {
            Err(out_of_order())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Owner, gather};

    #[test]
    fn every_flag_becomes_its_own_bit() {
        for bit in 0..64 {
            let mut flags = [0; 64];
            flags[bit] = 1;
            assert_eq!(gather(&flags), 1 << bit);
        }
        assert_eq!(gather(&[1; 64]), u64::MAX);
    }

    #[test]
    fn cells_belong_to_the_document_that_a_scan_finds() {
        let ends = [0, 0, 3, 3, 4, 9, 9, 9, 10];
        for every in 1..4 {
            let mut owner = Owner { ends: &ends, document: 0 };
            for cell in (0..10).step_by(every) {
                assert_eq!(owner.of(cell).ok(), ends.iter().position(|end| *end as usize > cell));
            }
            assert!(owner.of(10).is_err(), "nobody has this cell");
        }
        assert!(Owner { ends: &[5, 2, 7], document: 2 }.of(1).is_err(), "a cell before its document's is damage");
    }
}
