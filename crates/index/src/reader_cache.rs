//! The version that this process serves: one snapshot, replaced when `CURRENT` names another.
//!
//! A query pays one look at `CURRENT`. When it names a new version, the old one goes on answering while the new one is
//! opened, checked and warmed by one thread in the background; under `strict` freshness the query opens it first. A version
//! that cannot be served is remembered, reported once as a problem, and the newest that could be served stays.

use crate::check::check;
use crate::error::{Error, Result};
use crate::fall_back::FallBack;
use crate::index::Options;
use crate::models::Models;
use crate::schema::Schema;
use crate::segment::SegmentCache;
use crate::snapshot::Snapshot;
use crate::threads;
use cutover_store::{CurrentReader, Store, VersionId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

/// Problems kept for a listener; older ones give way.
const MAX_PROBLEMS: usize = 64;

/// Numbers of `status`.
#[derive(Debug, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheStatus {
    /// Queries answered by the version that was open already.
    pub hits: u64,
    /// Versions opened.
    pub reloads: u64,
    /// Milliseconds that the last opening took.
    pub last_reload_ms: f64,
}

/// See the module.
pub(crate) struct ReaderCache {
    store: Store,
    current: CurrentReader,
    declared: Option<Schema>,
    models: Models,
    strict: bool,
    fall_back: FallBack,
    segments: SegmentCache,
    served: RwLock<Option<Arc<Snapshot>>>,
    /// Held while a version is opened: one opener, however many ask.
    opening: Mutex<()>,
    in_background: AtomicBool,
    refused: Mutex<Option<VersionId>>,
    problems: Mutex<Vec<Error>>,
    hits: AtomicU64,
    reloads: AtomicU64,
    last_reload_us: AtomicU64,
}

impl ReaderCache {
    pub fn new(store: Store, options: &Options) -> Self {
        Self {
            fall_back: FallBack::new(store.clone(), options.on_corrupt),
            current: CurrentReader::new(store.clone()),
            store,
            declared: options.fields.clone(),
            models: options.models.clone(),
            strict: options.strict,
            segments: SegmentCache::default(),
            served: RwLock::default(),
            opening: Mutex::default(),
            in_background: AtomicBool::new(false),
            refused: Mutex::default(),
            problems: Mutex::default(),
            hits: AtomicU64::new(0),
            reloads: AtomicU64::new(0),
            last_reload_us: AtomicU64::new(0),
        }
    }

    pub fn segments(&self) -> &SegmentCache {
        &self.segments
    }

