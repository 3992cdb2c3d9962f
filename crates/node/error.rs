//! The one place where an error becomes a JavaScript error.
//!
//! Its message is JSON: `{code, message, detail, retryable}`. `src/errors.ts` turns it into a `CutoverError`, `TypeError` or
//! `RangeError`.

use cutover_index::Error;
use napi::Status;
use serde_json::{Value, json};

/// The error as JSON.
pub(crate) fn to_json(error: &Error) -> Value {
    json!({
        "code": error.code(),
        "message": error.to_string(),
        "detail": error.detail(),
        "retryable": error.retryable(),
    })
}

/// The error as N-API throws or rejects with it.
pub(crate) fn to_napi(error: &Error) -> napi::Error {
    napi::Error::new(Status::GenericFailure, to_json(error).to_string())
}
