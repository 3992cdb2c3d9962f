//! Highlights: fragments of stored text, and where in them a query matches.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use cutover_text::{
    Analyzer, Case, FieldKind, Fragment, Fuzzy, Highlighter, Markup, Mode, Operator, Shape, TextQuery, TextSchema,
};
use proptest::prelude::*;
use support::{Built, all, field, never, plan, texts, words};

const LINES: Shape = Shape { lines: 0, fragments: 3 };

fn schema(analyzer: Analyzer) -> TextSchema {
    TextSchema { fields: vec![field("body", FieldKind::Text { analyzer, boost: 1.0, case: Case::Insensitive })] }
}

fn highlighter(built: &Built, query: &str) -> Highlighter {
    Highlighter::new(&[all(&built.index)], &plan(&[all(&built.index)], &words(query, Operator::Or)))
}

/// Fragments with what matches in brackets, after `line:column`.
fn shown(analyzer: Analyzer, text: &str, query: &str, shape: Shape) -> Vec<String> {
    let built = texts(&schema(analyzer), &[text]);
    let fragments = highlighter(&built, query).fragments("body", text, shape);
    let markup = Markup { pre: "[", post: "]", escape_html: false };
    fragments.iter().map(|f| format!("{}:{} {}", f.line, f.column, f.render(markup).text)).collect()
}

const SOURCE: &str =
    "// Requests.\r\n\r\nfunction parseHTTPRequest(text) {\r\n  const parse = 1\r\n  return parse\r\n}\n";

#[test]
fn lines_of_code_are_shown_with_their_places() {
    assert_eq!(
        shown(Analyzer::Code, SOURCE, "parse_http_request", Shape { lines: 0, fragments: 1 }),
        ["3:10 function [parseHTTPRequest](text) {"],
        "the line that has the name is better than those that have a part"
    );
    assert_eq!(
        shown(Analyzer::Code, SOURCE, "parse", LINES),
        ["3:10 function [parse]HTTPRequest(text) {", "4:9   const [parse] = 1", "5:10   return [parse]"]
    );
    assert_eq!(
        shown(Analyzer::Code, SOURCE, "requests", Shape { lines: 2, fragments: 3 }),
        ["1:4 // [Requests].\r\n\r\nfunction parseHTTPRequest(text) {"]
    );
    assert_eq!(
        shown(Analyzer::Code, SOURCE, "const return", Shape { lines: 1, fragments: 3 }),
        ["4:3 function parseHTTPRequest(text) {\r\n  [const] parse = 1\r\n  [return] parse\r\n}"],
        "what overlaps is one fragment"
    );
}

#[test]
fn what_a_stem_matches_is_shown_as_it_is_written() {
    let english = Analyzer::language("english", true).unwrap();
    assert_eq!(shown(english, "The Horses were running.", "horse run", LINES), ["1:5 The [Horses] were [running]."]);
}

#[test]
fn pairs_of_letters_are_shown_as_one_match() {
    assert_eq!(shown(Analyzer::Cjk, "今日は東京都へ", "東京都", LINES), ["1:4 今日は[東京都]へ"]);
}

#[test]
fn a_substring_is_shown_where_all_of_it_is() {
    let text = "preconditions, preface; recondition pre_con";
    assert_eq!(
        shown(Analyzer::Trigram, text, "RECOND", LINES),
        ["1:2 p[recond]itions, preface; [recond]ition pre_con"]
    );
    assert_eq!(
        shown(Analyzer::Trigram, text, "x pre", LINES),
        ["1:1 [pre]conditions, [pre]face; recondition [pre]_con"]
    );
    assert!(shown(Analyzer::Trigram, text, "condext", LINES).is_empty());
}

/// As [`shown`], of a field with both forms.
fn shown_by(query: &TextQuery, text: &str) -> Vec<String> {
    let kind = FieldKind::Text { analyzer: Analyzer::Standard, boost: 1.0, case: Case::Both };
    let built = texts(&TextSchema { fields: vec![field("body", kind)] }, &[text]);
    let mut highlighter = Highlighter::new(&[all(&built.index)], &plan(&[all(&built.index)], query));
    let markup = Markup { pre: "[", post: "]", escape_html: false };
    highlighter.fragments("body", text, LINES).iter().map(|fragment| fragment.render(markup).text).collect()
}

