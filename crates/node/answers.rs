//! Answers of searches on their way to JavaScript: all through one door, since a promise of N-API has a door of its own to be made and
//! taken down, which takes as long as a short search.

#![expect(clippy::needless_pass_by_value, reason = "N-API hands functions over by value")]

use crate::convert::Answer;
use crate::error::to_json;
use crate::task::{Job, guarded, now};
use cutover_index::Result;
use napi::Status;
use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use std::sync::Arc;

/// The number of the call, and its error as JSON or its answer.
type Outcome = FnArgs<(u32, Option<String>, Option<Answer>)>;

/// Keeps nothing alive by itself: who waits sees to that.
type Door = ThreadsafeFunction<Outcome, (), Outcome, Status, false, true>;

/// Where answers arrive.
#[napi]
pub struct NativeAnswers {
    door: Arc<Door>,
}

#[napi]
impl NativeAnswers {
    /// `done` is called on the JavaScript thread, once for every call that was begun.
    #[napi(constructor)]
    pub fn new(
        #[napi(ts_arg_type = "(call: number, error: string | null, answer: Answer | null) => void")] done: Function<
            '_,
            Outcome,
            (),
        >,
    ) -> napi::Result<Self> {
        let door = done.build_threadsafe_function().weak::<true>().build()?;
        Ok(Self { door: Arc::new(door) })
    }
}

impl NativeAnswers {
    /// Begins a call: `dispatch` brings `work` to its thread, and its answer arrives under this number.
    pub(crate) fn begin(
        &self,
        call: u32,
        dispatch: impl FnOnce(Job) -> Result<()>,
        work: impl FnOnce() -> Result<cutover_index::Answer> + Send + 'static,
    ) -> napi::Result<()> {
        let door = Arc::clone(&self.door);
        now(|| {
            dispatch(Box::new(move || {
                let (error, answer) = match guarded(work) {
                    Ok(answer) => (None, Some(Answer::from(answer))),
                    Err(error) => (Some(to_json(&error).to_string()), None),
                };
                // It is closed only when its whole environment is.
                door.call((call, error, answer).into(), ThreadsafeFunctionCallMode::NonBlocking);
            }))
        })
    }
}
