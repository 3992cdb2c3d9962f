//! Columns of numbers, mapped.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use cutover_durable::sections::{Section, Sections};
use fixedbitset::FixedBitSet;

use super::{ENTRY, TABLE};
use crate::guard::Stop;
use crate::value::one_zero;

/// The entries of all columns.
pub(crate) struct Table<'a> {
    sections: &'a Sections,
    entries: Section,
    documents: u32,
}

/// What is known of a column before its cells.
struct Entry {
    least: i64,
    cells: usize,
    width: u32,
}

impl<'a> Table<'a> {
    /// The table of a container of `documents` documents and `fields` fields.
    pub fn open(sections: &'a Sections, documents: u32, fields: usize) -> Result<Self, Stop> {
        let entries = sections.section(TABLE)?;
        if entries.bytes().len() != fields * ENTRY {
            return Err(entries.malformed(&format!("does not describe {fields} fields")).into());
        }
        Ok(Self { sections, entries, documents })
    }

    fn entry(&self, number: usize) -> Result<Entry, Stop> {
        let refuse = || Stop::from(self.entries.malformed(&format!("is damaged where it describes field {number}")));
        let (least, rest) = self.entries.bytes()[number * ENTRY..].split_first_chunk().ok_or_else(refuse)?;
        let (cells, rest) = rest.split_first_chunk().ok_or_else(refuse)?;
        let (width, rest) = rest.split_first_chunk().ok_or_else(refuse)?;
        let cells = usize::try_from(u64::from_le_bytes(*cells)).map_err(|_| refuse())?;
        let (least, width) = (i64::from_le_bytes(*least), u32::from_le_bytes(*width));
        let sound = rest[..4] == [0; 4] && if cells == 0 { width == 0 } else { matches!(width, 1 | 2 | 4 | 8) };
        if sound { Ok(Entry { least, cells, width }) } else { Err(refuse()) }
    }

    fn rows(&self, number: usize, cells: usize) -> Result<Rows, Stop> {
        let ends = self.sections.optional(&format!("{number}.ends"));
        let due = if cells == 0 { 0 } else { self.documents as usize };
        let detail = match &ends {
            Some(ends) if ends.cast::<u32>()?.len() != due => format!("holds not {due} ends of field {number}"),
            None if cells != due => format!("holds {cells} values of field {number} for {due} documents"),
            _ => return Ok(Rows { ends, cells, documents: self.documents }),
        };
        Err(self.entries.malformed(&detail).into())
    }

    fn cells(&self, number: usize, entry: &Entry) -> Result<Option<Section>, Stop> {
        if entry.cells == 0 {
            return Ok(None);
        }
        let cells = self.sections.section(&format!("{number}.cells"))?;
        if cells.bytes().len() as u128 != entry.cells as u128 * u128::from(entry.width) {
            return Err(cells
                .malformed(&format!("does not hold {} cells of {} bytes", entry.cells, entry.width))
                .into());
        }
        Ok(Some(cells))
    }

    /// The column of an integer, date or boolean field, or of the ranks of a keyword field.
    pub fn integers(&self, number: usize) -> Result<Integers, Stop> {
        let entry = self.entry(number)?;
        let cells = self.cells(number, &entry)?;
        Ok(Integers { rows: self.rows(number, entry.cells)?, cells, width: entry.width, least: entry.least })
    }

    /// The column of a number field.
    pub fn floats(&self, number: usize) -> Result<Floats, Stop> {
        let entry = self.entry(number)?;
        let cells = self.cells(number, &entry)?;
        if cells.is_some() && entry.width != 8 {
            return Err(self
                .entries
                .malformed(&format!("gives the numbers of field {number} {} bytes", entry.width))
                .into());
        }
        Ok(Floats { rows: self.rows(number, entry.cells)?, cells })
    }

    pub fn sections(&self) -> &Sections {
        self.sections
    }
}

/// Which cells are whose.
pub(super) struct Rows {
    /// None where each document has one cell, or none has any.
    ends: Option<Section>,
    cells: usize,
    documents: u32,
}

impl Rows {
    /// The cells of each document in turn, checked.
    pub(super) fn ends(&self) -> Result<Option<&[u32]>, Stop> {
        Ok(self.ends.as_ref().map(Section::cast::<u32>).transpose()?)
    }

