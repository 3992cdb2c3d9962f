//! The one file of a segment's text: Tantivy's files and our columns as sections.
//!
//! The parameters hold the number of documents (u32), four zero bytes and the SHA-256 fingerprint of the schema. Tantivy's sections are
//! named after its file extensions, those of columns are described in `columns/`. Sections of at least [`PAGED`] bytes begin at a
//! page; the others share pages, so that a small segment is a small file. Of Tantivy's files `meta.json` is not kept: all it would
//! add is a random name, which would make two builds of the same documents differ. Nor are its columns and its document store:
//! documents live elsewhere.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use cutover_durable::fs::{Writer, Written};
use cutover_durable::sections::{Align, PARAMS, SectionWriter, Sections};
use cutover_durable::{Digest, Map};
use tantivy::Index;
use tantivy::TantivyDocument;
use tantivy::directory::OwnedBytes;
use tantivy::schema::Schema;

use crate::columns::{ColumnBuilder, write_table};
use crate::directory::Files;
use crate::{Error, Result, builder, guard};

const MAGIC: [u8; 8] = *b"CUTOVTXT";
const FORMAT: u32 = 2;
/// Sections from this size on begin at a page, in bytes.
const PAGED: usize = 64 * 1024;
/// The name of the segment within Tantivy; any would do, as long as it is one that Tantivy accepts.
pub(crate) const SEGMENT: &str = "00000000000000000000000000000000";
/// What Tantivy sizes the hash table by of an index that nothing is added to, in bytes: about the least that it takes.
const LEAST_BYTES: usize = 1 << 20;
/// Tantivy's files that are kept: lengths, postings, positions, and what is made last, dictionaries.
pub(crate) const FIRST: [&str; 3] = ["fieldnorm", "idx", "pos"];
pub(crate) const LAST: &str = "term";
/// Those it wants to find and has nothing in.
const PLACEHOLDERS: [&str; 2] = ["store", "fast"];
/// Tantivy's document numbers end before this one.
pub(crate) const MAX_DOCUMENTS: u32 = tantivy::TERMINATED;

/// A container that is being written.
pub(crate) struct ContainerWriter {
    out: SectionWriter,
    path: PathBuf,
}

impl ContainerWriter {
    pub fn new(documents: u32, schema: &Digest, out: Writer) -> Result<Self> {
        let mut params = [0; PARAMS];
        params[..4].copy_from_slice(&documents.to_le_bytes());
        params[8..40].copy_from_slice(schema.as_bytes());
        let path = out.path().to_path_buf();
        Ok(Self { out: SectionWriter::new(out, MAGIC, FORMAT, params)?, path })
    }

    /// Takes one of the files and writes it.
    pub fn file(&mut self, files: &Files, extension: &str) -> Result<()> {
        let bytes = files.take(extension).ok_or_else(|| missing(extension))?;
        self.out.begin(extension, align(bytes.len()))?;
        self.out.write_all(&bytes).map_err(|error| self.failed(error))
    }

    /// Writes the columns of all fields.
    pub fn columns(&mut self, columns: Vec<Option<ColumnBuilder>>) -> Result<()> {
        let written: io::Result<()> = (|| {
            let mut table = Vec::with_capacity(columns.len());
            for (number, column) in columns.into_iter().enumerate() {
                table.push(column.map_or(Ok(Default::default()), |column| column.write(number, &mut self.out))?);
            }
            write_table(&table, &mut self.out)
        })();
        written.map_err(|error| self.failed(error))
    }

    /// Finishes the file: synced once, read-only.
    pub fn finish(self) -> Result<Written> {
        Ok(self.out.finish()?)
    }

    fn failed(&self, source: io::Error) -> Error {
        cutover_durable::Error::io("write", &self.path, source).into()
    }
}

/// Where a section of this length begins.
pub(crate) fn align(length: usize) -> Align {
    if length < PAGED { Align::Line } else { Align::Page }
}

/// A container's sections, the files among them as Tantivy wants to find them, and the number of documents.
pub(crate) fn open(map: Map, schema: &Digest) -> Result<(Sections, Files, u32)> {
    let path = map.path().to_path_buf();
    let sections = Sections::open(map, MAGIC, FORMAT)?;
    let params = sections.params();
    if params[8..40] != schema.as_bytes()[..] {
        return Err(Error::OtherSchema { path });
    }
    if params[4..8] != [0; 4] || params[40..] != [0; 8] {
        return Err(Error::Corrupt { path, detail: "its parameters are not those of a text index".to_owned() });
    }
    let documents = u32::from_le_bytes([params[0], params[1], params[2], params[3]]);
    if documents >= MAX_DOCUMENTS {
        return Err(Error::Corrupt { path, detail: format!("it says that it holds {documents} documents") });
    }
    let files = Files::default();
    let name = |extension: &str| PathBuf::from(SEGMENT).with_extension(extension);
    for extension in FIRST.into_iter().chain([LAST]) {
        files.put(name(extension), OwnedBytes::new(sections.section(extension)?.slice()));
    }
    for (extension, bytes) in PLACEHOLDERS.iter().zip(placeholders()?) {
        files.put(name(extension), bytes.clone());
    }
    Ok((sections, files, documents))
}

/// The document store and the columns of a segment without a document.
fn placeholders() -> Result<&'static [OwnedBytes; 2]> {
    static MADE: OnceLock<[OwnedBytes; 2]> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made);
    }
    let files = Files::default();
    guard::building("make an empty text index", || {
        let builder = Index::builder().schema(Schema::builder().build()).settings(builder::settings());
        let writer = builder.single_segment_index_writer::<TantivyDocument>(files.clone(), LEAST_BYTES)?;
        Ok(writer.finalize()?)
    })?;
    let [store, fast] = PLACEHOLDERS.map(|extension| files.take(extension).ok_or_else(|| missing(extension)));
    Ok(MADE.get_or_init({
        let made = [store?, fast?];
        || made
    }))
}

fn missing(extension: &str) -> Error {
    Error::Internal { action: "write a text index", detail: format!("no file *.{extension} was built") }
}