#[test]
fn what_matches_is_shown_in_every_mode_of_a_query() {
    let text = "big red cats, Red big cat; red cat\ncats";
    let query = |query: &str, mode| TextQuery { query: query.to_owned(), mode, ..TextQuery::default() };
    assert_eq!(shown_by(&query("red cat", Mode::Phrase), text), ["big red cats, Red big cat; [red] [cat]"]);
    let moved = TextQuery { slop: 1, ..query("red cat", Mode::Phrase) };
    assert_eq!(shown_by(&moved, text), ["big red cats, [Red] big [cat]; [red] [cat]"]);
    assert_eq!(
        shown_by(&query("big ca", Mode::Prefix), text),
        ["[big] red [cats], Red [big] [cat]; red [cat]", "[cats]"]
    );
    assert_eq!(shown_by(&query("c.ts", Mode::Regex), text), ["big red [cats], Red big cat; red cat", "[cats]"]);
    assert_eq!(shown_by(&query("\"big red\" -dog", Mode::Syntax), text), ["[big] [red] cats, Red big cat; red cat"]);
    let near = TextQuery { fuzzy: Fuzzy::One, prefix_length: 1, ..query("rad", Mode::Words) };
    assert_eq!(shown_by(&near, text), ["big [red] cats, [Red] big cat; [red] cat"]);
    let cased = TextQuery { case_sensitive: Some(true), ..query("Red", Mode::Words) };
    assert_eq!(shown_by(&cased, text), ["big red cats, [Red] big cat; red cat"]);
}

#[test]
fn columns_count_code_points_and_ranges_count_utf16() {
    let text = "👩‍👩‍👧 cafe\u{301} naïve 日本 𝒳yz";
    let built = texts(&schema(Analyzer::Standard), &[text]);
    let fragments = highlighter(&built, "café 本 xyz").fragments("body", text, LINES);
    let rendered = fragments[0].render(Markup::default());
    assert_eq!((fragments[0].line, fragments[0].column), (1, 7), "five code points of a family and a space");
    let units: Vec<u16> = rendered.text.encode_utf16().collect();
    let slices: Vec<_> = rendered.ranges.iter().map(|(a, b)| String::from_utf16(&units[*a..*b]).unwrap()).collect();
    assert_eq!(slices, ["cafe\u{301}", "本", "𝒳yz"]);
}

#[test]
fn a_mark_that_an_analyzer_leaves_out_is_shown_with_its_letter() {
    assert_eq!(shown(Analyzer::Simple, "cafe\u{301} x", "cafe", LINES), ["1:1 [cafe\u{301}] x"]);
}

#[test]
fn markup_of_the_text_is_made_safe_and_ranges_follow() {
    let text = "<b>\"R&D\"</b> isn't <i>fun</i>";
    let built = texts(&schema(Analyzer::Standard), &[text]);
    let fragments = highlighter(&built, "d fun").fragments("body", text, LINES);
    let rendered = fragments[0].render(Markup { pre: "<mark>", post: "</mark>", escape_html: true });
    assert_eq!(
        rendered.text,
        "&lt;b&gt;&quot;R&amp;<mark>D</mark>&quot;&lt;/b&gt; isn&#39;t &lt;i&gt;<mark>fun</mark>&lt;/i&gt;"
    );
    let slices: Vec<_> = rendered.ranges.iter().map(|(a, b)| &rendered.text[*a..*b]).collect();
    assert_eq!(slices, ["D", "fun"]);
}

#[test]
fn a_long_line_is_shown_around_its_matches() {
    let text = format!("{} needle {} needle {}", "hay ".repeat(5_000), "hay ".repeat(5_000), "hay ".repeat(5_000));
    let found = shown(Analyzer::Standard, &text, "needle", Shape { lines: 3, fragments: 3 });
    assert_eq!(found.len(), 2);
    for (fragment, column) in found.iter().zip(["1:20002 ", "1:40010 "]) {
        assert!(fragment.starts_with(column) && fragment.contains("hay [needle]") || fragment.contains(" [needle]"));
        assert!(fragment.len() < 280, "{fragment}");
        assert!(fragment.trim_start_matches(column).trim().starts_with("hay"), "{fragment}");
    }
}

