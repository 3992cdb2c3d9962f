//! A graph of other software's, read whole: what is mapped must be ours, since its owner may write to it at any time.

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use cutover_durable::fs;
use cutover_vectors::{GraphImport, Parameters};
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::vec;

/// Bytes read between two looks at the cancel flag.
const BLOCK: u64 = 8 << 20;

/// What rows of a graph there are, before it is known which of them become documents.
#[derive(Debug)]
pub struct Rows {
    /// The label of each row.
    pub labels: Vec<u64>,
    /// 1 for each row that is deleted.
    pub deleted: Vec<u8>,
}

/// A graph that a segment takes over, and the rows whose documents are still to come.
pub(crate) struct Adopted {
    pub graph: GraphImport,
    rows: vec::IntoIter<u32>,
}

impl Adopted {
    /// Reads the file at `path` and checks all of it.
    ///
    /// # Errors
    /// [`Error::Source`] when it is not what it should be or changes meanwhile; I/O; [`Error::Cancelled`].
    pub fn read(path: &Path, field: &str, parameters: Parameters, cancel: &Cancel) -> Result<(Self, Rows)> {
        let bytes = read(path, cancel)?;
        let graph = GraphImport::new(parameters, bytes, &|| cancel.is_set()).map_err(|error| match error {
            cutover_vectors::Error::Foreign { detail } => source(path, detail),
            error => Error::vectors(field)(error),
        })?;
        let file = graph.file();
        let rows = 0..file.len() as u32;
        let rows = Rows {
            labels: rows.clone().map(|row| file.label(row)).collect(),
            deleted: rows.map(|row| u8::from(file.is_deleted(row))).collect(),
        };
        Ok((Self { graph, rows: Vec::new().into_iter() }, rows))
    }

    /// Says which rows documents come for, in their order.
    ///
    /// # Errors
    /// [`Error::Internal`] when they do not ascend or there are none such.
    pub fn expect(&mut self, rows: Vec<u32>) -> Result<()> {
        let ascend = rows.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascend || rows.last().is_some_and(|&last| last as usize >= self.graph.file().len()) {
            return Err(Error::Internal("the rows of a graph must ascend and be there".into()));
        }
        self.rows = rows.into_iter();
        Ok(())
    }

    /// The row of the next document.
    pub fn next(&mut self) -> Option<u32> {
        self.rows.next()
    }

    /// How many documents are still to come.
    pub fn left(&self) -> usize {
        self.rows.len()
    }
}

fn read(path: &Path, cancel: &Cancel) -> Result<Vec<u8>> {
    let file = fs::open_file(path)?;
    let before = metadata(&file, path)?;
    let length = usize::try_from(before.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| source(path, format!("there is not enough memory for its {length} bytes")))?;
    // No more than there was when it was opened: a file that grows has changed.
    while bytes.len() < length {
        cancel.check()?;
        let left = (length - bytes.len()) as u64;
        let read = (&file).take(left.min(BLOCK)).read_to_end(&mut bytes);
        if read.map_err(|source| cutover_durable::Error::io("read", path, source))? == 0 {
            break;
        }
    }
    let after = metadata(&file, path)?;
    let state = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec());
    if bytes.len() != length || state(&before) != state(&after) {
        return Err(source(path, "it was changed while it was read".to_owned()));
    }
    Ok(bytes)
}

fn metadata(file: &File, path: &Path) -> Result<Metadata> {
    Ok(file.metadata().map_err(|source| cutover_durable::Error::io("look at", path, source))?)
}

fn source(path: &Path, detail: String) -> Error {
    Error::Source { path: path.to_string_lossy().into_owned(), detail }
}
