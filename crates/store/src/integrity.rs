//! When the bytes of a version are compared with the digests they were published with, and what follows from a mismatch: once
//! damage is known in this process, the version is not handed out any more.
//!
//! The check in the background is one thread of idle priority for the whole process. It takes no lease (a prune must not find a
//! version in use because of it); what is pruned under it is skipped. It ends when there is nothing to do, and a store that is
//! dropped takes its work away.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use cutover_durable::{
    Error as FileError,
    fs::{self, Kind},
    priority,
};

use crate::{
    Error, Manifest, Result, Snapshot, Store, VersionId,
    checked::{self, File, Urgency},
    info::Loaded,
    layout::Layout,
    sums::Sums,
};

/// When the bytes of a version are compared with their digests. Records, structure and sizes are checked always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Integrity {
    /// Never, unless [`Store::verify`] is called.
    #[default]
    Sizes,
    /// After a version was taken hold of, by a thread of idle priority: each file once in the life of this process.
    Background,
    /// Before a version is handed out: each file once in the life of this process.
    Digests,
}

/// Versions whose outcome is remembered; beyond that, those that are sound are forgotten.
const MOST: usize = 4096;

/// What one open index knows about its versions.
#[derive(Debug)]
pub(crate) struct Checks {
    layout: Layout,
    known: Mutex<Known>,
    is_closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    versions: HashMap<VersionId, Outcome>,
    /// Found in the background and not yet asked for.
    problems: Vec<Error>,
}

#[derive(Debug)]
enum Outcome {
    /// It waits to be checked in the background.
    Waits,
    Sound,
    /// A file of it is damaged.
    Damaged(String, File),
}

/// What the thread in the background has to do.
#[derive(Default)]
struct Background {
    jobs: VecDeque<(Arc<Checks>, VersionId)>,
    is_running: bool,
}

static BACKGROUND: LazyLock<Mutex<Background>> = LazyLock::new(Mutex::default);

/// The checks of an open index. Dropping it takes them off the thread in the background.
#[derive(Debug)]
pub(crate) struct Checking(Arc<Checks>);

impl Checking {
    pub fn new(layout: Layout) -> Self {
        Self(Arc::new(Checks { layout, known: Mutex::default(), is_closed: AtomicBool::new(false) }))
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }
}

impl Store {
    /// What is known in this process to be wrong with a version's bytes: by the check that `integrity` asked for, or by
    /// [`Store::verify`]. A file that was put right since is not held against the version.
    #[must_use]
    pub fn damage(&self, id: &VersionId) -> Option<Error> {
        let checks = &self.checking().0;
        if let Some(error) = checks.known_damage(id) {
            return Some(error);
        }
        if !checked::is_any_damaged() {
            return None;
        }
        let directory = self.layout().version(id);
        let loaded = Loaded::read(&directory, id).ok()?;
        checks.shared_damage(&loaded.manifest, &loaded.sums)
    }

    /// What the check in the background found since this was last called, each damaged version once.
    #[must_use]
    pub fn take_problems(&self) -> Vec<Error> {
        std::mem::take(&mut self.checking().0.known().problems)
    }

    /// Lets a version be handed out: fails when it is known, or by `integrity` found out now, to be damaged.
    pub(crate) fn admit(&self, snapshot: &Snapshot, cancel: &dyn Fn() -> bool) -> Result<()> {
        let checks = &self.checking().0;
        let (id, manifest, sums) = (snapshot.id(), snapshot.manifest(), snapshot.sums());
        let damage = checks.known_damage(id);
        let shared = || if checked::is_any_damaged() { checks.shared_damage(manifest, sums) } else { None };
        if let Some(error) = damage.or_else(shared) {
            return Err(error);
        }
        match self.options().integrity {
            Integrity::Sizes => Ok(()),
            Integrity::Background => {
                Checks::queue(checks, id);
                Ok(())
            }
            Integrity::Digests if matches!(checks.known().versions.get(id), Some(Outcome::Sound)) => Ok(()),
            Integrity::Digests => match checks.check(manifest, sums, Urgency::Now, cancel)? {
                None => {
                    checks.remember(id, Outcome::Sound);
                    Ok(())
                }
                Some(error) => Err(error),
            },
        }
    }
}