    /// The cells of a document.
    fn of(&self, ends: Option<&[u32]>, document: u32) -> Result<Range<usize>, Stop> {
        let at = document as usize;
        let Some(ends) = ends else { return Ok(if self.cells == 0 { 0..0 } else { at..at + 1 }) };
        let (start, end) = (if at == 0 { 0 } else { ends[at - 1] as usize }, ends[at] as usize);
        if start <= end && end <= self.cells { Ok(start..end) } else { Err(out_of_order()) }
    }

    /// The cells of one document.
    fn one<T: Copy>(&self, cells: &[T], document: u32, each: impl FnMut(T)) -> Result<(), Stop> {
        let own = cells.get(self.of(self.ends()?, document)?).ok_or_else(out_of_order)?;
        own.iter().copied().for_each(each);
        Ok(())
    }

    /// Marks the documents with a cell.
    fn mark_some(&self, bits: &mut FixedBitSet) -> Result<(), Stop> {
        if let Some(ends) = self.ends()? {
            let mut start = 0;
            for (document, end) in ends.iter().enumerate() {
                bits.set(document, start < *end);
                start = *end;
            }
        } else if self.cells > 0 {
            bits.insert_range(..);
        }
        Ok(())
    }

    /// Visits the cells of the allowed documents.
    fn visit<T: Copy>(
        &self,
        cells: &[T],
        allowed: Option<&FixedBitSet>,
        mut each: impl FnMut(u32, T),
    ) -> Result<(), Stop> {
        let ends = self.ends()?;
        let mut one = |document: u32| -> Result<(), Stop> {
            cells.get(self.of(ends, document)?).ok_or_else(out_of_order)?.iter().for_each(|cell| each(document, *cell));
            Ok(())
        };
        match allowed {
            None => (0..self.documents).try_for_each(one),
            Some(bits) => {
                let within = bits.ones().take_while(|document| *document < self.documents as usize);
                within.map(|document| document as u32).try_for_each(&mut one)
            }
        }
    }
}

pub(super) fn out_of_order() -> Stop {
    Stop::Theirs("the ends of a column's documents are out of order".to_owned())
}

/// Ascending numbers, each once, as ranges of those that follow each other.
pub(super) fn runs(numbers: impl IntoIterator<Item = u64>) -> Vec<RangeInclusive<u64>> {
    let mut runs: Vec<RangeInclusive<u64>> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some(run) if run.end().checked_add(1) == Some(number) => *run = *run.start()..=number,
            _ => runs.push(number..=number),
        }
    }
    runs
}

/// Integers, dates, booleans (0 and 1), or ranks of keywords.
pub(crate) struct Integers {
    rows: Rows,
    cells: Option<Section>,
    width: u32,
    least: i64,
}

impl Integers {
    /// No value is less; 0 where there is none.
    pub fn least(&self) -> i64 {
        self.least
    }

    /// Marks the documents with a value in the range.
    pub fn within(&self, range: &RangeInclusive<i64>, bits: &mut FixedBitSet) -> Result<(), Stop> {
        let above = |value: i64| i128::from(value) - i128::from(self.least);
        let (from, to) = (u64::try_from(above(*range.start()).max(0)), u64::try_from(above(*range.end())));
        // The difference of two i64 fits, unless it is negative: then the range is below every value.
        let (Ok(from), Ok(to)) = (from, to) else { return Ok(()) };
        self.mark(&[from..=to], bits)
    }

    /// Marks the documents with one of these values.
    pub fn any_of(&self, mut values: Vec<i64>, bits: &mut FixedBitSet) -> Result<(), Stop> {
        values.sort_unstable();
        values.dedup();
        // As above: a value below the least is no cell's.
        let cells = values.into_iter().filter(|value| *value >= self.least).map(|value| value.abs_diff(self.least));
        self.mark(&runs(cells), bits)
    }

