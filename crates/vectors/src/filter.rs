//! Which documents a search may answer.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use fixedbitset::FixedBitSet;

use crate::{
    cells::{Cells, Shares},
    error::Result,
    ordinals::Ordinals,
};

/// Fields of which a filter remembers where their allowed vectors are.
const MOST_FIELDS: usize = 4;

/// The ordinals that may be answered, and what searches have learned about where they are: worth keeping for as long as it is asked for.
#[derive(Debug, Default)]
pub struct Filter {
    allowed: FixedBitSet,
    count: usize,
    /// By the number of their field, the one learned last at the end.
    shares: Mutex<Vec<(u64, Arc<Shares>)>>,
    learned: AtomicUsize,
}

impl From<FixedBitSet> for Filter {
    fn from(allowed: FixedBitSet) -> Self {
        Self { count: allowed.count_ones(..), allowed, ..Self::default() }
    }
}

impl Filter {
    /// The ordinals.
    #[must_use]
    pub fn allowed(&self) -> &FixedBitSet {
        &self.allowed
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes that it takes now: a bit for each ordinal, and 4 bytes for each allowed vector of a field (the four of them learned about
    /// last) that was searched by its cells.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.allowed.len() / 8 + self.learned.load(Ordering::Relaxed)
    }

    /// The allowed members of a field's cells, which are looked up once.
    ///
    /// # Errors
    /// As [`Shares::new`].
    pub(crate) fn shares(
        &self,
        field: u64,
        cells: &Cells,
        ordinals: Ordinals,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Arc<Shares>> {
        let known = |shares: &[(u64, Arc<Shares>)]| {
            shares.iter().find(|(known, _)| *known == field).map(|(_, shares)| Arc::clone(shares))
        };
        if let Some(shares) = known(&self.shares.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(shares);
        }
        // Outside the lock: two that ask at once do the work twice, and neither waits.
        let new = Arc::new(Shares::new(cells, ordinals, &self.allowed, cancel)?);
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if known(&shares).is_none() {
            shares.push((field, Arc::clone(&new)));
            if shares.len() > MOST_FIELDS {
                shares.remove(0);
            }
            self.learned.store(shares.iter().map(|(_, shares)| shares.bytes()).sum(), Ordering::Relaxed);
        }
        Ok(new)
    }
}
