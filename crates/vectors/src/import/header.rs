//! The 96 bytes with which a file of hnswlib's begins, field by field.
//!
//! `HierarchicalNSW::saveIndex` writes the members of the class as the machine has them: here those of a 64-bit, little-endian
//! one. They say the same thing several times over, and all of it must agree before any of it is used.
//!
//! ```text
//! 0   offset of level 0  u64   0
//! 8   max elements       u64   what there was room for
//! 16  elements           u64
//! 24  element size       u64   label offset + 8
//! 32  label offset       u64   data offset + 4 × dimensions
//! 40  data offset        u64   4 + 4 × maxM0
//! 48  max level          i32   −1 without elements
//! 52  entry point        u32   2³²−1 without elements
//! 56  maxM               u64   M
//! 64  maxM0              u64   2 × M
//! 72  M                  u64
//! 80  mult               f64   1 ÷ ln M
//! 88  ef construction    u64
//! ```

use crate::{
    format::{MAX_LEVEL, MAX_VECTORS},
    parameters::Parameters,
};

/// Bytes of a header.
pub(super) const BYTES: usize = 96;
/// Bytes of the count that each list begins with.
pub(super) const COUNT: usize = 4;
/// Bytes of a label.
pub(super) const LABEL: usize = 8;
/// hnswlib takes no more links for a node.
const MAX_M: u64 = 10_000;

/// What a header says, all of it checked against the rest and against the file's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub rows: usize,
    pub dimensions: usize,
    pub m: usize,
    pub ef_construction: usize,
    /// Where a row's vector begins in its element, and where its label does.
    pub data: usize,
    pub label: usize,
    /// Bytes of an element: its links on level 0, vector and label.
    pub element: usize,
    /// The highest level; 0 without rows.
    pub top: u8,
    /// The row from which searches start; 0 without rows.
    pub entry: u32,
}

impl Header {
    /// The header of a whole file, or what is wrong with it.
    pub(super) fn decode(file: &[u8]) -> Result<Self, String> {
        let Some(bytes) = file.first_chunk::<BYTES>() else {
            return Err(format!("it has {} bytes, and its header alone takes {BYTES}", file.len()));
        };
        let [start, room, rows, element, label, data] = [0, 8, 16, 24, 32, 40].map(|at| u64_at(bytes, at));
        let [max_m, max_m0, m, ef_construction] = [56, 64, 72, 88].map(|at| u64_at(bytes, at));
        if start != 0 {
            return Err(format!(
                "its elements begin at {start} instead of 0: it is none of hnswlib's on a 64-bit machine"
            ));
        }
        if !(2..=MAX_M).contains(&m) || max_m != m || max_m0 != 2 * m {
            return Err(format!(
                "it has M {m}, maxM {max_m}, maxM0 {max_m0}: M, M and 2 × M are meant to be, M from 2 to {MAX_M}"
            ));
        }
        let lists = COUNT as u64 + 4 * max_m0;
        if data != lists {
            return Err(format!("its vectors begin at {data} of an element, and {max_m0} links end at {lists}"));
        }
        let dimensions = label.checked_sub(data).filter(|bytes| bytes % 4 == 0).map(|bytes| bytes / 4);
        let dimensions = dimensions.filter(|dimensions| (1..=Parameters::MAX_DIMENSIONS as u64).contains(dimensions));
        let Some(dimensions) = dimensions else {
            return Err(format!(
                "its vectors take bytes {data} to {label} of an element, which is not 1 to {} float32 numbers",
                Parameters::MAX_DIMENSIONS
            ));
        };
        if element != label + LABEL as u64 {
            return Err(format!("its elements take {element} bytes, and their labels end at {}", label + LABEL as u64));
        }
        if rows > room {
            return Err(format!("it has {rows} elements and room for {room}"));
        }
        // At most 2³¹ elements, each of less than 2¹⁷ bytes.
        if rows > MAX_VECTORS as u64 || (file.len() - BYTES) as u64 / element < rows {
            return Err(format!("it has {} bytes, which cannot hold {rows} elements of {element}", file.len()));
        }
        let mult = f64::from_bits(u64_at(bytes, 80));
        if !(mult.is_finite() && mult > 0.0) {
            return Err(format!("its level multiplier is {mult}"));
        }
        let (top, entry) = levels(bytes, rows)?;
        Ok(Self {
            rows: rows as usize,
            dimensions: dimensions as usize,
            m: m as usize,
            ef_construction: usize::try_from(ef_construction).unwrap_or(usize::MAX),
            data: data as usize,
            label: label as usize,
            element: element as usize,
            top,
            entry,
        })
    }
}

/// The highest level and the entry point.
fn levels(bytes: &[u8; BYTES], rows: u64) -> Result<(u8, u32), String> {
    let (top, entry) = (u32_at(bytes, 48).cast_signed(), u32_at(bytes, 52));
    if rows == 0 {
        return if (top, entry) == (-1, u32::MAX) {
            Ok((0, 0))
        } else {
            Err(format!("it has no elements, and {entry} on level {top} as its entry point"))
        };
    }
    let level = u8::try_from(top).ok().filter(|&level| level <= MAX_LEVEL);
    match level {
        Some(level) if u64::from(entry) < rows => Ok((level, entry)),
        Some(_) => Err(format!("its entry point {entry} is none of its {rows} elements")),
        None => Err(format!("its highest level is {top}, and 0 to {MAX_LEVEL} are read")),
    }
}

fn u32_at(bytes: &[u8; BYTES], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8; BYTES], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
