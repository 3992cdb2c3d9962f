//! A file of hnswlib's, as its C++ library, Python's `hnswlib` and `hnswlib-node` write it, read without hnswlib.
//!
//! Everything is checked before anything is used: [`Hnswlib::parse`] walks every list of every level once, and refuses a file
//! in which a count, a link, a level, a label or a length is not what hnswlib would have written. After that, reading cannot fail.
//!
//! The file does not say which of hnswlib's spaces it is for, nor does it know ids: rows have labels, which are numbers.
//!
//! ```text
//! header    see `header.rs`
//! elements  for each row: count u16, deleted u8 (bit 0), zero u8, links u32 × maxM0, vector f32 × dimensions, label u64
//! upper     for each row: bytes u32, then for level 1, 2, …: count u16, zero u16, links u32 × maxM
//! ```

use super::header::{BYTES, COUNT, Header, LABEL};
use crate::error::{Error, Result};

/// Rows that are looked at between two looks at the cancel flag.
const ROWS_BETWEEN_CHECKS: usize = 4096;
/// hnswlib sets it in the byte behind a list's count.
const DELETED: u8 = 1;

/// A parsed file of hnswlib's: vectors, labels, and the links between them.
pub struct Hnswlib<B> {
    bytes: B,
    header: Header,
    /// The level of each row.
    levels: Vec<u8>,
    /// The rows above level 0, ascending, with where their lists begin.
    tall: Vec<(u32, usize)>,
    deleted: usize,
}

impl<B: AsRef<[u8]>> Hnswlib<B> {
    /// Checks a whole file. Takes a byte for each row, 16 for each above level 0, and 8 more for each row until it returns; the file's
    /// length bounds them all.
    ///
    /// # Errors
    /// [`Error::Foreign`] saying what is wrong; [`Error::Cancelled`].
    pub fn parse(bytes: B, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let header = Header::decode(bytes.as_ref()).map_err(foreign)?;
        let mut file = Self { bytes, header, levels: Vec::with_capacity(header.rows), tall: Vec::new(), deleted: 0 };
        file.find_levels(cancel)?;
        file.check_links(cancel)?;
        file.check_labels(cancel)?;
        Ok(file)
    }

    /// How many rows there are, deleted ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.header.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows are marked as deleted.
    #[must_use]
    pub fn deleted(&self) -> usize {
        self.deleted
    }

