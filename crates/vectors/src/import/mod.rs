//! Graphs that other software built, taken over as they are.

mod adopt;
mod header;
mod hnswlib;
mod kept;

#[cfg(test)]
mod tests;

pub use adopt::GraphImport;
pub use hnswlib::Hnswlib;
