//! `NativeStore`: the versions of an index directory, whatever is in them.

use crate::convert::{CancelToken, flag, options, version_info};
use crate::error::to_json;
use crate::index_options::{Allow, IntegrityOption, KeepOptions, Mode, SwitchOptions};
use crate::store_draft;
use crate::store_snapshot::NativeStoreSnapshot;
use crate::task::{now, promise};
use cutover_index::threads::{self, Worker};
use cutover_index::{Cancel, Error, Keep, Result, StoreOptions, Wait};
use cutover_store::{Store, VersionId, Writer};
use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a version may be replaced and pruned while it is asked about, before that is taken for damage.
const ATTEMPTS: usize = 16;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OpenStoreOptions {
    mode: Mode,
    #[serde(default)]
    keep: KeepOptions,
    #[serde(default)]
    allow: Vec<Allow>,
    integrity: IntegrityOption,
}

impl OpenStoreOptions {
    /// As the store takes them. A directory that is missing or empty becomes a store with the first write.
    pub(crate) fn store(&self) -> StoreOptions {
        StoreOptions {
            create: self.mode == Mode::ReadWrite,
            read_only: self.mode == Mode::ReadOnly,
            allow_network: self.allow.contains(&Allow::NetworkFileSystem),
            allow_writable_by_others: self.allow.contains(&Allow::WritableByOthers),
            integrity: self.integrity.into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PruneOptions {
    keep: Option<KeepOptions>,
    dry_run: bool,
}

/// A store, and what its publishes leave behind.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) keep: Keep,
    /// The facts of the version that was current when they were last asked for.
    seen: Mutex<Option<(VersionId, String)>>,
}

impl Shared {
    /// The current version's facts as JSON: one small read while the version is the same.
    fn current(&self) -> Result<Option<String>> {
        for attempt in 1.. {
            let Some(id) = self.store.current()? else { return Ok(None) };
            if let Some((seen, json)) = &*self.seen()
                && *seen == id
            {
                return Ok(Some(json.clone()));
            }
            match self.store.info(&id) {
                // Replaced and pruned since `CURRENT` was read.
                Err(cutover_store::Error::NotFound { .. }) if attempt < ATTEMPTS => {}
                info => {
                    let json = version_info(&info?)?.to_string();
                    *self.seen() = Some((id, json.clone()));
                    return Ok(Some(json));
                }
            }
        }
        Ok(None)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<(VersionId, String)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self, operation: &str, options: &SwitchOptions, cancel: &Cancel) -> Result<Writer> {
        let wait = Wait::new(options.lock_timeout_ms, None);
        let writer = self.store.write(operation, wait.lock, &|| cancel.is_set())?;
        // What may change about a version is read anew after a write of ours.
        self.forget();
        Ok(writer)
    }

    /// What is known of the current version is asked for again.
    pub(crate) fn forget(&self) {
        *self.seen() = None;
    }
}

/// A store as JavaScript holds it. It keeps no file open.
#[napi]
pub struct NativeStore {
    shared: Arc<Shared>,
}

impl NativeStore {
    /// The versions in `store`; a publish leaves those that `keep` keeps.
    pub(crate) fn new(store: Store, keep: Keep) -> Self {
        Self { shared: Arc::new(Shared { store, keep, seen: Mutex::default() }) }
    }

    /// Runs on a thread of its own: it may wait, on a lock or a disk.
    pub(crate) fn apart<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let shared = Arc::clone(&self.shared);
        promise(env, |job| threads::spawn("cutover-store", job), move || work(&shared))
    }
}

#[napi]
impl NativeStore {
    /// Opens the directory at a path.
    #[napi(ts_return_type = "Promise<NativeStore>")]
    pub fn open(env: &Env, path: String, options: String) -> napi::Result<Object<'_>> {
        promise(
            env,
            |job| threads::spawn("cutover-open", job),
            move || {
                let options: OpenStoreOptions = self::options(&options)?;
                Ok(Self::new(Store::open(Path::new(&path), options.store())?, options.keep.or(Keep::default())))
            },
        )
    }

    /// The directory, as the store resolved it.
    #[napi]
    #[must_use]
    pub fn path(&self) -> String {
        self.shared.store.root().display().to_string()
    }

