//! What a query may cost, counted in steps: a posting, a position, a step of an automaton, each of some nanoseconds.
//!
//! Words are bounded by how many of them are looked for. What the other modes can ask for is not bounded by the length of the query (a
//! thousand beginnings may each stand for a whole dictionary), so they have an allowance, and are refused once it is spent. It grows with
//! the texts, so that no query that reads each of them a few times is refused, however large the index.

use std::cell::Cell;

use super::Mode;
use crate::{Error, Result};

/// Steps that any query may take.
const LEAST: u64 = 1 << 24;
/// Steps for each term of the texts that are searched.
const PER_TERM: u64 = 16;

/// Steps that were taken to plan a query, and how many may be taken in all: what is done with the plan begins there, each time anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    done: u64,
    most: u64,
}

impl Spent {
    /// Goes on from there.
    pub fn go_on(self) -> Work {
        Work { done: Cell::new(self.done), most: self.most }
    }
}

/// Steps taken, and how many may be.
#[derive(Debug)]
pub(crate) struct Work {
    done: Cell<u64>,
    most: u64,
}

impl Work {
    /// For a query of texts that have so many terms.
    pub fn new(mode: Mode, terms: u64) -> Self {
        let most = match mode {
            Mode::Words => u64::MAX,
            _ => LEAST.saturating_add(terms.saturating_mul(PER_TERM)),
        };
        Self { done: Cell::new(0), most }
    }

    pub fn count(&self, steps: usize) {
        self.done.set(self.done.get().saturating_add(steps as u64));
    }

    pub fn done(&self) -> u64 {
        self.done.get()
    }

    pub fn spent(&self) -> Spent {
        Spent { done: self.done.get(), most: self.most }
    }

    /// Whether the allowance is spent.
    pub fn is_spent(&self) -> bool {
        self.done.get() > self.most
    }

    /// # Errors
    /// [`Error::Refused`] when the allowance is spent.
    pub fn check(&self) -> Result<()> {
        if self.is_spent() {
            return Err(Error::refused(format!("it asks for more than {} steps of work", self.most)));
        }
        Ok(())
    }
}
