//! `NativeDraft`: a version under construction, on its own build thread.

use crate::convert::{CancelToken, flag, version_info};
use crate::embeddings::NativeEmbeddings;
use crate::error::to_json;
use crate::snapshot::{NativeSnapshot, Pool};
use crate::task::{now, promise};
use cutover_index::threads::{self, Worker};
use cutover_index::{Draft, Error, Packed, Progress, Result};
use napi::Env;
use napi::bindgen_prelude::{BigUint64Array, Object, ToNapiValue, Uint8Array};
use napi_derive::napi;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A draft as JavaScript holds it. Its calls run one after another on its build thread, at idle priority.
#[napi]
pub struct NativeDraft {
    draft: Arc<Mutex<Option<Draft>>>,
    version: String,
    embeddings: PathBuf,
    progress: Arc<Progress>,
    worker: Arc<Worker>,
    pool: Pool,
}

impl NativeDraft {
    pub(crate) fn new(draft: Draft, worker: Arc<Worker>, pool: Pool) -> Self {
        let (version, progress, embeddings) = (draft.version(), draft.progress(), draft.embeddings_directory());
        Self { draft: Arc::new(Mutex::new(Some(draft))), version, embeddings, progress, worker, pool }
    }

    fn on_worker<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&mut Draft) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let draft = Arc::clone(&self.draft);
        promise(
            env,
            |job| self.worker.run(job),
            move || {
                let mut held = draft.lock().unwrap_or_else(PoisonError::into_inner);
                work(held.as_mut().ok_or_else(ended)?)
            },
        )
    }
}

fn ended() -> Error {
    Error::Internal("the draft was published or discarded".into())
}

/// The rows of a graph of other software's, in their order.
#[napi(object)]
pub struct GraphRows {
    /// The label of each.
    pub labels: BigUint64Array,
    /// 1 for each that is deleted.
    pub deleted: Uint8Array,
}

#[napi]
impl NativeDraft {
    /// The id that the version will have.
    #[napi(getter)]
    #[must_use]
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// Adds a batch: one JSON object a line, vectors and long texts packed beside. Which documents were left out, as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn add<'e>(
        &self,
        env: &'e Env,
        batch: &[u8],
        texts: &[u8],
        vectors: &[f32],
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        // Copied before this returns: JavaScript may reuse its buffers.
        let (batch, texts, vectors, cancel) = (batch.to_vec(), texts.to_vec(), vectors.to_vec(), flag(cancel));
        self.on_worker(env, move |draft| {
            let utf8 =
                |bytes| std::str::from_utf8(bytes).map_err(|e| Error::Internal(format!("a batch is not UTF-8: {e}")));
            let packed = Packed { vectors: &vectors, texts: utf8(&texts)? };
            let invalid = draft.add(utf8(&batch)?, packed, &cancel)?;
            Ok(json!({ "invalid": invalid.iter().map(to_json).collect::<Vec<Value>>() }).to_string())
        })
    }

    /// Copies a file or a directory in, to be kept with the version under a name.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn attach<'e>(
        &self,
        env: &'e Env,
        name: String,
        from: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.on_worker(env, move |draft| draft.attach(&name, Path::new(&from), &cancel))
    }

    /// Takes over the vectors of a field and their graph from a file of hnswlib's. What rows there are.
    #[napi(ts_return_type = "Promise<GraphRows>")]
    pub fn adopt_graph<'e>(
        &self,
        env: &'e Env,
        field: String,
        path: String,
        cancel: Option<&CancelToken>,
    ) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.on_worker(env, move |draft| {
            let rows = draft.adopt_graph(&field, Path::new(&path), &cancel)?;
            Ok(GraphRows { labels: rows.labels.into(), deleted: rows.deleted.into() })
        })
    }

    /// Says for which rows of the graph documents come, in their order.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn adopt_rows<'e>(&self, env: &'e Env, rows: &[u32]) -> napi::Result<Object<'e>> {
        let rows = rows.to_vec();
        self.on_worker(env, move |draft| draft.adopt_rows(rows))
    }

    /// The vectors of a model that were paid for, to be used while the draft takes documents.
    #[napi]
    pub fn embeddings(&self, model: String, dimensions: u32, max_bytes: i64) -> napi::Result<NativeEmbeddings> {
        now(|| NativeEmbeddings::open(self.embeddings.clone(), model, dimensions, max_bytes))
    }

    /// Says how many vectors came from the cache.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn set_reused<'e>(&self, env: &'e Env, vectors: u32) -> napi::Result<Object<'e>> {
        self.on_worker(env, move |draft| {
            draft.set_reused(u64::from(vectors));
            Ok(())
        })
    }

    /// Builds, writes, syncs and checks.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn complete<'e>(&self, env: &'e Env, cancel: Option<&CancelToken>) -> napi::Result<Object<'e>> {
        let cancel = flag(cancel);
        self.on_worker(env, move |draft| draft.complete(&cancel))
    }

    /// Where the build stands, as JSON.
    #[napi]
    #[must_use]
    pub fn progress(&self) -> String {
        self.progress.to_json().to_string()
    }

    /// The finished draft, for gates.
    #[napi]
    pub fn snapshot(&self) -> napi::Result<NativeSnapshot> {
        now(|| {
            let held = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(NativeSnapshot::new(held.as_ref().ok_or_else(ended)?.snapshot()?, Arc::clone(&self.pool)))
        })
    }

    /// Publishes, on a thread of normal priority: an idle one that held the rename would let everyone wait.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn publish<'e>(&self, env: &'e Env, cancel: Option<&CancelToken>) -> napi::Result<Object<'e>> {
        let (draft, cancel) = (Arc::clone(&self.draft), flag(cancel));
        promise(
            env,
            |job| threads::spawn("cutover-publish", job),
            move || {
                let draft = draft.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)?;
                let published = draft.publish(&cancel)?;
                let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
                let report = json!({
                    "info": version_info(&published.info)?,
                    "visibleMs": ms(published.visible),
                    "durableMs": ms(published.durable),
                    "pruned": published.pruned,
                });
                Ok(report.to_string())
            },
        )
    }

    /// Removes the draft and lets go of the lock. Resolves also when there is nothing left to discard.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn discard<'e>(&self, env: &'e Env) -> napi::Result<Object<'e>> {
        let draft = Arc::clone(&self.draft);
        promise(
            env,
            |job| threads::spawn("cutover-discard", job),
            move || {
                let held = draft.lock().unwrap_or_else(PoisonError::into_inner).take();
                drop(held);
                Ok(())
            },
        )
    }
}
