//! The postings of one field in one form: cuts texts, and looks up what it has cut before.
//!
//! Nearly every word of a text was there before. Where the terms of a word do not depend on what is around it, they are made once: from
//! then on, one look-up of the word as it is written finds its terms.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::tokenizer::{MAX_TOKEN_LEN, TextAnalyzer};

use super::arena::{Arena, Full};
use super::long::{LONGEST, LongWords};
use super::short::{Known, ShortWords};
use super::table::Hash;
use super::terms::Terms;
use crate::analyzer::{Analysis, Key, Scan, Words};

/// Short words that are cut off and looked up before any of them is added: look-ups then do not wait for each other's memory.
const AHEAD: usize = 32;
/// Positions between two texts of one field.
const GAP: u32 = 1;
/// Bytes of a listed term: its position in the word, its number.
const TERM: usize = 5;

/// What all forms of all fields share.
pub(super) struct Memory {
    pub hash: Hash,
    /// The bytes of terms.
    pub texts: Arena,
    /// What is known of words.
    pub words: Arena,
    pub lists: Arena,
}

pub(super) struct FormPostings {
    analyzer: TextAnalyzer,
    /// How texts are cut into words; none where the terms of a word depend on what is around it.
    cut: Option<Words>,
    short: ShortWords,
    long: LongWords,
    pub terms: Terms,
    /// The length of each document, as Tantivy codes it, up to the last that has one.
    pub lengths: Vec<u8>,
    /// The terms of all documents.
    pub total: u64,
    /// The terms of the document so far.
    length: u32,
    /// Where the next text of the document begins.
    position: u32,
    /// The terms of the word just analysed, each with its position in it; kept for its memory.
    found: Vec<(u32, u32)>,
}

/// A short word, cut off and looked up.
#[derive(Clone, Copy, Default)]
struct Ahead {
    from: usize,
    to: usize,
    key: Key,
    known: Option<Known>,
}

impl FormPostings {
    pub fn new(analysis: Analysis) -> Self {
        Self {
            analyzer: analysis.document(),
            cut: analysis.words(),
            short: ShortWords::default(),
            long: LongWords::default(),
            terms: Terms::default(),
            lengths: Vec::new(),
            total: 0,
            length: 0,
            position: 0,
            found: Vec::new(),
        }
    }

    /// Adds a text of the document.
    pub fn add(&mut self, document: u32, text: &str, memory: &mut Memory) -> Result<(), Full> {
        let end = match self.cut {
            Some(words) => self.cut_up(words, document, text, memory)?,
            None => self.position + self.analysed(document, self.position, text, memory)?,
        };
        self.position = end + GAP;
        Ok(())
    }

    /// Adds the words of a text; where the last term ends.
    fn cut_up(&mut self, words: Words, document: u32, text: &str, memory: &mut Memory) -> Result<u32, Full> {
        let mut ahead = [Ahead::default(); AHEAD];
        let (mut at, mut position, mut end) = (0, self.position, self.position);
        loop {
            let (mut count, mut other, mut more) = (0, None, true);
            while count < AHEAD {
                match words.scan(text, at) {
                    Scan::Short { from, to, key } => {
                        ahead[count] = Ahead { from, to, key, known: None };
                        count += 1;
                        at = to;
                    }
                    Scan::Other(from) => {
                        other = words.next(text, from);
                        more = other.is_some();
                        break;
                    }
                    Scan::End => {
                        more = false;
                        break;
                    }
                }
            }
            for word in &mut ahead[..count] {
                word.known = self.short.find(word.key, &memory.hash);
            }
            for word in &ahead[..count] {
                let known = match word.known {
                    Some(known) => known,
                    None => self.learn_short(&text[word.from..word.to], word.key, memory)?,
                };
                position += self.put(document, position, known, memory)?;
                if known.count > 0 {
                    end = position;
                }
            }
            if let Some((from, to)) = other {
                let before = self.length;
                position += self.word(document, position, &text[from..to], memory)?;
                if self.length > before {
                    end = position;
                }
                at = to;
            }
            if !more {
                return Ok(end);
            }
        }
    }

