//! `words` queries: nothing that a user writes can make one fail, and every language's text is found by its own words.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::cell::Cell;

use cutover_text::{Analyzer, Case, Error, FieldKind, MAX_TERMS, Operator, TextQuery, TextSchema, Value, search};
use support::{Built, Choices, all, body, build, field, never, text, texts, words};

fn hits(built: &Built, query: &str, operator: Operator) -> Vec<u32> {
    let found = search(&[all(&built.index)], &words(query, operator), 100, &never).unwrap();
    assert_eq!(found.hits.len() as u64, found.total.min(100));
    found.hits.iter().map(|hit| hit.ordinal).collect()
}

fn corpus() -> Built {
    texts(
        &body(),
        &[
            "the quick brown fox",
            "Ein Café in Zürich",
            "東京タワー",
            "\u{301}\0",
            "",
            "AND OR NOT (title:x) \"quoted\"",
            "Привет, мир",
            "a-b_c",
        ],
    )
}

#[test]
fn no_text_makes_a_query_fail() {
    let built = corpus();
    let long = "x".repeat(1 << 20);
    let many = (0..200_000).map(|at| format!("w{at}")).collect::<Vec<_>>().join(" ");
    let nested = "(".repeat(100_000);
    let mixed = "\u{301}a\u{0}b\u{202e}🙂".repeat(10_000);
    let fixed = [
        "",
        " ",
        "\0",
        "\u{301}",
        "\u{feff}",
        "- *",
        "a:(^",
        "\"",
        "\\",
        "/re(/",
        "a~2^3",
        "[1 TO",
        "NOT",
        "AND OR",
        "*:*",
        "field:",
        "+-!",
        "\u{200d}",
        "\u{10ffff}",
        "🇨🇭👩‍👩‍👧",
        "%s%n",
        "'; DROP TABLE x",
        "ﷺ",
        "İ",
        "ß",
        long.as_str(),
        many.as_str(),
        nested.as_str(),
        mixed.as_str(),
    ];
    for query in fixed {
        for operator in [Operator::Or, Operator::And] {
            hits(&built, query, operator);
        }
    }
}

#[test]
fn arbitrary_strings_make_no_query_fail() {
    let built = corpus();
    let mut choices = Choices(7);
    let alphabet: Vec<char> =
        "ab \0()\"'*^~:+-\\/[]{}&|!?<>=.,;_\u{301}\u{200d}é東ア🙂ß\u{fffd}\u{e000}\n\tAZ09".chars().collect();
    for _ in 0..20_000 {
        let query: String = (0..choices.below(24))
            .map(|_| {
                if choices.once_in(4) {
                    char::from_u32(choices.below(0x11_0000) as u32).unwrap_or('x')
                } else {
                    alphabet[choices.below(alphabet.len())]
                }
            })
            .collect();
        hits(&built, &query, if choices.once_in(2) { Operator::And } else { Operator::Or });
    }
}

#[test]
fn unicode_text_is_found_by_its_words() {
    let built = corpus();
    assert_eq!(hits(&built, "CAFE\u{301}", Operator::Or), [1]);
    assert_eq!(hits(&built, "zürich", Operator::Or), [1]);
    assert_eq!(hits(&built, "京", Operator::Or), [2]);
    assert_eq!(hits(&built, "東京", Operator::And), [2]);
    assert_eq!(hits(&built, "МИР", Operator::Or), [6]);
    assert_eq!(hits(&built, "title", Operator::Or), [5]);
    assert_eq!(hits(&built, "\u{301}", Operator::Or), [] as [u32; 0]);
}

