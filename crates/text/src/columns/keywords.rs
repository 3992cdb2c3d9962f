//! Columns of keywords: the distinct values once, in order, and for each document their ranks.

use std::cmp::Ordering;

use cutover_durable::sections::Section;
use fixedbitset::FixedBitSet;

use super::read::{Integers, Table};
use crate::guard::Stop;

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
        let mut ranks = FixedBitSet::with_capacity(self.len()?);
        for keyword in wanted {
            if let Some(rank) = self.rank(keyword)? {
                ranks.insert(rank);
            }
        }
        let mut ones = ranks.ones();
        match (ones.next(), ones.next()) {
            (None, _) => Ok(()),
            (Some(only), None) => self.ranks.mark(bits, |rank| rank == only as u64),
            _ => self.ranks.mark(bits, |rank| usize::try_from(rank).is_ok_and(|rank| ranks.contains(rank))),
        }
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
            let key = std::str::from_utf8(self.key(rank)?);
            each(key.map_err(|_| Stop::Theirs("a keyword is not UTF-8".to_owned()))?, count);
        }
        Ok(())
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

    fn rank(&self, keyword: &str) -> Result<Option<usize>, Stop> {
        let (mut low, mut high) = (0, self.len()?);
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle)?.cmp(keyword.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(Some(middle)),
            }
        }
        Ok(None)
    }
}

fn stranger() -> Stop {
    Stop::Theirs("a document has a keyword that is not among the field's".to_owned())
}