    /// Marks the documents with a cell in one of the ranges, which ascend and are apart; a cell is a value less the least one.
    pub fn mark(&self, ranges: &[RangeInclusive<u64>], bits: &mut FixedBitSet) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        match self.width {
            1 => self.rows.mark_ranges(cells.bytes(), ranges, bits),
            2 => self.rows.mark_ranges(cells.cast::<u16>()?, ranges, bits),
            4 => self.rows.mark_ranges(cells.cast::<u32>()?, ranges, bits),
            _ => self.rows.mark_ranges(cells.cast::<u64>()?, ranges, bits),
        }
    }

    /// Marks the documents with a value.
    pub fn existing(&self, bits: &mut FixedBitSet) -> Result<(), Stop> {
        self.rows.mark_some(bits)
    }

    /// How many values of the allowed documents there are of each that occurs, in no order.
    pub fn count(&self, allowed: Option<&FixedBitSet>, mut each: impl FnMut(i64, u64)) -> Result<(), Stop> {
        let value = |cell: u64| self.least.wrapping_add_unsigned(cell);
        if self.width > 2 {
            let mut counts: HashMap<u64, u64> = HashMap::new();
            self.visit(allowed, |_, cell| *counts.entry(cell).or_insert(0) += 1)?;
            for (cell, count) in counts {
                each(value(cell), count);
            }
            return Ok(());
        }
        let mut counts = vec![0_u64; 1 << (8 * self.width)];
        self.visit(allowed, |_, cell| counts[cell as usize] += 1)?;
        for (cell, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
            each(value(cell), count);
        }
        Ok(())
    }

    /// Visits the allowed documents and their cells; a cell is a value less the least one.
    pub fn visit(&self, allowed: Option<&FixedBitSet>, mut each: impl FnMut(u32, u64)) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        match self.width {
            1 => self.rows.visit(cells.bytes(), allowed, |document, cell| each(document, cell.into())),
            2 => self.rows.visit(cells.cast::<u16>()?, allowed, |document, cell| each(document, cell.into())),
            4 => self.rows.visit(cells.cast::<u32>()?, allowed, |document, cell| each(document, cell.into())),
            _ => self.rows.visit(cells.cast::<u64>()?, allowed, each),
        }
    }

    /// A document's values.
    pub fn of(&self, document: u32, mut each: impl FnMut(i64)) -> Result<(), Stop> {
        self.cells_of(document, |cell| each(self.least.wrapping_add_unsigned(cell)))
    }

    /// A document's cells; a cell is a value less the least one.
    pub fn cells_of(&self, document: u32, mut each: impl FnMut(u64)) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        match self.width {
            1 => self.rows.one(cells.bytes(), document, |cell| each(cell.into())),
            2 => self.rows.one(cells.cast::<u16>()?, document, |cell| each(cell.into())),
            4 => self.rows.one(cells.cast::<u32>()?, document, |cell| each(cell.into())),
            _ => self.rows.one(cells.cast::<u64>()?, document, each),
        }
    }

    /// Visits every document's values.
    pub fn each(&self, mut each: impl FnMut(u32, i64)) -> Result<(), Stop> {
        self.visit(None, |document, cell| each(document, self.least.wrapping_add_unsigned(cell)))
    }
}

/// Numbers.
pub(crate) struct Floats {
    rows: Rows,
    cells: Option<Section>,
}

impl Floats {
    /// Marks the documents with a value in the range.
    pub fn within(&self, range: &RangeInclusive<f64>, bits: &mut FixedBitSet) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        let (from, to) = (*range.start(), *range.end());
        self.rows.mark(cells.cast::<f64>()?, bits, |cell| from <= cell && cell <= to)
    }

    /// Marks the documents with one of these values; NaN is nobody's.
    pub fn any_of(&self, mut values: Vec<f64>, bits: &mut FixedBitSet) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        for value in &mut values {
            *value = one_zero(*value);
        }
        values.retain(|value| !value.is_nan());
        values.sort_unstable_by(f64::total_cmp);
        let among = |cell: f64| values.binary_search_by(|value| value.total_cmp(&cell)).is_ok();
        self.rows.mark(cells.cast::<f64>()?, bits, among)
    }

    /// Marks the documents with a value.
    pub fn existing(&self, bits: &mut FixedBitSet) -> Result<(), Stop> {
        self.rows.mark_some(bits)
    }

    /// Visits the values of the allowed documents.
    pub fn visit(&self, allowed: Option<&FixedBitSet>, mut each: impl FnMut(f64)) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        self.rows.visit(cells.cast::<f64>()?, allowed, |_, number| each(number))
    }

    /// A document's values.
    pub fn of(&self, document: u32, each: impl FnMut(f64)) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        self.rows.one(cells.cast::<f64>()?, document, each)
    }

    /// Visits every document's values.
    pub fn each(&self, each: impl FnMut(u32, f64)) -> Result<(), Stop> {
        let Some(cells) = &self.cells else { return Ok(()) };
        self.rows.visit(cells.cast::<f64>()?, None, each)
    }
}
