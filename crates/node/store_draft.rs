//! `NativeStoreDraft`: a version of a store under construction, and the writer lock, held between calls of JavaScript.

use crate::convert::{CancelToken, flag, options, version_info};
use crate::index_options::SwitchOptions;
use crate::progress::{NativeProgress, meter};
use crate::store::{Shared, expected};
use crate::task::promise;
use cutover_index::threads::{self, Worker};
use cutover_index::{Cancel, Error, Result};
use cutover_store::{Contents, Draft, DraftOptions, How, VersionId};
use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoreDraftOptions {
    operation: String,
    lock_timeout_ms: Option<f64>,
    if_current: Option<String>,
    version: Option<String>,
    activate: bool,
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// A draft, and what publishing it takes.
struct Staged {
    draft: Draft,
    activate: bool,
    if_current: Option<VersionId>,
    /// Of the version whose files it shares.
    contents: Contents,
    shared: Arc<Shared>,
}

/// A draft as JavaScript holds it. Its calls run one after another on its build thread, at idle priority.
#[napi]
pub struct NativeStoreDraft {
    staged: Arc<Mutex<Option<Staged>>>,
    version: String,
    directory: String,
    worker: Arc<Worker>,
}

/// Waits for the writer lock and begins a draft.
pub(crate) fn begin(shared: Arc<Shared>, worker: Arc<Worker>, json: &str, cancel: &Cancel) -> Result<NativeStoreDraft> {
    let options: StoreDraftOptions = options(json)?;
    let id = options.version.as_deref().map(VersionId::parse).transpose()?;
    let switch = SwitchOptions { lock_timeout_ms: options.lock_timeout_ms, if_current: options.if_current };
    let if_current = expected(&switch)?;
    let writer = shared.write(&options.operation, &switch, cancel)?;
    let current = shared.store.current()?;
    if let Some(expected) = &if_current
        && current.as_ref() != Some(expected)
    {
        // Told before anything is built.
        return Err(cutover_store::Error::Conflict { expected: expected.clone(), actual: current }.into());
    }
    if let Some(current) = current.filter(|_| options.operation == "rebuild") {
        // A rebuild is expected to need about what the current version takes.
        writer.need(shared.store.info(&current)?.bytes)?;
    }
    let draft = writer.draft(DraftOptions { id, attributes: options.attributes, ..DraftOptions::default() })?;
    let (version, directory) = (draft.id().to_string(), draft.artifacts()?.display().to_string());
    let contents = Contents::default();
    let staged = Staged { draft, activate: options.activate, if_current, contents, shared };
    threads::become_idle();
    Ok(NativeStoreDraft { staged: Arc::new(Mutex::new(Some(staged))), version, directory, worker })
}

fn ended() -> Error {
    Error::Internal("the draft was published or discarded".into())
}

impl Staged {
    /// Shares the current version's files but the artifacts in `except`, which replace its own.
    fn inherit(&mut self, except: &[String], required: &[String]) -> Result<()> {
        let from = match self.shared.store.snapshot(None) {
            Err(cutover_store::Error::Empty { .. }) => None,
            from => Some(from?),
        };
        for name in required {
            let inherited = || from.as_ref().is_some_and(|from| from.artifact(name).is_ok());
            if !except.iter().any(|other| related(name, other)) && !inherited() {
                return Err(cutover_store::Error::MissingArtifact { name: name.clone() }.into());
            }
        }
        let Some(from) = from else { return Ok(()) };
        self.draft.inherit(&from, &except.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.contents = Contents { counts: from.manifest().counts, content: from.manifest().content.clone() };
        Ok(())
    }
}

/// Whether one of the names is, or leads to, the other.
fn related(one: &str, other: &str) -> bool {
    let leads = |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    leads(one, other) || leads(other, one)
}

impl NativeStoreDraft {
    fn on_worker<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&mut Staged) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let staged = Arc::clone(&self.staged);
        promise(
            env,
            |job| self.worker.run(job),
            move || {
                let mut held = staged.lock().unwrap_or_else(PoisonError::into_inner);
                work(held.as_mut().ok_or_else(ended)?)
            },
        )
    }
}

#[napi]
impl NativeStoreDraft {
    /// The id that the version will have.
    #[napi(getter)]
    #[must_use]
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// Where its artifacts are written.
    #[napi(getter)]
    #[must_use]
    pub fn directory(&self) -> String {
        self.directory.clone()
    }

    /// Shares the current version's files, but for the artifacts that are replaced. Fails before, when a required one would be missing.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn inherit<'e>(
        &self,
        env: &'e Env,
        except: Vec<String>,
        required: Vec<String>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.on_worker(env, move |staged| {
            cancel.check()?;
            staged.inherit(&except, &required)
        })
    }

    /// Brings in a file or a directory.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn attach<'e>(
        &self,
        env: &'e Env,
        name: String,
        from: String,
        moves: bool,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (cancel, how) = (flag(cancel), if moves { How::Move } else { How::Copy });
        self.on_worker(env, move |staged| Ok(staged.draft.attach(&name, Path::new(&from), how, &|| cancel.is_set())?))
    }

    /// Digests and syncs what was written, makes sure that nothing required is missing, and writes the version's records.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn complete<'e>(
        &self,
        env: &'e Env,
        required: Vec<String>,
        progress: Option<&NativeProgress>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (meter, cancel) = (meter(progress), flag(cancel));
        self.on_worker(env, move |staged| {
            staged.draft.collect(&required, &|done, total| meter.set(done, total), &|| cancel.is_set())?;
            cancel.check()?;
            Ok(staged.draft.complete(staged.contents.clone(), staged.activate)?)
        })
    }

    /// Opens the finished draft as readers will.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn check<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.on_worker(env, |staged| staged.draft.snapshot().map(drop).map_err(Error::from))
    }

    /// Publishes, on a thread of normal priority, and prunes.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn publish<'e>(&self, env: &'e Env, cancel: Option<&CancelToken>) -> napi::Result<Object<'e>> {
        let (staged, cancel) = (Arc::clone(&self.staged), flag(cancel));
        promise(
            env,
            |job| threads::spawn("cutover-publish", job),
            move || {
                let staged = staged.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)?;
                staged.publish(&cancel)
            },
        )
    }

    /// Removes the draft and lets go of the lock. Resolves also when there is nothing left to discard.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn discard<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        let staged = Arc::clone(&self.staged);
        promise(
            env,
            |job| threads::spawn("cutover-discard", job),
            move || {
                drop(staged.lock().unwrap_or_else(PoisonError::into_inner).take());
                Ok(())
            },
        )
    }
}

impl Staged {
    fn publish(self, cancel: &Cancel) -> Result<String> {
        let (published, mut writer) = self.draft.publish(self.if_current.as_ref(), &|| cancel.is_set())?;
        // The version is published: what could not be pruned is the next writer's to remove.
        let pruned =
            if self.activate { writer.prune(&self.shared.keep, false).unwrap_or_default().removed } else { Vec::new() };
        drop(writer);
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let report = json!({
            "info": version_info(&published.info)?,
            "visibleMs": ms(published.visible),
            "durableMs": ms(published.durable),
            "pruned": pruned,
        });
        Ok(report.to_string())
    }
}

impl Drop for NativeStoreDraft {
    /// One that JavaScript forgot is removed on its own thread, not in the collector's.
    fn drop(&mut self) {
        let staged = Arc::clone(&self.staged);
        let _ = self.worker.run(move || drop(staged.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }
}
