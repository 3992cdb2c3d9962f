//! Highlights of the hits of one query: options from the boundary, fragments of stored documents as JSON.

use crate::document::{Members, Text, json_string};
use crate::error::{Error, Result};
use crate::query::Query;
use crate::schema::Field;
use crate::snapshot::Snapshot;
use cutover_text::{Highlighter, Markup, SegmentRef, Shape, TextPlan};
use serde::Deserialize;
use std::fmt::Write as _;

const MAX_LINES: usize = 100;
const MAX_FRAGMENTS: usize = 100;
const MAX_MARKUP_BYTES: usize = 1000;

/// What is shown of where a hit's text matches.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Highlight {
    /// Text fields; those of the text leg that their schema does not leave out, when absent.
    pub fields: Option<Vec<String>>,
    /// Lines before and after a line with a match, 0–100. Default 0.
    #[serde(default)]
    pub lines: usize,
    /// The most fragments of a field, 1–100. Default 3.
    #[serde(default = "three")]
    pub fragments: usize,
    /// Put before each match, as it is; at most 1,000 bytes. Default empty.
    #[serde(default)]
    pub pre: String,
    /// Put after each match.
    #[serde(default)]
    pub post: String,
    /// What the text between is made safe for. Default: nothing.
    pub escape: Option<Escape>,
}

/// What fragments are made safe for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Escape {
    /// `&`, `<`, `>`, `"` and `'` become character references.
    Html,
}

fn three() -> usize {
    3
}

impl Highlight {
    /// Checks every bound that does not depend on the schema.
    pub(crate) fn check(&self) -> Result<()> {
        if self.lines > MAX_LINES {
            return Err(Error::Range(format!("highlight.lines must be from 0 to {MAX_LINES}, got {}", self.lines)));
        }
        if !(1..=MAX_FRAGMENTS).contains(&self.fragments) {
            let fragments = self.fragments;
            return Err(Error::Range(format!(
                "highlight.fragments must be from 1 to {MAX_FRAGMENTS}, got {fragments}"
            )));
        }
        for (name, markup) in [("pre", &self.pre), ("post", &self.post)] {
            if markup.len() > MAX_MARKUP_BYTES {
                let length = markup.len();
                return Err(Error::Range(format!(
                    "highlight.{name} must be at most {MAX_MARKUP_BYTES} bytes of UTF-8, got {length}"
                )));
            }
        }
        Ok(())
    }
}

/// Makes the highlights of a query's hits.
pub(crate) struct Highlights<'a> {
    options: &'a Highlight,
    /// In the order of their names.
    fields: Vec<&'a str>,
    /// None for a query without a text leg: nothing of it is in a text.
    terms: Option<Highlighter>,
}

impl<'a> Highlights<'a> {
    /// None when the query does not ask for any. `plan` is that of its text leg.
    ///
    /// # Errors
    /// [`Error::Type`] for a field that is not text.
    pub fn new(snapshot: &'a Snapshot, query: &'a Query, plan: Option<&TextPlan>) -> Result<Option<Self>> {
        let Some(options) = &query.highlight else { return Ok(None) };
        let schema = &snapshot.schema;
        let mut fields: Vec<&str> = Vec::new();
        for name in options.fields.iter().flatten() {
            match schema.field(name) {
                Some((Field::Text { .. }, _)) => fields.push(name),
                _ => return Err(Error::Type(format!("highlight.fields: the schema has no text field {name:?}"))),
            }
        }
        if options.fields.is_none() {
            let shown = |name: &&str| matches!(schema.field(name), Some((Field::Text { highlight: true, .. }, _)));
            fields.extend(schema.names().filter(shown));
        }
        fields.sort_unstable();
        fields.dedup();
        let segments = snapshot.segments.iter().map(|view| SegmentRef { index: &view.segment.text, allowed: None });
        let terms = plan.map(|plan| Highlighter::new(&segments.collect::<Vec<_>>(), plan));
        Ok(Some(Self { options, fields, terms }))
    }

    /// Appends the highlights of a stored document to `json`, as an array.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not a document: the caller knows which.
    pub fn write(&mut self, stored: &str, json: &mut String) -> Result<()> {
        json.push('[');
        if let Some(terms) = &mut self.terms {
            let members: Members<'_> =
                serde_json::from_str(stored).map_err(|e| Error::Internal(format!("is not JSON: {e}")))?;
            let options = self.options;
            let shape = Shape { lines: options.lines, fragments: options.fragments };
            let escape_html = options.escape == Some(Escape::Html);
            let markup = Markup { pre: &options.pre, post: &options.post, escape_html };
            for name in &self.fields {
                let Some((_, raw)) = members.0.iter().find(|(member, _)| member == name) else { continue };
                let Text(text) = serde_json::from_str(raw.get())
                    .map_err(|e| Error::Internal(format!("has a text that is none: {e}")))?;
                for fragment in terms.fragments(name, &text, shape) {
                    let rendered = fragment.render(markup);
                    let (comma, shown) = (if json.ends_with('[') { "" } else { "," }, json_string(&rendered.text)?);
                    // Writing to a string cannot fail.
                    let _ = write!(
                        json,
                        "{comma}{{\"field\":\"{name}\",\"fragment\":{shown},\"line\":{},\"column\":{},\"ranges\":[",
                        fragment.line, fragment.column
                    );
                    for (at, (start, end)) in rendered.ranges.iter().enumerate() {
                        let _ = write!(json, "{}[{start},{end}]", if at > 0 { "," } else { "" });
                    }
                    json.push_str("]}");
                }
            }
        }
        json.push(']');
        Ok(())
    }
}
