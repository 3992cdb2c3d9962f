//! From a user's query to units that are scored and a rule that says which documents match.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::fields::{QueryField, Scope, chosen};
use super::pattern::Pattern;
use super::phrase::{Phrase, Word};
use super::syntax::{self, Clause};
use super::terms::{Dictionaries, Expanded, Found};
use super::unit::{Source, Unit};
use super::words::{Piece, Span, cut, phrase};
use super::work::{Spent, Work};
use super::{Fuzzy, MAX_TERMS, Mode, Operator, TextQuery};
use crate::analyzer::Analysis;
use crate::{Error, Result, SegmentRef};

/// How often a long query looks whether it was cancelled, in units.
const UNITS_BETWEEN_CHECKS: usize = 256;
/// The most different words of a query that others may resemble; those behind them are looked for as they are.
const MAX_NEAR: usize = 32;
/// The most words of a phrase whose words may be moved.
const MAX_MOVED: usize = 64;

/// What a query asks of every segment.
pub(crate) struct Plan {
    pub fields: Vec<QueryField>,
    pub scopes: Vec<Scope>,
    pub units: Vec<Unit>,
    /// The units that are scored, rarest first: the order in which they are added up, whichever way a document is reached.
    pub order: Vec<usize>,
    /// Which documents match.
    pub rule: Rule,
    /// Documents in all segments.
    pub documents: u64,
    /// What making the plan took.
    pub spent: Spent,
}

/// Which documents match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    /// Those that have a unit.
    Unit(usize),
    /// Those that match any; none when there is none.
    Any(Vec<Rule>),
    /// Those that match all; there is at least one.
    All(Vec<Rule>),
    /// All others.
    Not(Box<Rule>),
}

impl Rule {
    /// Whether a document with these units matches.
    pub fn holds(&self, having: &[bool]) -> bool {
        match self {
            Self::Unit(unit) => having[*unit],
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(having)),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(having)),
            Self::Not(rule) => !rule.holds(having),
        }
    }

    /// Whether any unit is enough.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Unit(_) => true,
            Self::Any(rules) => rules.iter().all(Self::is_plain),
            Self::All(_) | Self::Not(_) => false,
        }
    }

    fn mark_scored(&self, units: &mut [Unit]) {
        match self {
            Self::Unit(unit) => units[*unit].scored = true,
            Self::Any(rules) | Self::All(rules) => rules.iter().for_each(|rule| rule.mark_scored(units)),
            Self::Not(_) => {}
        }
    }
}

impl Plan {
    /// Plans `query` over `segments`, which must be of one schema.
    pub fn new(segments: &[SegmentRef<'_>], query: &TextQuery, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let documents = segments.iter().map(|segment| u64::from(segment.index.len())).sum();
        let (fields, scopes, units, order) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut plan = Self {
            fields,
            scopes,
            units,
            order,
            rule: Rule::Any(Vec::new()),
            documents,
            spent: Work::new(query.mode, 0).spent(),
        };
        if query.mode == Mode::Regex && query.fuzzy != Fuzzy::Exact {
            return Err(Error::refused("a regular expression cannot be fuzzy: use one or the other"));
        }
        let Some(first) = segments.first() else { return Ok(plan) };
        if let Some(other) = segments.iter().find(|segment| segment.index.schema() != first.index.schema()) {
            return Err(Error::OtherSchema { path: other.index.path().to_path_buf() });
        }
        plan.fields = chosen(first.index, query)?;
        let mut terms = 0_u64;
        for segment in segments {
            for field in &plan.fields {
                terms = terms.saturating_add(field.of(segment.index)?.terms.total_num_tokens());
            }
        }
        let dictionaries =
            Dictionaries { segments, cancel, work: Work::new(query.mode, terms), expanded: Cell::default() };
        let mut planner = Planner { plan, dictionaries, query, known: BTreeMap::new(), near: 0 };
        let whole = planner.scope((0..planner.plan.fields.len()).collect())?;
        let rule = match query.mode {
            Mode::Words => planner.words(&query.query, whole, query.fuzzy, 1.0, false)?,
            Mode::Prefix => planner.words(&query.query, whole, query.fuzzy, 1.0, true)?,
            Mode::Phrase => planner.phrase(&query.query, whole, query.slop, 1.0)?,
            Mode::Regex => planner.regex(&query.query, whole)?,
            Mode::Syntax => planner.clause(&syntax::parse(&query.query, query.operator)?, whole)?,
        };
        let Planner { mut plan, dictionaries, .. } = planner;
        rule.mark_scored(&mut plan.units);
        plan.order = (0..plan.units.len()).filter(|unit| plan.units[*unit].scored).collect();
        plan.order.sort_by_key(|unit| plan.units[*unit].frequency());
        plan.rule = rule;
        plan.spent = dictionaries.work.spent();
        Ok(plan)
    }
}

/// What tells a unit from others: where it looks, and for what.
type Key = (usize, u64, Fuzzy, Vec<(usize, Vec<(u32, String)>, u32)>);

struct Planner<'a> {
    plan: Plan,
    dictionaries: Dictionaries<'a>,
    query: &'a TextQuery,
    known: BTreeMap<Key, Option<usize>>,
    /// Words looked for that others may resemble.
    near: usize,
}

