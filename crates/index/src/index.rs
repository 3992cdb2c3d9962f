//! An open index: what it serves, its versions, and where its writes begin.

use crate::cancel::Cancel;
use crate::check::check;
use crate::draft::{Draft, WriteOptions};
use crate::error::{Error, Result};
use crate::fall_back::OnCorrupt;
use crate::models::Models;
use crate::reader_cache::{CacheStatus, ReaderCache};
use crate::schema::Schema;
use crate::segment::SegmentCache;
use crate::snapshot::Snapshot;
use crate::threads;
use cutover_store::{Keep, LockWait, Store, StoreOptions, StoreStatus, VersionId, VersionInfo, Writer};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// How an index is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The fields that the caller declares; needed to create an index.
    pub fields: Option<Schema>,
    /// The embedding models that it was given.
    pub models: Models,
    /// How the directory is treated.
    pub store: StoreOptions,
    /// Whether a query sees every publish that finished before it began.
    pub strict: bool,
    /// What follows when the current version is known to be damaged.
    pub on_corrupt: OnCorrupt,
    /// What a publish leaves behind.
    pub keep: Keep,
    /// Search threads, at least 1.
    pub search_threads: usize,
    /// Threads that build graphs, at least 1.
    pub build_threads: usize,
    /// Bytes that a segment may hold in memory before the next one begins.
    pub build_memory_bytes: usize,
}

/// An open index. Clones are the same index.
#[derive(Clone)]
pub struct Index {
    open: Arc<RwLock<Option<Arc<Open>>>>,
    path: String,
}

/// What an index holds until it is closed.
pub(crate) struct Open {
    pub store: Store,
    pub options: Options,
    pub cache: Arc<ReaderCache>,
    pool: Arc<threads::Pool>,
}

