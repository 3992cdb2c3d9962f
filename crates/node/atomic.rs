//! What `cutover/atomic` is made of: a file being replaced, a lock being held, files being rebuilt in their places.
//!
//! Each call runs on a thread of its own: it may wait for a lock or for the disk as long as it takes.

use crate::convert::{CancelToken, flag};
use crate::task::{now, promise};
use cutover_durable::replace::Replacement;
use cutover_durable::swap::{Gap, replace_with};
use cutover_index::threads::{self, Worker};
use cutover_index::{Error, Result};
use cutover_store::{Held, InPlace, LockWait, Swap};
use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi_derive::napi;
use serde::Deserialize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that is used by one call at a time until it is used up.
struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Slot<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Some(value))))
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        work(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().ok_or_else(ended)?)
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn ended() -> Error {
    Error::Internal("it was finished or given up".into())
}

fn apart<T: ToNapiValue + Send + 'static>(
    env: &Env,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> napi::Result<Object<'_>> {
    promise(env, |job| threads::spawn("cutover-atomic", job), work)
}

/// A file on its way to replace another. Its calls run one after another on one thread.
#[napi]
pub struct NativeReplacement {
    replacement: Slot<Replacement>,
    worker: Arc<Worker>,
}

impl NativeReplacement {
    fn on_worker<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(Slot<Replacement>) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let replacement = self.replacement.clone();
        promise(env, |job| self.worker.run(job), move || work(replacement))
    }
}

#[napi]
impl NativeReplacement {
    /// Puts a finished file or directory in the place of another.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn with(env: &Env, target: String, staged: String, allow_gap: bool) -> napi::Result<Object<'_>> {
        apart(env, move || {
            let gap = if allow_gap { Gap::Accept } else { Gap::Refuse };
            Ok(replace_with(Path::new(&target), Path::new(&staged), gap)?)
        })
    }

    /// Begins to write beside the path.
    #[napi(ts_return_type = "Promise<NativeReplacement>")]
    pub fn begin(env: &Env, path: String) -> napi::Result<Object<'_>> {
        let worker = Arc::new(now(|| Worker::start("cutover-replace"))?);
        let own = Arc::clone(&worker);
        promise(
            env,
            |job| worker.run(job),
            move || Ok(Self { replacement: Slot::new(Replacement::begin(Path::new(&path))?), worker: own }),
        )
    }

    /// Writes the next bytes.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn write<'e>(&self, env: &'e Env, bytes: &[u8]) -> napi::Result<Object<'e>> {
        // Copied before this returns: JavaScript may reuse its buffers.
        let bytes = bytes.to_vec();
        self.on_worker(env, move |slot| slot.with(|replacement| Ok(replacement.write(&bytes)?)))
    }

    /// Swaps the new bytes in.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn finish<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.on_worker(env, |slot| Ok(slot.take().ok_or_else(ended)?.finish()?))
    }

    /// Leaves the old file as it was. Resolves also when there is nothing left to give up.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn abandon<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.on_worker(env, |slot| {
            drop(slot.take());
            Ok(())
        })
    }
}

/// An exclusive lock across processes.
#[napi]
pub struct NativeLock {
    held: Slot<Held>,
}

#[napi]
impl NativeLock {
    /// Waits for the lock at the path; without a timeout, for ever.
    #[napi(ts_return_type = "Promise<NativeLock>")]
    pub fn acquire<'e>(
        env: &'e Env,
        path: String,
        operation: String,
        timeout_ms: Option<f64>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        apart(env, move || {
            let path = cutover_durable::fs::real(Path::new(&path))?;
            let held = Held::acquire(&path, &operation, LockWait::milliseconds(timeout_ms), &|| cancel.is_set())?;
            Ok(Self { held: Slot::new(held) })
        })
    }

    /// Lets go. Resolves also when that was done before.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn release<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        let held = self.held.clone();
        apart(env, move || {
            drop(held.take());
            Ok(())
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwapOptions {
    staged: String,
    target: String,
}

/// Files that are rebuilt in their places.
#[napi]
pub struct NativeInPlace {
    rebuild: Slot<InPlace>,
    staging: String,
}

#[napi]
impl NativeInPlace {
    /// Waits for the directory's lock, removes what died there, and makes a staging directory.
    #[napi(ts_return_type = "Promise<NativeInPlace>")]
    pub fn begin<'e>(
        env: &'e Env,
        directory: String,
        operation: String,
        timeout_ms: Option<f64>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        apart(env, move || {
            let wait = LockWait::milliseconds(timeout_ms);
            let rebuild = InPlace::begin(Path::new(&directory), &operation, wait, &|| cancel.is_set())?;
            let staging = rebuild.staging().to_str();
            let staging =
                staging.ok_or_else(|| Error::Range(format!("{directory:?} leads to a path that is not UTF-8")))?;
            Ok(Self { staging: staging.to_owned(), rebuild: Slot::new(rebuild) })
        })
    }

    /// Where the new files are to be built.
    #[napi(getter)]
    #[must_use]
    pub fn staging(&self) -> String {
        self.staging.clone()
    }

    /// Swaps: a JSON list of `{staged, target}`. The lock is let go whatever comes of it.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn finish<'e>(&self, env: &'e Env, swaps: String) -> napi::Result<Object<'e>> {
        let rebuild = self.rebuild.clone();
        apart(env, move || {
            let rebuild = rebuild.take().ok_or_else(ended)?;
            let swaps: Vec<SwapOptions> = crate::convert::options(&swaps)?;
            let swaps: Vec<Swap> =
                swaps.into_iter().map(|SwapOptions { staged, target }| Swap { staged, target }).collect();
            Ok(rebuild.finish(&swaps)?)
        })
    }

    /// Leaves everything as it was and lets go of the lock. Resolves also when there is nothing left to give up.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn abandon<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        let rebuild = self.rebuild.clone();
        apart(env, move || {
            drop(rebuild.take());
            Ok(())
        })
    }
}