    /// The current version's facts as JSON; null before the first publish.
    #[napi(ts_return_type = "Promise<string | null>")]
    pub fn current<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.apart(env, Shared::current)
    }

    /// What went wrong in the background since the last call, as a JSON array.
    #[napi]
    pub fn problems(&self) -> napi::Result<String> {
        now(|| {
            let problems = self.shared.store.take_problems().into_iter().map(Error::from);
            Ok(Value::from(problems.map(|error| to_json(&error)).collect::<Vec<_>>()).to_string())
        })
    }

    /// Complete versions, as a JSON array.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn versions<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.apart(env, |shared| {
            let infos = shared.store.versions()?.iter().map(version_info).collect::<Result<Vec<_>>>()?;
            Ok(Value::from(infos).to_string())
        })
    }

    /// The directory's state, as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn status<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.apart(env, |shared| {
            let mut status = json!(shared.store.status()?);
            status["cache"] = json!({ "hits": 0, "reloads": 0, "lastReloadMs": 0 });
            Ok(status.to_string())
        })
    }

    /// Holds the current version, or the one named.
    #[napi(ts_return_type = "Promise<NativeStoreSnapshot>")]
    pub fn snapshot<'e>(&self, env: &'e Env, version: Option<String>) -> napi::Result<Object<'e>> {
        self.apart(env, move |shared| {
            let version = version.as_deref().map(VersionId::parse).transpose()?;
            Ok(NativeStoreSnapshot::new(shared.store.snapshot(version.as_ref())?))
        })
    }

    /// Makes a complete version current; its facts as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn activate<'e>(
        &self,
        env: &'e Env,
        version: String,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let (options, version) = (self::options(&options)?, VersionId::parse(&version)?);
            let expected = expected(&options)?;
            let mut writer = shared.write("activate", &options, &cancel)?;
            cancel.check()?;
            Ok(version_info(&writer.activate(&version, expected.as_ref())?.info)?.to_string())
        })
    }

    /// Goes back to the version before, or to a given one; its facts as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn rollback<'e>(
        &self,
        env: &'e Env,
        to: Option<String>,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let options = self::options(&options)?;
            let to = to.as_deref().map(VersionId::parse).transpose()?;
            let expected = expected(&options)?;
            let mut writer = shared.write("rollback", &options, &cancel)?;
            cancel.check()?;
            Ok(version_info(&writer.rollback(to.as_ref(), expected.as_ref())?.info)?.to_string())
        })
    }

    /// Makes a tag name a version; without one, removes the tag.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn tag<'e>(
        &self,
        env: &'e Env,
        name: String,
        version: Option<String>,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let version = version.as_deref().map(VersionId::parse).transpose()?;
            let mut writer = shared.write("tag", &self::options(&options)?, &cancel)?;
            cancel.check()?;
            Ok(writer.tag(&name, version.as_ref())?)
        })
    }

    /// Removes a prepared version that is not wanted any more.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn discard<'e>(
        &self,
        env: &'e Env,
        version: String,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let version = VersionId::parse(&version)?;
            let mut writer = shared.write("discard", &self::options(&options)?, &cancel)?;
            cancel.check()?;
            Ok(writer.discard_prepared(&version)?)
        })
    }

    /// Merges attributes, a JSON object, into those of a version; null removes. The version's facts as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn set_attributes<'e>(
        &self,
        env: &'e Env,
        version: String,
        attributes: String,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let (version, attributes) =
                (VersionId::parse(&version)?, self::options::<Map<String, Value>>(&attributes)?);
            let mut writer = shared.write("set attributes", &self::options(&options)?, &cancel)?;
            cancel.check()?;
            Ok(version_info(&writer.set_attributes(&version, attributes)?)?.to_string())
        })
    }

    /// Waits for the writer lock and begins a draft.
    #[napi(ts_return_type = "Promise<NativeStoreDraft>")]
    pub fn begin_draft<'e>(
        &self,
        env: &'e Env,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (shared, cancel) = (Arc::clone(&self.shared), flag(cancel));
        let worker = Arc::new(now(|| Worker::start("cutover-build"))?);
        let builder = Arc::clone(&worker);
        promise(env, |job| worker.run(job), move || store_draft::begin(shared, builder, &options, &cancel))
    }

    /// Removes versions that are not to be kept; what was removed, kept and in use as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn prune<'e>(
        &self,
        env: &'e Env,
        what: String,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.apart(env, move |shared| {
            let PruneOptions { keep, dry_run } = self::options(&what)?;
            let keep = keep.map_or(shared.keep, |keep| keep.or(Keep::default()));
            let mut writer = shared.write("prune", &self::options(&options)?, &cancel)?;
            cancel.check()?;
            let pruned = writer.prune(&keep, dry_run)?;
            let report = json!({
                "removed": pruned.removed, "kept": pruned.kept, "inUse": pruned.in_use, "bytesFreed": pruned.bytes_freed,
            });
            Ok(report.to_string())
        })
    }
}

/// The version that the caller insists on.
pub(crate) fn expected(options: &SwitchOptions) -> Result<Option<VersionId>> {
    options.if_current.as_deref().map(VersionId::parse).transpose().map_err(Error::from)
}
