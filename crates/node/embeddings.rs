//! `NativeEmbeddings`: the vectors of a model that were paid for, on a thread of their own.

use crate::task::{now, promise};
use cutover_index::threads::Worker;
use cutover_index::{EmbeddingCache, Error, Result};
use napi::Env;
use napi::bindgen_prelude::{Float32Array, Object, ToNapiValue};
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A cache of vectors as JavaScript holds it. Its calls run one after another.
#[napi]
pub struct NativeEmbeddings {
    worker: Worker,
    cache: Arc<Mutex<Option<EmbeddingCache>>>,
}

impl NativeEmbeddings {
    /// Opens the cache, before the first call is answered.
    pub(crate) fn open(directory: PathBuf, model: String, dimensions: u32, max_bytes: i64) -> Result<Self> {
        let worker = Worker::start("cutover-vectors")?;
        let cache = Arc::new(Mutex::new(None));
        let opening = Arc::clone(&cache);
        let max_bytes = u64::try_from(max_bytes).unwrap_or(0);
        worker.run(move || {
            let opened = EmbeddingCache::open(&directory, &model, dimensions as usize, max_bytes);
            *opening.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        })?;
        Ok(Self { worker, cache })
    }

    fn on_worker<'e, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'e Env,
        work: impl FnOnce(&mut EmbeddingCache) -> T + Send + 'static,
    ) -> napi::Result<Object<'e>> {
        let cache = Arc::clone(&self.cache);
        promise(
            env,
            |job| self.worker.run(job),
            move || {
                let mut held = cache.lock().unwrap_or_else(PoisonError::into_inner);
                let cache = held.as_mut().ok_or_else(|| Error::Internal("the cache was not opened".into()))?;
                Ok(work(cache))
            },
        )
    }
}

#[napi]
impl NativeEmbeddings {
    /// For each text its vector, or null.
    #[napi(ts_return_type = "Promise<Array<Float32Array | null>>")]
    pub fn lookup<'e>(&self, env: &'e Env, texts: Vec<String>) -> napi::Result<Object<'e>> {
        self.on_worker(env, move |cache| {
            cache.lookup(&texts).into_iter().map(|found| found.map(Float32Array::new)).collect::<Vec<_>>()
        })
    }

    /// Keeps vectors, those of the texts one after another.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn append<'e>(&self, env: &'e Env, texts: Vec<String>, vectors: &[f32]) -> napi::Result<Object<'e>> {
        let vectors = vectors.to_vec();
        self.on_worker(env, move |cache| cache.append(&texts, &vectors))
    }

    /// Lets go of its files, after the calls before this one.
    #[napi]
    pub fn close(&self) -> napi::Result<()> {
        let cache = Arc::clone(&self.cache);
        now(|| self.worker.run(move || drop(cache.lock().unwrap_or_else(PoisonError::into_inner).take())))
    }
}
