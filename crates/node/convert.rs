//! Between JavaScript's values and the core's.

use cutover_index::{Cancel, Error, Result, VersionInfo};
use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An answer: JSON text, and the vectors that it refers to by index.
#[napi(object)]
pub struct Answer {
    /// The JSON.
    pub json: String,
    /// Absent when there are none.
    pub vectors: Option<Vec<Float32Array>>,
    /// Fields of its documents that hold dates as epoch milliseconds; absent when there are none.
    pub dates: Option<Vec<String>>,
    /// Fields of its documents that hold the index of a vector; absent when there are none.
    pub vector_fields: Option<Vec<String>>,
}

impl From<cutover_index::Answer> for Answer {
    fn from(answer: cutover_index::Answer) -> Self {
        let vectors: Vec<Float32Array> = answer.vectors.into_iter().map(Float32Array::new).collect();
        Self {
            json: answer.json,
            vectors: some(vectors),
            dates: some(answer.dates),
            vector_fields: some(answer.vector_fields),
        }
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The flag by which JavaScript stops work that is under way.
#[napi]
#[derive(Default)]
pub struct CancelToken {
    flag: Cancel,
}

#[napi]
impl CancelToken {
    /// A flag that is not set.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it, for good.
    #[napi]
    pub fn cancel(&self) {
        self.flag.cancel();
    }
}

/// The flag of a token, or one that nobody sets.
pub(crate) fn flag(token: Option<&CancelToken>) -> Cancel {
    token.map_or_else(Cancel::default, |token| token.flag.clone())
}

/// Options that JavaScript checked and wrote as JSON.
pub(crate) fn options<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::Type(format!("options: {e}")))
}

/// What the public API calls a `VersionInfo`.
pub(crate) fn version_info(info: &VersionInfo) -> Result<Value> {
    serde_json::to_value(info).map_err(|e| Error::Internal(format!("writing a version's facts: {e}")))
}
