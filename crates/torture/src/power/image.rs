//! What a power cut leaves on a disk: everything before the last flush, and any part of what came after it.

use super::device::{BLOCK, Blocks, Event};
use crate::random::Random;

/// How often a moment is cut when something was in flight.
const WAYS: usize = 4;

/// The images of one recording, in the order of the moments.
pub struct Cuts {
    log: Vec<Event>,
    /// Everything before the last flush before `position`.
    durable: Blocks,
    flushed: usize,
    position: usize,
    way: usize,
    random: Random,
    /// Of how many images one is taken.
    thin: usize,
}

impl Cuts {
    /// At most about `most` images, spread over the whole log.
    pub fn new(start: Blocks, log: Vec<Event>, random: Random, most: usize) -> Self {
        // A file system that is idle flushes often: for half of the moments there is but one image.
        let thin = (log.len() * WAYS / 2 / most.max(1)).max(1);
        Self { log, durable: start, flushed: 0, position: 0, way: 0, random, thin }
    }

    /// The number of events that the disk had seen, how it was cut, and what is on it.
    pub fn next_image(&mut self) -> Option<(usize, String, Blocks)> {
        loop {
            if self.way == WAYS {
                (self.way, self.position) = (0, self.position + 1);
                if matches!(self.log.get(self.position - 1), Some(Event::Flush)) {
                    self.flush();
                }
            }
            if self.position > self.log.len() {
                return None;
            }
            let way = self.way;
            self.way += 1;
            let in_flight = self.position - self.flushed;
            // Nothing in flight: there is one image. One write: whole, torn or not at all.
            if way < [1, 3][usize::from(in_flight > 0)] + usize::from(in_flight > 1) && self.random.once_in(self.thin) {
                let (what, blocks) = self.cut(way);
                return Some((self.position, what, blocks));
            }
        }
    }

    fn flush(&mut self) {
        for event in &self.log[self.flushed..self.position] {
            if let Event::Write(offset, bytes) = event {
                self.durable.write(*offset, bytes);
            }
        }
        self.flushed = self.position;
    }

    /// The disk at this moment, cut one of the ways: everything in flight arrived; nothing; the last write torn; some of it.
    fn cut(&mut self, way: usize) -> (String, Blocks) {
        let mut blocks = self.durable.clone();
        let writes: Vec<(u64, &[u8])> = self.log[self.flushed..self.position].iter().filter_map(write).collect();
        let keep_of_eight = 1 + self.random.below(7);
        let (mut kept, count) = (0, writes.len());
        for (number, (offset, bytes)) in writes.into_iter().enumerate() {
            let whole = match way {
                0 => true,
                1 => false,
                2 => number + 1 < count,
                _ => self.random.below(8) < keep_of_eight,
            };
            let torn = match way {
                2 if !whole => true,
                3 if !whole => self.random.once_in(4),
                _ => false,
            };
            if whole {
                blocks.write(offset, bytes);
            } else if torn {
                tear(offset, bytes, &mut blocks, &mut self.random);
            }
            kept += usize::from(whole);
        }
        (format!("{kept} of {count} in flight"), blocks)
    }
}

fn write(event: &Event) -> Option<(u64, &[u8])> {
    match event {
        Event::Write(offset, bytes) => Some((*offset, bytes)),
        Event::Flush => None,
    }
}

/// Some blocks of a write arrive; none of them in part.
fn tear(offset: u64, bytes: &[u8], blocks: &mut Blocks, random: &mut Random) {
    let first = (BLOCK - (offset % BLOCK as u64) as usize).min(bytes.len());
    let (head, tail) = bytes.split_at(first);
    let mut at = offset;
    for piece in std::iter::once(head).chain(tail.chunks(BLOCK)) {
        if random.once_in(2) {
            blocks.write(at, piece);
        }
        at += piece.len() as u64;
    }
}