    /// The snapshot that is served, without looking at `CURRENT`.
    pub fn served(&self) -> Option<Arc<Snapshot>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The snapshot that a query runs on.
    ///
    /// # Errors
    /// The store's `Empty` before the first publish, [`Error::Schema`] when what is served does not fit the declared fields, the store's
    /// `Corrupt` when it is known to be damaged and no earlier version answers instead.
    pub fn acquire(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let snapshot = match (self.served(), self.current.current()) {
            (Some(served), Ok(Some(current))) if *served.id() == current => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                served
            }
            (Some(served), Ok(Some(current))) if !self.strict || self.is_refused(&current) => {
                self.reload_in_background(&current);
                served
            }
            (Some(served), Ok(None)) => served,
            // A running reader outlives trouble with the directory: what it serves is mapped and leased.
            (Some(served), Err(error)) if !self.strict => {
                self.report(error.into());
                served
            }
            (None, Ok(None)) => return Err(cutover_store::Error::Empty { path: self.store.root().to_owned() }.into()),
            (_, Ok(Some(_))) => self.reload()?,
            (_, Err(error)) => return Err(error.into()),
        };
        let snapshot = match self.store.damage(snapshot.id()) {
            None => snapshot,
            Some(damage) => self.fall_back.instead_of(snapshot.id(), damage.into(), &self.segments)?,
        };
        self.fits(&snapshot)?;
        Ok(snapshot)
    }

    /// Opens what `CURRENT` names, unless it is served already.
    pub fn reload(&self) -> Result<Arc<Snapshot>> {
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let served = self.served();
        if let Some(served) = &served
            && self.store.current()?.as_ref() == Some(served.id())
        {
            return Ok(Arc::clone(served));
        }
        let started = Instant::now();
        let opened = self.open_current(served.is_some());
        match (opened, served) {
            (Ok(snapshot), served) => {
                if let (Err(error), Some(served)) =
                    (self.serves(&snapshot), served.filter(|served| self.serves(served).is_ok()))
                {
                    self.refuse(snapshot.id().clone(), error);
                    return Ok(served);
                }
                self.serve(Arc::clone(&snapshot));
                self.last_reload_us
                    .store(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                Ok(snapshot)
            }
            (Err(error), Some(served)) => {
                match self.store.current() {
                    Ok(Some(current)) => self.refuse(current, error),
                    _ => self.report(error),
                }
                Ok(served)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Opens what `CURRENT` names. While another version answers, it is checked and warmed first; when none does, whoever asked is
    /// better served at once.
    fn open_current(&self, warm: bool) -> Result<Arc<Snapshot>> {
        let opened = self.store.snapshot(None).map_err(Error::from);
        let opened = opened.and_then(|held| Snapshot::open(held, &self.segments)).and_then(|snapshot| {
            if warm {
                check(&snapshot)?;
            }
            Ok(Arc::new(snapshot))
        });
        match (opened, self.store.current()) {
            // While another version answers, that one goes on.
            (Err(error), Ok(Some(current))) if !warm && error.code() == "CUTOVER_CORRUPT" => {
                let detail = error.to_string();
                let snapshot = self.fall_back.instead_of(&current, error, &self.segments)?;
                let (version, file) = (current.to_string(), String::new());
                self.refuse(current, Error::Corrupt { version, file, detail });
                Ok(snapshot)
            }
            (opened, _) => opened,
        }
    }

    /// Serves a snapshot from now on.
    pub fn serve(&self, snapshot: Arc<Snapshot>) {
        let before = self.served.write().unwrap_or_else(PoisonError::into_inner).replace(snapshot);
        self.reloads.fetch_add(1, Ordering::Relaxed);
        // Unmapping an old version can take milliseconds: never under the lock.
        drop(before);
    }

    /// Whether the declared fields can be searched in this version.
    pub fn fits(&self, snapshot: &Snapshot) -> Result<()> {
        self.declared.as_ref().map_or(Ok(()), |declared| snapshot.schema.serves(declared))
    }

    /// Whether everything that this program was given can be used with this version: its fields, and its embedding models. A version
    /// of another model is not chosen while one that fits answers; where none does, what needs no embedding is answered from it.
    fn serves(&self, snapshot: &Snapshot) -> Result<()> {
        self.fits(snapshot)?;
        self.models.serve(snapshot.models())
    }

    fn reload_in_background(self: &Arc<Self>, current: &VersionId) {
        if self.is_refused(current) || self.in_background.swap(true, Ordering::AcqRel) {
            return;
        }
        let cache = Arc::clone(self);
        let started = threads::spawn("cutover-open", move || {
            if let Err(error) = cache.reload() {
                cache.report(error);
            }
            cache.in_background.store(false, Ordering::Release);
        });
        if let Err(error) = started {
            self.in_background.store(false, Ordering::Release);
            self.report(error);
        }
    }

    fn is_refused(&self, id: &VersionId) -> bool {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(id)
    }

    fn refuse(&self, id: VersionId, error: Error) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        self.report(error);
    }

    pub fn report(&self, error: Error) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.last().is_some_and(|last| last.to_string() == error.to_string()) {
            return;
        }
        if problems.len() == MAX_PROBLEMS {
            problems.remove(0);
        }
        problems.push(error);
    }

    /// What went wrong in the background since the last call.
    pub fn take_problems(&self) -> Vec<Error> {
        let found = self.store.take_problems().into_iter().map(Error::from);
        found.chain(std::mem::take(&mut *self.problems.lock().unwrap_or_else(PoisonError::into_inner))).collect()
    }

    pub fn status(&self) -> CacheStatus {
        CacheStatus {
            hits: self.hits.load(Ordering::Relaxed),
            reloads: self.reloads.load(Ordering::Relaxed),
            last_reload_ms: self.last_reload_us.load(Ordering::Relaxed) as f64 / 1000.0,
        }
    }
}
