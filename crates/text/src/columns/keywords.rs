//! Columns of keywords: the distinct values once, in order, and for each document their ranks.

use std::ops::Range;

use cutover_durable::sections::Section;
use fixedbitset::FixedBitSet;

use super::read::{Integers, Table, runs};
use crate::guard::Stop;
use crate::{Error, Glob};

/// How often a comparison with patterns asks whether it was cancelled, in bytes of keywords times patterns.
const COMPARED_BETWEEN_CHECKS: usize = 1 << 18;

/// Keywords.
pub(crate) struct Keywords {
    ranks: Integers,
    /// The values and where each ends; none where no document has one.
    keys: Option<(Section, Section)>,
}

impl Keywords {
    /// The column of the keyword field of this number.
    pub fn open(table: &Table<'_>, number: usize) -> Result<Self, Stop> {
        let sections = table.sections();
        let keys = sections.optional(&format!("{number}.keys")).zip(sections.optional(&format!("{number}.key-ends")));
        if let Some((_, ends)) = &keys {
            ends.cast::<u32>()?;
        }
        let ranks = table.integers(number)?;
        // Every value is some document's, the first among them: a cell is a rank.
        if ranks.least() == 0 { Ok(Self { ranks, keys }) } else { Err(Stop::Theirs("ranks begin at 0".to_owned())) }
    }

    /// Marks the documents with one of these values.
    pub fn any_of(&self, wanted: &[String], bits: &mut FixedBitSet) -> Result<(), Stop> {
        let mut ranks = Vec::with_capacity(wanted.len());
        for keyword in wanted {
            let rank = self.first_at_least(keyword.as_bytes())?;
            if rank < self.len()? && self.key(rank)? == keyword.as_bytes() {
                ranks.push(rank as u64);
            }
        }
        ranks.sort_unstable();
        ranks.dedup();
        self.ranks.mark(&runs(ranks), bits)
    }

    /// Marks the documents with a value that begins so.
    pub fn beginning(&self, prefix: &str, bits: &mut FixedBitSet) -> Result<(), Stop> {
        let ranks = self.range(prefix)?;
        if ranks.is_empty() { Ok(()) } else { self.ranks.mark(&[ranks.start as u64..=ranks.end as u64 - 1], bits) }
    }

    /// Marks the documents with a value that matches: each distinct value is looked at once at most.
    pub fn matching(&self, glob: &Glob, cancel: &dyn Fn() -> bool, bits: &mut FixedBitSet) -> Result<(), Stop> {
        let mut ranges = glob.beginnings().iter().map(|prefix| self.range(prefix)).collect::<Result<Vec<_>, Stop>>()?;
        ranges.sort_unstable_by_key(|range| range.start);
        let (mut ranks, mut next, mut compared) = (Vec::new(), 0, 0);
        for range in ranges {
            for rank in range.start.max(next)..range.end {
                let key = text(self.key(rank)?)?;
                compared += glob.len() * (1 + key.len());
                if compared > COMPARED_BETWEEN_CHECKS {
                    compared = 0;
                    if cancel() {
                        return Err(Error::Cancelled.into());
                    }
                }
                if glob.matches(key) {
                    ranks.push(rank as u64);
                }
            }
            next = next.max(range.end);
        }
        self.ranks.mark(&runs(ranks), bits)
    }

    /// Marks the documents with a value.
    pub fn existing(&self, bits: &mut FixedBitSet) -> Result<(), Stop> {
        self.ranks.existing(bits)
    }

    /// How many of the allowed documents have each value, for those that any has.
    pub fn count(&self, allowed: Option<&FixedBitSet>, mut each: impl FnMut(&str, u64)) -> Result<(), Stop> {
        let mut counts = vec![0_u64; self.len()?];
        let mut strangers = false;
        self.ranks.visit(allowed, |_, rank| {
            match usize::try_from(rank).ok().and_then(|rank| counts.get_mut(rank)) {
                Some(count) => *count += 1,
                None => strangers = true,
            }
        })?;
        if strangers {
            return Err(stranger());
        }
        for (rank, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            each(text(self.key(rank)?)?, count);
        }
        Ok(())
    }

    /// The ranks of a document's values.
    pub fn ranks_of(&self, document: u32, each: impl FnMut(u64)) -> Result<(), Stop> {
        self.ranks.cells_of(document, each)
    }

    /// The value of a rank.
    pub fn keyword(&self, rank: u64) -> Result<&str, Stop> {
        let known = usize::try_from(rank).ok().zip(self.len().ok()).filter(|(rank, len)| rank < len);
        text(self.key(known.ok_or_else(stranger)?.0)?)
    }

    /// Visits every document's values.
    pub fn each(&self, mut each: impl FnMut(u32, &[u8])) -> Result<(), Stop> {
        let keys = (0..self.len()?).map(|rank| self.key(rank)).collect::<Result<Vec<_>, Stop>>()?;
        let mut strangers = false;
        self.ranks.visit(None, |document, rank| match usize::try_from(rank).ok().and_then(|rank| keys.get(rank)) {
            Some(key) => each(document, key),
            None => strangers = true,
        })?;
        if strangers { Err(stranger()) } else { Ok(()) }
    }

    /// The number of distinct values.
    fn len(&self) -> Result<usize, Stop> {
        self.keys.as_ref().map_or(Ok(0), |(_, ends)| Ok(ends.cast::<u32>()?.len()))
    }

    /// The value of this rank, which is below [`Keywords::len`].
    fn key(&self, rank: usize) -> Result<&[u8], Stop> {
        let Some((bytes, ends)) = &self.keys else { return Ok(&[]) };
        let ends = ends.cast::<u32>()?;
        let start = if rank == 0 { 0 } else { ends[rank - 1] as usize };
        let key = bytes.bytes().get(start..ends[rank] as usize);
        key.ok_or_else(|| Stop::Theirs("the ends of a field's keywords are out of order".to_owned()))
    }

    /// The ranks of the values that begin so. Of damaged values, whatever.
    fn range(&self, prefix: &str) -> Result<Range<usize>, Stop> {
        let start = self.first_at_least(prefix.as_bytes())?;
        let (mut low, mut high) = (start, self.len()?);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle)?.starts_with(prefix.as_bytes()) { low = middle + 1 } else { high = middle }
        }
        Ok(start..low)
    }

    /// The rank of the first value that is not less; their number when all are.
    fn first_at_least(&self, keyword: &[u8]) -> Result<usize, Stop> {
        let (mut low, mut high) = (0, self.len()?);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle)? < keyword { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

fn text(key: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(key).map_err(|_| Stop::Theirs("a keyword is not UTF-8".to_owned()))
}

fn stranger() -> Stop {
    Stop::Theirs("a document has a keyword that is not among the field's".to_owned())
}
