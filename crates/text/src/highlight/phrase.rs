//! Terms that match only where they stand together.

use std::ops::Range;

use crate::query::starts;

/// Positions of words that are looked at for one phrase in one text; of a text that nearly matches everywhere, those that come first.
const MOST_LOOKED_AT: usize = 1 << 18;

/// A token of a text that is one of the terms looked for.
pub(super) struct Seen {
    pub term: usize,
    pub position: usize,
    pub bytes: Range<usize>,
}

/// Terms by their places, and how far apart they may be moved.
pub(super) struct Phrase {
    words: Vec<(u32, usize)>,
    slop: u32,
}

impl Phrase {
    /// Of (place, term).
    pub fn new(words: Vec<(u32, usize)>, slop: u32) -> Self {
        Self { words, slop }
    }

    /// Marks the tokens, which are in the order of their positions, that are part of the phrase, as searching understands it.
    pub fn mark(&self, all: &[Seen], marked: &mut [bool]) {
        let tokens = |term: usize| (0..all.len()).filter(move |at| all[*at].term == term);
        let position = |at: usize| u32::try_from(all[at].position).unwrap_or(u32::MAX);
        let most = MOST_LOOKED_AT / self.words.len().max(1);
        let places: Vec<Vec<usize>> = self.words.iter().map(|(_, term)| tokens(*term).take(most).collect()).collect();
        let positions: Vec<Vec<u32>> =
            places.iter().map(|tokens| tokens.iter().map(|at| position(*at)).collect()).collect();
        let words: Vec<(u32, &[u32])> =
            self.words.iter().zip(&positions).map(|((place, _), positions)| (*place, &**positions)).collect();
        let terms: Vec<usize> = self.words.iter().map(|(_, term)| *term).collect();
        let mut left = MOST_LOOKED_AT;
        for start in starts(&words, &terms, self.slop) {
            for ((place, positions), tokens) in words.iter().zip(&places) {
                let least = start + i64::from(*place);
                let from = positions.partition_point(|position| i64::from(*position) < least);
                let near = positions[from..].iter().take_while(|at| i64::from(**at) <= least + i64::from(self.slop));
                for (_, token) in near.zip(&tokens[from..]) {
                    marked[*token] = true;
                    left = left.saturating_sub(1);
                }
            }
            if left == 0 {
                break;
            }
        }
    }
}
