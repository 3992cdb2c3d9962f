//! A reader's hold on one version.
//!
//! The lease is taken first, then everything is looked at, then `CURRENT` is read again: so what a reader serves was current at a
//! moment after it asked, and prune leaves it alone from before it was looked at until the snapshot is dropped. Nothing is written.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use cutover_durable::{
    Digest, Error as FileError, Map,
    fs::{self, Kind},
    lock::Lease,
};

use crate::{
    Error, Manifest, Result, Store, VersionId, VersionInfo, info::Loaded, layout::LEASE, name, sums::Sums, tags::Tags,
};

/// How often a reader starts over because another version became current meanwhile. After that it serves the one it holds, which is
/// whole, and was current when it was asked for.
const ATTEMPTS: usize = 16;
/// How long a lease is asked for while somebody holds it exclusively. Probes and prunes hold it for microseconds.
const LEASE_PATIENCE: Duration = Duration::from_secs(5);

/// One version, kept from being pruned for as long as this lives.
#[derive(Debug)]
pub struct Snapshot {
    location: Arc<Location>,
    info: VersionInfo,
    manifest: Manifest,
    sums: Sums,
    _lease: Option<Lease>,
}

/// Where a version is: a draft's snapshot follows it to its published place.
#[derive(Debug)]
pub(crate) struct Location {
    pub written: PathBuf,
    pub published: OnceLock<PathBuf>,
}

impl Location {
    pub fn new(written: PathBuf) -> Arc<Self> {
        Arc::new(Self { written, published: OnceLock::new() })
    }

    pub fn path(&self) -> &Path {
        self.published.get().unwrap_or(&self.written)
    }
}

impl Store {
    /// Takes hold of the current version, or of the one named.
    ///
    /// # Errors
    /// [`Error::Empty`] when nothing was published, [`Error::NotFound`], [`Error::Corrupt`], [`Error::SizeMismatch`],
    /// [`Error::FormatTooNew`], [`Error::Busy`]. Damage that is known, or that `integrity` has found out now, is
    /// [`Error::Corrupt`].
    pub fn snapshot(&self, version: Option<&VersionId>) -> Result<Snapshot> {
        self.snapshot_while(version, &|| false)
    }

    /// [`Store::snapshot`], until `cancel` ends it: with `integrity` at digests it reads every byte the first time.
    ///
    /// # Errors
    /// As [`Store::snapshot`], and [`Error::Cancelled`].
    pub fn snapshot_while(&self, version: Option<&VersionId>, cancel: &dyn Fn() -> bool) -> Result<Snapshot> {
        let admit = |id: &VersionId, is_current| {
            let snapshot = self.hold(id, is_current)?;
            self.admit(&snapshot, cancel)?;
            Ok(snapshot)
        };
        if let Some(id) = version {
            let is_current = self.current().is_ok_and(|current| current.as_ref() == Some(id));
            return admit(id, is_current);
        }
        let mut attempt = 1;
        loop {
            let id = self.current()?.ok_or_else(|| Error::Empty { path: self.root().to_path_buf() })?;
            let held = admit(&id, true);
            if attempt < ATTEMPTS && self.current()?.as_ref() != Some(&id) {
                attempt += 1;
                continue;
            }
            return match held {
                Err(Error::NotFound { version }) => Err(Error::corrupt(
                    self.layout().current(),
                    None,
                    format!("it names {version}, which is not there"),
                )),
                held => held,
            };
        }
    }

    /// Takes hold of a version, whatever the integrity check knows about it.
    pub(crate) fn hold(&self, id: &VersionId, is_current: bool) -> Result<Snapshot> {
        let directory = self.layout().version(id);
        let lease = match self.lease(&directory.join(LEASE)) {
            // No such version, or a damaged one: looking at it tells which.
            Err(Error::Durable(error)) if error.is_not_found() => {
                self.load(id, is_current)?;
                return Err(Error::corrupt(directory.join(LEASE), Some(id), "it is missing"));
            }
            lease => lease?,
        };
        let loaded = self.load(id, is_current)?;
        Snapshot::new(self, Location::new(directory), loaded, lease, is_current)
    }

