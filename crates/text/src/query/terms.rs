//! Terms in the dictionaries of all segments: one, those that resemble it, those that begin with it, those that a pattern matches.

use std::cell::Cell;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::postings::TermInfo;
use tantivy_fst::Automaton;

use super::Fuzzy;
use super::fields::QueryField;
use super::pattern::{Matcher, Pattern};
use super::work::Work;
use crate::guard::{self, Stop};
use crate::{Error, Result, SegmentRef};

/// The most terms that the beginnings and patterns of a query may stand for, counted for each field.
const MAX_EXPANSIONS: usize = 1 << 16;
/// What a term that is found counts for, in steps: it is noted, and its postings are looked up.
const FOUND: usize = 64;
/// The most terms of one field that resemble a word: the nearest are taken.
const MAX_RESEMBLING: usize = 1024;
/// Letters of the longest word of which any may differ.
const MAX_FUZZY_LETTERS: usize = 128;
/// How often a walk over a dictionary looks whether it was cancelled, in steps.
const STEPS_BETWEEN_CHECKS: u64 = 1 << 14;

/// A term, wherever it is.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// By segment.
    pub postings: Vec<Option<TermInfo>>,
    /// Documents that have it, over all segments.
    pub frequency: u64,
    /// Letters in which it differs from what was asked for.
    pub distance: u8,
}

/// A term and where it was found.
pub(super) type Expanded = (Box<str>, Found);

/// The dictionaries of a query's segments.
pub(super) struct Dictionaries<'a> {
    pub segments: &'a [SegmentRef<'a>],
    pub cancel: &'a dyn Fn() -> bool,
    /// What the query takes so far.
    pub work: Work,
    /// Terms that beginnings and patterns stand for so far.
    pub expanded: Cell<usize>,
}

impl Dictionaries<'_> {
    /// A term of a field; none when no document has it.
    pub fn exact(&self, field: &QueryField, term: &str) -> Result<Option<Found>> {
        let (mut postings, mut frequency) = (Vec::with_capacity(self.segments.len()), 0);
        for SegmentRef { index, .. } in self.segments {
            self.work.count(1);
            let terms = &field.of(index)?.terms;
            let info = guard::reading(index.path(), "look up a term", || Ok(terms.terms().get(term.as_bytes())?))?;
            frequency += info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
            sane(index, info.as_ref())?;
            postings.push(info.filter(|info| info.doc_freq > 0));
        }
        Ok((frequency > 0).then_some(Found { postings, frequency, distance: 0 }))
    }

    /// The terms of a field that begin so.
    pub fn beginning(&self, field: &QueryField, prefix: &str) -> Result<Vec<Expanded>> {
        self.all(field, prefix, &Anything)
    }

    /// The terms of a field that a regular expression matches from their first letter to their last.
    pub fn matching(&self, field: &QueryField, pattern: &Pattern) -> Result<Vec<Expanded>> {
        self.all(field, "", &Matcher::new(pattern, &self.work))
    }

    /// All that an automaton accepts.
    fn all<A: Automaton>(&self, field: &QueryField, beginning: &str, automaton: &A) -> Result<Vec<Expanded>>
    where
        A::State: Clone,
    {
        let left = MAX_EXPANSIONS - self.expanded.get();
        let found = self.expand(field, beginning, automaton, left.saturating_add(1), |_| Some(0))?;
        if found.len() > left {
            return Err(Error::refused(format!(
                "its beginnings and patterns stand for more than {MAX_EXPANSIONS} terms"
            )));
        }
        self.expanded.set(self.expanded.get() + found.len());
        Ok(found)
    }

    /// The terms of a field that resemble `word`, at most [`MAX_RESEMBLING`], nearest first; the first `prefix` letters are the same.
    pub fn resembling(&self, field: &QueryField, word: &str, fuzzy: Fuzzy, prefix: u32) -> Result<Vec<Expanded>> {
        let most = fuzzy.letters(word);
        if most == 0 || word.chars().count() > MAX_FUZZY_LETTERS {
            return Ok(self.exact(field, word)?.map(|found| (Box::from(word), found)).into_iter().collect());
        }
        let near = Near(automata()[usize::from(most) - 1].build_dfa(word));
        let beginning: String = word.chars().take(prefix as usize).collect();
        let mut found = self.expand(field, &beginning, &near, MAX_EXPANSIONS, |term| match near.0.eval(term) {
            Distance::Exact(distance) => Some(distance),
            Distance::AtLeast(_) => None,
        })?;
        if found.len() <= MAX_RESEMBLING {
            return Ok(found);
        }
        found.sort_by_key(|(_, found)| found.distance);
        found.truncate(MAX_RESEMBLING);
        Ok(found)
    }

    /// The terms of a field that begin so, that an automaton accepts and that have a distance; of more than `most` the first.
    fn expand<A: Automaton>(
        &self,
        field: &QueryField,
        beginning: &str,
        automaton: &A,
        most: usize,
        distance: impl Fn(&[u8]) -> Option<u8>,
    ) -> Result<Vec<Expanded>>
    where
        A::State: Clone,
    {
        // By term, as each dictionary has them.
        let mut all: Vec<Expanded> = Vec::new();
        let walk =
            Walk { automaton, work: &self.work, cancel: self.cancel, looked: Cell::new(0), stop: Cell::new(false) };
        for (number, SegmentRef { index, .. }) in self.segments.iter().enumerate() {
            let (terms, segments) = (&field.of(index)?.terms, self.segments.len());
            let (known, mut at) = (all.len(), 0);
            guard::reading(index.path(), "look for terms", || {
                let mut stream = terms.terms().search(&walk).ge(beginning.as_bytes()).into_stream()?;
                while stream.advance() {
                    let key = stream.key();
                    if !key.starts_with(beginning.as_bytes()) {
                        break;
                    }
                    self.work.count(FOUND);
                    let (Some(distance), true) = (distance(key), stream.value().doc_freq > 0) else { continue };
                    let term = std::str::from_utf8(key).map_err(|error| Stop::Theirs(error.to_string()))?;
                    sane(index, Some(stream.value()))?;
                    at += all[at..known].iter().take_while(|(before, _)| **before < *term).count();
                    if at == known || *all[at].0 != *term {
                        if all.len() == most {
                            break;
                        }
                        all.push((term.into(), Found { postings: vec![None; segments], frequency: 0, distance }));
                    }
                    let place = if at < known && *all[at].0 == *term { at } else { all.len() - 1 };
                    let found = &mut all[place].1;
                    found.frequency += u64::from(stream.value().doc_freq);
                    found.postings[number] = Some(stream.value().clone());
                }
                Ok(())
            })?;
            walk.check()?;
            if known > 0 {
                // Two runs in their order: one pass.
                all.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
        }
        Ok(all)
    }
}

