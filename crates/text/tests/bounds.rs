//! What a query can cost is bounded, whatever it asks for.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use cutover_text::{Error, Fuzzy, Mode, TextQuery, TextSchema, Value, search};
use support::{Built, all, build, never, text};

fn built(documents: &[String]) -> Built {
    let schema = TextSchema { fields: vec![text("body", 1.0)] };
    let values: Vec<Vec<(usize, Value<'_>)>> = documents.iter().map(|text| vec![(0, Value::Text(text))]).collect();
    build(&schema, &values)
}

fn asked(mode: Mode, query: impl Into<String>) -> TextQuery {
    TextQuery { mode, query: query.into(), ..TextQuery::default() }
}

fn refused(built: &Built, query: &TextQuery) -> String {
    match search(&[all(&built.index)], query, 5, &never) {
        Err(error @ (Error::Refused { .. } | Error::Syntax { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn beginnings_share_one_allowance() {
    let built = built(&[(0..2000).map(|at| format!("w{at}")).collect::<Vec<_>>().join(" ")]);
    let beginnings = |count: usize| {
        asked(Mode::Syntax, (0..count).map(|at| format!("w*^{}.5", at + 1)).collect::<Vec<_>>().join(" "))
    };
    let found = search(&[all(&built.index)], &beginnings(10), 5, &never).unwrap();
    assert_eq!(found.total, 1);
    let error = refused(&built, &beginnings(1000));
    assert!(error.contains("stand for more than 65536 terms"), "{error}");
}

#[test]
fn a_phrase_that_can_be_chosen_in_too_many_ways_is_refused() {
    let built = built(&["a ".repeat(100_000)]);
    let phrase = |words: usize, slop| TextQuery { slop, ..asked(Mode::Phrase, "a ".repeat(words)) };
    assert_eq!(search(&[all(&built.index)], &phrase(8, 0), 5, &never).unwrap().total, 1);
    assert_eq!(search(&[all(&built.index)], &phrase(2, 1), 5, &never).unwrap().total, 1);
    let error = refused(&built, &phrase(8, 3));
    assert!(error.contains("steps of work"), "{error}");
    let error = refused(&built, &phrase(65, 1));
    assert!(error.contains("at most 64"), "{error}");
    let error = refused(&built, &phrase(1025, 0));
    assert!(error.contains("at most 1024 words"), "{error}");
}

#[test]
fn of_words_the_first_32_are_looked_for_nearly_and_the_others_as_they_are() {
    let word = |at: usize| format!("word{at:03}");
    let built = built(&(0..70).map(word).collect::<Vec<_>>());
    let misspelt = (0..70).map(|at| format!("{}x", word(at))).collect::<Vec<_>>().join(" ");
    let query = TextQuery { fuzzy: Fuzzy::One, prefix_length: 1, ..asked(Mode::Words, misspelt) };
    assert_eq!(search(&[all(&built.index)], &query, 5, &never).unwrap().total, 32);
}

#[test]
fn of_a_very_long_text_the_first_words_are_looked_for() {
    let built = built(&["first".to_owned(), "last".to_owned()]);
    let found = |filling: usize| {
        let query = asked(Mode::Words, format!("first {} last", "x ".repeat(filling)));
        search(&[all(&built.index)], &query, 5, &never).unwrap().total
    };
    assert_eq!(found(16_000), 2);
    assert_eq!(found(17_000), 1);
    let error = refused(&built, &asked(Mode::Syntax, "a".repeat(70_000)));
    assert!(error.contains("65536 bytes"), "{error}");
}
