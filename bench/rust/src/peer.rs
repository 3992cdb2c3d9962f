//! C++ hnswlib, compiled for the processor's widest instructions.

use std::{ffi::CString, os::unix::ffi::OsStrExt as _, path::Path};

use crate::data::Rows;

#[repr(C)]
struct Raw {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn peer_build(rows: *const f32, count: usize, dimensions: usize, m: usize, ef: usize, threads: usize) -> *mut Raw;
    fn peer_load(path: *const std::ffi::c_char, dimensions: usize) -> *mut Raw;
    fn peer_save(peer: *mut Raw, path: *const std::ffi::c_char);
    fn peer_search(peer: *mut Raw, query: *const f32, k: usize, ef: usize, labels: *mut u32) -> usize;
    fn peer_free(peer: *mut Raw);
}

/// An hnswlib index of unit vectors.
pub struct Peer {
    raw: *mut Raw,
    dimensions: usize,
}

impl Peer {
    /// Builds over rows that [`Rows::unit`] made.
    pub fn build(unit: &Rows, m: usize, ef_construction: usize, threads: usize) -> Self {
        // SAFETY: `unit` holds `len` rows of `dimensions` floats, which are copied before this returns.
        let raw =
            unsafe { peer_build(unit.flat().as_ptr(), unit.len(), unit.dimensions(), m, ef_construction, threads) };
        Self { raw, dimensions: unit.dimensions() }
    }

    pub fn load(path: &Path, dimensions: usize) -> Self {
        // SAFETY: the path ends in NUL; the file is one that `save` wrote.
        Self { raw: unsafe { peer_load(c_path(path).as_ptr(), dimensions) }, dimensions }
    }

    pub fn save(&self, path: &Path) {
        // SAFETY: the index is alive; the path ends in NUL.
        unsafe { peer_save(self.raw, c_path(path).as_ptr()) }
    }

    /// Rows of the nearest `k`, farthest first, into `labels`.
    pub fn search(&self, unit: &[f32], k: usize, ef: usize, labels: &mut Vec<u32>) {
        assert_eq!(unit.len(), self.dimensions);
        labels.resize(k, 0);
        // SAFETY: the index is alive and used by one thread; `unit` has its dimensions, `labels` room for `k`.
        let found = unsafe { peer_search(self.raw, unit.as_ptr(), k, ef, labels.as_mut_ptr()) };
        labels.truncate(found);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SAFETY: the index is alive, and this is the last that is done with it.
        unsafe { peer_free(self.raw) }
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}
