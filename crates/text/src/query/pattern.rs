//! Regular expressions over dictionaries.
//!
//! An expression becomes positions, each a class of letters, and what may follow them (Thompson 1968). Where a walk over a dictionary stands
//! is a set of positions; sets are made where the walk needs them, and kept. So what an expression costs is what the walk meets, and all
//! of it is counted: making whole automata beforehand can take a second for a few letters, where no step of it is seen or stopped.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use tantivy_fst::Automaton;

use super::work::Work;
use crate::{Error, Result};

/// The longest regular expression in bytes.
const MAX_PATTERN: usize = 1000;
/// The most positions of an expression, counting what it repeats as often as it does.
const MAX_POSITIONS: usize = 4096;
/// The most ranges of letters of all its positions.
const MAX_RANGES: usize = 1 << 17;
/// How deep an expression may be nested.
const MAX_DEPTH: u32 = 64;
/// What a new set counts for, in steps for each of its positions.
const KEPT: usize = 8;

/// A step of an expression.
#[derive(Debug)]
enum Position {
    /// Goes on behind a letter of one of these ranges, which ascend.
    Letter(Box<[(char, char)]>, usize),
    /// Goes on at any of these.
    Any(Vec<usize>),
    /// The word may end here.
    End,
}

/// An expression that a term must match from its first letter to its last.
#[derive(Debug)]
pub(super) struct Pattern {
    positions: Vec<Position>,
    /// Ranges of letters so far.
    ranges: usize,
    start: usize,
}

impl Pattern {
    /// # Errors
    /// [`Error::Refused`] for what is no regular expression, is too large, or looks around.
    pub fn new(text: &str) -> Result<Self> {
        let refused = |reason: String| Error::refused(format!("the regular expression cannot be used: {reason}"));
        if text.len() > MAX_PATTERN {
            let length = text.len();
            return Err(Error::refused(format!("a regular expression has at most {MAX_PATTERN} bytes, got {length}")));
        }
        let mut parser = ParserBuilder::new().nest_limit(MAX_DEPTH).build();
        let hir = parser.parse(text).map_err(|error| refused(error.to_string()))?;
        let mut pattern = Self { positions: vec![Position::End], ranges: 0, start: 0 };
        pattern.start = pattern.before(&hir, 0).map_err(refused)?;
        Ok(pattern)
    }

    fn push(&mut self, position: Position) -> Result<usize, String> {
        if let Position::Letter(ranges, _) = &position {
            self.ranges += ranges.len();
        }
        if self.positions.len() == MAX_POSITIONS || self.ranges > MAX_RANGES {
            return Err(format!("it has more than {MAX_POSITIONS} positions or {MAX_RANGES} ranges of letters"));
        }
        self.positions.push(position);
        Ok(self.positions.len() - 1)
    }

    /// The position from which `hir` leads to `next`.
    fn before(&mut self, hir: &Hir, next: usize) -> Result<usize, String> {
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Look(_) => Err("it looks at what is around it; a term is matched as a whole".to_owned()),
            HirKind::Capture(capture) => self.before(&capture.sub, next),
            HirKind::Literal(literal) => {
                let text =
                    std::str::from_utf8(&literal.0).map_err(|_| "it has bytes that are no letters".to_owned())?;
                text.chars().rev().try_fold(next, |next, c| self.push(Position::Letter([(c, c)].into(), next)))
            }
            HirKind::Class(Class::Unicode(class)) => {
                self.push(Position::Letter(class.iter().map(|range| (range.start(), range.end())).collect(), next))
            }
            HirKind::Class(Class::Bytes(class)) => {
                let letters = class.iter().map(|range| (char::from(range.start()), char::from(range.end())));
                self.push(Position::Letter(letters.collect(), next))
            }
            HirKind::Concat(all) => all.iter().rev().try_fold(next, |next, one| self.before(one, next)),
            HirKind::Alternation(all) => {
                let each = all.iter().map(|one| self.before(one, next)).collect::<Result<_, _>>()?;
                self.push(Position::Any(each))
            }
            HirKind::Repetition(repeated) => {
                let mut next = next;
                match repeated.max {
                    None => {
                        let again = self.push(Position::Any(vec![next]))?;
                        let once = self.before(&repeated.sub, again)?;
                        if let Position::Any(ways) = &mut self.positions[again] {
                            ways.push(once);
                        }
                        next = again;
                    }
                    Some(max) => {
                        let end = next;
                        for _ in repeated.min..max {
                            let once = self.before(&repeated.sub, next)?;
                            next = self.push(Position::Any(vec![once, end]))?;
                        }
                    }
                }
                (0..repeated.min).try_fold(next, |next, _| self.before(&repeated.sub, next))
            }
        }
    }
}