#[test]
fn every_word_must_occur_in_at_least_one_field() {
    let schema = TextSchema { fields: vec![text("title", 1.0), text("body", 1.0)] };
    let documents = [("red", "apple"), ("red apple", ""), ("green", "apple"), ("red", "red")];
    let documents: Vec<_> =
        documents.iter().map(|(title, body)| vec![(0, Value::Text(title)), (1, Value::Text(body))]).collect();
    let built = build(&schema, &documents);
    let mut found = hits(&built, "red apple red", Operator::And);
    found.sort_unstable();
    assert_eq!(found, [0, 1]);
    assert_eq!(hits(&built, "red missing", Operator::And), [] as [u32; 0]);
    assert_eq!(hits(&built, "-- !!", Operator::And), [] as [u32; 0], "no word at all matches nothing");
}

#[test]
fn fields_with_different_analyzers_share_the_words_of_a_query() {
    let english = Analyzer::language("english", true).unwrap();
    let kind = FieldKind::Text { analyzer: english, boost: 1.0, case: Case::Insensitive };
    let schema = TextSchema { fields: vec![text("exact", 1.0), field("stemmed", kind)] };
    let documents = [("running", "horses"), ("run", "horse"), ("the", "the")];
    let documents: Vec<_> = documents.iter().map(|(a, b)| vec![(0, Value::Text(a)), (1, Value::Text(b))]).collect();
    let built = build(&schema, &documents);
    assert_eq!(
        hits(&built, "running horse", Operator::And),
        [0],
        "a document needs the exact word or its stem in some field"
    );
    assert_eq!(hits(&built, "the", Operator::Or), [2], "a word that one field drops is found in the other");
}

#[test]
fn a_word_too_long_for_a_term_is_dropped_from_documents_and_queries_alike() {
    let long = "x".repeat(70_000);
    let document = format!("short {long}");
    let built = texts(&body(), &[&document, "other"]);
    assert_eq!(hits(&built, &long, Operator::Or), [] as [u32; 0]);
    assert_eq!(hits(&built, &document, Operator::And), [0]);
}

#[test]
fn of_too_many_words_the_rarest_are_looked_for() {
    let rare: Vec<String> = (0..MAX_TERMS).map(|at| format!("rare{at}")).collect();
    let all_words = format!("common {}", rare.join(" "));
    let mut documents = vec!["common".to_owned(); 5];
    documents.extend(rare.iter().cloned());
    let built = texts(&body(), &documents.iter().map(String::as_str).collect::<Vec<_>>());
    let found = search(&[all(&built.index)], &words(&all_words, Operator::Or), 1, &never).unwrap();
    assert_eq!(found.total, MAX_TERMS as u64, "the one common word is left out");
}

#[test]
fn a_field_that_cannot_be_searched_is_named() {
    let schema =
        TextSchema { fields: vec![text("body", 1.0), field("tag", FieldKind::Keyword { many: false, facet: false })] };
    let built = build(&schema, &[vec![(0, Value::Text("a"))]]);
    for (name, boost) in [("none", 1.0), ("tag", 1.0), ("body", f32::NAN), ("body", -1.0), ("body", f32::INFINITY)] {
        let query = TextQuery {
            query: "a".to_owned(),
            fields: Some(vec![(name.to_owned(), boost)]),
            operator: Operator::Or,
            ..TextQuery::default()
        };
        let error = search(&[all(&built.index)], &query, 1, &never).unwrap_err();
        assert!(matches!(&error, Error::Query { field, .. } if field == name), "{error}");
    }
}

#[test]
fn a_cancelled_search_says_so() {
    let built = corpus();
    for after in 0..3 {
        let asked = Cell::new(0);
        let cancel = || asked.replace(asked.get() + 1) >= after;
        let result = search(&[all(&built.index)], &words("the quick fox", Operator::Or), 10, &cancel);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    }
}

#[test]
fn nothing_to_search_finds_nothing() {
    assert_eq!(search(&[], &words("a", Operator::And), 10, &never).unwrap().total, 0);
    let empty = texts(&body(), &[]);
    assert_eq!(hits(&empty, "a", Operator::Or), [] as [u32; 0]);
    let no_fields = build(&TextSchema::default(), &[vec![], vec![]]);
    assert_eq!(hits(&no_fields, "a", Operator::Or), [] as [u32; 0]);
}