    /// Adds a word at a position; how many positions it takes.
    fn word(&mut self, document: u32, position: u32, word: &str, memory: &mut Memory) -> Result<u32, Full> {
        if word.len() > LONGEST {
            return Ok(self.analysed(document, position, word, memory)?.max(1));
        }
        let known = match self.long.find(word, &memory.hash, &memory.words) {
            (Some(known), _) => known,
            (None, hashed) => {
                let known = self.learn(word, memory)?;
                self.long.insert(word, hashed, known, &mut memory.words)?;
                known
            }
        };
        self.put(document, position, known, memory)
    }

    /// Adds the terms of a word at a position; how many positions it takes.
    fn put(&mut self, document: u32, position: u32, known: Known, memory: &mut Memory) -> Result<u32, Full> {
        if known.single {
            self.terms.push(known.terms, document, position, &mut memory.lists)?;
        } else if known.count > 0 {
            let listed = &memory.words.at(known.terms)[..usize::from(known.count) * TERM];
            for term in listed.chunks_exact(TERM) {
                let number = u32::from_le_bytes([term[1], term[2], term[3], term[4]]);
                self.terms.push(number, document, position + u32::from(term[0]), &mut memory.lists)?;
            }
        }
        self.length += u32::from(known.count);
        Ok(u32::from(known.positions))
    }

    /// Finds out the terms of a short word that was not known when it was looked up.
    fn learn_short(&mut self, word: &str, key: Key, memory: &mut Memory) -> Result<Known, Full> {
        // It may have come a few words ago.
        if let Some(known) = self.short.find(key, &memory.hash) {
            return Ok(known);
        }
        let known = self.learn(word, memory)?;
        self.short.insert(key, known, &memory.hash);
        Ok(known)
    }

    /// Finds out the terms of a word of at most [`LONGEST`] bytes.
    fn learn(&mut self, word: &str, memory: &mut Memory) -> Result<Known, Full> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let positions = self.analyse(word, memory, |_, _, number, within| {
            found.push((number, within));
            Ok(())
        })?;
        // A word has no more terms than bytes, but for the one that is all of it, and no more positions.
        let (count, positions) = (found.len() as u8, positions.max(1) as u8);
        let known = if let [(terms, 0)] = found[..] {
            Known { terms, count, positions, single: true }
        } else {
            let terms = memory.words.allocate(found.len() * TERM)?;
            let listed = memory.words.at_mut(terms).chunks_exact_mut(TERM);
            for ((number, within), term) in found.iter().zip(listed) {
                term[0] = *within as u8;
                term[1..].copy_from_slice(&number.to_le_bytes());
            }
            Known { terms, count, positions, single: false }
        };
        self.found = found;
        Ok(known)
    }

    /// Adds the terms of a text that begins at a position; how many positions they take.
    fn analysed(&mut self, document: u32, position: u32, text: &str, memory: &mut Memory) -> Result<u32, Full> {
        let mut length = self.length;
        let positions = self.analyse(text, memory, |terms, lists, number, within| {
            length += 1;
            terms.push(number, document, position + within, lists)
        })?;
        self.length = length;
        Ok(positions)
    }

    /// Gives `each` the terms of a text by number and position; where the last of them ends.
    fn analyse(
        &mut self,
        text: &str,
        memory: &mut Memory,
        mut each: impl FnMut(&mut Terms, &mut Arena, u32, u32) -> Result<(), Full>,
    ) -> Result<u32, Full> {
        let Memory { hash, texts, lists, .. } = memory;
        let mut stream = self.analyzer.token_stream(text);
        let mut end = 0;
        while stream.advance() {
            let token = stream.token();
            if token.text.len() <= MAX_TOKEN_LEN {
                let number = self.terms.number(token.text.as_bytes(), hash, texts, lists)?;
                each(&mut self.terms, lists, number, token.position as u32)?;
                end = end.max((token.position + token.position_length) as u32);
            }
        }
        Ok(end)
    }

    /// Ends the document.
    pub fn end(&mut self, document: u32) {
        if self.length > 0 {
            self.total += u64::from(self.length);
            self.lengths.resize(document as usize, 0);
            self.lengths.push(FieldNormReader::fieldnorm_to_id(self.length));
        }
        (self.length, self.position) = (0, 0);
    }

    pub fn memory_bytes(&self) -> usize {
        let found = self.found.capacity() * size_of::<(u32, u32)>();
        self.short.memory_bytes()
            + self.long.memory_bytes()
            + self.terms.memory_bytes()
            + self.lengths.capacity()
            + found
    }
}
