//! Gathers the values of one field and writes them as a column.

use std::collections::HashMap;
use std::io::Write;

use cutover_durable::sections::{Align, SectionWriter};

use crate::value::one_zero;
use crate::{FieldKind, Value};

/// The values of one field, so far.
pub(crate) struct ColumnBuilder {
    /// For each document, where its values end.
    ends: Vec<u32>,
    cells: Cells,
}

enum Cells {
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Keywords { ranks: Vec<u32>, known: HashMap<Box<str>, u32>, bytes: usize },
}

/// What a map's entry takes beside the string, in bytes: the string's place and length, a number, and the map's own share.
const ENTRY_BYTES: usize = 40;

impl ColumnBuilder {
    /// A column for a field of this kind; none for text, which has none.
    pub fn new(kind: FieldKind) -> Option<Self> {
        let cells = match kind {
            FieldKind::Text { .. } => return None,
            FieldKind::Number { .. } => Cells::Floats(Vec::new()),
            FieldKind::Keyword { .. } => Cells::Keywords { ranks: Vec::new(), known: HashMap::new(), bytes: 0 },
            FieldKind::Integer { .. } | FieldKind::Date { .. } | FieldKind::Boolean { .. } => {
                Cells::Integers(Vec::new())
            }
        };
        Some(Self { ends: Vec::new(), cells })
    }

    /// Adds a value of the document that [`ColumnBuilder::end`] ends. It must be of the field's kind; another is ignored.
    pub fn push(&mut self, value: &Value<'_>) {
        match (&mut self.cells, *value) {
            (Cells::Integers(cells), Value::Integer(integer) | Value::Date(integer)) => cells.push(integer),
            (Cells::Integers(cells), Value::Boolean(boolean)) => cells.push(i64::from(boolean)),
            (Cells::Floats(cells), Value::Number(number)) => cells.push(one_zero(number)),
            (Cells::Keywords { ranks, known, bytes }, Value::Keyword(keyword)) => {
                let rank = if let Some(rank) = known.get(keyword) {
                    *rank
                } else {
                    let rank = known.len() as u32;
                    *bytes += keyword.len();
                    known.insert(keyword.into(), rank);
                    rank
                };
                ranks.push(rank);
            }
            _ => {}
        }
    }

    /// Ends a document.
    pub fn end(&mut self) {
        self.ends.push(self.len() as u32);
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Integers(cells) => cells.len(),
            Cells::Floats(cells) => cells.len(),
            Cells::Keywords { ranks, .. } => ranks.len(),
        }
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        let cells = match &self.cells {
            Cells::Integers(cells) => cells.capacity() * 8,
            Cells::Floats(cells) => cells.capacity() * 8,
            Cells::Keywords { ranks, known, bytes } => ranks.capacity() * 4 + known.capacity() * ENTRY_BYTES + bytes,
        };
        cells + self.ends.capacity() * 4
    }

    /// Writes the column of field `number` and returns its entry of the table.
    pub fn write(self, number: usize, out: &mut SectionWriter) -> std::io::Result<[u8; super::ENTRY]> {
        let count = self.len();
        if count == 0 {
            return Ok([0; super::ENTRY]);
        }
        let (cells, width, least) = match self.cells {
            Cells::Floats(cells) => (cells.iter().flat_map(|cell| cell.to_le_bytes()).collect(), 8, 0),
            Cells::Integers(cells) => narrow(&cells),
            Cells::Keywords { ranks, known, .. } => {
                let sorted = write_keys(number, known, out)?;
                let ranks: Vec<i64> = ranks.iter().map(|rank| i64::from(sorted[*rank as usize])).collect();
                narrow(&ranks)
            }
        };
        section(out, &format!("{number}.cells"), &cells)?;
        let one_each = self.ends.len() == count && self.ends.iter().zip(1..).all(|(end, after)| *end == after);
        if !one_each {
            let ends: Vec<u8> = self.ends.iter().flat_map(|end| end.to_le_bytes()).collect();
            section(out, &format!("{number}.ends"), &ends)?;
        }
        let mut entry = [0; super::ENTRY];
        entry[..8].copy_from_slice(&least.to_le_bytes());
        entry[8..16].copy_from_slice(&(count as u64).to_le_bytes());
        entry[16..20].copy_from_slice(&width.to_le_bytes());
        Ok(entry)
    }
}

/// Writes the keywords in ascending order; returns the rank that each number stands for.
fn write_keys(number: usize, known: HashMap<Box<str>, u32>, out: &mut SectionWriter) -> std::io::Result<Vec<u32>> {
    let mut keys: Vec<(Box<str>, u32)> = known.into_iter().collect();
    keys.sort_unstable();
    let mut ranks = vec![0; keys.len()];
    let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(keys.len() * 4));
    for (rank, (key, given)) in (0..).zip(&keys) {
        ranks[*given as usize] = rank;
        bytes.extend_from_slice(key.as_bytes());
        let end = u32::try_from(bytes.len())
            .map_err(|_| std::io::Error::other("a keyword field has more than 4 GiB of values"))?;
        ends.extend_from_slice(&end.to_le_bytes());
    }
    section(out, &format!("{number}.keys"), &bytes)?;
    section(out, &format!("{number}.key-ends"), &ends)?;
    Ok(ranks)
}

/// The cells in as few bytes each as their spread allows; how many; and the value that they are above.
fn narrow(cells: &[i64]) -> (Vec<u8>, u32, i64) {
    let least = cells.iter().copied().min().unwrap_or(0);
    let most = cells.iter().copied().max().unwrap_or(0);
    let spread = most.wrapping_sub(least).cast_unsigned();
    let width = match spread {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let above = cells.iter().map(|cell| cell.wrapping_sub(least).to_le_bytes());
    (above.flat_map(|bytes| bytes.into_iter().take(width)).collect(), width as u32, least)
}

fn section(out: &mut SectionWriter, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    out.begin(name, crate::container::align(bytes.len()))?;
    out.write_all(bytes)
}

/// Writes the table of all columns' entries.
pub(crate) fn write_table(entries: &[[u8; super::ENTRY]], out: &mut SectionWriter) -> std::io::Result<()> {
    out.begin(super::TABLE, Align::Line)?;
    out.write_all(entries.as_flattened())
}
