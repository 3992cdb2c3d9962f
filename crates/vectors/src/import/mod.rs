//! Graphs that other software built, taken over as they are.

mod header;
mod hnswlib;

#[cfg(test)]
mod tests;

pub use hnswlib::Hnswlib;
