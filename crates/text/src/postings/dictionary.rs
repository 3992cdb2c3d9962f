//! The dictionary of a field, made by a thread of its own while the postings are written.
//!
//! It is a tree of the terms, which counts them, and behind it a table that tells where the postings of each are. The tree is what takes
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
    /// Makes the dictionary of terms, in order, while the caller does `work`, or before it where they are few. `work` is done in any case;
    /// its error comes second.
    pub fn beside<T>(terms: &[Term], texts: &Arena, work: impl FnOnce() -> Result<T, Stop>) -> Result<(Self, T), Stop> {
        let (dictionary, done) = if terms.len() < MANY {
            (Self::of(terms, texts), work())
        } else {
            // What a panic becomes is told by the thread that it is on.
            let guarded = || guard::building(FINISH, || Self::of(terms, texts));
            let (dictionary, done) = beside("cutover-terms", guarded, work);
            (dictionary.map_err(Stop::Ours), done)
        };
        Ok((dictionary?, done?))
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
