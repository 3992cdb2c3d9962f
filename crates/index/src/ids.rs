//! The ids file of a segment: from an id to its ordinal and back.
//!
//! Sections: `map`, an `fst` from the bytes of each id to its ordinal; `ids`, the ids one after another by ordinal; `offsets`,
//! a little-endian u64 per document and one more. An id that came twice maps to its last ordinal; the earlier ones are dead
//! from the start and [`IdsWriter::finish`] names them.

use crate::error::{Error, Result};
use crate::slices::Slices;
use cutover_durable::sections::{Align, Section, SectionWriter, Sections};
use cutover_durable::{
    Map,
    fs::{self, Written},
};
use fst::{IntoStreamer, Streamer};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

const MAGIC: [u8; 8] = *b"CUTOVERI";
pub(crate) const FORMAT: u32 = 1;

/// Collects the ids of one segment in the order of their ordinals.
#[derive(Default)]
pub(crate) struct IdsWriter {
    bytes: Vec<u8>,
    offsets: Vec<u64>,
}

impl IdsWriter {
    pub fn add(&mut self, id: &str) {
        self.offsets.push(self.bytes.len() as u64);
        self.bytes.extend_from_slice(id.as_bytes());
    }

    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    pub fn memory_bytes(&self) -> usize {
        // The sort at the end takes an index of four bytes per id.
        self.bytes.capacity() + self.offsets.capacity() * (size_of::<u64>() + size_of::<u32>())
    }

    fn id(&self, ordinal: u32) -> &[u8] {
        let at = ordinal as usize;
        let end = self.offsets.get(at + 1).map_or(self.bytes.len(), |end| *end as usize);
        &self.bytes[self.offsets[at] as usize..end]
    }

    /// Writes the file; also the ordinals whose id came again later, ascending.
    pub fn finish(mut self, file: fs::Writer) -> Result<(Written, Vec<u32>)> {
        let count =
            u32::try_from(self.len()).map_err(|_| Error::Internal("a segment holds at most 2^32 documents".into()))?;
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_unstable_by(|a, b| self.id(*a).cmp(self.id(*b)).then(a.cmp(b)));
        let mut file = SectionWriter::new(file, MAGIC, FORMAT, [0; 48])?;
        file.begin("map", Align::Line)?;
        let mut replaced = Vec::new();
        let mut map = fst::MapBuilder::new(&mut file).map_err(fst_failure)?;
        for (at, &ordinal) in order.iter().enumerate() {
            let id = self.id(ordinal);
            match order.get(at + 1) {
                Some(&next) if self.id(next) == id => replaced.push(ordinal),
                _ => map.insert(id, u64::from(ordinal)).map_err(fst_failure)?,
            }
        }
        map.finish().map_err(fst_failure)?;
        replaced.sort_unstable();
        file.begin("ids", Align::Line)?;
        file.write_all(&self.bytes).map_err(Error::from_writer)?;
        file.begin("offsets", Align::Line)?;
        self.offsets.push(self.bytes.len() as u64);
        for offset in &self.offsets {
            file.write_all(&offset.to_le_bytes()).map_err(Error::from_writer)?;
        }
        Ok((file.finish()?, replaced))
    }
}

/// A section as the bytes of an `fst`.
struct Bytes(Section);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// The ids of one mapped segment.
pub(crate) struct Ids {
    map: fst::Map<Bytes>,
    ids: Slices,
}

impl Ids {
    pub fn open(map: Map) -> Result<Self> {
        let sections = Sections::open(map, MAGIC, FORMAT)?;
        let ids = Slices::open(&sections, "ids", "id")?;
        let fst = sections.section("map")?;
        let map = fst::Map::new(Bytes(fst.clone())).map_err(|e| fst.malformed(&format!("the id map: {e}")))?;
        if map.len() > ids.len() as usize {
            return Err(fst.malformed("the id map has more entries than there are documents").into());
        }
        Ok(Self { map, ids })
    }

    /// Documents of the segment, replaced ones included.
    pub fn len(&self) -> u32 {
        self.ids.len()
    }

    /// Ids that differ from each other.
    pub fn distinct(&self) -> usize {
        self.map.len()
    }

    /// The ordinal that last had this id in the segment.
    ///
    /// # Errors
    /// [`Error::Store`] when the map is damaged on the way to it, or leads to no document.
    pub fn ordinal(&self, id: &str) -> Result<Option<u32>> {
        let found = self.guarded(|| Ok(self.map.get(id)))?;
        found.map(|ordinal| self.checked(ordinal)).transpose()
    }

    fn checked(&self, ordinal: u64) -> Result<u32> {
        let ordinal = u32::try_from(ordinal).ok().filter(|ordinal| *ordinal < self.len());
        Ok(ordinal.ok_or_else(|| self.ids.malformed("the id map names a document that is not there"))?)
    }

    /// Runs work on the map, which trusts its bytes: damage shows as a panic somewhere within.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        // The map is read only: nothing can be left half-changed.
        let outcome = catch_unwind(AssertUnwindSafe(work));
        outcome.unwrap_or_else(|_| Err(self.ids.malformed("the id map is damaged").into()))
    }

    /// See [`Slices::touch`].
    pub fn touch(&self, ordinal: u32) -> u8 {
        self.ids.touch(ordinal)
    }

    /// The id at an ordinal.
    pub fn id(&self, ordinal: u32) -> Result<&str> {
        self.ids.get(ordinal)
    }

    /// Calls `visit` with ids and ordinals in the order of the ids, after `after`, until it answers false.
    pub fn walk(&self, after: Option<&str>, mut visit: impl FnMut(&[u8], u32) -> Result<bool>) -> Result<()> {
        self.guarded(|| {
            let mut stream = match after {
                Some(after) => self.map.range().gt(after).into_stream(),
                None => self.map.stream(),
            };
            // A damaged map could lead in circles: it never has more entries than it says.
            let mut left = self.map.len();
            while let Some((id, ordinal)) = stream.next() {
                left = left.checked_sub(1).ok_or_else(|| self.ids.malformed("the id map leads in circles"))?;
                if !visit(id, self.checked(ordinal)?)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

fn fst_failure(error: fst::Error) -> Error {
    match error {
        fst::Error::Io(source) => Error::from_writer(source),
        fst::Error::Fst(e) => Error::Internal(format!("building the id map: {e}")),
    }
}

/// Calls `visit` with the segment and ordinal of every id that a later segment has again.
pub(crate) fn replaced_across(segments: &[Ids], mut visit: impl FnMut(usize, u32)) {
    let mut union = fst::map::OpBuilder::new();
    for ids in segments {
        union.push(&ids.map);
    }
    let mut union = union.union();
    while let Some((_, places)) = union.next() {
        let last = places.iter().map(|place| place.index).max();
        for place in places.iter().filter(|place| Some(place.index) != last) {
            visit(place.index, place.value as u32);
        }
    }
}
