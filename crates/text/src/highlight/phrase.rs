//! Terms that match only where they stand together.

use std::ops::Range;

/// Steps that are made to find one phrase in one text: what it takes for all but texts that nearly match everywhere.
const MOST_STEPS: usize = 1 << 20;

/// A token of a text that is one of the terms looked for.
pub(super) struct Seen {
    pub term: usize,
    pub position: usize,
    pub bytes: Range<usize>,
}

/// Terms, each so many positions after the first.
pub(super) struct Phrase {
    words: Vec<(usize, usize)>,
}

impl Phrase {
    /// Of (position, term), ascending; none of no word.
    pub fn new(mut words: Vec<(usize, usize)>) -> Option<Self> {
        let start = words.first()?.0;
        for (position, _) in &mut words {
            *position -= start;
        }
        Some(Self { words })
    }

    /// Marks the tokens, which are in the order of their positions, that are part of the phrase.
    pub fn mark(&self, all: &[Seen], marked: &mut [bool]) {
        let mut steps = 0;
        for start in (0..all.len()).filter(|at| all[*at].term == self.words[0].1) {
            let mut at = start;
            let mut found = Vec::new();
            for (after, term) in &self.words {
                let position = all[start].position + after;
                while all.get(at).is_some_and(|seen| seen.position < position) {
                    at += 1;
                    steps += 1;
                }
                // Several tokens may stand at one position.
                let here = all[at..].iter().take_while(|seen| seen.position == position);
                match here.enumerate().find(|(_, seen)| seen.term == *term) {
                    Some((offset, _)) => found.push(at + offset),
                    None => break,
                }
                steps += 1;
            }
            if found.len() == self.words.len() {
                for at in found {
                    marked[at] = true;
                }
            }
            if steps > MOST_STEPS {
                break;
            }
        }
    }
}
