//! The postings of one field in one form: cuts texts, and looks up what it has cut before.
//!
//! Nearly every word of a text was there before. Where the terms of a word do not depend on what is around it, they are made once: from
//! then on, one look-up of the word as it is written finds its terms.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::tokenizer::{MAX_TOKEN_LEN, TextAnalyzer};

use super::arena::Arena;
use super::inverter::{Inverter, PORTION};
use super::lists::{DOCUMENT, Occurrence};
use super::long::{LONGEST, LongWords};
use super::short::{Known, ShortWords};
use super::table::Hash;
use super::terms::Terms;
use crate::analyzer::{Analysis, Key, Scan, Words};
use crate::guard::Stop;

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
    pub lists: Inverter,
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
    outgoing: Outgoing,
}

/// Occurrences that are not on their way to the lists yet.
struct Outgoing {
    form: usize,
    /// The last document that was named.
    document: Option<u32>,
    waiting: Vec<Occurrence>,
}

impl Outgoing {
    /// Names the document that what follows is in.
    fn begin(&mut self, document: u32) {
        if self.document.replace(document) != Some(document) {
            self.waiting.push((DOCUMENT, document));
        }
    }

    fn send_if_full(&mut self, lists: &mut Inverter) -> Result<(), Stop> {
        if self.waiting.len() < PORTION { Ok(()) } else { lists.add(self.form, &mut self.waiting) }
    }
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
    pub fn new(number: usize, analysis: Analysis) -> Self {
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
            outgoing: Outgoing { form: number, document: None, waiting: Vec::new() },
        }
    }

    /// Adds a text of the document.
    pub fn add(&mut self, document: u32, text: &str, memory: &mut Memory) -> Result<(), Stop> {
        self.outgoing.begin(document);
        let end = match self.cut {
            Some(words) => self.cut_up(words, text, memory)?,
            None => self.position + self.analysed(self.position, text, memory)?,
        };
        self.position = end + GAP;
        Ok(())
    }

    /// Adds the words of a text; where the last term ends.
    fn cut_up(&mut self, words: Words, text: &str, memory: &mut Memory) -> Result<u32, Stop> {
        let mut ahead = [Ahead::default(); AHEAD];
        let mut scanner = words.scanner(text);
        let (mut position, mut end) = (self.position, self.position);
        loop {
            let (mut count, mut other, mut more) = (0, None, true);
            while count < AHEAD {
                match scanner.next() {
                    Scan::Short { from, to, key } => {
                        ahead[count] = Ahead { from, to, key, known: None };
                        count += 1;
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
                position += self.put(position, known, memory)?;
                if known.count > 0 {
                    end = position;
                }
            }
            if let Some((from, to)) = other {
                let before = self.length;
                position += self.word(position, &text[from..to], memory)?;
                if self.length > before {
                    end = position;
                }
                scanner.skip_to(to);
            }
            if !more {
                return Ok(end);
            }
        }
    }

    /// Adds a word at a position; how many positions it takes.
    fn word(&mut self, position: u32, word: &str, memory: &mut Memory) -> Result<u32, Stop> {
        if word.len() > LONGEST {
            return Ok(self.analysed(position, word, memory)?.max(1));
        }
        let known = match self.long.find(word, &memory.hash, &memory.words) {
            (Some(known), _) => known,
            (None, hashed) => {
                let known = self.learn(word, memory)?;
                self.long.insert(word, hashed, known, &mut memory.words)?;
                known
            }
        };
        self.put(position, known, memory)
    }

    /// Adds the terms of a word at a position; how many positions it takes.
    fn put(&mut self, position: u32, known: Known, memory: &mut Memory) -> Result<u32, Stop> {
        if known.single {
            self.outgoing.waiting.push((known.terms, position));
        } else if known.count > 0 {
            let listed = &memory.words.at(known.terms)[..usize::from(known.count) * TERM];
            for term in listed.chunks_exact(TERM) {
                let number = u32::from_le_bytes([term[1], term[2], term[3], term[4]]);
                self.outgoing.waiting.push((number, position + u32::from(term[0])));
            }
        }
        self.outgoing.send_if_full(&mut memory.lists)?;
        self.length += u32::from(known.count);
        Ok(u32::from(known.positions))
    }

    /// Finds out the terms of a short word that was not known when it was looked up.
    fn learn_short(&mut self, word: &str, key: Key, memory: &mut Memory) -> Result<Known, Stop> {
        // It may have come a few words ago.
        if let Some(known) = self.short.find(key, &memory.hash) {
            return Ok(known);
        }
        let known = self.learn(word, memory)?;
        self.short.insert(key, known, &memory.hash);
        Ok(known)
    }

    /// Finds out the terms of a word of at most [`LONGEST`] bytes.
    fn learn(&mut self, word: &str, memory: &mut Memory) -> Result<Known, Stop> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let Memory { hash, texts, .. } = memory;
        let positions = analyse(&mut self.analyzer, word, |term, within| {
            found.push((self.terms.number(term, hash, texts)?, within));
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
    fn analysed(&mut self, position: u32, text: &str, memory: &mut Memory) -> Result<u32, Stop> {
        let Memory { hash, texts, lists, .. } = memory;
        analyse(&mut self.analyzer, text, |term, within| {
            self.length += 1;
            self.outgoing.waiting.push((self.terms.number(term, hash, texts)?, position + within));
            self.outgoing.send_if_full(lists)
        })
    }

    /// Sends what has not been sent.
    pub fn send(&mut self, lists: &mut Inverter) -> Result<(), Stop> {
        lists.add(self.outgoing.form, &mut self.outgoing.waiting)
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
            + self.outgoing.waiting.capacity() * size_of::<Occurrence>()
            + found
    }
}

/// Gives `each` the terms of a text and their positions; where the last of them ends.
fn analyse(
    analyzer: &mut TextAnalyzer,
    text: &str,
    mut each: impl FnMut(&[u8], u32) -> Result<(), Stop>,
) -> Result<u32, Stop> {
    let mut stream = analyzer.token_stream(text);
    let mut end = 0;
    while stream.advance() {
        let token = stream.token();
        if token.text.len() <= MAX_TOKEN_LEN {
            each(token.text.as_bytes(), token.position as u32)?;
            end = end.max((token.position + token.position_length) as u32);
        }
    }
    Ok(end)
}
