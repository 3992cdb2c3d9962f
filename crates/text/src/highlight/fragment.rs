//! Chooses the places of a text that show most of a query.

use std::ops::Range;

use super::matches::{FieldMatcher, Match};
use super::window::{around, letter_end, letter_start, widen};
use super::{MAX_BYTES, Shape};

/// A piece of a text and what in it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment<'t> {
    /// The piece.
    pub text: &'t str,
    /// The line of the text in which the first match begins, from 1. Lines end at `\n`.
    pub line: usize,
    /// The Unicode code point of that line at which it begins, from 1.
    pub column: usize,
    /// What matches, in bytes of the piece: at least one range, ascending, none touching another.
    pub ranges: Vec<Range<usize>>,
}

/// A line, or a piece of one, with matches.
struct Place {
    window: Range<usize>,
    /// Where it ended before the last match in it was shown whole.
    end: usize,
    /// The weights of its distinct terms.
    weight: f64,
    /// How many distinct terms it has.
    terms: usize,
}

/// The best fragments, in the order of the text.
pub(super) fn choose<'t>(text: &'t str, matcher: &mut FieldMatcher, shape: Shape) -> Vec<Fragment<'t>> {
    let (all, mut found) = look(text, matcher, shape);
    // The sort is stable: of places that show as much, the first.
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    found.truncate(shape.fragments);
    let mut windows: Vec<Range<usize>> =
        found.iter().map(|place| widen(text, place.window.clone(), shape.lines)).collect();
    windows.sort_by_key(|window| window.start);
    windows.dedup_by(|next, window| {
        let overlaps = next.start <= window.end;
        if overlaps {
            window.end = window.end.max(next.end);
        }
        overlaps
    });
    windows.into_iter().filter_map(|window| fragment(text, &all, window)).collect()
}

/// All matches as far as the text is looked at, and the places they are in.
fn look(text: &str, matcher: &mut FieldMatcher, shape: Shape) -> (Vec<Match>, Vec<Place>) {
    let looked_at = &text[..text.floor_char_boundary(MAX_BYTES.min(text.len()))];
    let weights = matcher.weights();
    let mut places: Vec<Place> = Vec::new();
    let mut all: Vec<Match> = Vec::new();
    // For each term, one more than the last place that has it.
    let mut seen = vec![0_usize; weights.len()];
    let mut complete = 0;
    matcher.each(looked_at, |found| {
        // What is cut off where looking ends is no word of the text.
        if found.bytes.end == looked_at.len() && looked_at.len() < text.len() {
            return false;
        }
        let inside = places.last().is_some_and(|place| found.bytes.start < place.window.end);
        if !inside {
            if places.last().is_some_and(|place| place.terms == weights.len()) {
                complete += 1;
                if complete == shape.fragments {
                    return false;
                }
            }
            let from = places.last().map_or(0, |place| place.window.end);
            let window = around(text, found.bytes.start, from);
            places.push(Place { end: window.end, window, weight: 0.0, terms: 0 });
        }
        let number = places.len();
        if let Some(place) = places.last_mut() {
            if seen[found.term] != number {
                seen[found.term] = number;
                place.weight += weights[found.term];
                place.terms += 1;
            }
            if found.bytes.start <= place.end {
                place.window.end = place.window.end.max(letter_end(text, found.bytes.end));
            }
            all.push(found);
        }
        true
    });
    (all, places)
}

/// The fragment of a window; none when nothing in it matches.
fn fragment<'t>(text: &'t str, matches: &[Match], window: Range<usize>) -> Option<Fragment<'t>> {
    let first = matches.partition_point(|found| found.bytes.start < window.start);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for found in &matches[first..] {
        if found.bytes.start >= window.end {
            break;
        }
        let start = letter_start(text, found.bytes.start).max(window.start) - window.start;
        let end = letter_end(text, found.bytes.end).min(window.end) - window.start;
        match ranges.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => ranges.push(start..end),
        }
    }
    let at = window.start + ranges.first()?.start;
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    Some(Fragment {
        text: &text[window],
        line: 1 + text[..line_start].matches('\n').count(),
        column: 1 + text[line_start..at].chars().count(),
        ranges,
    })
}
