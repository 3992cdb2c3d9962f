//! hnswlib as it comes, to measure ours against: its own insertion and its own search, over our distances.
//!
//! Behind the feature `oracle`, for tests and benchmarks. The addon is built without it.
#![expect(unsafe_code, reason = "calls into C++")]
#![allow(missing_docs, reason = "a tool of the tests")]

use std::{
    ffi::{c_char, c_int, c_void},
    ptr::{self, NonNull},
};

use crate::{
    distance::{check, normalise},
    error::{Error, Result},
    ffi::{Context, Distance, checked},
    parameters::{Metric, Parameters},
};

#[repr(C)]
struct RawOracle {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn cutover_oracle_new(
        capacity: usize,
        dimensions: usize,
        m: usize,
        ef_construction: usize,
        seed: usize,
        distance: Distance,
        context: *const c_void,
        out: *mut *mut RawOracle,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_oracle_add(
        oracle: *mut RawOracle,
        row: *const f32,
        label: usize,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_oracle_search(
        oracle: *mut RawOracle,
        query: *const f32,
        k: usize,
        ef: usize,
        labels: *mut usize,
        found: *mut usize,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_oracle_free(oracle: *mut RawOracle);
}

/// An hnswlib index.
pub struct Oracle {
    raw: NonNull<RawOracle>,
    _context: Box<Context>,
    parameters: Parameters,
    row: Vec<f32>,
    added: usize,
}

impl Oracle {
    pub fn new(parameters: &Parameters, capacity: usize) -> Result<Self> {
        parameters.check()?;
        let (distance, context) = Context::new(parameters);
        let mut raw = ptr::null_mut();
        checked(parameters, capacity, |message, len| {
            // SAFETY: `context` is boxed, stored beside the index and dropped after it; `raw` is written on success only.
            unsafe {
                cutover_oracle_new(
                    capacity,
                    parameters.dimensions,
                    parameters.m,
                    parameters.ef_construction,
                    parameters.seed as usize,
                    distance,
                    ptr::from_ref::<Context>(&context).cast(),
                    &raw mut raw,
                    message,
                    len,
                )
            }
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::Build { message: "no index was made".to_owned() })?;
        Ok(Self { raw, _context: context, parameters: *parameters, row: Vec::new(), added: 0 })
    }

    /// Adds the next vector; its label is how many were added before it.
    pub fn add(&mut self, vector: &[f32]) -> Result<()> {
        self.take(vector)?;
        let label = self.added;
        checked(&self.parameters, label, |message, len| {
            // SAFETY: the index is alive and ours alone; `row` was checked to have its dimensions.
            unsafe { cutover_oracle_add(self.raw.as_ptr(), self.row.as_ptr(), label, message, len) }
        })?;
        self.added += 1;
        Ok(())
    }

    /// The labels of the nearest at most `k` vectors, nearest first.
    pub fn search(&mut self, query: &[f32], k: usize, ef: usize) -> Result<Vec<usize>> {
        self.take(query)?;
        let mut labels = vec![0; k];
        let mut found = 0;
        checked(&self.parameters, self.added, |message, len| {
            // SAFETY: the index is alive and ours alone; `row` has its dimensions, `labels` has room for `k`.
            unsafe {
                cutover_oracle_search(
                    self.raw.as_ptr(),
                    self.row.as_ptr(),
                    k,
                    ef,
                    labels.as_mut_ptr(),
                    &raw mut found,
                    message,
                    len,
                )
            }
        })?;
        labels.truncate(found);
        labels.reverse();
        Ok(labels)
    }

    fn take(&mut self, vector: &[f32]) -> Result<()> {
        let inverse_length = check(&self.parameters, vector)?;
        let factor = if self.parameters.metric == Metric::Cosine { inverse_length } else { 1.0 };
        normalise(vector, factor, &mut self.row);
        Ok(())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // SAFETY: the index is alive, and this is the last that is done with it.
        unsafe { cutover_oracle_free(self.raw.as_ptr()) }
    }
}
