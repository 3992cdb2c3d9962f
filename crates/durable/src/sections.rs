//! The one container format of our own files: a header, aligned sections, a table of their names, a footer.
//!
//! ```text
//! 0    header   64 bytes: magic [u8; 8], format u32, zero u32, params [u8; 48]
//! 64   sections, each at a multiple of 64 (or 4096) bytes, zeroes between them
//!      table    at a multiple of 8, 40 bytes an entry: name [u8; 24] zero-padded, offset u64, length u64
//!      footer   32 bytes, the end of the file: table offset u64, entries u32, format u32, file length u64, end magic [u8; 8]
//! ```
//!
//! All numbers are little-endian. A file is written from its start to its end, so it can be hashed on the way; the parameters are
//! what is known when writing begins. Nothing in a file is believed before it was checked: [`Sections::open`] accepts only a file
//! whose sections lie in order, within it, apart from each other, aligned, and under names of their own.

mod read;
mod write;

pub use read::{Section, Sections};
pub use write::SectionWriter;

/// The header's length in bytes.
const HEADER: usize = 64;
/// The footer's length in bytes.
const FOOTER: usize = 32;
/// A table entry's length in bytes.
const ENTRY: usize = 40;
/// The longest section name in bytes.
const NAME: usize = 24;
/// The most sections a file may have. Far above what any of ours has; it bounds what opening a hostile file costs.
const MOST_SECTIONS: usize = 4096;
/// The last eight bytes of every container.
const END: [u8; 8] = *b"CUTOVEND";
/// The length of the kind-specific part of the header, in bytes.
pub const PARAMS: usize = 48;

/// Where a section may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At a multiple of 64 bytes: a cache line, and enough for every number type.
    #[default]
    Line,
    /// At a multiple of 4096 bytes: a page, for sections that are advised or paged apart.
    Page,
}

impl Align {
    fn bytes(self) -> u64 {
        match self {
            Self::Line => 64,
            Self::Page => 4096,
        }
    }
}
