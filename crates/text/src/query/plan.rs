//! From a user's words to weighted terms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tantivy::Term;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::TermInfo;

use super::{MAX_BOOST, MAX_TERMS, Operator, TextQuery};
use crate::analyzer::Analysis;
use crate::index::FieldData;
use crate::{Error, FieldKind, Result, SegmentRef, TextIndex, guard};

pub(crate) const K1: f64 = 1.2;
pub(crate) const B: f64 = 0.75;

/// How often a long query looks whether it was cancelled, in words.
const WORDS_BETWEEN_CHECKS: usize = 256;

/// What a query asks of every segment.
pub(crate) struct Plan {
    pub fields: Vec<QueryField>,
    /// Each (field, term) once, in an order that depends on nothing but the terms.
    pub leaves: Vec<Leaf>,
    /// For each word, its leaves: at least one.
    pub words: Vec<Vec<usize>>,
    /// Whether a document must have every word.
    pub all: bool,
}

/// A field that a query looks in.
pub(crate) struct QueryField {
    /// The field's number in the schema.
    pub number: usize,
    /// Tokens per document, over all segments; 0 when there is none.
    pub average: f64,
    /// k1 · (1 − b + b · length ÷ average) by the code of a length.
    pub norms: Box<[f64; 256]>,
    /// How its text becomes terms.
    pub analysis: Analysis,
    boost: f64,
}

/// A term of one field.
pub(crate) struct Leaf {
    /// Index into [`Plan::fields`].
    pub field: usize,
    pub term: Term,
    /// boost · idf · (k1 + 1).
    pub weight: f64,
    /// Where its postings are, by segment.
    pub postings: Vec<Option<TermInfo>>,
    /// Documents that have it, over all segments.
    pub frequency: u64,
}

/// The terms that stand for one word of the query, each with the analyzer that makes it.
type Word = Vec<(usize, String)>;

impl Plan {
    /// Plans `query` over `segments`, which must be of one schema.
    pub fn new(segments: &[SegmentRef<'_>], query: &TextQuery, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let plain = TextQuery {
            query: query.query.clone(),
            fields: query.fields.clone(),
            operator: query.operator,
            ..TextQuery::default()
        };
        if *query != plain {
            return Err(Error::query("", "nothing but words can be asked for yet"));
        }
        let all = query.operator == Operator::And;
        let mut plan = Self { fields: Vec::new(), leaves: Vec::new(), words: Vec::new(), all };
        let Some(first) = segments.first() else { return Ok(plan) };
        if let Some(other) = segments.iter().find(|segment| segment.index.schema() != first.index.schema()) {
            return Err(Error::OtherSchema { path: other.index.path().to_path_buf() });
        }
        plan.fields = fields(segments, query)?;
        let (words, analyzers) = words(&plan.fields, &query.query);
        let documents: u64 = segments.iter().map(|segment| u64::from(segment.index.len())).sum();
        let mut leaves: BTreeMap<(usize, String), Leaf> = BTreeMap::new();
        let mut found: Vec<(u64, Vec<(usize, String)>)> = Vec::new();
        for (at, word) in words.into_iter().enumerate() {
            if at.is_multiple_of(WORDS_BETWEEN_CHECKS) && cancel() {
                return Err(Error::Cancelled);
            }
            let mut frequency = 0;
            let mut keys = Vec::new();
            for (number, field) in plan.fields.iter().enumerate() {
                for (_, text) in word.iter().filter(|(analyzer, _)| analyzers[*analyzer] == field.analysis) {
                    let key = (number, text.clone());
                    if !leaves.contains_key(&key)
                        && let Some(leaf) = leaf(segments, number, field, text, documents)?
                    {
                        leaves.insert(key.clone(), leaf);
                    }
                    if let Some(leaf) = leaves.get(&key) {
                        frequency += leaf.frequency;
                        keys.push(key);
                    }
                }
            }
            if frequency > 0 {
                found.push((frequency, keys));
            } else if all {
                return Ok(plan);
            }
        }
        // Rarest first; the sort is stable, so of equally rare words the first in their own order stay.
        found.sort_by_key(|(frequency, _)| *frequency);
        found.truncate(MAX_TERMS);
        let kept: BTreeSet<&(usize, String)> = found.iter().flat_map(|(_, keys)| keys).collect();
        let places: BTreeMap<&(usize, String), usize> = kept.iter().enumerate().map(|(at, key)| (*key, at)).collect();
        plan.words =
            found.iter().map(|(_, keys)| keys.iter().filter_map(|key| places.get(key).copied()).collect()).collect();
        plan.leaves = kept.iter().filter_map(|key| leaves.remove(*key)).collect();
        Ok(plan)
    }

