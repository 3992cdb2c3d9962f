//! `NativeIndex`: an open index.
#![expect(clippy::needless_pass_by_value, reason = "N-API hands strings over by value")]

use crate::answers::NativeAnswers;
use crate::convert::{Answer, CancelToken, flag, options, version_info};
use crate::draft::NativeDraft;
use crate::error::to_json;
use crate::index_options::SwitchOptions;
use crate::index_options::{DraftOptions, OnInvalid, OpenOptions};
use crate::snapshot::{NativeSnapshot, count, to_pool};
use crate::task::{now, promise};
use cutover_index::threads::{self, Worker};
use cutover_index::{Error, Index, Query, Result, Snapshot, Wait, WriteOptions};
use napi::Env;
use napi::bindgen_prelude::{Float32Array, Object, ToNapiValue};
use napi_derive::napi;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// An open index as JavaScript holds it.
#[napi]
pub struct NativeIndex {
    pub(crate) index: Index,
}

impl NativeIndex {
    /// Runs on a search thread.
    fn on_pool<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&Index) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let index = self.index.clone();
        let pool = now(|| index.pool())?;
        promise(env, to_pool(&pool), move || work(&index))
    }

    /// Runs on a thread of its own: for what may wait, on a lock or a disk.
    pub(crate) fn apart<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&Index) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let index = self.index.clone();
        promise(env, |job| threads::spawn("cutover-store", job), move || work(&index))
    }
}

