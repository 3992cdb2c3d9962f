//! Substrings.

use proptest::prelude::*;

use super::{Analysis, Analyzer, Form, placed, tokens};

const TRIGRAM: Analysis = Analysis { analyzer: Analyzer::Trigram, form: Form::Folded };
const EXACT: Analysis = Analysis { analyzer: Analyzer::Trigram, form: Form::Exact };

#[test]
fn every_three_letters_are_a_term() {
    assert_eq!(placed(TRIGRAM.document(), "a Bcd"), "a b@0  bc@1 bcd@2");
    assert_eq!(placed(EXACT.document(), "ABcd"), "ABc@0 Bcd@1");
    assert_eq!(placed(TRIGRAM.document(), "ab"), "");
    assert_eq!(placed(TRIGRAM.document(), "İx"), "i\u{307}x@0");
}

#[test]
fn words_of_a_query_are_substrings_of_their_own() {
    assert_eq!(placed(TRIGRAM.query(), "abcd x efg"), "abc@0 bcd@1 efg@7");
    assert!(TRIGRAM.spells());
}

/// Whether the terms of `part` stand one after another in `text`.
fn spelt(analysis: Analysis, text: &str, part: &str) -> bool {
    let (text, part) = (tokens(analysis.document(), text), tokens(analysis.document(), part));
    text.windows(part.len()).any(|window| window.iter().zip(&part).all(|(a, b)| a.text == b.text))
}

fn folded(text: &str) -> String {
    text.replace('ς', "σ").chars().flat_map(char::to_lowercase).collect()
}

proptest! {
    #[test]
    fn a_text_contains_what_its_trigrams_spell(text in "[abA ß日İς\n]{0,24}", part in "[abA ß日İς\n]{3,5}") {
        prop_assert_eq!(spelt(TRIGRAM, &text, &part), folded(&text).contains(&folded(&part)));
        prop_assert_eq!(spelt(EXACT, &text, &part), text.contains(&part));
    }

    #[test]
    fn every_substring_of_three_letters_or_more_is_spelt(text in "\\PC{3,40}", from in 0_usize..20, length in 3_usize..20) {
        let letters: Vec<char> = text.chars().collect();
        let from = from.min(letters.len() - 3);
        let part: String = letters[from..].iter().take(length).collect();
        prop_assert!(spelt(TRIGRAM, &text, &part));
        prop_assert!(spelt(EXACT, &text, &part));
    }
}
