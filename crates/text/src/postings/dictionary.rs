//! The dictionaries of the fields, made by a thread of their own while the postings are written.
//!
//! One is a tree of the terms, which counts them, and behind it a table that tells where the postings of each are. The tree is what takes
//! long: it finds branches that it has already among twenty thousand, all over the memory. It needs no postings, only the table does.

use std::hint::black_box;
use std::io::Write;

use cutover_durable::beside;
use tantivy::postings::TermInfo;
use tantivy::termdict::TermDictionaryBuilder;

use super::FINISH;
use super::arena::Arena;
use super::terms::Term;
use super::write::AHEAD;
use crate::guard::{self, Stop};

/// Terms from which a thread pays.
const MANY: usize = 8192;

/// A dictionary that has its terms, but does not know where their postings are.
pub(super) struct Dictionary(TermDictionaryBuilder<Vec<u8>>);

impl Dictionary {
    /// Makes the dictionary of each field's terms, which are in order, while the caller does `work`, or before it where they are few. `work` is
    /// done in any case; its error comes second.
    pub fn beside<T>(
        fields: &[Vec<Term>],
        texts: &Arena,
        work: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<(Vec<Self>, T), Stop> {
        let all = || fields.iter().map(|terms| Self::of(terms, texts)).collect();
        let (dictionaries, done) = if fields.iter().map(Vec::len).sum::<usize>() < MANY {
            (all(), work())
        } else {
            // What a panic becomes is told by the thread that it is on.
            let (dictionaries, done) = beside("cutover-terms", || guard::building(FINISH, all), work);
            (dictionaries.map_err(Stop::Ours), done)
        };
        Ok((dictionaries?, done?))
    }

    fn of(terms: &[Term], texts: &Arena) -> Result<Self, Stop> {
        let mut dictionary = TermDictionaryBuilder::create(Vec::new())?;
        for some in terms.chunks(AHEAD) {
            // As for lists: it fetches them all at once.
            black_box(some.iter().fold(0, |sum, term| sum ^ term.touch_text(texts)));
            for term in some {
                dictionary.insert_key(term.text(texts))?;
            }
        }
        Ok(Self(dictionary))
    }

    /// Writes it; the terms' postings are at `infos`, in the same order.
    pub fn finish(mut self, infos: &[TermInfo], out: &mut impl Write) -> Result<(), Stop> {
        for info in infos {
            self.0.insert_value(info)?;
        }
        Ok(out.write_all(&self.0.finish()?)?)
    }
}
