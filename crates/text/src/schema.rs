//! The fields of a text index, and how Tantivy sees them.
//!
//! Tantivy sees the text fields alone, each form as `f` and two numbers, so that no name of a caller's can mean anything to it. Text is
//! indexed with frequencies, positions and lengths; everything else is a column of our own.

use cutover_durable::Digest;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};

use crate::analyzer::Analysis;
use crate::{Analyzer, Case, Error, Result, Value};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKind {
    /// Text, searched by words.
    Text {
        /// How text becomes terms.
        analyzer: Analyzer,
        /// Weight of the field where a query names none: finite, not negative.
        boost: f32,
        /// Whether capitals are told from small letters.
        case: Case,
    },
    /// An exact string: filtered and counted, never tokenised.
    Keyword {
        /// Whether a document may have several values.
        many: bool,
        /// Whether values may be counted.
        facet: bool,
    },
    /// A 64-bit float.
    Number {
        /// Whether a document may have several values.
        many: bool,
        /// Whether values may be counted.
        facet: bool,
    },
    /// An integer within ±2^53.
    Integer {
        /// Whether a document may have several values.
        many: bool,
        /// Whether values may be counted.
        facet: bool,
    },
    /// Milliseconds since the epoch.
    Date {
        /// Whether a document may have several values.
        many: bool,
        /// Whether values may be counted.
        facet: bool,
    },
    /// True or false.
    Boolean {
        /// Whether a document may have several values.
        many: bool,
        /// Whether values may be counted.
        facet: bool,
    },
}

impl FieldKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Keyword { .. } => "keyword",
            Self::Number { .. } => "number",
            Self::Integer { .. } => "integer",
            Self::Date { .. } => "date",
            Self::Boolean { .. } => "boolean",
        }
    }

    /// Whether a document may have several values. Several texts are one longer text.
    pub(crate) fn many(self) -> bool {
        match self {
            Self::Text { .. } => true,
            Self::Keyword { many, .. }
            | Self::Number { many, .. }
            | Self::Integer { many, .. }
            | Self::Date { many, .. }
            | Self::Boolean { many, .. } => many,
        }
    }

    /// The streams of terms of a text field, the one that queries use by default first; none of another.
    pub(crate) fn analyses(self) -> impl Iterator<Item = Analysis> {
        let forms = match self {
            Self::Text { analyzer, case, .. } => Some((analyzer, case.forms())),
            _ => None,
        };
        forms.into_iter().flat_map(|(analyzer, forms)| forms.iter().map(move |form| Analysis { analyzer, form: *form }))
    }

    pub(crate) fn facet(self) -> bool {
        match self {
            Self::Text { .. } => false,
            Self::Keyword { facet, .. }
            | Self::Number { facet, .. }
            | Self::Integer { facet, .. }
            | Self::Date { facet, .. }
            | Self::Boolean { facet, .. } => facet,
        }
    }

    pub(crate) fn holds(self, value: &Value<'_>) -> bool {
        self.name() == value.kind()
    }
}

/// A field's name and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSpec {
    /// The name that queries use; unique in its schema.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
}

/// The fields of a text index. Their order is their numbering in [`crate::TextBuilder::add`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextSchema {
    /// The fields, at most 1,024.
    pub fields: Vec<FieldSpec>,
}

/// The most fields of a schema: far above what the public API allows.
const MAX_FIELDS: usize = 1024;

impl TextSchema {
    /// Checks what [`crate::TextBuilder::new`] and [`crate::TextIndex::open`] rely on.
    pub(crate) fn check(&self) -> Result<()> {
        let fault = |spec: &FieldSpec, reason: String| Err(Error::Schema { field: spec.name.clone(), reason });
        let mut names = std::collections::HashSet::with_capacity(self.fields.len());
        for spec in &self.fields {
            if !names.insert(spec.name.as_str()) {
                return fault(spec, "is there twice".to_owned());
            }
            if names.len() > MAX_FIELDS {
                return fault(spec, format!("is one more than the {MAX_FIELDS} that a schema may have"));
            }
            if let FieldKind::Text { boost, .. } = spec.kind
                && !(boost.is_finite() && boost >= 0.0)
            {
                return fault(spec, format!("its boost must be finite and not negative, got {boost}"));
            }
        }
        Ok(())
    }

    /// What decides how a container's bytes are read: names, kinds and analyzers, in order. Boosts, `many` and `facet` do not.
    pub(crate) fn fingerprint(&self) -> Digest {
        let mut text = String::new();
        for spec in &self.fields {
            let analyzers = spec.kind.analyses().map(Analysis::name).collect::<Vec<_>>().join("+");
            text.extend([&spec.name, "\0", spec.kind.name(), "\0", &analyzers, "\n"]);
        }
        Digest::of(text.as_bytes())
    }

    /// Tantivy's schema, and what each form of each field is in it: text alone is.
    pub(crate) fn tantivy(&self) -> (Schema, Vec<Vec<Field>>) {
        let mut builder = Schema::builder();
        let mut add = |number: usize, form: usize, analysis: Analysis| {
            let indexing = TextFieldIndexing::default().set_tokenizer(&analysis.name());
            let indexing = indexing.set_index_option(IndexRecordOption::WithFreqsAndPositions);
            let options = TextOptions::default().set_indexing_options(indexing);
            builder.add_text_field(&format!("f{number}.{form}"), options)
        };
        let fields = self.fields.iter().enumerate().map(|(number, spec)| {
            spec.kind.analyses().enumerate().map(|(form, analysis)| add(number, form, analysis)).collect()
        });
        let fields = fields.collect();
        (builder.build(), fields)
    }
}