#[napi]
impl NativeIndex {
    /// Opens the index at a path.
    #[napi(ts_return_type = "Promise<NativeIndex>")]
    pub fn open(env: &Env, path: String, options: String) -> napi::Result<Object<'_>> {
        promise(
            env,
            |job| threads::spawn("cutover-open", job),
            move || {
                let options: OpenOptions = self::options(&options)?;
                Ok(Self { index: Index::open(Path::new(&path), options.into_core()?)? })
            },
        )
    }

    /// The facts of the version served, as JSON; no I/O.
    #[napi]
    pub fn current(&self) -> napi::Result<Option<String>> {
        now(|| self.index.served()?.map(|served| Ok(version_info(served.info())?.to_string())).transpose())
    }

    /// The fields that a write would use, as JSON.
    #[napi]
    pub fn fields(&self) -> napi::Result<Option<String>> {
        now(|| Ok(self.index.fields()?.map(|schema| schema.to_json().to_string())))
    }

    /// Looks at `CURRENT`; with `wait` a new version is open when the promise resolves. Whether the version served changed.
    #[napi(ts_return_type = "Promise<boolean>")]
    pub fn refresh<'e>(&self, env: &'e Env, wait: bool) -> napi::Result<Object<'e>> {
        if wait {
            self.apart(env, |index| index.refresh(true))
        } else {
            self.on_pool(env, |index| index.refresh(false))
        }
    }

    /// What went wrong in the background since the last call, as a JSON array.
    #[napi]
    pub fn problems(&self) -> napi::Result<String> {
        now(|| Ok(Value::from(self.index.take_problems()?.iter().map(to_json).collect::<Vec<_>>()).to_string()))
    }

    /// Answers a query on the version served, or on the one named; the answer arrives as this call's.
    #[napi]
    pub fn search(
        &self,
        answers: &NativeAnswers,
        call: u32,
        query: String,
        vector: Option<&[f32]>,
        cancel: Option<&CancelToken>,
        version: Option<String>,
    ) -> napi::Result<()> {
        let (vector, cancel, index) = (vector.map(<[f32]>::to_vec), flag(cancel), self.index.clone());
        let pool = now(|| index.pool())?;
        answers.begin(call, to_pool(&pool), move || {
            let query = Query::from_json(&query)?;
            index.snapshot(version.as_deref())?.search(&query, vector.as_deref(), &cancel)
        })
    }

    /// Answers a query on the calling thread.
    #[napi]
    pub fn search_sync(&self, query: String, vector: Option<&[f32]>) -> napi::Result<Answer> {
        // Another thread may change what is shared with it.
        let vector = vector.map(<[f32]>::to_vec);
        now(|| {
            let query = Query::from_json(&query)?;
            Ok(self.index.snapshot(None)?.search(&query, vector.as_deref(), &flag(None))?.into())
        })
    }

    /// Answers several queries on one snapshot, side by side.
    #[napi(ts_return_type = "Promise<Array<Answer>>")]
    pub fn search_batch<'e>(
        &self,
        env: &'e Env,
        queries: Vec<String>,
        vectors: Vec<Option<Float32Array>>,
        cancel: Option<&CancelToken>,
        version: Option<String>,
    ) -> napi::Result<Object<'e>> {
        let vectors: Vec<Option<Vec<f32>>> = vectors.into_iter().map(|v| v.map(|v| v.to_vec())).collect();
        let cancel = flag(cancel);
        self.on_pool(env, move |index| {
            let snapshot = index.snapshot(version.as_deref())?;
            let answers = batch(&snapshot, &queries, &vectors, &cancel)?;
            Ok(answers.into_iter().map(Answer::from).collect::<Vec<_>>())
        })
    }

    /// Documents by id.
    #[napi(ts_return_type = "Promise<Answer>")]
    pub fn get_many<'e>(&self, env: &'e Env, ids: Vec<String>, select: Option<String>) -> napi::Result<Object<'e>> {
        self.on_pool(env, move |index| Ok(Answer::from(index.snapshot(None)?.get_many(&ids, select.as_deref())?)))
    }

    /// Documents that a filter allows.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn count<'e>(&self, env: &'e Env, filter: Option<String>) -> napi::Result<Object<'e>> {
        self.on_pool(env, move |index| count(&*index.snapshot(None)?, filter.as_deref()))
    }

    /// Holds the version served, or the one named.
    #[napi(ts_return_type = "Promise<NativeSnapshot>")]
    pub fn snapshot<'e>(&self, env: &'e Env, version: Option<String>) -> napi::Result<Object<'e>> {
        self.on_pool(env, move |index| Ok(NativeSnapshot::new(index.snapshot(version.as_deref())?, index.pool()?)))
    }

    /// The directory's state, as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn status<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.apart(env, |index| {
            let (store, cache) = index.status()?;
            let current = store.current.as_ref().map(version_info).transpose()?;
            let in_use: Vec<String> = store.in_use.iter().map(ToString::to_string).collect();
            let status = json!({
                "current": current, "versions": store.versions, "bytes": store.bytes, "freeBytes": store.free_bytes,
                "locked": store.locked, "lock": store.lock, "inUse": in_use, "drafts": store.drafts, "cache": cache,
                "limitations": store.limitations,
            });
            Ok(status.to_string())
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
        self.apart(env, move |index| {
            let options: SwitchOptions = self::options(&options)?;
            let wait = Wait::new(options.lock_timeout_ms, options.if_current);
            Ok(version_info(&index.activate(&version, &wait, &cancel)?)?.to_string())
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
        self.apart(env, move |index| {
            let options: SwitchOptions = self::options(&options)?;
            let wait = Wait::new(options.lock_timeout_ms, options.if_current);
            Ok(version_info(&index.rollback(to.as_deref(), &wait, &cancel)?)?.to_string())
        })
    }

    /// Takes the writer lock and begins a draft.
    #[napi(ts_return_type = "Promise<NativeDraft>")]
    pub fn begin_draft<'e>(
        &self,
        env: &'e Env,
        options: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let (index, cancel) = (self.index.clone(), flag(cancel));
        let worker = now(|| Worker::start("cutover-build"))?;
        let worker = Arc::new(worker);
        let builder = Arc::clone(&worker);
        promise(
            env,
            |job| worker.run(job),
            move || {
                let options: DraftOptions = self::options(&options)?;
                let write = WriteOptions {
                    operation: options.operation,
                    version: options.version,
                    wait: Wait::new(options.lock_timeout_ms, options.if_current),
                    activate: options.activate,
                    attributes: options.attributes,
                    skip_invalid: options.on_invalid == OnInvalid::Skip,
                };
                let draft = index.begin(write, &cancel)?;
                threads::become_idle();
                Ok(NativeDraft::new(draft, builder, index.pool()?))
            },
        )
    }

    /// Lets go of everything. Later calls are refused with `CUTOVER_CLOSED`.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn close<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        self.apart(env, |index| {
            index.close();
            Ok(())
        })
    }
}

fn batch(
    snapshot: &Snapshot,
    queries: &[String],
    vectors: &[Option<Vec<f32>>],
    cancel: &cutover_index::Cancel,
) -> Result<Vec<cutover_index::Answer>> {
    if queries.len() != vectors.len() {
        return Err(Error::Internal("as many vectors as queries are passed, or none in their place".into()));
    }
    let mut answers: Vec<Option<Result<cutover_index::Answer>>> = Vec::new();
    answers.resize_with(queries.len(), || None);
    threads::scope(|scope| {
        for ((answer, query), vector) in answers.iter_mut().zip(queries).zip(vectors) {
            scope.spawn(move |_| {
                *answer = Some(crate::task::guarded(|| {
                    snapshot.search(&Query::from_json(query)?, vector.as_deref(), cancel)
                }));
            });
        }
    });
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(|| Err(Error::Internal("a query was lost".into()))))
        .collect()
}
