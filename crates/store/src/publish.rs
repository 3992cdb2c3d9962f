//! Steps 6 to 8: a complete draft gets its name, `CURRENT` gets the version's, and both last before anything is claimed.

use std::time::{Duration, Instant};

use cutover_durable::{fs, replace};

use crate::{
    Draft, Error, Result, VersionId, VersionInfo, Writer, current,
    draft::Place,
    history::{self, Event},
    used_ids::UsedIds,
};

/// A version that was published, or prepared, and what that took.
#[derive(Debug, Clone)]
pub struct Published {
    /// The version.
    pub info: VersionInfo,
    /// From the first rename until readers could see it (of a prepared version: until it had its name).
    pub visible: Duration,
    /// From the first rename until a power cut could not undo it.
    pub durable: Duration,
    /// How much of `durable` was spent in syncs: the device's part.
    pub flushing: Duration,
}

/// The time since the first rename, and how much of it the device took.
pub(crate) struct Stopwatch {
    started: Instant,
    pub flushing: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { started: Instant::now(), flushing: Duration::ZERO }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Does something that waits for the device.
    pub fn flush<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.flushing += started.elapsed();
        result
    }
}

impl Draft {
    /// Gives the complete draft its version's name and, unless it is to stay prepared, makes it current. `cancel` is asked once,
    /// before the first rename; what has begun then is finished.
    ///
    /// Returns the writer too, for whoever wants to prune under the same lock.
    ///
    /// # Errors
    /// [`Error::Conflict`] unless `if_current`, where given, is current; [`Error::Cancelled`]; [`Error::LockLost`];
    /// [`Error::Indeterminate`] when the very last sync failed. After every other error the draft is gone and nothing has changed.
    pub fn publish(mut self, if_current: Option<&VersionId>, cancel: &dyn Fn() -> bool) -> Result<(Published, Writer)> {
        let activate = self.completed()?.activate;
        let writer = self.writer()?;
        let layout = writer.layout();
        writer.require_lock()?;
        if writer.require_current(if_current)? != self.current {
            return Err(Error::LockLost { path: layout.lock() });
        }
        if let Some(current) = &self.current {
            writer.require_settled(current)?;
        }
        if cancel() {
            return Err(Error::Cancelled);
        }
        if self.chosen {
            UsedIds::read(layout)?.add(layout, &self.id)?;
        }
        // Step 6.
        let mut watch = Stopwatch::start();
        let directory = layout.version(&self.id);
        fs::rename_no_replace(self.location.path(), &directory)?;
        self.place = Place::Named;
        // Set once: a draft is published once.
        let _ = self.location.published.set(directory);
        let versions = self.writer()?.layout().versions();
        watch.flush(|| fs::sync_dir(&versions))?;
        let mut visible = watch.elapsed();
        if activate {
            // Steps 7 and 8.
            visible = match self.writer()?.make_current(&self.id, &mut watch) {
                Err(error @ Error::Indeterminate { .. }) => {
                    self.place = Place::Kept;
                    return Err(error);
                }
                visible => visible?,
            };
        }
        self.place = Place::Kept;
        let durable = watch.elapsed();
        let writer = self.take_writer()?;
        let event = if activate { Event::Published } else { Event::Prepared };
        if activate {
            writer.after_activation(&self.id);
        }
        history::record(writer.layout(), event, &self.id, self.current.as_ref());
        self.remove_moved();
        let info = self.completed()?.info.clone();
        Ok((Published { info, visible, durable, flushing: watch.flushing }, writer))
    }
}

impl Writer {
    /// Steps 7 and 8: from the rename in here on, `id` is current. Its directory and state, and its name in `versions/`, last already.
    /// Returns when readers could see it.
    ///
    /// # Errors
    /// [`Error::Indeterminate`] when `id` is current for readers but may not be after a power cut. Any other: it is not current.
    pub(crate) fn make_current(&self, id: &VersionId, watch: &mut Stopwatch) -> Result<Duration> {
        let layout = self.layout();
        let staged = watch.flush(|| replace::stage(&layout.current(), &current::encode(id)))?;
        // The replaced file is held open until everything lasts: freeing it within the rename can take ext4 milliseconds.
        let replaced = fs::open_file(&layout.current());
        if let Err(source) = staged.swap() {
            // A rename that failed may have happened.
            return Err(match current::read(layout) {
                Ok(found) if found.as_ref() != Some(id) => source.into(),
                _ => Error::Indeterminate { version: id.clone(), source },
            });
        }
        let visible = watch.elapsed();
        watch
            .flush(|| fs::sync_dir(layout.root()))
            .map_err(|source| Error::Indeterminate { version: id.clone(), source })?;
        drop(replaced);
        Ok(visible)
    }

    /// Writes down what follows from `id` having become current. It is current whether or not this succeeds, and the next writer
    /// does what was left undone, so a failure is not the publisher's.
    pub(crate) fn after_activation(&self, id: &VersionId) {
        if let Ok(Some(state)) = self.unsettled(id) {
            let _ = self.settle(id, state);
        }
        self.point_link(Some(id));
    }
}
