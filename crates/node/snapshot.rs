//! `NativeSnapshot`: one version, held until closed.
#![expect(clippy::needless_pass_by_value, reason = "N-API hands strings over by value")]

use crate::answers::NativeAnswers;
use crate::convert::{Answer, CancelToken, flag, version_info};
use crate::task::{Job, now, promise};
use cutover_index::{Error, Query, Result, Snapshot, parse_filter};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use std::sync::{Arc, PoisonError, RwLock};

/// Queries are answered on this pool.
pub(crate) type Pool = Arc<cutover_index::threads::Pool>;

/// Brings a job to a pool's thread.
pub(crate) fn to_pool(pool: &Pool) -> impl FnOnce(Job) -> Result<()> {
    let pool = Arc::clone(pool);
    move |job| {
        pool.spawn(job);
        Ok(())
    }
}

/// A snapshot as JavaScript holds it.
#[napi]
pub struct NativeSnapshot {
    held: RwLock<Option<(Arc<Snapshot>, Pool)>>,
}

impl NativeSnapshot {
    pub(crate) fn new(snapshot: Arc<Snapshot>, pool: Pool) -> Self {
        Self { held: RwLock::new(Some((snapshot, pool))) }
    }

    fn held(&self) -> Result<(Arc<Snapshot>, Pool)> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        held.ok_or_else(|| Error::Closed { path: "snapshot".into() })
    }

    fn run<'e, T: napi::bindgen_prelude::ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&Snapshot) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let (snapshot, pool) = now(|| self.held())?;
        promise(env, to_pool(&pool), move || work(&snapshot))
    }
}

#[napi]
impl NativeSnapshot {
    /// The version's facts as JSON.
    #[napi]
    pub fn version(&self) -> napi::Result<String> {
        now(|| Ok(version_info(self.held()?.0.info())?.to_string()))
    }

    /// What one must know of the version to embed a query for it, as JSON.
    #[napi]
    pub fn embedding_facts(&self) -> napi::Result<String> {
        now(|| Ok(self.held()?.0.embedding_facts().to_string()))
    }

    /// Answers a query; the answer arrives as this call's.
    #[napi]
    pub fn search(
        &self,
        answers: &NativeAnswers,
        call: u32,
        query: String,
        vector: Option<&[f32]>,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<()> {
        let (vector, cancel) = (vector.map(<[f32]>::to_vec), flag(cancel));
        let (snapshot, pool) = now(|| self.held())?;
        answers.begin(call, to_pool(&pool), move || {
            snapshot.search(&Query::from_json(&query)?, vector.as_deref(), &cancel)
        })
    }

    /// Answers a query on the calling thread.
    #[napi]
    pub fn search_sync(&self, query: String, vector: Option<&[f32]>) -> napi::Result<Answer> {
        // Another thread may change what is shared with it.
        let vector = vector.map(<[f32]>::to_vec);
        now(|| {
            let query = Query::from_json(&query)?;
            Ok(self.held()?.0.search(&query, vector.as_deref(), &flag(None))?.into())
        })
    }

    /// Documents by id.
    #[napi(ts_return_type = "Promise<Answer>")]
    pub fn get_many<'e>(&self, env: &'e Env, ids: Vec<String>, select: Option<String>) -> napi::Result<Object<'e>> {
        self.run(env, move |snapshot| Ok(Answer::from(snapshot.get_many(&ids, select.as_deref())?)))
    }

    /// Documents that a filter allows.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn count<'e>(&self, env: &'e Env, filter: Option<String>) -> napi::Result<Object<'e>> {
        self.run(env, move |snapshot| count(snapshot, filter.as_deref()))
    }

    /// Documents in the order of their ids, after `after`.
    #[napi(ts_return_type = "Promise<Answer>")]
    pub fn page<'e>(
        &self,
        env: &'e Env,
        after: Option<String>,
        limit: u32,
        filter: Option<String>,
        select: Option<String>,
    ) -> napi::Result<Object<'e>> {
        self.run(env, move |snapshot| {
            let page = snapshot.page_after(after.as_deref(), limit as usize, filter.as_deref(), select.as_deref())?;
            Ok(Answer::from(page))
        })
    }

    /// The path of an artifact.
    #[napi]
    pub fn artifact(&self, name: String) -> napi::Result<String> {
        now(|| Ok(self.held()?.0.artifact(&name)?.display().to_string()))
    }

    /// Lets go of the version. What is under way finishes; unmapping happens on the pool.
    #[napi]
    pub fn close(&self) {
        if let Some((snapshot, pool)) = self.held.write().unwrap_or_else(PoisonError::into_inner).take() {
            pool.spawn(move || drop(snapshot));
        }
    }
}

/// Documents that a filter allows, as JavaScript counts.
pub(crate) fn count(snapshot: &Snapshot, filter: Option<&str>) -> Result<f64> {
    let filter = filter.map(parse_filter).transpose()?;
    Ok(snapshot.count(filter.as_ref())? as f64)
}
