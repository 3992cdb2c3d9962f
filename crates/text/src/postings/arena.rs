//! Bytes by address, in pages that never move: growing copies nothing, and wastes less than a page.

/// Bytes of a page; no allocation may be larger.
const PAGE: usize = 1 << 20;

/// The addresses are used up: an arena holds at most 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Default)]
pub(super) struct Arena {
    pages: Vec<Box<[u8]>>,
    /// Bytes of the last page that are taken.
    taken: usize,
}

impl Arena {
    /// The address of `size` zeroes that lie in one page.
    pub fn allocate(&mut self, size: usize) -> Result<u32, Full> {
        debug_assert!(size <= PAGE);
        if self.pages.is_empty() || PAGE - self.taken < size {
            let next = u32::try_from(self.pages.len() * PAGE).map_err(|_| Full)?;
            self.pages.push(vec![0; PAGE].into_boxed_slice());
            self.taken = size;
            return Ok(next);
        }
        let address = (self.pages.len() - 1) * PAGE + self.taken;
        self.taken += size;
        // The page began at an address that fits, and is aligned to its size.
        Ok(address as u32)
    }

    /// The bytes from an address to the end of its page.
    pub fn at(&self, address: u32) -> &[u8] {
        &self.pages[address as usize / PAGE][address as usize % PAGE..]
    }

    pub fn at_mut(&mut self, address: u32) -> &mut [u8] {
        &mut self.pages[address as usize / PAGE][address as usize % PAGE..]
    }

    pub fn memory_bytes(&self) -> usize {
        self.pages.len() * PAGE
    }
}
