//! Reduces words to their stems, each of the common ones once.
//!
//! A stemmer costs many times what cutting a word out costs, and a few words make most of a text: those met lately are remembered with
//! their stems. A short text is not worth the memory's setting up.

use tantivy::tokenizer::{RawTokenizer, Stemmer, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer};

use super::Language;

/// Words that are remembered. Each has one place, where the next word of that place takes over.
const PLACES: usize = 8192;
/// Words that are stemmed before any is remembered.
const WORTHWHILE: usize = 512;
/// The longest word in bytes that is remembered.
const LONGEST: usize = 64;

/// Makes tokens their stems.
#[derive(Clone)]
pub(super) struct Stems {
    stemmer: TextAnalyzer,
    stemmed: usize,
    /// Words with their stems; none until it is worthwhile.
    known: Vec<(String, String)>,
}

impl Stems {
    pub fn new(language: Language) -> Self {
        let stemmer = TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(language.tantivy())).build();
        Self { stemmer, stemmed: 0, known: Vec::new() }
    }

    fn stem(&mut self, word: &mut String) {
        if word.len() > LONGEST || self.stemmed < WORTHWHILE {
            self.stemmed += 1;
            let stem = self.work_out(word);
            word.clear();
            word.push_str(&stem);
            return;
        }
        if self.known.is_empty() {
            self.known.resize(PLACES, Default::default());
        }
        let place = place(word);
        if self.known[place].0 != *word {
            self.known[place] = (word.clone(), self.work_out(word));
        }
        word.clear();
        word.push_str(&self.known[place].1);
    }

    fn work_out(&mut self, word: &str) -> String {
        let mut tokens = self.stemmer.token_stream(word);
        if tokens.advance() { std::mem::take(&mut tokens.token_mut().text) } else { word.to_owned() }
    }
}

/// Where a word is remembered: FNV-1a, whose upper bits are the better mixed.
fn place(word: &str) -> usize {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    (word.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, mix) >> 32) as usize % PLACES
}

impl TokenFilter for Stems {
    type Tokenizer<T: Tokenizer> = Stemming<T>;

    fn transform<T: Tokenizer>(self, words: T) -> Stemming<T> {
        Stemming { stems: self, words }
    }
}

/// A tokenizer whose tokens are stems.
#[derive(Clone)]
pub(super) struct Stemming<T> {
    stems: Stems,
    words: T,
}

impl<T: Tokenizer> Tokenizer for Stemming<T> {
    type TokenStream<'a> = StemStream<'a, T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        StemStream { stems: &mut self.stems, words: self.words.token_stream(text) }
    }
}

pub(super) struct StemStream<'a, S> {
    stems: &'a mut Stems,
    words: S,
}

impl<S: TokenStream> TokenStream for StemStream<'_, S> {
    fn advance(&mut self) -> bool {
        if !self.words.advance() {
            return false;
        }
        self.stems.stem(&mut self.words.token_mut().text);
        true
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}