    /// Components of every vector, from 1 to 4096.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.header.dimensions
    }

    /// hnswlib's M: links of a row on the upper levels, at least 2; twice as many on level 0.
    #[must_use]
    pub fn m(&self) -> usize {
        self.header.m
    }

    /// Candidates considered when a row was linked.
    #[must_use]
    pub fn ef_construction(&self) -> usize {
        self.header.ef_construction
    }

    /// The label of a row. Each is another.
    ///
    /// # Panics
    /// When there is no such row; so do the others.
    #[must_use]
    pub fn label(&self, row: u32) -> u64 {
        let mut label = [0; LABEL];
        label.copy_from_slice(&self.element(row)[self.header.label..]);
        u64::from_le_bytes(label)
    }

    /// Whether a row is marked as deleted: hnswlib's searches pass through it and do not answer it.
    #[must_use]
    pub fn is_deleted(&self, row: u32) -> bool {
        self.element(row)[2] & DELETED != 0
    }

    /// Puts the vector of a row in the place of what `vector` held. It may hold anything: finite or not.
    pub fn vector(&self, row: u32, vector: &mut Vec<f32>) {
        let bytes = &self.element(row)[self.header.data..self.header.label];
        vector.clear();
        vector.extend(bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)));
    }

    /// The row from which searches start; 0 when there is none.
    #[must_use]
    pub fn entry(&self) -> u32 {
        self.header.entry
    }

    /// The highest level that a row is on.
    #[must_use]
    pub fn level(&self, row: u32) -> u8 {
        self.levels[row as usize]
    }

    /// The rows that a row links to on a level; none on a level that it is not on.
    pub fn links(&self, row: u32, level: u8) -> impl ExactSizeIterator<Item = u32> + Clone {
        let list = self.list(row, level).unwrap_or(&[0; COUNT]);
        let (count, links) = split(list);
        links[..count.min(links.len())].iter().map(|link| u32::from_le_bytes(*link))
    }

    fn element(&self, row: u32) -> &[u8] {
        let start = BYTES + row as usize * self.header.element;
        &self.bytes.as_ref()[start..start + self.header.element]
    }

    /// A row's list on a level, count included.
    fn list(&self, row: u32, level: u8) -> Option<&[u8]> {
        if level == 0 {
            return Some(&self.element(row)[..self.header.data]);
        }
        if level > self.level(row) {
            return None;
        }
        let at = self.tall.binary_search_by_key(&row, |&(row, _)| row).ok()?;
        let start = self.tall[at].1 + (usize::from(level) - 1) * self.list_bytes();
        self.bytes.as_ref().get(start..start + self.list_bytes())
    }

    /// Bytes of a list above level 0.
    fn list_bytes(&self) -> usize {
        COUNT + 4 * self.header.m
    }

    /// Walks the lengths behind the elements, which end where the file does.
    fn find_levels(&mut self, cancel: &dyn Fn() -> bool) -> Result<()> {
        let file = self.bytes.as_ref();
        // The header made sure that the elements are there.
        let mut at = BYTES + self.header.rows * self.header.element;
        for row in 0..self.header.rows {
            check(row, cancel)?;
            let Some(length) = file.get(at..).and_then(<[u8]>::first_chunk) else {
                return Err(foreign(format!("it ends before the upper lists of element {row}")));
            };
            let length = u32::from_le_bytes(*length) as usize;
            at += size_of::<u32>();
            if length > file.len() - at {
                return Err(foreign(format!("it ends within the {length} bytes of the upper lists of element {row}")));
            }
            let lists = length / self.list_bytes();
            if !length.is_multiple_of(self.list_bytes()) || lists > usize::from(self.header.top) {
                return Err(foreign(format!(
                    "element {row} has {length} bytes of upper lists, which are none of up to {} lists of {}",
                    self.header.top,
                    self.list_bytes()
                )));
            }
            self.levels.push(lists as u8);
            if lists > 0 {
                self.tall.push((row as u32, at));
            }
            at += length;
        }
        if at != file.len() {
            return Err(foreign(format!("its last element ends at byte {at} of {}", file.len())));
        }
        let (entry, top) = (self.header.entry, self.header.top);
        if self.levels.get(entry as usize).is_some_and(|&level| level != top) {
            return Err(foreign(format!("its entry point {entry} is not on its highest level {top}")));
        }
        Ok(())
    }

    /// Every list, on every level: no longer than there is room, and of rows that are on that level.
    fn check_links(&mut self, cancel: &dyn Fn() -> bool) -> Result<()> {
        let mut deleted = 0;
        for row in 0..self.header.rows as u32 {
            check(row as usize, cancel)?;
            deleted += usize::from(self.is_deleted(row));
            for level in 0..=self.level(row) {
                let list = self.list(row, level).unwrap_or_default();
                self.check_list(list, level)
                    .map_err(|what| foreign(format!("element {row} {what} on level {level}")))?;
            }
        }
        self.deleted = deleted;
        Ok(())
    }

    fn check_list(&self, list: &[u8], level: u8) -> Result<(), String> {
        let flags = if level == 0 { DELETED } else { 0 };
        if list[2] & !flags != 0 || list[3] != 0 {
            return Err("has bytes set that mean nothing in its list".to_owned());
        }
        let (count, links) = split(list);
        let Some(links) = links.get(..count) else {
            return Err(format!("has {count} links where there is room for {}", links.len()));
        };
        let stray = links.iter().map(|link| u32::from_le_bytes(*link));
        let stray = stray.filter(|&link| self.levels.get(link as usize).is_none_or(|&on| on < level)).min();
        stray.map_or(Ok(()), |link| Err(format!("links to {link}, which is no element there,")))
    }

    fn check_labels(&self, cancel: &dyn Fn() -> bool) -> Result<()> {
        let mut labels: Vec<u64> = (0..self.header.rows as u32).map(|row| self.label(row)).collect();
        check(0, cancel)?;
        labels.sort_unstable();
        match labels.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(foreign(format!("two elements have the label {}", twice[0]))),
            None => Ok(()),
        }
    }
}

/// The count that a list begins with, and its slots.
fn split(list: &[u8]) -> (usize, &[[u8; 4]]) {
    let (count, links) = list.split_at(COUNT);
    (usize::from(u16::from_le_bytes([count[0], count[1]])), links.as_chunks().0)
}

fn foreign(detail: String) -> Error {
    Error::Foreign { detail }
}

fn check(done: usize, cancel: &dyn Fn() -> bool) -> Result<()> {
    if done.is_multiple_of(ROWS_BETWEEN_CHECKS) && cancel() { Err(Error::Cancelled) } else { Ok(()) }
}