impl Checks {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, id: &VersionId, outcome: Outcome) {
        let mut known = self.known();
        if known.versions.len() >= MOST {
            known.versions.retain(|_, outcome| !matches!(outcome, Outcome::Sound));
        }
        known.versions.insert(id.clone(), outcome);
    }

    fn forget(&self, id: &VersionId) {
        self.known().versions.remove(id);
    }

    /// The damage that was found in the version, if the file still is the one that it was found in.
    fn known_damage(&self, id: &VersionId) -> Option<Error> {
        let (name, file) = match self.known().versions.get(id)? {
            Outcome::Damaged(name, file) => (name.clone(), *file),
            Outcome::Waits | Outcome::Sound => return None,
        };
        let damage = if self.is_still(id, &name, file) { file.known_damage() } else { None };
        if damage.is_none() {
            self.forget(id);
        }
        damage.map(|detail| self.error(id, &name, detail))
    }

    fn is_still(&self, id: &VersionId, name: &str, file: File) -> bool {
        let path = self.layout.version(id).join(name);
        fs::metadata(&path).is_ok_and(|metadata| file.is_at(&metadata))
    }

    /// Damage that was found in another version, or through another handle, in a file that this version has too.
    fn shared_damage(&self, manifest: &Manifest, sums: &Sums) -> Option<Error> {
        let directory = self.layout.version(&manifest.id);
        manifest.files.iter().find_map(|entry| {
            let digest = sums.get(&entry.name)?;
            let file = File::new(&fs::metadata(&directory.join(&entry.name)).ok()?, *digest);
            let detail = file.known_damage()?;
            self.remember(&manifest.id, Outcome::Damaged(entry.name.clone(), file));
            Some(self.error(&manifest.id, &entry.name, detail))
        })
    }

    fn error(&self, id: &VersionId, name: &str, detail: String) -> Error {
        Error::corrupt(self.layout.version(id).join(name), Some(id), detail)
    }

    /// Reads what was not read yet of a version's files, up to the first damaged one, which is remembered.
    fn check(
        &self,
        manifest: &Manifest,
        sums: &Sums,
        urgency: Urgency,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Option<Error>> {
        let id = &manifest.id;
        let directory = self.layout.version(id);
        for entry in &manifest.files {
            if cancel() {
                return Err(Error::Cancelled);
            }
            let Some(digest) = sums.get(&entry.name) else { continue };
            let path = directory.join(&entry.name);
            let file = File::new(&fs::metadata(&path)?, *digest);
            if let Some(detail) = file.check(&path, urgency, cancel)? {
                self.remember(id, Outcome::Damaged(entry.name.clone(), file));
                return Ok(Some(self.error(id, &entry.name, detail)));
            }
        }
        Ok(None)
    }

    /// Has a version checked in the background, unless it was or is about to be.
    fn queue(checks: &Arc<Self>, id: &VersionId) {
        if checks.known().versions.contains_key(id) {
            return;
        }
        checks.remember(id, Outcome::Waits);
        let mut background = background();
        background.jobs.push_back((Arc::clone(checks), id.clone()));
        if background.is_running {
            return;
        }
        let thread = thread::Builder::new().name("cutover-integrity".to_owned());
        background.is_running = thread.spawn(work_off).is_ok();
        if !background.is_running {
            // The system gives no thread now: whoever takes hold of the version next asks again.
            background.jobs.clear();
            checks.forget(id);
        }
    }

    /// Checks a version that nobody waits for.
    fn check_waiting(&self, id: &VersionId) {
        let stop = || self.is_closed.load(Ordering::Relaxed);
        let checked = Loaded::read(&self.layout.version(id), id)
            .and_then(|loaded| self.check(&loaded.manifest, &loaded.sums, Urgency::Sometime, &stop));
        match checked {
            Ok(None) => self.remember(id, Outcome::Sound),
            Ok(Some(error)) => self.known().problems.push(error),
            Err(error) => {
                self.forget(id);
                // Pruned, or moved aside, meanwhile; or this process ran out of something, which says nothing about the version.
                let is_there = matches!(fs::kind(&self.layout.version(id)), Ok(Some(Kind::Directory)));
                let is_about_it = match &error {
                    Error::Cancelled => false,
                    Error::Durable(error) => error.is_not_found() || matches!(error, FileError::Malformed { .. }),
                    _ => true,
                };
                if is_there && is_about_it {
                    self.known().problems.push(error);
                }
            }
        }
    }
}

fn background() -> MutexGuard<'static, Background> {
    BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread in the background: one version after another, until there is none.
fn work_off() {
    priority::become_idle();
    loop {
        let (checks, id) = {
            let mut background = background();
            let Some(job) = background.jobs.pop_front() else {
                background.is_running = false;
                return;
            };
            job
        };
        checks.check_waiting(&id);
    }
}