#[test]
fn a_text_that_matches_everywhere_gives_short_fragments() {
    for (analyzer, unit) in [(Analyzer::Trigram, "a"), (Analyzer::Standard, "aaa "), (Analyzer::Trigram, "🇨🇭")] {
        let text = unit.repeat(400_000 / unit.len());
        let query = if unit.len() > 4 { unit.repeat(2) } else { "aaa".to_owned() };
        let found = shown(analyzer, &text, &query, Shape { lines: 5, fragments: 3 });
        assert!((1..=3).contains(&found.len()), "pieces that touch are one");
        assert!(found.iter().all(|fragment| fragment.len() < 1200), "{analyzer:?}");
    }
}

#[test]
fn nothing_is_shown_where_nothing_matches() {
    assert!(shown(Analyzer::Standard, "some text", "other", LINES).is_empty());
    assert!(shown(Analyzer::Standard, "some text", "", LINES).is_empty());
    assert!(shown(Analyzer::Standard, "some text", "some", Shape { lines: 0, fragments: 0 }).is_empty());
    let built = texts(&schema(Analyzer::Standard), &["some text"]);
    assert!(highlighter(&built, "some").fragments("title", "some text", LINES).is_empty());
}

/// What is promised of a fragment of `text`.
fn check(text: &str, fragment: &Fragment<'_>) {
    let start = fragment.text.as_ptr() as usize - text.as_ptr() as usize;
    assert_eq!(&text[start..start + fragment.text.len()], fragment.text);
    assert!(!fragment.ranges.is_empty() && fragment.ranges.iter().all(|range| range.start < range.end));
    assert!(fragment.ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
    let first = start + fragment.ranges[0].start;
    let before: Vec<&str> = text[..first].split('\n').collect();
    assert_eq!(fragment.line, before.len());
    assert_eq!(fragment.column, before[before.len() - 1].chars().count() + 1);
    for escape_html in [false, true] {
        let plain = fragment.render(Markup { escape_html, ..Markup::default() });
        let marked = fragment.render(Markup { pre: "<m>", post: "</m>", escape_html });
        assert_eq!(plain.ranges.len(), fragment.ranges.len());
        let units: Vec<u16> = plain.text.encode_utf16().collect();
        let marked_units: Vec<u16> = marked.text.encode_utf16().collect();
        for ((range, (a, b)), (c, d)) in fragment.ranges.iter().zip(&plain.ranges).zip(&marked.ranges) {
            let slice = String::from_utf16(&units[*a..*b]).unwrap();
            assert_eq!(slice, String::from_utf16(&marked_units[*c..*d]).unwrap());
            assert!(String::from_utf16(&marked_units[..*c]).unwrap().ends_with("<m>"));
            assert!(String::from_utf16(&marked_units[*d..]).unwrap().starts_with("</m>"));
            if !escape_html {
                assert_eq!(slice, fragment.text[range.clone()]);
            }
        }
        if escape_html {
            assert!(!plain.text.contains(['<', '>', '"', '\'']));
        } else {
            assert_eq!(plain.text, fragment.text);
        }
    }
}

fn analyzers() -> impl Strategy<Value = Analyzer> {
    let english = Analyzer::language("english", false).unwrap();
    prop::sample::select(vec![
        Analyzer::Standard,
        Analyzer::Simple,
        Analyzer::Code,
        Analyzer::Cjk,
        Analyzer::Trigram,
        english,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_hit_shows_why_it_is_one(
        analyzer in analyzers(),
        documents in prop::collection::vec("([a-c日本é]{1,3}[ _.\n]{0,2}|<&\"👩\u{200d}👧\u{301}|\\PC| {90}){0,60}", 1..4),
        query in "[a-c日本é]{1,3}( [a-c日本é]{1,3}){0,2}",
        lines in 0_usize..3,
    ) {
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let built = texts(&schema(analyzer), &documents);
        let mut highlighter = highlighter(&built, &query);
        let found = cutover_text::search(&[all(&built.index)], &words(&query, Operator::Or), 10, &never).unwrap();
        for (ordinal, text) in documents.iter().enumerate() {
            let fragments = highlighter.fragments("body", text, Shape { lines, fragments: 3 });
            let hit = found.hits.iter().any(|hit| hit.ordinal as usize == ordinal);
            prop_assert_eq!(hit, !fragments.is_empty());
            prop_assert!(fragments.len() <= 3);
            for fragment in &fragments {
                check(text, fragment);
            }
        }
    }
}