impl Planner<'_> {
    fn scope(&mut self, fields: Vec<usize>) -> Result<usize> {
        if let Some(known) = self.plan.scopes.iter().position(|scope| scope.fields == fields) {
            return Ok(known);
        }
        self.plan.scopes.push(Scope::new(self.dictionaries.segments, &self.plan.fields, fields)?);
        Ok(self.plan.scopes.len() - 1)
    }

    /// The different analyses of a scope's fields.
    fn analyses(&self, scope: usize) -> Vec<Analysis> {
        let mut different: Vec<Analysis> = Vec::new();
        for field in &self.plan.scopes[scope].fields {
            let QueryField { analysis, .. } = self.plan.fields[*field];
            if !different.contains(&analysis) {
                different.push(analysis);
            }
        }
        different
    }

    /// The fields of a scope that have this analysis.
    fn fields(&self, scope: usize, analysis: Analysis) -> Vec<usize> {
        let fields = self.plan.scopes[scope].fields.iter().copied();
        fields.filter(|field| self.plan.fields[*field].analysis == analysis).collect()
    }

    fn words(&mut self, text: &str, scope: usize, fuzzy: Fuzzy, boost: f64, open: bool) -> Result<Rule> {
        let analyses = self.analyses(scope);
        let cut = cut(&analyses, text, open);
        let mut units: BTreeMap<Span, Option<usize>> = BTreeMap::new();
        for (at, (span, pieces)) in cut.pieces.iter().enumerate() {
            if at.is_multiple_of(UNITS_BETWEEN_CHECKS) && (self.dictionaries.cancel)() {
                return Err(Error::Cancelled);
            }
            units.insert(*span, self.pieces(&text[span.0..span.1], pieces, &analyses, scope, fuzzy, boost)?);
        }
        let all = self.query.operator == Operator::And;
        let mut words: Vec<(u64, BTreeSet<usize>)> = Vec::new();
        for spans in cut.words.values() {
            let word: BTreeSet<usize> = spans.iter().filter_map(|span| units.get(span).copied().flatten()).collect();
            let frequency: u64 = word.iter().map(|unit| self.plan.units[*unit].frequency()).sum();
            if frequency > 0 {
                words.push((frequency, word));
            } else if all {
                return Ok(Rule::Any(Vec::new()));
            }
        }
        // Rarest first; the sort is stable, so of equally rare words the first in their own order stay.
        words.sort_by_key(|(frequency, _)| *frequency);
        words.truncate(MAX_TERMS);
        let rules = words.into_iter().map(|(_, word)| any(word.into_iter().map(Rule::Unit).collect()));
        let rules: Vec<Rule> = rules.collect();
        Ok(if all && !rules.is_empty() { Rule::All(rules) } else { any(rules) })
    }

    /// The unit of one span; none when no document has it.
    fn pieces(
        &mut self,
        label: &str,
        pieces: &BTreeSet<(usize, Piece)>,
        analyses: &[Analysis],
        scope: usize,
        fuzzy: Fuzzy,
        boost: f64,
    ) -> Result<Option<usize>> {
        let tell = |(analysis, piece): &(usize, Piece)| match piece {
            Piece::Term(term) => (*analysis, vec![(0, term.clone())], 0),
            Piece::Spelt(words) => (*analysis, words.clone(), 1),
            Piece::Beginning(term) => (*analysis, vec![(0, term.clone())], 2),
        };
        let key = (scope, boost.to_bits(), fuzzy, pieces.iter().map(tell).collect());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        self.dictionaries.work.check()?;
        let is_near = fuzzy != Fuzzy::Exact && self.near < MAX_NEAR;
        self.near += usize::from(is_near);
        let fuzzy = if is_near { fuzzy } else { Fuzzy::Exact };
        let (mut sources, mut phrases): (Vec<Source>, Vec<Phrase>) = Default::default();
        for (analysis, piece) in pieces {
            for field in self.fields(scope, analyses[*analysis]) {
                match piece {
                    Piece::Term(term) => {
                        let prefix = self.query.prefix_length;
                        let found = self.dictionaries.resembling(&self.plan.fields[field], term, fuzzy, prefix)?;
                        self.sources(field, found, &mut sources);
                    }
                    Piece::Beginning(term) => {
                        let found = self.dictionaries.beginning(&self.plan.fields[field], term)?;
                        self.sources(field, found, &mut sources);
                    }
                    Piece::Spelt(words) => phrases.extend(self.phrase_in(field, words, 0)?),
                }
            }
        }
        // A stem may stand for both its own word and one that begins with it.
        sources.sort_by(|a, b| (a.field, &a.term).cmp(&(b.field, &b.term)));
        sources.dedup_by(|a, b| (a.field, &a.term) == (b.field, &b.term));
        let commonest =
            sources.iter().map(|source| source.frequency).chain(phrases.iter().map(Phrase::frequency)).max();
        let idf = self.idf(commonest.unwrap_or(0));
        let unit = commonest
            .map(|_| self.unit(Unit { label: label.to_owned(), scope, sources, phrases, idf, boost, scored: false }));
        self.known.insert(key, unit);
        Ok(unit)
    }

    fn sources(&self, field: usize, found: Vec<Expanded>, sources: &mut Vec<Source>) {
        let boost = self.plan.fields[field].boost;
        sources.extend(found.into_iter().map(|(term, Found { postings, frequency, distance })| {
            let factor = (boost / f64::from(1 + distance)) as f32;
            Source { field, term, factor, postings, frequency }
        }));
    }

    fn unit(&mut self, unit: Unit) -> usize {
        self.plan.units.push(unit);
        self.plan.units.len() - 1
    }

    fn idf(&self, frequency: u64) -> f64 {
        let (having, lacking) = (frequency as f64, self.plan.documents.saturating_sub(frequency) as f64);
        ((lacking + 0.5) / (having + 0.5)).ln_1p()
    }

    fn phrase(&mut self, text: &str, scope: usize, slop: u32, boost: f64) -> Result<Rule> {
        let (mut phrases, mut rarities): (Vec<Phrase>, BTreeMap<u32, u64>) = Default::default();
        for analysis in self.analyses(scope) {
            let words = phrase(analysis, text);
            if words.len() > MAX_TERMS {
                return Err(Error::refused(format!("a phrase has at most {MAX_TERMS} words")));
            }
            if slop > 0 && words.len() > MAX_MOVED {
                return Err(Error::refused(format!(
                    "a phrase whose words may be moved has at most {MAX_MOVED} of them"
                )));
            }
            for field in self.fields(scope, analysis) {
                let Some(phrase) = self.phrase_in(field, &words, slop)? else { continue };
                for word in &phrase.words {
                    let most = rarities.entry(word.place).or_default();
                    *most = word.frequency.max(*most);
                }
                phrases.push(phrase);
            }
        }
        if phrases.is_empty() {
            return Ok(Rule::Any(Vec::new()));
        }
        let idf = rarities.values().map(|frequency| self.idf(*frequency)).sum();
        let unit =
            Unit { label: format!("\"{text}\""), scope, sources: Vec::new(), phrases, idf, boost, scored: false };
        Ok(Rule::Unit(self.unit(unit)))
    }

    /// A phrase in one field; none when no document has all its words, or there are none.
    fn phrase_in(&mut self, field: usize, words: &[(u32, String)], slop: u32) -> Result<Option<Phrase>> {
        let first = words.iter().map(|(place, _)| *place).min().unwrap_or(0);
        let mut found = Vec::with_capacity(words.len());
        for (place, term) in words {
            let Some(Found { postings, frequency, .. }) = self.dictionaries.exact(&self.plan.fields[field], term)?
            else {
                return Ok(None);
            };
            found.push(Word { place: place - first, term: term.as_str().into(), postings, frequency });
        }
        found.sort_by_key(|word| word.place);
        let factor = self.plan.fields[field].boost as f32;
        Ok((!found.is_empty()).then_some(Phrase { field, words: found, slop, factor }))
    }

    fn regex(&mut self, text: &str, scope: usize) -> Result<Rule> {
        let (pattern, mut sources) = (Pattern::new(text)?, Vec::new());
        for field in self.plan.scopes[scope].fields.clone() {
            let found = self.dictionaries.matching(&self.plan.fields[field], &pattern)?;
            self.sources(field, found, &mut sources);
        }
        let Some(commonest) = sources.iter().map(|source| source.frequency).max() else {
            return Ok(Rule::Any(Vec::new()));
        };
        let (label, idf) = (format!("/{text}/"), self.idf(commonest));
        let unit = Unit { label, scope, sources, phrases: Vec::new(), idf, boost: 1.0, scored: false };
        Ok(Rule::Unit(self.unit(unit)))
    }

    fn clause(&mut self, clause: &Clause, scope: usize) -> Result<Rule> {
        let several = |planner: &mut Self, clauses: &[Clause]| {
            clauses.iter().map(|clause| planner.clause(clause, scope)).collect::<Result<Vec<_>>>()
        };
        Ok(match clause {
            Clause::Any(clauses) => any(several(self, clauses)?),
            Clause::All(clauses) => Rule::All(several(self, clauses)?),
            Clause::Not(clause) => Rule::Not(Box::new(self.clause(clause, scope)?)),
            Clause::Within { field, at, clause } => {
                let index = self.dictionaries.segments[0].index;
                let named = |query: &QueryField| index.fields()[query.number].spec.name == *field;
                let Some(number) = self.plan.fields.iter().position(named) else {
                    return Err(Error::Syntax {
                        position: *at,
                        reason: format!("there is no text field {field:?} here"),
                    });
                };
                let scope = self.scope(vec![number])?;
                self.clause(clause, scope)?
            }
            Clause::Words { text, open, fuzzy, boost } => {
                self.words(text, scope, fuzzy.unwrap_or(self.query.fuzzy), *boost, *open)?
            }
            Clause::Phrase { text, slop, boost } => {
                self.phrase(text, scope, slop.unwrap_or(self.query.slop), *boost)?
            }
        })
    }
}

/// Any of these rules; of one, that one.
fn any(mut rules: Vec<Rule>) -> Rule {
    match rules.pop() {
        Some(rule) if rules.is_empty() => rule,
        Some(rule) => {
            rules.push(rule);
            Rule::Any(rules)
        }
        None => Rule::Any(rules),
    }
}
