//! Terms in the dictionaries of all segments: one, those that resemble it, those that begin with it, those that a pattern matches.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::postings::TermInfo;
use tantivy_fst::{Automaton, Regex};

use super::Fuzzy;
use super::fields::QueryField;
use crate::guard::{self, Stop};
use crate::{Error, Result, SegmentRef};

/// The most terms of one field that a beginning or a pattern may stand for.
pub(crate) const MAX_EXPANSIONS: usize = 1 << 18;
/// The most terms of one field that resemble a word: the nearest are taken.
pub(crate) const MAX_RESEMBLING: usize = 1024;
/// Letters of the longest word of which any may differ.
const MAX_FUZZY_LETTERS: usize = 128;
/// The longest regular expression in bytes.
const MAX_PATTERN: usize = 1000;
/// How often a walk over a dictionary looks whether it was cancelled, in terms.
const TERMS_BETWEEN_CHECKS: usize = 4096;

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

/// The dictionaries of a query's segments.
pub(super) struct Dictionaries<'a> {
    pub segments: &'a [SegmentRef<'a>],
    pub cancel: &'a dyn Fn() -> bool,
    /// Terms looked at so far.
    pub work: u64,
}

impl Dictionaries<'_> {
    /// A term of a field; none when no document has it.
    pub fn exact(&mut self, field: &QueryField, term: &str) -> Result<Option<Found>> {
        let (mut postings, mut frequency) = (Vec::with_capacity(self.segments.len()), 0);
        for SegmentRef { index, .. } in self.segments {
            self.work += 1;
            let terms = &field.of(index)?.terms;
            let info = guard::reading(index.path(), "look up a term", || Ok(terms.terms().get(term.as_bytes())?))?;
            frequency += info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
            sane(index, info.as_ref())?;
            postings.push(info.filter(|info| info.doc_freq > 0));
        }
        Ok((frequency > 0).then_some(Found { postings, frequency, distance: 0 }))
    }

    /// The terms of a field that begin so.
    pub fn beginning(&mut self, field: &QueryField, prefix: &str) -> Result<BTreeMap<Box<str>, Found>> {
        self.expand(field, prefix, &Anything, |_| Some(0))
    }

    /// The terms of a field that a regular expression matches from their first letter to their last.
    pub fn matching(&mut self, field: &QueryField, pattern: &Regex) -> Result<BTreeMap<Box<str>, Found>> {
        self.expand(field, "", pattern, |_| Some(0))
    }

    /// The terms of a field that resemble `word`, at most [`MAX_RESEMBLING`], nearest first; the first `prefix` letters are the same.
    pub fn resembling(
        &mut self,
        field: &QueryField,
        word: &str,
        fuzzy: Fuzzy,
        prefix: u32,
    ) -> Result<BTreeMap<Box<str>, Found>> {
        let most = fuzzy.letters(word);
        if most == 0 || word.chars().count() > MAX_FUZZY_LETTERS {
            return Ok(self.exact(field, word)?.map(|found| (Box::from(word), found)).into_iter().collect());
        }
        let near = Near(automata()[usize::from(most) - 1].build_dfa(word));
        let beginning: String = word.chars().take(prefix as usize).collect();
        let found = self.expand(field, &beginning, &near, |term| match near.0.eval(term) {
            Distance::Exact(distance) => Some(distance),
            Distance::AtLeast(_) => None,
        })?;
        if found.len() <= MAX_RESEMBLING {
            return Ok(found);
        }
        let mut found: Vec<(Box<str>, Found)> = found.into_iter().collect();
        found.sort_by_key(|(_, found)| found.distance);
        found.truncate(MAX_RESEMBLING);
        Ok(found.into_iter().collect())
    }

    fn expand<A: Automaton>(
        &mut self,
        field: &QueryField,
        beginning: &str,
        automaton: &A,
        distance: impl Fn(&[u8]) -> Option<u8>,
    ) -> Result<BTreeMap<Box<str>, Found>>
    where
        A::State: Clone,
    {
        let mut all: BTreeMap<Box<str>, Found> = BTreeMap::new();
        for (number, SegmentRef { index, .. }) in self.segments.iter().enumerate() {
            let terms = &field.of(index)?.terms;
            let (mut seen, cancel, count) = (0_usize, self.cancel, self.segments.len());
            guard::reading(index.path(), "look for terms", || {
                let mut stream = terms.terms().search(Borrowed(automaton)).ge(beginning.as_bytes()).into_stream()?;
                while stream.advance() {
                    seen += 1;
                    if seen.is_multiple_of(TERMS_BETWEEN_CHECKS) && cancel() {
                        return Err(Error::Cancelled.into());
                    }
                    let key = stream.key();
                    if !key.starts_with(beginning.as_bytes()) {
                        break;
                    }
                    let (Some(distance), true) = (distance(key), stream.value().doc_freq > 0) else { continue };
                    let term = std::str::from_utf8(key).map_err(|error| Stop::Theirs(error.to_string()))?;
                    sane(index, Some(stream.value()))?;
                    if add(&mut all, term, distance, number, count, stream.value()).is_break() {
                        let name = &index.fields()[field.number].spec.name;
                        let reason = format!("more than {MAX_EXPANSIONS} terms of field {name:?} are meant");
                        return Err(Error::refused(reason).into());
                    }
                }
                Ok(())
            })?;
            self.work += seen as u64;
        }
        Ok(all)
    }
}

/// Notes where a segment has a term; breaks off when there are too many different ones.
fn add(
    all: &mut BTreeMap<Box<str>, Found>,
    term: &str,
    distance: u8,
    segment: usize,
    segments: usize,
    info: &TermInfo,
) -> ControlFlow<()> {
    if !all.contains_key(term) {
        if all.len() == MAX_EXPANSIONS {
            return ControlFlow::Break(());
        }
        all.insert(term.into(), Found { postings: vec![None; segments], frequency: 0, distance });
    }
    if let Some(found) = all.get_mut(term) {
        found.frequency += u64::from(info.doc_freq);
        found.postings[segment] = Some(info.clone());
    }
    ControlFlow::Continue(())
}

fn sane(index: &crate::TextIndex, info: Option<&TermInfo>) -> Result<()> {
    match info {
        Some(info) if info.doc_freq > index.len() => {
            Err(index.corrupt(format!("a term occurs in {} of {} documents", info.doc_freq, index.len())))
        }
        _ => Ok(()),
    }
}

/// Compiles a regular expression; its automaton is bounded, so what would grow beyond is refused.
///
/// # Errors
/// [`Error::Query`] saying what is wrong with it.
pub(super) fn pattern(text: &str) -> Result<Regex> {
    if text.len() > MAX_PATTERN {
        return Err(Error::refused(format!(
            "a regular expression has at most {MAX_PATTERN} bytes, got {}",
            text.len()
        )));
    }
    Regex::new(text).map_err(|error| Error::refused(format!("the regular expression cannot be used: {error}")))
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

/// An automaton that is used again.
struct Borrowed<'a, A>(&'a A);

impl<A: Automaton> Automaton for Borrowed<'_, A> {
    type State = A::State;

    fn start(&self) -> A::State {
        self.0.start()
    }

    fn is_match(&self, state: &A::State) -> bool {
        self.0.is_match(state)
    }

    fn can_match(&self, state: &A::State) -> bool {
        self.0.can_match(state)
    }

    fn will_always_match(&self, state: &A::State) -> bool {
        self.0.will_always_match(state)
    }

    fn accept(&self, state: &A::State, byte: u8) -> A::State {
        self.0.accept(state, byte)
    }
}
