//! Which part of a text is shown around a match.
//!
//! A line is shown whole if it is short; of a long one, a piece around the match that begins and ends at spaces where there are some
//! near, and never between a letter and what belongs to it. Nothing is read beyond what may be shown.

use std::ops::Range;

use crate::analyzer::joins_the_letter_before;

/// The longest line in bytes that is shown whole.
const LONGEST_LINE: usize = 240;
/// The longest line in bytes that is shown for being near a match.
const LONGEST_CONTEXT_LINE: usize = 1000;
/// Letters that are looked at to find where one with all that belongs to it begins or ends: more is no writing.
const LONGEST_LETTER: usize = 32;
/// Bytes that are shown before a match in a longer one.
const BEFORE: usize = 60;
/// How far from where a piece would be cut a space is looked for, in bytes.
const SPACE_WITHIN: usize = 24;

/// The line, or the piece of a line, around the byte `at`, not before `from`.
pub(super) fn around(text: &str, at: usize, from: usize) -> Range<usize> {
    let start = line_start(text, at, LONGEST_LINE).filter(|start| *start >= from);
    let end = line_end(text, at, LONGEST_LINE);
    if let (Some(start), Some(end)) = (start, end)
        && end - start <= LONGEST_LINE
    {
        return start..end;
    }
    let start = match line_start(text, at, BEFORE) {
        Some(start) => start,
        None => cut_before(text, at - BEFORE, at),
    };
    let start = start.max(from);
    let end = match line_end(text, at, LONGEST_LINE - (at - start).min(LONGEST_LINE)) {
        Some(end) => end,
        None => cut_after(text, start + LONGEST_LINE, at),
    };
    start..end.max(at)
}

/// The window with up to `lines` more lines on each side; none where it begins or ends within a line.
pub(super) fn widen(text: &str, window: Range<usize>, lines: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let Range { mut start, mut end } = window;
    for _ in 0..lines {
        if start == 0 || bytes[start - 1] != b'\n' {
            break;
        }
        let before = start - 1 - usize::from(start >= 2 && bytes[start - 2] == b'\r');
        match line_start(text, before, LONGEST_CONTEXT_LINE) {
            Some(line) => start = line,
            None => break,
        }
    }
    for _ in 0..lines {
        let newline = end + usize::from(bytes.get(end) == Some(&b'\r'));
        if bytes.get(newline) != Some(&b'\n') {
            break;
        }
        match line_end(text, newline + 1, LONGEST_CONTEXT_LINE) {
            Some(line) => end = line,
            None => break,
        }
    }
    start..end
}

/// Where the line of `at` begins, if that is no more than `within` bytes before.
fn line_start(text: &str, at: usize, within: usize) -> Option<usize> {
    let floor = at.saturating_sub(within);
    let before = &text.as_bytes()[floor..at];
    match before.iter().rposition(|byte| *byte == b'\n') {
        Some(newline) => Some(floor + newline + 1),
        None => (at <= within).then_some(0),
    }
}

/// Where the line of `at` ends, its line end not included, if that is no more than `within` bytes after.
fn line_end(text: &str, at: usize, within: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let ceiling = bytes.len().min(at.saturating_add(within + 1));
    match bytes[at..ceiling].iter().position(|byte| *byte == b'\n') {
        Some(0) => Some(at),
        Some(newline) => Some(at + newline - usize::from(bytes[at + newline - 1] == b'\r')),
        None => (ceiling == bytes.len() && ceiling - at <= within).then_some(bytes.len()),
    }
}

/// A place to begin a piece at or after `wanted`, and not after `at`.
fn cut_before(text: &str, wanted: usize, at: usize) -> usize {
    let start = letter_start(text, wanted);
    let near = (start + SPACE_WITHIN).min(at);
    let mut letters = text[start..at].char_indices().map(|(offset, c)| (start + offset, c));
    let space = letters.by_ref().take_while(|(place, _)| *place < near).find(|(_, c)| c.is_whitespace());
    match space {
        Some((place, c)) => place + c.len_utf8(),
        None => letter_start(text, wanted).min(at),
    }
}

/// A place to end a piece at or before `wanted`, and not before `at`.
fn cut_after(text: &str, wanted: usize, at: usize) -> usize {
    let end = letter_start(text, wanted.min(text.len())).max(at);
    let near = end.saturating_sub(SPACE_WITHIN).max(at);
    let mut letters = text[at..end].char_indices().rev().map(|(offset, c)| (at + offset, c));
    letters
        .by_ref()
        .take_while(|(place, _)| *place >= near)
        .find(|(_, c)| c.is_whitespace())
        .map_or(end, |(place, _)| place)
}

/// The beginning of the letter, with all that belongs to it, that `at` is in or before.
pub(super) fn letter_start(text: &str, at: usize) -> usize {
    let mut start = text.floor_char_boundary(at);
    for _ in 0..LONGEST_LETTER {
        if start == 0 || start == text.len() {
            break;
        }
        let before = text[..start].chars().next_back().unwrap_or(' ');
        let after = text[start..].chars().next().unwrap_or(' ');
        if !joins_the_letter_before(after) && before != '\u{200d}' {
            break;
        }
        start -= before.len_utf8();
    }
    start
}

/// The end of the letter, with all that belongs to it, that ends at `at` or later.
pub(super) fn letter_end(text: &str, at: usize) -> usize {
    let mut end = at;
    for _ in 0..LONGEST_LETTER {
        let Some(after) = text[end..].chars().next().filter(|_| end > 0) else { break };
        if !joins_the_letter_before(after) && !text[..end].ends_with('\u{200d}') {
            break;
        }
        end += after.len_utf8();
    }
    end
}
