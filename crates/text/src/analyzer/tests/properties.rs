//! What holds for every analyzer, in both forms, of documents and of queries.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tantivy::tokenizer::Token;

use super::{Analysis, Analyzer, Form, MAX_TERM_BYTES, tokens};

fn analyses() -> Vec<Analysis> {
    let languages = [("english", true), ("german", false), ("russian", true), ("arabic", false), ("turkish", false)];
    let languages = languages.map(|(name, stop)| Analyzer::language(name, stop).unwrap());
    let named = [Analyzer::Standard, Analyzer::Simple, Analyzer::Code, Analyzer::Cjk, Analyzer::Trigram];
    let both = |analyzer| [Form::Folded, Form::Exact].map(|form| Analysis { analyzer, form });
    named.into_iter().chain(languages).flat_map(both).collect()
}

/// Checks what is promised of tokens, and that each comes from its slice of the text alone.
fn check(analysis: Analysis, text: &str, tokens_of: &[Token], query: bool) {
    let mut position = 0;
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for token in tokens_of {
        let context = || format!("{analysis:?} {token:?} in {text:?}");
        // Of some words, an Arabic article alone for one, a stemmer leaves nothing.
        let stemmed = matches!(analysis.analyzer, Analyzer::Language { .. });
        assert!(stemmed || !token.text.is_empty(), "{}", context());
        assert!(token.text.len() <= MAX_TERM_BYTES, "{}", context());
        assert!(token.offset_from < token.offset_to && token.offset_to <= text.len(), "{}", context());
        assert!(text.is_char_boundary(token.offset_from) && text.is_char_boundary(token.offset_to), "{}", context());
        assert!(token.position >= position && token.position_length >= 1, "{}", context());
        position = token.position;
        if !query {
            assert!(last.insert(&token.text, position).is_none_or(|before| before < position), "{}", context());
            let again = tokens(analysis.document(), &text[token.offset_from..token.offset_to]);
            assert!(again.iter().any(|own| own.text == token.text), "{} gives {again:?}", context());
        }
    }
}

/// A text is found by itself: for each word that it asks for, some token that spans the word is in it.
fn finds_itself(analysis: Analysis, text: &str) {
    let document: BTreeSet<String> = tokens(analysis.document(), text).into_iter().map(|token| token.text).collect();
    let query = tokens(analysis.query(), text);
    let asked: BTreeSet<usize> = query.iter().map(|token| token.position).collect();
    for position in asked {
        let spans = |token: &Token| (token.position..token.position + token.position_length).contains(&position);
        let found = query.iter().filter(|token| spans(token)).any(|token| document.contains(&token.text));
        assert!(found, "{analysis:?} misses word {position} of {text:?}");
    }
}

fn check_all(text: &str) {
    let letters = text.chars().count();
    for analysis in analyses() {
        let document = tokens(analysis.document(), text);
        check(analysis, text, &document, false);
        assert!(document.len() <= 3 * letters, "{analysis:?} makes {} terms of {letters} letters", document.len());
        check(analysis, text, &tokens(analysis.query(), text), true);
        finds_itself(analysis, text);
    }
}

proptest! {
    #[test]
    fn tokens_keep_their_promises_for_any_text(text in "\\PC{0,60}") {
        check_all(&text);
    }

    #[test]
    fn tokens_keep_their_promises_for_what_is_hard(
        text in "[a-dA-D0-1_$.\\- /\u{301}\u{3099}éÉßİςΣ日本かがターﾊﾟ한\u{1112}\u{1161}ไทย\0\u{200d}🙂👩s]{0,40}"
    ) {
        check_all(&text);
    }

    #[test]
    fn spellings_of_a_name_find_each_other(words in prop::collection::vec("[a-z]{2,8}", 2..6)) {
        let capital = |word: &String| word[..1].to_uppercase() + &word[1..];
        let pascal: String = words.iter().map(capital).collect();
        let camel = words[0].clone() + &words[1..].iter().map(capital).collect::<String>();
        let spellings = [pascal, camel, words.join("_"), words.join("-"), words.join(" "), words.join("_").to_uppercase()];
        let analysis = Analysis { analyzer: Analyzer::Code, form: Form::Folded };
        for asked in &spellings {
            let query: BTreeSet<String> = tokens(analysis.query(), asked).into_iter().map(|t| t.text).collect();
            prop_assert!(query.contains(&words.concat()), "{} does not ask for the whole name", asked);
            for written in &spellings {
                let document = tokens(analysis.document(), written);
                prop_assert!(document.iter().all(|token| query.contains(&token.text)), "{} misses {}", asked, written);
            }
        }
    }
}

#[test]
fn texts_of_a_megabyte_are_cut_in_bounded_time_and_room() {
    let mega = 1 << 20;
    for unit in [
        "x",
        "X",
        "aB",
        "1a",
        "a_",
        "_",
        "日",
        "日\u{301}",
        "a\u{301}",
        "\u{301}",
        "\0",
        "ﷺ",
        "İ",
        "-a",
        "ﾟ",
        "\u{1161}",
        " ",
    ] {
        let text = unit.repeat(mega / unit.len());
        for analysis in analyses().into_iter().take(10).filter(|analysis| analysis.form == Form::Folded) {
            let document = tokens(analysis.document(), &text);
            assert!(document.iter().all(|token| token.text.len() <= MAX_TERM_BYTES));
            if analysis.analyzer == Analyzer::Code {
                assert!(tokens(analysis.query(), &text).len() <= document.len() + 256);
            }
        }
    }
}