    /// A shared lock on `path`; `None` where nothing can lock.
    pub(crate) fn lease(&self, path: &Path) -> Result<Option<Lease>> {
        self.lease_while(path, &|| false)
    }

    /// [`Store::lease`], until `cancel` ends the wait.
    pub(crate) fn lease_while(&self, path: &Path, cancel: &dyn Fn() -> bool) -> Result<Option<Lease>> {
        let started = Instant::now();
        loop {
            if cancel() {
                return Err(Error::Cancelled);
            }
            match Lease::try_shared(path) {
                Ok(lease) => return Ok(Some(lease)),
                Err(FileError::LockUnsupported { .. }) => {
                    self.note_leases_failed();
                    return Ok(None);
                }
                Err(FileError::Contended { path }) if started.elapsed() > LEASE_PATIENCE => {
                    return Err(Error::Busy { path });
                }
                Err(FileError::Contended { .. }) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Snapshot {
    pub(crate) fn new(
        store: &Store,
        location: Arc<Location>,
        loaded: Loaded,
        lease: Option<Lease>,
        is_current: bool,
    ) -> Result<Self> {
        check_files(location.path(), &loaded.manifest)?;
        let info = loaded.info(is_current, &Tags::read_if_sound(store.layout())?);
        Ok(Self { location, info, manifest: loaded.manifest, sums: loaded.sums, _lease: lease })
    }

    /// The version's id.
    #[must_use]
    pub fn id(&self) -> &VersionId {
        &self.info.id
    }

    /// What there was to say about the version when it was taken hold of.
    #[must_use]
    pub fn info(&self) -> &VersionInfo {
        &self.info
    }

    /// What the version was published with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The version's directory: of a draft's snapshot, the draft's until it is published.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.location.path()
    }

    /// The digest that the file called `name` was published with.
    #[must_use]
    pub fn digest(&self, name: &str) -> Option<Digest> {
        self.manifest.file(name).and_then(|_| self.sums.get(name).copied())
    }

    pub(crate) fn sums(&self) -> &Sums {
        &self.sums
    }

    /// The path of the file called `name`.
    ///
    /// # Errors
    /// [`Error::InvalidName`] when it could lead out of the version. Whether the version has the file is not looked at.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        if self.manifest.is_adopted() {
            name::check_adopted(name)?;
        } else {
            name::check(name)?;
        }
        Ok(self.directory().join(name))
    }

    /// Maps the file called `name`, which the manifest must list with the size it has.
    ///
    /// # Errors
    /// [`Error::SizeMismatch`] when it is missing or has another size; [`Error::Corrupt`] when the manifest does not list it.
    pub fn map(&self, name: &str) -> Result<Map> {
        let entry = self.manifest.file(name);
        let entry = entry
            .ok_or_else(|| Error::corrupt(self.directory(), Some(self.id()), format!("it has no file {name:?}")))?;
        let actual = match Map::open(&self.directory().join(name)) {
            Ok(map) if map.len() as u64 == entry.bytes => return Ok(map),
            Ok(map) => Some(map.len() as u64),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        Err(Error::SizeMismatch { version: self.id().clone(), file: name.to_owned(), expected: entry.bytes, actual })
    }
}

/// Makes sure that every file of the version is there, a regular file of its size, reached through real directories.
pub(crate) fn check_files(directory: &Path, manifest: &Manifest) -> Result<()> {
    let mut checked = HashSet::new();
    for file in &manifest.files {
        for parent in name::parents(&file.name).filter(|parent| checked.insert(*parent)) {
            if let Some(Kind::File | Kind::Symlink | Kind::Other) = fs::kind(&directory.join(parent))? {
                return Err(Error::corrupt(directory.join(parent), Some(&manifest.id), "it is not a directory"));
            }
        }
        let actual = match fs::metadata(&directory.join(&file.name)) {
            Ok(metadata) => metadata.is_file().then_some(metadata.len()),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        if actual != Some(file.bytes) {
            let (version, file, expected) = (manifest.id.clone(), file.name.clone(), file.bytes);
            return Err(Error::SizeMismatch { version, file, expected, actual });
        }
    }
    Ok(())
}
