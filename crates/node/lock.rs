//! The writer lock for a command that is no part of this program: a child process inherits it.
#![expect(clippy::needless_pass_by_value, reason = "N-API hands strings over by value")]

use crate::convert::{CancelToken, flag, options};
use crate::index_options::Allow;
use crate::task::{now, promise};
use cutover_index::{Error, Result, StoreOptions, threads};
use cutover_store::{LockWait, Store, Writer};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use serde::Deserialize;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LockOptions {
    #[serde(default)]
    allow: Vec<Allow>,
    operation: String,
    lock_timeout_ms: Option<f64>,
}

/// The writer lock of an index, held.
#[napi]
pub struct NativeWriterLock {
    writer: Arc<Mutex<Option<Writer>>>,
}

impl NativeWriterLock {
    fn with<T>(&self, work: impl FnOnce(&Writer) -> T) -> Result<T> {
        let held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(work).ok_or_else(|| Error::Internal("the lock was let go".into()))
    }
}

#[napi]
impl NativeWriterLock {
    /// Waits for the writer lock of the index at the path, which must be there, and settles and removes what a crash left.
    #[napi(ts_return_type = "Promise<NativeWriterLock>")]
    pub fn acquire<'e>(
        env: &'e Env,
        path: String,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        promise(
            env,
            |job| threads::spawn("cutover-lock", job),
            move || {
                let LockOptions { allow, operation, lock_timeout_ms } = self::options(&options)?;
                let options = StoreOptions {
                    allow_network: allow.contains(&Allow::NetworkFileSystem),
                    allow_writable_by_others: allow.contains(&Allow::WritableByOthers),
                    ..StoreOptions::default()
                };
                let store = Store::open(Path::new(&path), options)?;
                let writer = store.write(&operation, LockWait::milliseconds(lock_timeout_ms), &|| cancel.is_set())?;
                Ok(Self { writer: Arc::new(Mutex::new(Some(writer))) })
            },
        )
    }

    /// The descriptor that a child process inherits to hold the lock too.
    #[napi(getter)]
    pub fn descriptor(&self) -> napi::Result<i32> {
        now(|| self.with(|writer| writer.lock().descriptor().as_raw_fd()))
    }

    /// Says which process inherited it, to those who wait.
    #[napi]
    pub fn announce(&self, pid: u32, operation: String) -> napi::Result<()> {
        now(|| self.with(|writer| writer.lock().announce_for(pid, &operation)))
    }

    /// Lets go, for the processes that inherited it too. Resolves also when that was done before.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn release<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        let writer = Arc::clone(&self.writer);
        promise(
            env,
            |job| threads::spawn("cutover-unlock", job),
            move || {
                drop(writer.lock().unwrap_or_else(PoisonError::into_inner).take());
                Ok(())
            },
        )
    }
}
