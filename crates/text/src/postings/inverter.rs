//! Brings occurrences to the lists of their terms: by a thread of its own, once there are many.
//!
//! Finding out which terms a text has takes about twice as long as adding them to their lists, and neither needs what the other has at
//! hand. What the lists take of memory is told as it was some portions ago, always the same number of them: where a segment ends must not
//! depend on which thread was faster.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::ADD;
use super::arena::Arena;
use super::lists::{Lists, Occurrence};
use crate::guard::{self, Stop};
use crate::{Error, Result};

/// Occurrences that are brought there at once.
pub(super) const PORTION: usize = 1 << 14;
/// Portions that the thread has and has not told of.
const UNDER_WAY: usize = 4;

/// The lists of all forms.
pub(super) struct Inversion {
    forms: Vec<Lists>,
    arena: Arena,
}

impl Inversion {
    fn add(&mut self, form: usize, occurrences: &[Occurrence]) -> Result<(), Stop> {
        Ok(self.forms[form].add(occurrences, &mut self.arena)?)
    }

    fn memory_bytes(&self) -> usize {
        self.arena.memory_bytes() + self.forms.iter().map(Lists::memory_bytes).sum::<usize>()
    }

    /// The lists of each form, and where their bytes are.
    pub fn parts(self) -> (Vec<Lists>, Arena) {
        (self.forms, self.arena)
    }
}

/// A portion of a form, by number.
type Portion = (usize, Vec<Occurrence>);

/// What the thread tells of a portion: its memory, to be used again, and the bytes of all lists.
type Report = (Vec<Occurrence>, usize);

enum Way {
    Here(Box<Inversion>),
    There {
        portions: Sender<Portion>,
        reports: Receiver<Report>,
        thread: JoinHandle<Result<Box<Inversion>>>,
    },
    /// It has failed.
    Gone,
}

pub(super) struct Inverter {
    way: Way,
    /// Portions that were not told of.
    under_way: usize,
    spare: VecDeque<Vec<Occurrence>>,
    memory: usize,
}

impl Inverter {
    pub fn new(forms: usize) -> Self {
        let forms = (0..forms).map(|_| Lists::default()).collect();
        let way = Way::Here(Box::new(Inversion { forms, arena: Arena::default() }));
        Self { way, under_way: 0, spare: VecDeque::new(), memory: 0 }
    }

    /// Takes a portion of a form, and leaves an empty one.
    pub fn add(&mut self, form: usize, portion: &mut Vec<Occurrence>) -> Result<(), Stop> {
        if portion.len() >= PORTION {
            self.go_there();
        }
        match &mut self.way {
            Way::Here(inversion) => {
                inversion.add(form, portion)?;
                portion.clear();
                self.memory = inversion.memory_bytes();
                Ok(())
            }
            Way::There { portions, reports, .. } => {
                let mut sent = portions
                    .send((form, std::mem::replace(portion, self.spare.pop_front().unwrap_or_default())))
                    .is_ok();
                self.under_way += 1;
                if sent && self.under_way > UNDER_WAY {
                    match reports.recv() {
                        Ok((spare, memory)) => {
                            self.spare.push_back(spare);
                            self.memory = memory;
                            self.under_way -= 1;
                        }
                        Err(_) => sent = false,
                    }
                }
                if sent { Ok(()) } else { self.end().and(Err(gone())) }
            }
            Way::Gone => Err(gone()),
        }
    }

    /// Has a thread do what is to be done, if the system gives one.
    fn go_there(&mut self) {
        let Way::Here(_) = self.way else { return };
        let (portions, queue) = channel::<Portion>();
        let (tell, reports) = channel();
        let (hand, given) = channel::<Box<Inversion>>();
        let work = move || {
            guard::building(ADD, || {
                let mut inversion = given.recv().map_err(|_| gone())?;
                for (form, mut portion) in queue {
                    inversion.add(form, &portion)?;
                    portion.clear();
                    // Nobody asks for the last ones.
                    let _ = tell.send((portion, inversion.memory_bytes()));
                }
                Ok(inversion)
            })
        };
        if let Ok(thread) = Builder::new().name("cutover-lists".to_owned()).spawn(work)
            && let Way::Here(inversion) = std::mem::replace(&mut self.way, Way::Gone)
            && hand.send(inversion).is_ok()
        {
            self.way = Way::There { portions, reports, thread };
        }
    }

    /// Bytes held in memory, as far as the lists have been told of.
    pub fn memory_bytes(&self) -> usize {
        self.memory
    }

    /// Waits until all is in the lists.
    pub fn finish(mut self) -> Result<Inversion, Stop> {
        self.end()
    }

    /// The lists once all is in them, or why it never will be. Nothing can be added after.
    fn end(&mut self) -> Result<Inversion, Stop> {
        match std::mem::replace(&mut self.way, Way::Gone) {
            Way::Here(inversion) => Ok(*inversion),
            Way::There { portions, thread, .. } => {
                // It waits for more as long as there could be some.
                drop(portions);
                Ok(*thread.join().map_err(|_| gone())??)
            }
            Way::Gone => Err(gone()),
        }
    }
}

fn gone() -> Stop {
    Stop::Ours(Error::Internal { action: ADD, detail: "the thread that keeps lists has ended".to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::postings::lists::DOCUMENT;

    /// Occurrences of so many terms, each in every document that is named.
    fn portions(terms: u32) -> impl Iterator<Item = Vec<Occurrence>> {
        (0..12).map(move |document| {
            let each = (0..PORTION as u32 - 1).map(move |at| (at % terms, at));
            [(DOCUMENT, document)].into_iter().chain(each).collect()
        })
    }

    #[test]
    fn memory_is_told_alike_however_fast_the_thread_is() {
        let told = |pause: bool| {
            let mut inverter = Inverter::new(1);
            let told: Vec<usize> = portions(5000)
                .map(|mut portion| {
                    inverter.add(0, &mut portion).ok().unwrap();
                    if pause {
                        std::thread::sleep(std::time::Duration::from_millis(5));
                    }
                    inverter.memory_bytes()
                })
                .collect();
            let all = inverter.finish().ok().unwrap();
            assert!(told[11] > 0 && told[11] <= all.memory_bytes());
            assert!((0..5000).all(|term| all.forms[0].get(term).unwrap().documents == 12));
            told
        };
        assert_eq!(told(false), told(true));
    }

    #[test]
    fn what_the_thread_fails_at_is_an_error_here() {
        let mut inverter = Inverter::new(1);
        let failed = portions(10).map(|mut portion| inverter.add(1, &mut portion)).find_map(Result::err).unwrap();
        let detail = match failed {
            Stop::Ours(error) => error.to_string(),
            Stop::Theirs(detail) => detail,
        };
        assert!(detail.contains("index out of bounds"), "{detail}");
        assert!(inverter.add(0, &mut Vec::new()).is_err());
        assert!(inverter.finish().is_err());
    }
}
