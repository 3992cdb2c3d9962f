//! Lies in vector files, and everything that reads them: what the fault campaign and the fuzz targets try.
//!
//! A lie is chosen by a seed ([`random::Random`]) or by the bytes of a fuzzer ([`choose::Script`]). Nothing that is tried may panic, hang or
//! take memory without bound; what a damaged field answers may be wrong, and is an answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a tool of the tests, which fails by panicking"
)]

pub mod choose;
pub mod fields;
pub mod mutate;
pub mod random;
