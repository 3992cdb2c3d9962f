//! hnswlib as it comes, to measure ours against: its own insertion and its own search, over our distances.
//!
//! Behind the feature `oracle`, for tests and benchmarks. The addon is built without it.
#![expect(unsafe_code, reason = "calls into C++")]
#![expect(missing_docs, reason = "a tool of the tests")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr::{self, NonNull},
    slice,
};

use crate::{
    distance::{check, inner, normalise, squared},
    error::{Error, Result},
    kernels::{Kernels, kernels},
    parameters::{Metric, Parameters},
};

// SAFETY: called by the shim alone, with two rows of as many floats as the context says, and the context it was given.
type Distance = unsafe extern "C" fn(*const c_void, *const c_void, *const c_void) -> f32;

const OK: c_int = 0;
const OUT_OF_MEMORY: c_int = 1;
const MESSAGE: usize = 256;

#[repr(C)]
struct RawOracle {
    _opaque: [u8; 0],
}

// SAFETY: the signatures are those of `shim/oracle.cc`.
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
    fn cutover_oracle_degree(oracle: *mut RawOracle, label: usize) -> usize;
    fn cutover_oracle_delete(oracle: *mut RawOracle, label: usize, message: *mut c_char, message_len: usize) -> c_int;
    fn cutover_oracle_save(
        oracle: *mut RawOracle,
        path: *const c_char,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_oracle_free(oracle: *mut RawOracle);
}

/// What the distance functions need to know; C++ keeps a pointer to it.
struct Context {
    dimensions: usize,
    kernels: Kernels,
}

impl Context {
    /// The distance that the graph of an index with these parameters is built by, and what it wants as its context.
    ///
    /// Cosine is the inner product of rows of length 1, so rows must be normalised before they are handed over.
    fn new(parameters: &Parameters) -> (Distance, Box<Self>) {
        let distance = match parameters.metric {
            Metric::L2 => squared_of_rows,
            Metric::Cosine | Metric::InnerProduct => inner_of_rows,
        };
        (distance, Box::new(Self { dimensions: parameters.dimensions, kernels: kernels() }))
    }
}

unsafe extern "C" fn inner_of_rows(a: *const c_void, b: *const c_void, context: *const c_void) -> f32 {
    // SAFETY: the caller is hnswlib, which hands through what `rows` asks for.
    let (context, a, b) = unsafe { rows(a, b, context) };
    inner(&context.kernels, a, b)
}

unsafe extern "C" fn squared_of_rows(a: *const c_void, b: *const c_void, context: *const c_void) -> f32 {
    // SAFETY: the caller is hnswlib, which hands through what `rows` asks for.
    let (context, a, b) = unsafe { rows(a, b, context) };
    squared(&context.kernels, a, b)
}

/// # Safety
/// `context` points to a live [`Context`], `a` and `b` to as many aligned floats as it has dimensions, for as long as `'a`.
unsafe fn rows<'a>(a: *const c_void, b: *const c_void, context: *const c_void) -> (&'a Context, &'a [f32], &'a [f32]) {
    // SAFETY: the caller's promise. hnswlib's elements are whole u32s in malloc's memory, and a row lies behind whole u32s, so
    // floats are aligned.
    unsafe {
        let context = &*context.cast::<Context>();
        (
            context,
            slice::from_raw_parts(a.cast::<f32>(), context.dimensions),
            slice::from_raw_parts(b.cast::<f32>(), context.dimensions),
        )
    }
}

/// Calls into C++ with room for its message, and makes an error of a status that is not OK.
fn checked(parameters: &Parameters, vectors: usize, call: impl FnOnce(*mut c_char, usize) -> c_int) -> Result<()> {
    let mut message = [0_u8; MESSAGE];
    match call(message.as_mut_ptr().cast(), MESSAGE) {
        OK => Ok(()),
        OUT_OF_MEMORY => Err(Error::OutOfMemory { vectors, dimensions: parameters.dimensions }),
        _ => {
            let message = CStr::from_bytes_until_nul(&message).unwrap_or(c"no message").to_string_lossy().into_owned();
            Err(Error::Build { message })
        }
    }
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

    /// Marks a vector as deleted: searches pass through it and do not answer it.
    pub fn delete(&mut self, label: usize) -> Result<()> {
        checked(&self.parameters, self.added, |message, len| {
            // SAFETY: the index is alive and ours alone; hnswlib refuses a label that it does not have.
            unsafe { cutover_oracle_delete(self.raw.as_ptr(), label, message, len) }
        })
    }

    /// Writes the index to a file, as hnswlib does. The path must not hold a zero byte.
    pub fn save(&self, path: &str) -> Result<()> {
        let path = CString::new(path).map_err(|error| Error::Build { message: error.to_string() })?;
        checked(&self.parameters, self.added, |message, len| {
            // SAFETY: the index is alive, nobody changes it while it is borrowed, and `path` ends with a zero.
            unsafe { cutover_oracle_save(self.raw.as_ptr(), path.as_ptr(), message, len) }
        })
    }

    /// How many links the vector with this label has on level 0; 0 when there is none.
    #[must_use]
    pub fn degree(&self, label: usize) -> usize {
        // SAFETY: the index is alive, and nothing changes it while it is borrowed; the shim checks the label.
        unsafe { cutover_oracle_degree(self.raw.as_ptr(), label) }
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
