//! A fragment as it is handed out: marked, escaped, its ranges in UTF-16 code units, as JavaScript counts.

use super::Fragment;

/// What is put around what matches, and whether the rest is made safe for HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Markup<'a> {
    /// Put before each match, as it is.
    pub pre: &'a str,
    /// Put after each match, as it is.
    pub post: &'a str,
    /// Whether `&`, `<`, `>`, `"` and `'` of the text become character references.
    pub escape_html: bool,
}

/// A fragment, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The text with its markup.
    pub text: String,
    /// What matches, without its markup, in UTF-16 code units of `text`.
    pub ranges: Vec<(usize, usize)>,
}

impl Fragment<'_> {
    /// The fragment in `markup`.
    #[must_use]
    pub fn render(&self, markup: Markup<'_>) -> Rendered {
        let mut out = Rendered { text: String::with_capacity(self.text.len() + 16), ..Rendered::default() };
        let mut units = 0;
        let mut done = 0;
        for range in &self.ranges {
            units += put(&mut out.text, &self.text[done..range.start], markup.escape_html);
            units += put(&mut out.text, markup.pre, false);
            let start = units;
            units += put(&mut out.text, &self.text[range.clone()], markup.escape_html);
            out.ranges.push((start, units));
            units += put(&mut out.text, markup.post, false);
            done = range.end;
        }
        put(&mut out.text, &self.text[done..], markup.escape_html);
        out
    }
}

/// Appends `text`; returns how many UTF-16 code units that were.
fn put(out: &mut String, text: &str, escape_html: bool) -> usize {
    let start = out.len();
    if escape_html {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            out.push_str(&rest[..at]);
            out.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
    } else {
        out.push_str(text);
    }
    out[start..].encode_utf16().count()
}
