//! Why a document has the score that it has.

use tantivy::DocSet;
use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;

use super::plan::Plan;
use super::unit::{Asked, Unit};
use super::{B, K1, cursors::Cursors, cursors::part};
use crate::guard::Stop;
use fixedbitset::FixedBitSet;
use tantivy::fieldnorm::FieldNormReader;

/// The parts of a score, which add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The score, as a search gives it.
    pub score: f32,
    /// Constant of BM25: how soon repetition stops to count.
    pub k1: f64,
    /// Constant of BM25: how much length counts.
    pub b: f64,
    /// Documents of the version.
    pub documents: u64,
    /// What the document has of the query.
    pub parts: Vec<Part>,
}

/// A word or a phrase of the query that the document has.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The word as it was asked for; a phrase in quotes, a regular expression between slashes.
    pub word: String,
    /// ln(1 + (documents − n + ½) ÷ (n + ½)), with n the documents of its commonest term; for a phrase the sum over its words.
    pub idf: f64,
    /// What the query multiplies it by.
    pub boost: f64,
    /// Where it occurs.
    pub fields: Vec<PartField>,
    /// The occurrences in all fields, each counted as its field's boost says.
    pub frequency: f64,
    /// k1 · (1 − b + b · length ÷ average length), with lengths combined as occurrences are.
    pub norm: f64,
    /// boost · idf · (k1 + 1) · frequency ÷ (frequency + norm).
    pub score: f64,
}

/// The occurrences of a word in one field.
#[derive(Debug, Clone, PartialEq)]
pub struct PartField {
    /// The field.
    pub field: String,
    /// The term that stands for the word there; a phrase's terms with spaces between them.
    pub term: String,
    /// How often the document has it.
    pub occurrences: u32,
    /// What one occurrence counts for.
    pub weight: f64,
    /// Terms of the field in this document, as it is kept: exact up to 40, to 1 part in 8 beyond.
    pub length: u32,
}

/// The explanation of one document; none when it does not match.
pub(crate) fn explain(asked: &Asked<'_>, document: u32) -> Result<Option<Explanation>, Stop> {
    let mut only = FixedBitSet::with_capacity(asked.index.len() as usize);
    only.insert(document as usize);
    let mut cursors = Cursors::new(asked, &only)?;
    let Some(score) = cursors.score(document) else { return Ok(None) };
    let plan: &Plan = asked.plan;
    let mut parts = Vec::new();
    for (at, unit) in plan.units.iter().enumerate().filter(|(_, unit)| unit.scored) {
        if let Some((occurrences, norm)) = cursors.told(at, document) {
            parts.push(Part {
                word: unit.label.clone(),
                idf: unit.idf,
                boost: unit.boost,
                fields: fields(asked, unit, document, &only)?,
                frequency: f64::from(occurrences),
                norm: f64::from(norm),
                score: f64::from(part(unit.weight(), occurrences, norm)),
            });
        }
    }
    Ok(Some(Explanation { score, k1: K1, b: B, documents: plan.documents, parts }))
}

fn fields(asked: &Asked<'_>, unit: &Unit, document: u32, only: &FixedBitSet) -> Result<Vec<PartField>, Stop> {
    let mut fields = Vec::new();
    let told = |field: usize, term: String, occurrences: u32, weight: f32| {
        let query = asked.field(field);
        let length = FieldNormReader::id_to_fieldnorm(query.of(asked.index)?.lengths.fieldnorm_id(document));
        let field = asked.index.fields()[query.number].spec.name.clone();
        Ok::<_, Stop>(PartField { field, term, occurrences, weight: f64::from(weight), length })
    };
    for source in &unit.sources {
        let Some(info) = &source.postings[asked.segment] else { continue };
        let terms = &asked.field(source.field).of(asked.index)?.terms;
        let mut postings = terms.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        if postings.doc() == document || (postings.doc() < document && postings.seek(document) == document) {
            fields.push(told(source.field, source.term.to_string(), postings.term_freq(), source.factor)?);
        }
    }
    for phrase in &unit.phrases {
        let mut count = 0;
        phrase.each(asked, Some(only), &mut |_, found| count = found)?;
        if count > 0 {
            let terms: Vec<&str> = phrase.words.iter().map(|word| &*word.term).collect();
            fields.push(told(phrase.field, terms.join(" "), count as u32, phrase.factor)?);
        }
    }
    Ok(fields)
}
