//! An index in a temporary directory, and short ways to write versions of it.
#![expect(dead_code, reason = "each test file uses the helpers that it needs")]

pub mod apart;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use cutover_store::{
    Contents, Counts, Draft, DraftOptions, Error, LockWait, Published, Store, StoreOptions, VersionId, Writer,
};
use serde_json::json;

/// The files that [`fill`] writes.
pub const FILES: [&str; 3] = ["segments/0/documents", "segments/0/text", "top"];

pub struct Index {
    pub directory: tempfile::TempDir,
    pub store: Store,
}

impl Index {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("index")).unwrap();
        Self { directory, store }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.store.root().join(name)
    }

    pub fn write(&self) -> Writer {
        self.store.write("test", LockWait::Now, &|| false).unwrap()
    }

    /// Publishes a version with the id, and a file that holds it.
    pub fn publish(&self, version: &str) -> Published {
        let draft = complete(draft(self.write(), Some(version)), true);
        draft.publish(None, &|| false).unwrap().0
    }

    pub fn prepare(&self, version: &str) -> Published {
        let draft = complete(draft(self.write(), Some(version)), false);
        draft.publish(None, &|| false).unwrap().0
    }

    pub fn current(&self) -> String {
        self.store.current().unwrap().unwrap().to_string()
    }

    /// Every version and its state.
    pub fn states(&self) -> Vec<String> {
        let states = self.store.versions().unwrap();
        states.iter().map(|info| format!("{} {:?}", info.id, info.state).to_lowercase()).collect()
    }

    /// Names below a directory of the index, sorted.
    pub fn names(&self, directory: &str) -> Vec<String> {
        names(&self.path(directory))
    }
}

pub fn open(path: &Path) -> Result<Store, Error> {
    Store::open(path, StoreOptions { create: true, ..StoreOptions::default() })
}

pub fn id(text: &str) -> VersionId {
    VersionId::parse(text).unwrap()
}

pub fn draft(writer: Writer, version: Option<&str>) -> Draft {
    writer.draft(DraftOptions { id: version.map(id), ..DraftOptions::default() }).unwrap()
}

pub fn put(draft: &Draft, name: &str, bytes: &[u8]) {
    let mut file = draft.create(name).unwrap();
    file.write_all(bytes).unwrap();
    draft.record(name, file.finish().unwrap()).unwrap();
}

/// Writes [`FILES`], which all hold the draft's id, and completes the draft.
pub fn complete(mut draft: Draft, activate: bool) -> Draft {
    let text = draft.id().to_string();
    for name in FILES {
        put(&draft, name, text.as_bytes());
    }
    let counts = Counts { documents: 1, ..Counts::default() };
    draft.complete(Contents { counts, content: json!({ "text": text }) }, activate).unwrap();
    draft
}

pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every path below the index, with what it holds.
pub fn tree(index: &Index) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        let kind = fs::symlink_metadata(path).unwrap().file_type();
        let holds = match () {
            () if kind.is_dir() => b"directory".to_vec(),
            () if kind.is_symlink() => fs::read_link(path).unwrap().into_os_string().into_encoded_bytes(),
            () => fs::read(path).unwrap(),
        };
        found.insert(path.to_path_buf(), holds);
        if kind.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                walk(&entry.unwrap().path(), found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(index.store.root(), &mut found);
    found
}

/// Replaces a file that is read-only.
pub fn overwrite(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Changes one bit of a read-only file in place, so that every version that links it has the damage.
pub fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mode = fs::metadata(path).unwrap().permissions();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, mode).unwrap();
}

/// Replaces a text within a file.
pub fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    overwrite(path, text.replace(from, to));
}

/// The code of the error.
pub fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map(drop).unwrap_err().code()
}
