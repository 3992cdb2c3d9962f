//! Opening an index directory and asking what is in it. Nothing here writes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cutover_durable::{disk, fs};

use crate::{
    Error, Integrity, Result, VersionId, VersionInfo, current,
    info::Loaded,
    integrity::Checking,
    layout::{Layout, VersionName},
    state::Stage,
    tags::Tags,
};

/// How an index directory is opened.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent permission that the caller's options spell out"
)]
pub struct StoreOptions {
    /// Whether a directory that is missing or empty becomes an index with the first write.
    pub create: bool,
    /// Whether writing is refused.
    pub read_only: bool,
    /// Whether writing on a network file system is accepted.
    pub allow_network: bool,
    /// Whether a directory is accepted in which every user can rename and remove.
    pub allow_writable_by_others: bool,
    /// When the bytes of a version are compared with their digests.
    pub integrity: Integrity,
}

/// How a file came to be in two versions when a hard link was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It shares its blocks.
    Cloned,
    /// It takes its room again.
    Copied,
}

/// An index directory. Clones are the same one; it holds no files open.
#[derive(Debug, Clone)]
pub struct Store(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    layout: Layout,
    options: StoreOptions,
    /// Whether files were cloned, or copied, because links were refused.
    cloned: AtomicBool,
    copied: AtomicBool,
    leases_failed: AtomicBool,
    checking: Checking,
}

impl Store {
    /// Opens the index directory at `path`. Nothing is written, not even where it is to be created.
    ///
    /// # Errors
    /// [`Error::NotADirectory`], [`Error::NotAnIndex`], [`Error::WritableByOthers`], [`Error::Corrupt`] when `versions` is no
    /// directory, or the system's error when the directory cannot be listed.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self> {
        let layout = Layout::new(resolve(path)?);
        check_root(&layout, options)?;
        Ok(Self(Arc::new(Opened {
            checking: Checking::new(layout.clone()),
            layout,
            options,
            cloned: AtomicBool::new(false),
            copied: AtomicBool::new(false),
            leases_failed: AtomicBool::new(false),
        })))
    }

    /// The index directory, as an absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.layout().root()
    }

    /// Where vectors that were paid for are kept, for whoever holds the writer lock. No version needs it, and nothing here reads it.
    #[must_use]
    pub fn embeddings_directory(&self) -> PathBuf {
        self.layout().embeddings()
    }

    /// The version that `CURRENT` names now; `None` when nothing was published yet. One small read.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when `CURRENT` holds no id, or is missing although something was published.
    pub fn current(&self) -> Result<Option<VersionId>> {
        current::read(self.layout())
    }

    /// What there is to say about a version.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Corrupt`], [`Error::FormatTooNew`].
    pub fn info(&self, id: &VersionId) -> Result<VersionInfo> {
        let is_current = self.known_current()?.as_ref() == Some(id);
        Ok(self.load(id, is_current)?.info(is_current, &Tags::read(self.layout())?))
    }

    /// The complete versions, in the order of their sequence. Those that cannot be read are left out: `status` names them.
    pub fn versions(&self) -> Result<Vec<VersionInfo>> {
        Ok(self.list()?.into_iter().filter_map(|(_, info)| info.ok()).collect())
    }

    /// Every version and what there is to say about it, readable ones in the order of their sequence, then the others.
    pub(crate) fn list(&self) -> Result<Vec<(VersionId, Result<VersionInfo>)>> {
        let current = self.known_current()?;
        let tags = Tags::read(self.layout())?;
        let mut listed = Vec::new();
        for id in self.ids()? {
            let is_current = current.as_ref() == Some(&id);
            match self.load(&id, is_current) {
                // Pruned since it was listed, or not a version yet.
                Err(Error::NotFound { .. }) => {}
                Err(error @ Error::Durable(cutover_durable::Error::Io { .. })) => return Err(error),
                loaded => listed.push((id, loaded.map(|loaded| loaded.info(is_current, &tags)))),
            }
        }
        listed.sort_by_cached_key(|(id, info)| (info.as_ref().map_or(u64::MAX, |info| info.sequence), id.clone()));
        Ok(listed)
    }

    /// The ids of everything below `versions/` that can be a version.
    pub(crate) fn ids(&self) -> Result<Vec<VersionId>> {
        let entries = match fs::list_dir(&self.layout().versions()) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            entries => entries?,
        };
        let directories = entries.into_iter().filter(|entry| entry.kind == fs::Kind::Directory);
        let ids = directories.filter_map(|entry| match Layout::parse_version(&entry.name) {
            VersionName::Version(id) => Some(id),
            VersionName::Staging | VersionName::Foreign => None,
        });
        Ok(ids.collect())
    }

    /// The records of a version that is complete.
    pub(crate) fn load(&self, id: &VersionId, is_current: bool) -> Result<Loaded> {
        let directory = self.layout().version(id);
        let exists = || Ok::<_, Error>(fs::kind(&directory)? == Some(fs::Kind::Directory));
        if !exists()? {
            return Err(Error::NotFound { version: id.clone() });
        }
        match Loaded::read(&directory, id) {
            Ok(loaded) if loaded.state.state == Stage::Publishing && !is_current => {
                Err(Error::NotFound { version: id.clone() })
            }
            Err(Error::Durable(error)) if error.is_not_found() => Err(if exists()? {
                Error::corrupt(error.path(), Some(id), "it is missing")
            } else {
                Error::NotFound { version: id.clone() }
            }),
            Err(Error::Durable(cutover_durable::Error::Malformed { path, detail })) => {
                Err(Error::corrupt(path, Some(id), detail))
            }
            result => result,
        }
    }

    /// The current version; `None` also when that cannot be known any more, so that what is left can be listed.
    fn known_current(&self) -> Result<Option<VersionId>> {
        match self.current() {
            Err(Error::Corrupt { .. } | Error::Durable(cutover_durable::Error::Malformed { .. })) => Ok(None),
            current => current,
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    pub(crate) fn checking(&self) -> &Checking {
        &self.0.checking
    }

    pub(crate) fn options(&self) -> StoreOptions {
        self.0.options
    }

    /// Remembers that a file could not be linked, and what was done instead.
    pub(crate) fn note_sharing(&self, sharing: Sharing) {
        self.flag(sharing).store(true, Ordering::Relaxed);
    }

    fn flag(&self, sharing: Sharing) -> &AtomicBool {
        match sharing {
            Sharing::Cloned => &self.0.cloned,
            Sharing::Copied => &self.0.copied,
        }
    }

    /// Remembers that a version is read without a lease because nothing can lock here.
    pub(crate) fn note_leases_failed(&self) {
        self.0.leases_failed.store(true, Ordering::Relaxed);
    }

    /// Whether files had to be shared otherwise than by links, and in this way.
    pub(crate) fn had_to(&self, sharing: Sharing) -> bool {
        self.flag(sharing).load(Ordering::Relaxed)
    }

    pub(crate) fn leases_failed(&self) -> bool {
        self.0.leases_failed.load(Ordering::Relaxed)
    }
}

/// The directory's own path, so that neither a change of the working directory nor a changed link leads elsewhere later.
fn resolve(path: &Path) -> Result<PathBuf> {
    let context = |source| cutover_durable::Error::io("find", path, source);
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(std::path::absolute(path).map_err(context)?),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(Error::NotADirectory { path: path.to_path_buf() })
        }
        result => Ok(result.map_err(context)?),
    }
}