fn sane(index: &crate::TextIndex, info: Option<&TermInfo>) -> Result<()> {
    match info {
        Some(info) if info.doc_freq > index.len() => {
            Err(index.corrupt(format!("a term occurs in {} of {} documents", info.doc_freq, index.len())))
        }
        _ => Ok(()),
    }
}

/// The automata of one and of two differences, which take a while to make.
fn automata() -> &'static [LevenshteinAutomatonBuilder; 2] {
    static MADE: OnceLock<[LevenshteinAutomatonBuilder; 2]> = OnceLock::new();
    MADE.get_or_init(|| [1, 2].map(|most| LevenshteinAutomatonBuilder::new(most, true)))
}

impl Fuzzy {
    /// How many letters of a word may differ.
    pub(super) fn letters(self, word: &str) -> u8 {
        match self {
            Self::Exact => 0,
            Self::One => 1,
            Self::Two => 2,
            Self::Auto => match word.chars().count() {
                0..=3 => 0,
                4..=7 => 1,
                _ => 2,
            },
        }
    }
}

/// Words within a distance.
struct Near(DFA);

impl Automaton for Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// Every word.
struct Anything;

impl Automaton for Anything {
    type State = ();

    fn start(&self) {}

    fn is_match(&self, (): &()) -> bool {
        true
    }

    fn accept(&self, (): &(), _: u8) {}
}

/// A walk of an automaton over dictionaries, which stops by itself when the query is cancelled or its allowance is spent.
struct Walk<'a, A> {
    automaton: &'a A,
    work: &'a Work,
    cancel: &'a dyn Fn() -> bool,
    /// Steps that were taken when it looked whether to go on.
    looked: Cell<u64>,
    stop: Cell<bool>,
}

impl<A> Walk<'_, A> {
    fn check(&self) -> Result<()> {
        if (self.cancel)() { Err(Error::Cancelled) } else { self.work.check() }
    }
}

impl<A: Automaton> Automaton for Walk<'_, A> {
    type State = A::State;

    fn start(&self) -> A::State {
        self.automaton.start()
    }

    fn is_match(&self, state: &A::State) -> bool {
        self.automaton.is_match(state)
    }

    fn can_match(&self, state: &A::State) -> bool {
        !self.stop.get() && self.automaton.can_match(state)
    }

    fn accept(&self, state: &A::State, byte: u8) -> A::State {
        self.work.count(1);
        if self.work.done() - self.looked.get() > STEPS_BETWEEN_CHECKS {
            self.looked.set(self.work.done());
            if self.check().is_err() {
                self.stop.set(true);
            }
        }
        self.automaton.accept(state, byte)
    }
}
