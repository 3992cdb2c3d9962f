//! Where a document shows what a query asked for.
//!
//! A [`Highlighter`] is made once for a query, from the very terms that the query looks for, each with its weight: what it marks is what
//! matched. It cuts the stored text of a hit with the analyzer that indexed it and keeps the places that show most. The work is
//! bounded: [`MAX_BYTES`] of a text are looked at, and no more of it once as many fragments as are wanted show every term.

mod fragment;
mod matches;
mod phrase;
mod render;
mod window;

use std::collections::BTreeMap;

use crate::query::QueryField;
use crate::{SegmentRef, TextPlan};
pub use fragment::Fragment;
use matches::FieldMatcher;
pub use render::{Markup, Rendered};

/// Bytes of a text that are searched for matches, from its beginning.
pub const MAX_BYTES: usize = 256 << 10;

/// How much of a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Lines before and after a line with a match.
    pub lines: usize,
    /// The most fragments of a text.
    pub fragments: usize,
}

/// The terms of a query, by field, ready to be looked for in texts.
pub struct Highlighter {
    fields: BTreeMap<String, FieldMatcher>,
}

impl Highlighter {
    /// For what `plan`, which was made for `segments`, looks for in them.
    #[must_use]
    pub fn new(segments: &[SegmentRef<'_>], plan: &TextPlan) -> Self {
        let plan = &plan.0;
        let mut fields: BTreeMap<String, FieldMatcher> = BTreeMap::new();
        let Some(first) = segments.first() else { return Self { fields } };
        let name = |field: &QueryField| first.index.fields()[field.number].spec.name.clone();
        for unit in plan.units.iter().filter(|unit| unit.scored) {
            let weight = f64::from(unit.weight());
            for source in &unit.sources {
                let field = &plan.fields[source.field];
                let matcher = fields.entry(name(field)).or_insert_with(|| FieldMatcher::new(field.analysis));
                matcher.add(source.term.as_bytes(), weight);
            }
            for phrase in &unit.phrases {
                let field = &plan.fields[phrase.field];
                let matcher = fields.entry(name(field)).or_insert_with(|| FieldMatcher::new(field.analysis));
                let words = phrase.words.iter().map(|word| (word.place, word.term.as_bytes()));
                matcher.add_phrase(words, phrase.slop, weight);
            }
        }
        Self { fields }
    }

    /// The places of `text`, the value of the field `field` in some document, that show most of what was asked, in the order of the text.
    pub fn fragments<'t>(&mut self, field: &str, text: &'t str, shape: Shape) -> Vec<Fragment<'t>> {
        let Some(matcher) = self.fields.get_mut(field) else { return Vec::new() };
        fragment::choose(text, matcher, shape)
    }
}
