//! Which row of a field is the vector of which document.

use cutover_durable::{Result, sections::Section};

/// Ordinals by row, ascending.
#[derive(Clone, Copy)]
pub(crate) struct Ordinals<'a> {
    /// Empty where row i is of ordinal i.
    listed: &'a [u32],
    count: usize,
}

impl<'a> Ordinals<'a> {
    /// The ordinals in a section, of `count` rows below `bound`.
    pub(crate) fn of(section: &'a Section, count: u32, bound: u64) -> Result<Self> {
        let listed = if are_listed(count as usize, bound) { u64::from(count) } else { 0 };
        Ok(Self { listed: numbers(section, listed)?, count: count as usize })
    }

    /// Of `count` rows that are each their own ordinal.
    pub(crate) fn rows(count: usize) -> Self {
        Self { listed: &[], count }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether row and ordinal are the same.
    pub(crate) fn are_rows(&self) -> bool {
        self.listed.is_empty()
    }

    /// The ordinal of a row below [`Ordinals::len`].
    #[inline]
    pub(crate) fn get(&self, row: u32) -> u32 {
        if self.are_rows() { row } else { self.listed[row as usize] }
    }

    /// The row of an ordinal that has one.
    pub(crate) fn find(&self, ordinal: u32) -> Option<u32> {
        if self.are_rows() {
            return ((ordinal as usize) < self.count).then_some(ordinal);
        }
        self.listed.binary_search(&ordinal).ok().map(|row| row as u32)
    }
}

/// Whether a file lists its ordinals: where there are as many rows as possible ordinals, each is its own row.
pub(crate) fn are_listed(count: usize, bound: u64) -> bool {
    count as u64 != bound
}

/// One more than the greatest of ascending ordinals; 0 when there is none.
pub(crate) fn bound(ordinals: &[u32]) -> u64 {
    ordinals.last().map_or(0, |&last| u64::from(last) + 1)
}

/// The numbers of a section, which must be `count`.
pub(crate) fn numbers<T: bytemuck::AnyBitPattern>(section: &Section, count: u64) -> Result<&[T]> {
    let numbers = section.cast::<T>()?;
    if numbers.len() as u64 == count {
        Ok(numbers)
    } else {
        Err(section.malformed(&format!("has {} items and should have {count}", numbers.len())))
    }
}
