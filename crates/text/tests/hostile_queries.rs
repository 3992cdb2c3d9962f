//! No text of a query ends in anything but an answer or a typed error, in any mode. `CUTOVER_HOSTILE_STRINGS` says how many are tried (default
//! 1,500); each is tried in every mode.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use cutover_text::{
    Analyzer, Case, Error, FieldKind, FieldSpec, Fuzzy, Mode, Operator, TextPlan, TextQuery, TextSchema, Value, search,
};
use support::{Choices, all, build, never};

const MODES: [Mode; 5] = [Mode::Words, Mode::Syntax, Mode::Phrase, Mode::Prefix, Mode::Regex];

/// What strings are made of: what means something to some query language, and what breaks those who count bytes.
const PIECES: [&str; 62] = [
    "(",
    ")",
    "((((",
    "))))",
    "\"",
    "\"\"",
    "'",
    "`",
    "- *",
    "a:(^",
    "*",
    "**",
    "?",
    "~",
    "~2",
    "~99999999999999999999",
    "^",
    "^^",
    "^1e999",
    "^-1",
    ":",
    "::",
    "title:",
    "title:(",
    "no:",
    "AND",
    "OR",
    "NOT",
    "AND NOT",
    "NOT NOT NOT",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "[",
    "]",
    "[a TO z]",
    "{",
    "}",
    "{1000}",
    "{1000}{1000}",
    "|",
    "(?i)",
    "(?P<a>",
    "\\",
    "\\\\",
    "\\p{L}",
    ".*",
    ".*.*.*.*",
    "(a*)*",
    "(a|a)*",
    " ",
    "\t\n",
    "\0",
    "\u{fffd}",
    "\u{202e}",
    "e\u{301}",
    "😀",
    "字",
    "ﬃ",
    "parseHTTPRequest",
];

fn schema() -> TextSchema {
    let text = |name: &str, analyzer, case| FieldSpec {
        name: name.to_owned(),
        kind: FieldKind::Text { analyzer, boost: 1.0, case },
    };
    let english = Analyzer::language("english", true).unwrap();
    TextSchema {
        fields: vec![
            text("title", Analyzer::Standard, Case::Both),
            text("body", english, Case::Insensitive),
            text("code", Analyzer::Code, Case::Insensitive),
            text("part", Analyzer::Trigram, Case::Insensitive),
            text("cjk", Analyzer::Cjk, Case::Sensitive),
        ],
    }
}

fn string(choices: &mut Choices) -> String {
    let pieces = match choices.below(50) {
        0 => 2000,
        1..10 => 60,
        _ => 8,
    };
    let mut string = String::new();
    for _ in 0..=choices.below(pieces) {
        string.push_str(PIECES[choices.below(PIECES.len())]);
        if choices.once_in(3) {
            string.push(' ');
        }
        if choices.once_in(5) {
            string.push_str(["a", "word", "the", "request", "字字字"][choices.below(5)]);
        }
    }
    string
}

#[test]
fn every_text_is_answered_or_refused_in_every_mode() {
    let documents: Vec<String> = (0..300)
        .map(|at| format!("the word {at} parseHTTPRequest a 字字字 ﬃ e\u{301} {}", PIECES[at % PIECES.len()]))
        .collect();
    let values: Vec<Vec<(usize, Value<'_>)>> =
        documents.iter().map(|text| (0..5).map(|field| (field, Value::Text(text))).collect()).collect();
    let built = build(&schema(), &values);
    let refs = [all(&built.index)];
    let tried = std::env::var("CUTOVER_HOSTILE_STRINGS").ok().and_then(|n| n.parse().ok()).unwrap_or(1500);
    let (mut choices, mut answered, mut refused) = (Choices(10), 0_u64, 0_u64);
    for number in 0..tried {
        let text = string(&mut choices);
        for mode in MODES {
            let fuzzy = [Fuzzy::Exact, Fuzzy::One, Fuzzy::Two, Fuzzy::Auto][number % 4];
            let fuzzy = if mode == Mode::Regex { Fuzzy::Exact } else { fuzzy };
            let operator = [Operator::Or, Operator::And][number % 2];
            let case_sensitive = [None, Some(true), Some(false)][number % 3];
            let query = TextQuery {
                query: text.clone(),
                mode,
                operator,
                fuzzy,
                prefix_length: 1,
                case_sensitive,
                slop: 2,
                fields: None,
            };
            let planned = TextPlan::new(&refs, &query, &never);
            match planned.and_then(|plan| Ok((plan.search(&refs, 5, &never)?, plan))) {
                Ok((found, plan)) => {
                    answered += 1;
                    for hit in &found.hits {
                        assert!(hit.score.is_finite());
                        assert!(plan.explain(&refs, (0, hit.ordinal)).unwrap().is_some(), "{query:?}");
                    }
                }
                Err(Error::Syntax { .. } | Error::Refused { .. }) if mode != Mode::Words => refused += 1,
                Err(error) => panic!("{query:?}: {error}"),
            }
        }
    }
    println!("{tried} strings in {} modes: {answered} answered, {refused} refused", MODES.len());
    assert!(answered > refused && refused > 0);
}

#[test]
fn a_megabyte_of_one_word_of_many_words_and_of_parentheses_is_answered_or_refused() {
    let built = build(&schema(), &[vec![(0, Value::Text("a word"))]]);
    for text in
        ["a".repeat(1 << 20), "a ".repeat(1 << 19), "(".repeat(1 << 20), "\"".repeat(1 << 20), "a*".repeat(1 << 19)]
    {
        for mode in MODES {
            let query = TextQuery { query: text.clone(), mode, ..TextQuery::default() };
            match search(&[all(&built.index)], &query, 5, &never) {
                Ok(found) => assert!(found.work < 100_000, "{mode:?} of {:?}…: {}", &text[..8], found.work),
                Err(Error::Syntax { .. } | Error::Refused { .. }) if mode != Mode::Words => {}
                Err(error) => panic!("{mode:?} of {:?}…: {error}", &text[..8]),
            }
        }
    }
}