fn check_root(layout: &Layout, options: StoreOptions) -> Result<()> {
    let path = || layout.root().to_path_buf();
    let may_create = options.create && !options.read_only;
    match fs::kind(layout.root())? {
        None if may_create => return Ok(()),
        None => return Err(Error::NotAnIndex { path: path(), detail: "it does not exist".to_owned() }),
        Some(fs::Kind::Directory) => {}
        Some(_) => return Err(Error::NotADirectory { path: path() }),
    }
    let entries = fs::list_dir(layout.root())?;
    if entries.iter().any(|entry| Layout::marks_an_index(&entry.name)) {
        check_directory(&layout.versions())?;
        check_directory(&layout.trash())?;
        check_directory(&layout.damaged())?;
    } else if let Some(foreign) = entries.iter().find(|entry| !Layout::may_precede_an_index(&entry.name)) {
        let detail = format!("it holds {} and neither CURRENT nor versions", foreign.name.display());
        return Err(Error::NotAnIndex { path: path(), detail });
    } else if !may_create {
        return Err(Error::NotAnIndex { path: path(), detail: "it is empty".to_owned() });
    }
    if !options.allow_writable_by_others && disk::writable_by_others(layout.root())? {
        return Err(Error::WritableByOthers { path: path() });
    }
    Ok(())
}

/// What we rename into and remove below must not lead elsewhere.
fn check_directory(path: &Path) -> Result<()> {
    match fs::kind(path)? {
        None | Some(fs::Kind::Directory) => Ok(()),
        Some(_) => Err(Error::corrupt(path, None, "it is not a directory")),
    }
}