/// Sets of positions that a walk has met, and where letters lead from them.
#[derive(Debug, Default)]
struct Sets {
    numbers: HashMap<Box<[u32]>, u32>,
    /// With whether a word may end there.
    all: Vec<(Box<[u32]>, bool)>,
    steps: HashMap<(u32, char), Option<u32>>,
}

/// A pattern on its way over a dictionary.
pub(super) struct Matcher<'a> {
    pattern: &'a Pattern,
    work: &'a Work,
    sets: RefCell<Sets>,
    start: Option<u32>,
}

/// Where it stands: a set, and the bytes of a letter that is not whole yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    set: u32,
    bytes: [u8; 4],
    length: u8,
}

impl<'a> Matcher<'a> {
    pub fn new(pattern: &'a Pattern, work: &'a Work) -> Self {
        let mut matcher = Self { pattern, work, sets: RefCell::default(), start: None };
        matcher.start = matcher.set([pattern.start].into_iter());
        matcher
    }

    /// The number of the set of these positions and of all that they lead to without a letter; none when that is empty.
    fn set(&self, from: impl Iterator<Item = usize>) -> Option<u32> {
        let (mut open, mut seen): (Vec<usize>, Vec<bool>) = (from.collect(), vec![false; self.pattern.positions.len()]);
        let (mut set, mut ends, mut looked_at) = (Vec::new(), false, 1 + seen.len() / 64);
        while let Some(position) = open.pop() {
            looked_at += 1;
            if std::mem::replace(&mut seen[position], true) {
                continue;
            }
            match &self.pattern.positions[position] {
                Position::End => ends = true,
                Position::Any(ways) => open.extend(ways),
                Position::Letter(..) => set.push(position as u32),
            }
        }
        self.work.count(looked_at);
        if set.is_empty() && !ends {
            return None;
        }
        set.sort_unstable();
        let mut sets = self.sets.borrow_mut();
        // Where a word may end follows from more than the letters that may come.
        let key: Box<[u32]> = set.iter().copied().chain(ends.then_some(u32::MAX)).collect();
        if let Some(known) = sets.numbers.get(&key) {
            return Some(*known);
        }
        self.work.count(KEPT * key.len());
        let number = sets.all.len() as u32;
        sets.all.push((set.into(), ends));
        sets.numbers.insert(key, number);
        Some(number)
    }

    fn step(&self, set: u32, letter: char) -> Option<u32> {
        let sets = self.sets.borrow();
        if let Some(known) = sets.steps.get(&(set, letter)) {
            return *known;
        }
        let positions = &sets.all[set as usize].0;
        self.work.count(KEPT + positions.len());
        let mut next = Vec::new();
        for position in positions {
            if let Position::Letter(ranges, to) = &self.pattern.positions[*position as usize] {
                let at = ranges.partition_point(|(_, last)| *last < letter);
                if ranges.get(at).is_some_and(|(first, _)| *first <= letter) {
                    next.push(*to);
                }
            }
        }
        drop(sets);
        let to = if next.is_empty() || self.work.is_spent() { None } else { self.set(next.into_iter()) };
        self.sets.borrow_mut().steps.insert((set, letter), to);
        to
    }
}

impl Automaton for Matcher<'_> {
    type State = Option<Standing>;

    fn start(&self) -> Self::State {
        self.start.map(|set| Standing { set, bytes: [0; 4], length: 0 })
    }

    fn is_match(&self, state: &Self::State) -> bool {
        state.is_some_and(|at| at.length == 0 && self.sets.borrow().all[at.set as usize].1)
    }

    fn can_match(&self, state: &Self::State) -> bool {
        state.is_some()
    }

    fn accept(&self, state: &Self::State, byte: u8) -> Self::State {
        let mut at = (*state)?;
        // Terms are UTF-8; a damaged one is longer than any letter at some time, and matches nothing.
        *at.bytes.get_mut(usize::from(at.length))? = byte;
        at.length += 1;
        let Some(letter) = std::str::from_utf8(&at.bytes[..usize::from(at.length)]).ok().and_then(|s| s.chars().next())
        else {
            return Some(at);
        };
        Some(Standing { set: self.step(at.set, letter)?, bytes: [0; 4], length: 0 })
    }
}
