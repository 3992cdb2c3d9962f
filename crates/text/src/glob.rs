//! Globs over keywords, paths above all.
//!
//! `?` is a character and `*` any number of them, neither a `/`; `**` as a whole part between slashes is any number of parts, none too;
//! `[a-z]` and `[!a-z]` (or `^`) are one character of a class, never a `/`; `{a,b}` is one of several; `\` takes a character as it
//! is. A pattern that begins with `!` excludes. A pattern is about the whole keyword and tells case apart.
//!
//! Ours, since libraries for paths of files read `?` as a byte, or go back without a bound on patterns made for that. Braces are
//! multiplied out, within a bound; what is left is compared from the left, going back to the last star alone, which costs at most
//! the keyword's length times the pattern's.

mod pattern;

use pattern::{Pattern, patterns};

use crate::{Error, Result};

/// The most patterns of one glob.
pub const MAX_PATTERNS: usize = 256;
/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1024;

/// Patterns that a keyword is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Glob {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// What a keyword that is included can begin with.
    beginnings: Vec<String>,
}

impl Glob {
    /// The keywords that one of the patterns describes and none of those excludes that begin with `!`; if all begin so, those that
    /// none excludes.
    ///
    /// # Errors
    /// [`Error::Query`] for no pattern or more than [`MAX_PATTERNS`], one that is too long, has a bracket or brace that does not end, or
    /// has too many alternatives.
    pub fn new(globs: &[String]) -> Result<Self> {
        if !(1..=MAX_PATTERNS).contains(&globs.len()) {
            return Err(Error::query("", format!("must have 1 to {MAX_PATTERNS} patterns, got {}", globs.len())));
        }
        let mut glob = Self { include: Vec::new(), exclude: Vec::new(), beginnings: Vec::new() };
        for text in globs {
            if text.len() > MAX_PATTERN_BYTES {
                let (at_most, length) = (MAX_PATTERN_BYTES, text.len());
                return Err(Error::query("", format!("a pattern has at most {at_most} bytes, got {length}")));
            }
            match text.strip_prefix('!') {
                Some(excluded) => glob.exclude.extend(patterns(excluded)?),
                None => glob.include.extend(patterns(text)?),
            }
        }
        if globs.iter().all(|text| text.starts_with('!')) {
            glob.include = patterns("**")?;
        }
        glob.beginnings = glob.include.iter().map(Pattern::beginning).collect();
        Ok(glob)
    }

    /// Whether a keyword is included and not excluded.
    #[must_use]
    pub fn matches(&self, keyword: &str) -> bool {
        let one_of = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(keyword));
        one_of(&self.include) && !one_of(&self.exclude)
    }

    /// Every keyword that matches begins with one of these.
    pub(crate) fn beginnings(&self) -> &[String] {
        &self.beginnings
    }

    /// How many patterns there are, braces multiplied out.
    pub(crate) fn len(&self) -> usize {
        self.include.len() + self.exclude.len()
    }
}

#[cfg(test)]
mod tests;
