//! The one adapter between promises and our threads.
//!
//! A panic becomes a typed error here, never an abort of the host process.

use crate::error::to_napi;
use cutover_index::{Error, Result};
use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Work to be run on some thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<T> + Send>;

/// A promise for what `work` returns; `dispatch` brings it to its thread.
pub(crate) fn promise<T: ToNapiValue + Send + 'static>(
    env: &Env,
    dispatch: impl FnOnce(Job) -> Result<()>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> napi::Result<Object<'_>> {
    let (deferred, promise) = env.create_deferred::<T, Resolver<T>>()?;
    let spare = deferred.clone();
    let job: Job = Box::new(move || match guarded(work) {
        Ok(value) => deferred.resolve(Box::new(move |_| Ok(value))),
        Err(error) => deferred.reject(to_napi(&error)),
    });
    if let Err(error) = dispatch(job) {
        spare.reject(to_napi(&error));
    }
    Ok(promise)
}

/// Runs `work` on this thread; a panic is an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Internal(text.unwrap_or_else(|| "a panic without a message".to_owned())))
    })
}

/// The same on the calling thread, for synchronous methods.
pub(crate) fn now<T>(work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    guarded(work).map_err(|error| to_napi(&error))
}