impl Index {
    /// Opens the index at `path` and, if it has a current version, that.
    ///
    /// # Errors
    /// What the store refuses; [`Error::Corrupt`] and the layers' errors when the current version cannot be opened.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        let store = Store::open(path, options.store)?;
        let pool = threads::search_pool(options.search_threads)?;
        let cache = Arc::new(ReaderCache::new(store.clone(), &options));
        if store.current()?.is_some() {
            cache.reload()?;
        }
        let open = Arc::new(Open { store, options, cache, pool });
        Ok(Self { open: Arc::new(RwLock::new(Some(open))), path: path.display().to_string() })
    }

    pub(crate) fn inner(&self) -> Result<Arc<Open>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.ok_or_else(|| Error::Closed { path: self.path.clone() })
    }

    /// The versions it serves, for those who look after them, and what a publish leaves of them.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn store(&self) -> Result<(Store, Keep)> {
        let inner = self.inner()?;
        Ok((inner.store.clone(), inner.options.keep))
    }

    /// The threads that its searches run on.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn pool(&self) -> Result<Arc<threads::Pool>> {
        Ok(Arc::clone(&self.inner()?.pool))
    }

    /// The version served, as last seen; no I/O.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn served(&self) -> Result<Option<Arc<Snapshot>>> {
        Ok(self.inner()?.cache.served())
    }

    /// The fields that a write would use: the declared ones, else those of the version served.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn fields(&self) -> Result<Option<Arc<Schema>>> {
        let inner = self.inner()?;
        let declared = inner.options.fields.clone().map(Arc::new);
        Ok(declared.or_else(|| inner.cache.served().map(|served| Arc::clone(&served.schema))))
    }

    /// The snapshot that a query runs on: the version served, or a given one.
    ///
    /// # Errors
    /// The store's `Empty` before the first publish and `NotFound` for an unknown version; [`Error::Schema`]; [`Error::Closed`].
    pub fn snapshot(&self, version: Option<&str>) -> Result<Arc<Snapshot>> {
        let inner = self.inner()?;
        let Some(version) = version else { return inner.cache.acquire() };
        let id = VersionId::parse(version)?;
        if let Some(served) = inner.cache.served().filter(|served| *served.id() == id) {
            if let Some(damage) = inner.store.damage(&id) {
                return Err(damage.into());
            }
            inner.cache.fits(&served)?;
            return Ok(served);
        }
        let snapshot = Snapshot::open(inner.store.snapshot(Some(&id))?, inner.cache.segments())?;
        inner.cache.fits(&snapshot)?;
        Ok(Arc::new(snapshot))
    }

    /// Looks at `CURRENT`. With `wait` a new version is open when this returns, without it is opened in the background. Whether the
    /// version served changed while it waited.
    ///
    /// # Errors
    /// As [`Index::snapshot`], except that an empty index is no error.
    pub fn refresh(&self, wait: bool) -> Result<bool> {
        let inner = self.inner()?;
        let before = inner.cache.served().map(|served| served.id().clone());
        if inner.store.current()?.is_none() {
            return Ok(false);
        }
        let now = if wait { inner.cache.reload()? } else { inner.cache.acquire()? };
        Ok(before.as_ref() != Some(now.id()))
    }

    /// The state of the directory, and of the version cache of this process.
    ///
    /// # Errors
    /// The store's.
    pub fn status(&self) -> Result<(StoreStatus, CacheStatus)> {
        let inner = self.inner()?;
        Ok((inner.store.status()?, inner.cache.status()))
    }

    /// What went wrong in the background since the last call.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn take_problems(&self) -> Result<Vec<Error>> {
        Ok(self.inner()?.cache.take_problems())
    }

    /// Makes a complete version current, after the production reader opened it.
    ///
    /// # Errors
    /// The store's, and those of opening the version; nothing has changed then, unless it says that this cannot be known.
    pub fn activate(&self, version: &str, wait: &Wait, cancel: &Cancel) -> Result<VersionInfo> {
        let id = VersionId::parse(version)?;
        let inner = self.inner()?;
        let mut writer = inner.lock("activate", wait, cancel)?;
        let opened = inner.try_open(&id)?;
        let activated = writer.activate(&id, wait.if_current()?.as_ref())?;
        inner.follow(opened);
        Ok(activated.info)
    }

    /// Makes the version before the current one current again, or `to`, after the production reader opened it.
    ///
    /// # Errors
    /// As [`Index::activate`].
    pub fn rollback(&self, to: Option<&str>, wait: &Wait, cancel: &Cancel) -> Result<VersionInfo> {
        let to = to.map(VersionId::parse).transpose()?;
        let inner = self.inner()?;
        let mut writer = inner.lock("rollback", wait, cancel)?;
        let to = to.map_or_else(|| writer.rollback_target(), Ok)?;
        let opened = inner.try_open(&to)?;
        let activated = writer.rollback(Some(&to), wait.if_current()?.as_ref())?;
        inner.follow(opened);
        Ok(activated.info)
    }

    /// Takes the writer lock and begins a draft.
    ///
    /// # Errors
    /// [`Error::Type`] when no fields are known; the store's `Locked`, `Conflict`, `Exists`, `ReadOnly`.
    pub fn begin(&self, options: WriteOptions, cancel: &Cancel) -> Result<Draft> {
        let schema =
            self.fields()?.ok_or_else(|| Error::Type("fields must be given to write the first version".into()))?;
        Draft::begin(self.inner()?, schema, options, cancel)
    }

    /// Lets go of the version served and of the search threads. Work under way finishes on what it holds; later calls are refused.
    pub fn close(&self) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(open);
    }
}

impl Open {
    pub(crate) fn lock(&self, operation: &str, wait: &Wait, cancel: &Cancel) -> Result<Writer> {
        Ok(self.store.write(operation, wait.lock, &|| cancel.is_set())?)
    }

    pub(crate) fn segments(&self) -> &SegmentCache {
        self.cache.segments()
    }

    fn try_open(&self, id: &VersionId) -> Result<Snapshot> {
        let snapshot = Snapshot::open(self.store.snapshot(Some(id))?, self.segments())?;
        check(&snapshot)?;
        Ok(snapshot)
    }

    /// Serves what has just become current. `opened` is that version, whose maps are shared. Whatever goes wrong here did not keep
    /// the version from becoming current, so it is a problem and not the writer's error.
    pub(crate) fn follow<T>(&self, opened: T) {
        if let Err(error) = self.cache.reload() {
            self.cache.report(error);
        }
        drop(opened);
    }
}

/// How a write waits for the lock, and what it insists on once it has it.
#[derive(Debug, Clone)]
pub struct Wait {
    /// For how long.
    pub lock: LockWait,
    /// The version that must still be current.
    pub if_current: Option<String>,
}

impl Wait {
    /// Waits `milliseconds`, or for ever; 0 fails at once.
    #[must_use]
    pub fn new(milliseconds: Option<f64>, if_current: Option<String>) -> Self {
        let lock = LockWait::milliseconds(milliseconds);
        Self { lock, if_current }
    }

    pub(crate) fn if_current(&self) -> std::result::Result<Option<VersionId>, cutover_store::Error> {
        self.if_current.as_deref().map(VersionId::parse).transpose()
    }
}
