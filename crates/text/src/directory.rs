//! Tantivy's files as byte slices by name: in memory while a segment is built, parts of the mapped container when it is read.
//!
//! Nothing here touches a file system. Tantivy's habits of writing `meta.json`, lock files and lists of what it manages end in memory,
//! and reads give slices of the bytes that are there, without a copy.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::error::{DeleteError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, FileHandle, OwnedBytes, TerminatingWrite, WatchCallback, WatchHandle, WritePtr,
};

/// Files by name. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Files(Arc<Mutex<HashMap<PathBuf, OwnedBytes>>>);

impl Files {
    pub fn put(&self, name: impl Into<PathBuf>, bytes: OwnedBytes) {
        self.lock().insert(name.into(), bytes);
    }

    /// Takes out the only file whose name ends in `.extension`; none when there is none, or more than one.
    pub fn take(&self, extension: &str) -> Option<OwnedBytes> {
        let mut files = self.lock();
        let mut names = files.keys().filter(|name| name.extension().is_some_and(|end| end == extension));
        let name = names.next()?.clone();
        if names.next().is_some() {
            return None;
        }
        files.remove(&name)
    }

    fn get(&self, name: &Path) -> Result<OwnedBytes, OpenReadError> {
        self.lock().get(name).cloned().ok_or_else(|| OpenReadError::FileDoesNotExist(name.to_path_buf()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, OwnedBytes>> {
        // Each holder makes one change to the map, so a panic leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().keys()).finish()
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(self.get(path)?))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let removed = self.lock().remove(path);
        removed.map(drop).ok_or_else(|| DeleteError::FileDoesNotExist(path.to_path_buf()))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.lock().contains_key(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let mut files = self.lock();
        if files.contains_key(path) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_path_buf()));
        }
        files.insert(path.to_path_buf(), OwnedBytes::empty());
        let writer = NewFile { files: self.clone(), name: path.to_path_buf(), bytes: Vec::new() };
        Ok(BufWriter::new(Box::new(writer)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        Ok(self.get(path)?.to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.put(path, OwnedBytes::new(data.to_vec()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// A file being written: it gets its bytes when Tantivy says that it is done.
struct NewFile {
    files: Files,
    name: PathBuf,
    bytes: Vec<u8>,
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for NewFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.files.put(&self.name, OwnedBytes::new(std::mem::take(&mut self.bytes)));
        Ok(())
    }
}
