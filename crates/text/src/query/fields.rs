//! The fields that a query looks in, and how long their texts are.

use std::collections::BTreeMap;

use tantivy::fieldnorm::FieldNormReader;

use super::{B, K1, MAX_BOOST, TextQuery};
use crate::analyzer::{Analysis, Form};
use crate::index::{FieldData, TextForm};
use crate::{Error, FieldKind, Result, SegmentRef, TextIndex};

/// A field that a query looks in, in one form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryField {
    /// The field's number in the schema.
    pub number: usize,
    /// Which of its forms.
    pub form: usize,
    pub analysis: Analysis,
    /// What one occurrence in it counts for.
    pub boost: f64,
}

impl QueryField {
    /// The field's postings in a segment.
    pub fn of<'a>(&self, index: &'a TextIndex) -> Result<&'a TextForm> {
        let field = &index.fields()[self.number];
        match &field.data {
            FieldData::Text(forms) => Ok(&forms[self.form]),
            _ => Err(Error::query(&field.spec.name, "is not a text field")),
        }
    }
}

/// The fields that `query` names, or all of the schema, in the form that it asks for.
pub(crate) fn chosen(first: &TextIndex, query: &TextQuery) -> Result<Vec<QueryField>> {
    let all = first.fields();
    let mut boosts: BTreeMap<usize, f32> = BTreeMap::new();
    match &query.fields {
        None => {
            for (number, field) in all.iter().enumerate() {
                if let FieldKind::Text { boost, .. } = field.spec.kind {
                    boosts.insert(number, boost);
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
                boosts.insert(number, *boost);
            }
        }
    }
    let (mut fields, mut unfit) = (Vec::with_capacity(boosts.len()), None);
    for (number, boost) in boosts {
        let spec = &all[number].spec;
        let mut forms = spec.kind.analyses().enumerate();
        let form = match query.case_sensitive {
            None => forms.next(),
            Some(cased) => forms.find(|(_, analysis)| (analysis.form == Form::Exact) == cased),
        };
        match form {
            Some((form, analysis)) => fields.push(QueryField { number, form, analysis, boost: f64::from(boost) }),
            None if spec.kind.analyses().next().is_none() => {
                return Err(Error::query(
                    &spec.name,
                    format!("a {} field is filtered, not searched", spec.kind.name()),
                ));
            }
            None => unfit = Some(&spec.name),
        }
    }
    match (unfit, query.case_sensitive) {
        (Some(name), Some(cased)) if fields.is_empty() => {
            let form = if cased { "as it is written" } else { "without regard to capitals" };
            Err(Error::query(name, format!("its text is not indexed {form}")))
        }
        _ => Ok(fields),
    }
}

/// The fields that a part of a query looks in, and their lengths as one: a document is as long as its fields together, each as often
/// as its boost says.
pub(crate) struct Scope {
    /// Indexes into the plan's fields.
    pub fields: Vec<usize>,
    /// k1 · (1 − b).
    base: f32,
    /// For each field, k1 · b · boost · length ÷ average by the code of a length.
    tables: Vec<[f32; 256]>,
}

impl Scope {
    pub fn new(segments: &[SegmentRef<'_>], fields: &[QueryField], within: Vec<usize>) -> Result<Self> {
        let (mut average, mut documents) = (0.0, 0_u64);
        for segment in segments {
            documents += u64::from(segment.index.len());
            for field in &within {
                let tokens = fields[*field].of(segment.index)?.terms.total_num_tokens();
                average += fields[*field].boost * tokens as f64;
            }
        }
        average /= documents.max(1) as f64;
        let table = |field: &usize| {
            let mut table = [0.0; 256];
            for (code, share) in table.iter_mut().enumerate() {
                let length = f64::from(FieldNormReader::id_to_fieldnorm(code as u8));
                // Without a token there is no posting that could be weighed by it.
                if average > 0.0 {
                    *share = (K1 * B * fields[*field].boost * length / average) as f32;
                }
            }
            table
        };
        let tables = within.iter().map(table).collect();
        let base = if average > 0.0 { K1 * (1.0 - B) } else { K1 };
        Ok(Self { fields: within, base: base as f32, tables })
    }

    /// The lengths of one segment's documents.
    pub fn lengths<'a>(&'a self, fields: &[QueryField], index: &'a TextIndex) -> Result<Lengths<'a>> {
        let reader = |(at, field): (usize, &usize)| Ok((&fields[*field].of(index)?.lengths, &self.tables[at]));
        Ok(Lengths { base: self.base, fields: self.fields.iter().enumerate().map(reader).collect::<Result<_>>()? })
    }
}

/// How long the documents of a segment are, as the denominator of BM25 wants it.
pub(crate) struct Lengths<'a> {
    base: f32,
    fields: Vec<(&'a FieldNormReader, &'a [f32; 256])>,
}

impl Lengths<'_> {
    /// The norms of some documents.
    pub fn norms(&self, documents: &[u32], norms: &mut [f32]) {
        norms.fill(self.base);
        for (lengths, table) in &self.fields {
            for (norm, document) in norms.iter_mut().zip(documents) {
                *norm += table[usize::from(lengths.fieldnorm_id(*document))];
            }
        }
    }

    /// k1 · (1 − b + b · length ÷ average) of a document.
    #[inline]
    pub fn norm(&self, document: u32) -> f32 {
        let share = |sum: f32, (lengths, table): &(&FieldNormReader, &[f32; 256])| {
            sum + table[usize::from(lengths.fieldnorm_id(document))]
        };
        self.fields.iter().fold(self.base, share)
    }
}
