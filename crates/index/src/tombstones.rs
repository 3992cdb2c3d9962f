//! Which ordinals of a segment a version no longer shows.
//!
//! A bitset in one section, `bits`: little-endian u64 words, ordinal `o` being bit `o % 64` of word `o / 64`.

use crate::error::{Error, Result};
use cutover_durable::sections::{Align, SectionWriter, Sections};
use cutover_durable::{
    Map,
    fs::{self, Written},
};
use fixedbitset::FixedBitSet;
use std::io::Write as _;

const MAGIC: [u8; 8] = *b"CUTOVERT";
pub(crate) const FORMAT: u32 = 1;

/// Writes the tombstones of a segment of `dead.len()` documents.
pub(crate) fn write(file: fs::Writer, dead: &FixedBitSet) -> Result<Written> {
    let mut file = SectionWriter::new(file, MAGIC, FORMAT, [0; 48])?;
    file.begin("bits", Align::Line)?;
    let mut words = vec![0_u64; dead.len().div_ceil(64)];
    for ordinal in dead.ones() {
        words[ordinal / 64] |= 1 << (ordinal % 64);
    }
    for word in words {
        file.write_all(&word.to_le_bytes()).map_err(Error::from_writer)?;
    }
    Ok(file.finish()?)
}

/// The tombstones of a segment of `documents` documents.
pub(crate) fn read(map: Map, documents: u32) -> Result<FixedBitSet> {
    let bits = Sections::open(map, MAGIC, FORMAT)?.section("bits")?;
    let words = bits.cast::<u64>()?;
    let documents = documents as usize;
    let tail = documents % 64;
    let overlong = tail != 0 && words.last().is_some_and(|last| last >> tail != 0);
    if words.len() != documents.div_ceil(64) || overlong {
        return Err(bits.malformed("the tombstones are not those of a segment of this size").into());
    }
    let mut dead = FixedBitSet::with_capacity(documents);
    for (at, word) in words.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            dead.insert(at * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
    Ok(dead)
}
