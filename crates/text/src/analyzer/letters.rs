//! What letters are, and what small letters become of them: shared by every analyzer.

use super::Form;

/// Marks belong to the letter before them. The common ranges of scripts without marks are told apart cheaply.
pub(super) fn is_mark(c: char) -> bool {
    c >= '\u{300}' && !c.is_alphanumeric() && unicode_normalization::char::is_combining_mark(c)
}

/// Letters of scripts without spaces between words: Han, Hiragana, Thai, Lao, Myanmar, Khmer. A run of them would be a whole sentence.
pub(super) fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The letter at `at`, a boundary before the end of `text`.
pub(super) fn letter_at(text: &str, at: usize) -> char {
    text[at..].chars().next().unwrap_or('\0')
}

/// Where the first byte at or after `at` is that is no ASCII letter or digit.
pub(super) fn ascii_run_end(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    at + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len())
}

/// Lower case, letter by letter; both forms of the small sigma are one, since capitals do not tell which of them is meant.
pub(super) fn small(letters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    letters.flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c })
}

/// Appends letters to `term` in a form.
pub(super) fn push(letters: impl Iterator<Item = char>, form: Form, term: &mut String) {
    match form {
        Form::Folded => term.extend(small(letters)),
        Form::Exact => term.extend(letters),
    }
}

/// Appends ASCII to `term` in a form.
pub(super) fn push_ascii(word: &str, form: Form, term: &mut String) {
    let start = term.len();
    term.push_str(word);
    if form == Form::Folded {
        term[start..].make_ascii_lowercase();
    }
}

/// Whether a letter and what follows it must not be parted: marks, joiners, variation selectors, the second of two regional indicators
/// (any but the first of a row), skin tones and tags.
pub(crate) fn joins_the_letter_before(c: char) -> bool {
    c >= '\u{300}'
        && (is_mark(c)
            || matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}'
                | '\u{e0020}'..='\u{e007f}' | '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}'))
}
