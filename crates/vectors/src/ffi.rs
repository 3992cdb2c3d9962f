//! The one door to the C++ shim over hnswlib: statuses become errors, and borrowing says what threads may do.
//!
//! A graph is [`Building`] while rows are placed and nodes inserted, and [`Built`] once no thread can insert any more: only
//! then can its links be read and mended.
#![expect(unsafe_code, reason = "calls into C++")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr::{self, NonNull},
    slice,
};

use crate::{
    distance::{inner, squared},
    error::{Error, Result},
    kernels::{Kernels, kernels},
    parameters::{Metric, Parameters},
};

pub(crate) type Distance = unsafe extern "C" fn(*const c_void, *const c_void, *const c_void) -> f32;

const OK: c_int = 0;
const OUT_OF_MEMORY: c_int = 1;
const MESSAGE: usize = 256;

#[repr(C)]
struct RawBuilder {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn cutover_builder_new(
        capacity: usize,
        dimensions: usize,
        m: usize,
        ef_construction: usize,
        distance: Distance,
        context: *const c_void,
        out: *mut *mut RawBuilder,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_builder_place(
        builder: *mut RawBuilder,
        row: *const f32,
        level: u32,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_builder_insert(builder: *mut RawBuilder, node: u32, message: *mut c_char, message_len: usize) -> c_int;
    fn cutover_builder_entry(builder: *const RawBuilder) -> u32;
    fn cutover_builder_links(builder: *mut RawBuilder, node: u32, level: u32, count: *mut usize) -> *mut u32;
    fn cutover_builder_closest(
        builder: *mut RawBuilder,
        node: u32,
        out: *mut u32,
        message: *mut c_char,
        message_len: usize,
    ) -> c_int;
    fn cutover_builder_append(builder: *mut RawBuilder, node: u32, to: u32) -> c_int;
    fn cutover_builder_free(builder: *mut RawBuilder);
}

/// What the distance functions need to know; C++ keeps a pointer to it.
pub(crate) struct Context {
    dimensions: usize,
    kernels: Kernels,
}

impl Context {
    /// The distance that the graph of an index with these parameters is built by, and what it wants as its context.
    ///
    /// Cosine is the inner product of rows of length 1, so rows must be normalised before they are handed over.
    pub(crate) fn new(parameters: &Parameters) -> (Distance, Box<Self>) {
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
pub(crate) fn checked(
    parameters: &Parameters,
    vectors: usize,
    call: impl FnOnce(*mut c_char, usize) -> c_int,
) -> Result<()> {
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

/// A graph under construction.
pub(crate) struct Building {
    raw: NonNull<RawBuilder>,
    /// C++ points to it until `raw` is freed.
    _context: Box<Context>,
    parameters: Parameters,
    capacity: usize,
    placed: u32,
}

// SAFETY: the builder belongs to no thread: its memory is malloc's and its locks are std::mutex.
unsafe impl Send for Building {}
// SAFETY: the only function that takes `&self` and changes anything is `insert`, which shim.h says several threads may call once
// all nodes are placed; placing takes `&mut self`.
unsafe impl Sync for Building {}

impl Building {
    /// A graph that will have at most `capacity` nodes, at least 1.
    pub(crate) fn new(parameters: &Parameters, capacity: usize) -> Result<Self> {
        let (distance, context) = Context::new(parameters);
        let mut raw = ptr::null_mut();
        checked(parameters, capacity, |message, len| {
            // SAFETY: `context` is boxed, stored beside the builder and dropped after it; `raw` is written on success only.
            unsafe {
                cutover_builder_new(
                    capacity,
                    parameters.dimensions,
                    parameters.m,
                    parameters.ef_construction,
                    distance,
                    ptr::from_ref::<Context>(&context).cast(),
                    &raw mut raw,
                    message,
                    len,
                )
            }
        })?;
        let raw = NonNull::new(raw).ok_or_else(|| Error::Build { message: "no builder was made".to_owned() })?;
        Ok(Self { raw, _context: context, parameters: *parameters, capacity, placed: 0 })
    }

    /// Copies `row` in as the next node, on levels 0 to `level`.
    pub(crate) fn place(&mut self, row: &[f32], level: u8) -> Result<()> {
        if row.len() != self.parameters.dimensions {
            return Err(Error::Dimensions { expected: self.parameters.dimensions, actual: row.len() });
        }
        checked(&self.parameters, self.capacity, |message, len| {
            // SAFETY: the builder is alive and borrowed by us alone; `row` has the floats that it copies.
            unsafe { cutover_builder_place(self.raw.as_ptr(), row.as_ptr(), u32::from(level), message, len) }
        })?;
        self.placed += 1;
        Ok(())
    }

    /// Links a placed node into the graph. Each node is to be inserted once; the shim refuses one that was not placed.
    pub(crate) fn insert(&self, node: u32) -> Result<()> {
        checked(&self.parameters, self.capacity, |message, len| {
            // SAFETY: the builder is alive, and while we borrow it nobody places nodes or reads links.
            unsafe { cutover_builder_insert(self.raw.as_ptr(), node, message, len) }
        })
    }

    /// Ends insertion.
    pub(crate) fn finish(self) -> Built {
        Built(self)
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        // SAFETY: the builder is alive, and this is the last that is done with it.
        unsafe { cutover_builder_free(self.raw.as_ptr()) }
    }
}

/// A graph whose nodes are all inserted.
pub(crate) struct Built(Building);

impl Built {
    /// How many nodes it has.
    pub(crate) fn len(&self) -> u32 {
        self.0.placed
    }

    /// The node from which every search starts.
    pub(crate) fn entry(&self) -> u32 {
        // SAFETY: the builder is alive.
        unsafe { cutover_builder_entry(self.0.raw.as_ptr()) }
    }

    /// The links of a node at a level; none at a level that it is not on.
    pub(crate) fn links(&self, node: u32, level: u8) -> &[u32] {
        let (links, count) = self.list(node, level);
        // SAFETY: `list` returns `count` links that the builder owns; nothing writes them while we are borrowed.
        links.map_or(&[], |links| unsafe { slice::from_raw_parts(links.as_ptr(), count) })
    }

    /// The links of a node at level 0, to be changed in place.
    pub(crate) fn links_mut(&mut self, node: u32) -> &mut [u32] {
        let (links, count) = self.list(node, 0);
        // SAFETY: as in `links`, and we are borrowed exclusively.
        links.map_or(&mut [], |links| unsafe { slice::from_raw_parts_mut(links.as_ptr(), count) })
    }

    /// The node closest to `node` among those that a search from the entry point finds, `node` itself left out if it can be.
    pub(crate) fn closest(&self, node: u32) -> Result<u32> {
        let mut closest = 0;
        checked(&self.0.parameters, self.0.capacity, |message, len| {
            // SAFETY: the builder is alive, and no thread changes it: insertion has ended.
            unsafe { cutover_builder_closest(self.0.raw.as_ptr(), node, &raw mut closest, message, len) }
        })?;
        Ok(closest)
    }

    /// Appends a link at level 0; false when the node has no room for it.
    pub(crate) fn append(&mut self, node: u32, to: u32) -> bool {
        // SAFETY: the builder is alive and borrowed by us alone; it checks `node` and its room.
        unsafe { cutover_builder_append(self.0.raw.as_ptr(), node, to) == 1 }
    }

    fn list(&self, node: u32, level: u8) -> (Option<NonNull<u32>>, usize) {
        let mut count = 0;
        // SAFETY: the builder is alive; it returns null for a node or a level that does not exist.
        let links = unsafe { cutover_builder_links(self.0.raw.as_ptr(), node, u32::from(level), &raw mut count) };
        (NonNull::new(links), count)
    }
}