    /// What a term adds to a document's score.
    pub fn part(&self, leaf: &Leaf, length: u8, frequency: u32) -> f64 {
        let frequency = f64::from(frequency);
        leaf.weight * frequency / (frequency + self.fields[leaf.field].norms[usize::from(length)])
    }
}

/// The fields of a query with their boosts and their statistics.
fn fields(segments: &[SegmentRef<'_>], query: &TextQuery) -> Result<Vec<QueryField>> {
    let all = segments[0].index.fields();
    let mut chosen: BTreeMap<usize, f32> = BTreeMap::new();
    match &query.fields {
        None => {
            for (number, field) in all.iter().enumerate() {
                if let FieldKind::Text { boost, .. } = field.spec.kind {
                    chosen.insert(number, boost);
                }
            }
        }
        Some(named) => {
            for (name, boost) in named {
                let number = all.iter().position(|field| field.spec.name == *name);
                let number = number.ok_or_else(|| Error::query(name, "the schema has no such field"))?;
                if !(0.0..=MAX_BOOST).contains(boost) {
                    return Err(Error::query(name, format!("a boost must be from 0 to {MAX_BOOST}, got {boost}")));
                }
                chosen.insert(number, *boost);
            }
        }
    }
    let field = |(number, boost): (usize, f32)| {
        let spec = &all[number].spec;
        let Some(analysis) = spec.kind.analyses().next() else {
            return Err(Error::query(&spec.name, format!("a {} field is filtered, not searched", spec.kind.name())));
        };
        let (mut tokens, mut documents) = (0, 0);
        for segment in segments {
            if let FieldData::Text { terms, .. } = &segment.index.fields()[number].data {
                tokens += u128::from(terms.total_num_tokens());
            }
            documents += u64::from(segment.index.len());
        }
        let average = if documents == 0 { 0.0 } else { tokens as f64 / documents as f64 };
        let mut norms = Box::new([0.0; 256]);
        for (code, norm) in norms.iter_mut().enumerate() {
            let length = f64::from(FieldNormReader::id_to_fieldnorm(code as u8));
            // Without a token there is no posting that could be weighed by it.
            *norm = if tokens == 0 { K1 } else { K1 * (1.0 - B + B * length / average) };
        }
        Ok(QueryField { number, average, norms, analysis, boost: f64::from(boost) })
    };
    chosen.into_iter().map(field).collect()
}

/// The distinct words of a text. Fields may cut or change words differently, so a word is what begins at one place of the text.
fn words(fields: &[QueryField], text: &str) -> (BTreeSet<Word>, Vec<Analysis>) {
    let mut analyzers: Vec<Analysis> = Vec::new();
    for field in fields {
        if !analyzers.contains(&field.analysis) {
            analyzers.push(field.analysis);
        }
    }
    let mut places: BTreeMap<usize, Word> = BTreeMap::new();
    for (number, analyzer) in analyzers.iter().enumerate() {
        analyzer.query().token_stream(text).process(&mut |token| {
            places.entry(token.offset_from).or_default().push((number, token.text.clone()));
        });
    }
    (places.into_values().collect(), analyzers)
}

/// The term in one field; none when no document has it.
fn leaf(
    segments: &[SegmentRef<'_>],
    number: usize,
    field: &QueryField,
    text: &str,
    documents: u64,
) -> Result<Option<Leaf>> {
    let text_of = |index: &TextIndex| match &index.fields()[field.number].data {
        FieldData::Text { field, terms, .. } => Ok((*field, Arc::clone(terms))),
        _ => Err(Error::query(&index.fields()[field.number].spec.name, "is not a text field")),
    };
    let term = Term::from_field_text(text_of(segments[0].index)?.0, text);
    let mut frequency = 0;
    let mut postings = Vec::with_capacity(segments.len());
    for segment in segments {
        let index = segment.index;
        let (_, terms) = text_of(index)?;
        let info = guard::reading(index.path(), "look up a term", || Ok(terms.get_term_info(&term)?))?;
        if let Some(info) = &info {
            if info.doc_freq > index.len() {
                return Err(index.corrupt(format!("a term occurs in {} of {} documents", info.doc_freq, index.len())));
            }
            frequency += u64::from(info.doc_freq);
        }
        postings.push(info.filter(|info| info.doc_freq > 0));
    }
    if frequency == 0 {
        return Ok(None);
    }
    let (having, lacking) = (frequency as f64, (documents - frequency) as f64);
    let idf = ((lacking + 0.5) / (having + 0.5)).ln_1p();
    Ok(Some(Leaf { field: number, term, weight: field.boost * idf * (K1 + 1.0), postings, frequency }))
}
