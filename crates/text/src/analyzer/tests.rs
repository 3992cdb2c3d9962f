#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cjk;
mod code;
mod properties;
mod trigrams;

use tantivy::tokenizer::{Stemmer, TextAnalyzer, Token, WhitespaceTokenizer};

use super::{Analysis, Analyzer, Form, Language, MAX_TERM_BYTES};

fn terms(analyzer: Analyzer, text: &str) -> Vec<String> {
    terms_in(Form::Folded, analyzer, text)
}

fn terms_in(form: Form, analyzer: Analyzer, text: &str) -> Vec<String> {
    tokens(Analysis { analyzer, form }.document(), text).into_iter().map(|token| token.text).collect()
}

fn tokens(mut stream: TextAnalyzer, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    stream.token_stream(text).process(&mut |token| tokens.push(token.clone()));
    tokens
}

/// Tokens as `term@position`, and `+length` where they span more than one.
fn placed(stream: TextAnalyzer, text: &str) -> String {
    let shown = tokens(stream, text).into_iter().map(|token| match token.position_length {
        1 => format!("{}@{}", token.text, token.position),
        length => format!("{}@{}+{length}", token.text, token.position),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn standard_words_are_runs_of_letters_and_digits_in_lower_case() {
    assert_eq!(terms(Analyzer::Standard, "The quick-brown fox, v2.0!"), ["the", "quick", "brown", "fox", "v2", "0"]);
}

#[test]
fn composed_and_decomposed_letters_are_the_same_term() {
    assert_eq!(terms(Analyzer::Standard, "cafe\u{301}s"), terms(Analyzer::Standard, "CAFÉS"));
    assert_eq!(terms(Analyzer::Standard, "ｆｕｌｌ Ⅷ"), ["full", "viii"]);
    assert_eq!(terms(Analyzer::Standard, "ΣΑΣ σας"), ["σασ", "σασ"]);
}

#[test]
fn scripts_without_spaces_give_a_term_for_each_letter() {
    assert_eq!(terms(Analyzer::Standard, "東京tower"), ["東", "京", "tower"]);
    assert_eq!(terms(Analyzer::Standard, "タワー"), ["タワー"]);
}

#[test]
fn text_without_a_letter_gives_no_term() {
    for text in ["", " ", "\0\0", "\u{301}", "\u{200d}\u{fe0f}", "🙂🙃", "-- ** ::"] {
        assert!(terms(Analyzer::Standard, text).is_empty(), "{text:?}");
        assert!(terms(Analyzer::Simple, text).is_empty(), "{text:?}");
    }
}

#[test]
fn a_word_that_is_too_long_is_dropped_alone() {
    let text = format!("before {} after", "x".repeat(MAX_TERM_BYTES + 1));
    assert_eq!(terms(Analyzer::Standard, &text), ["before", "after"]);
    let fits = "x".repeat(MAX_TERM_BYTES);
    assert_eq!(terms(Analyzer::Standard, &fits), [fits]);
}

#[test]
fn languages_stem_and_drop_their_commonest_words_when_asked() {
    let plain = Analyzer::language("english", false).unwrap();
    assert_eq!(terms(plain, "the running horses"), ["the", "run", "hors"]);
    let stop = Analyzer::language("english", true).unwrap();
    assert_eq!(terms(stop, "the running horses"), ["run", "hors"]);
}

#[test]
fn a_word_that_is_met_again_has_the_stem_that_it_had() {
    let words: Vec<String> = (0..6_000).map(|at| format!("{}running{}ed", at % 3, at / 2)).collect();
    let text = words.join(" ") + " horses " + &words.join(" ") + " horses";
    for name in ["english", "german"] {
        let language = Language::named(name).unwrap();
        let stemmer = Stemmer::new(language.tantivy());
        let plain = TextAnalyzer::builder(WhitespaceTokenizer::default()).filter(stemmer).build();
        let expected: Vec<String> = tokens(plain, &text).into_iter().map(|token| token.text).collect();
        assert!(terms(Analyzer::language(name, false).unwrap(), &text) == expected);
    }
}

#[test]
fn the_exact_form_keeps_words_as_they_are_written() {
    let english = Analyzer::language("english", true).unwrap();
    for analyzer in [Analyzer::Standard, Analyzer::Simple, english] {
        assert_eq!(terms_in(Form::Exact, analyzer, "The Running hors\u{e9}s ΣΑΣ"), ["The", "Running", "horsés", "ΣΑΣ"]);
    }
    assert_eq!(terms_in(Form::Exact, Analyzer::Standard, "Cafe\u{301} ﬁN"), ["Café", "fiN"]);
}

#[test]
fn an_unknown_language_or_a_missing_stop_list_is_refused() {
    assert_eq!(Analyzer::language("klingon", false), None);
    assert!(Analyzer::language("tamil", false).is_some());
    assert_eq!(Analyzer::language("tamil", true), None);
}

#[test]
fn every_language_is_called_by_its_own_name() {
    for name in Language::names() {
        assert_eq!(Language::named(name).unwrap().to_string(), name);
    }
}
