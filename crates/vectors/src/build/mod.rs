//! Building a graph: hnswlib's algorithm, with insertion and search of our own, on any points and several threads.
//!
//! What is hnswlib's: the distribution of levels, the candidates searched for on each level, the heuristic that chooses
//! neighbours, and the linking of both directions in which a full list is chosen anew. What is ours: levels come from the seed
//! alone, the tallest node goes in first, so that all start from one entry point, and a node is searched for on all its levels
//! before it is linked on any, from the bottom up: whoever can reach it on a level can walk down from it.
//!
//! A graph is [`Building`] while nodes are inserted, by several threads, and [`Built`] once no thread can insert any more.

mod codes;
mod effort;
mod floats;
mod heuristic;
mod insert;
mod levels;
mod lists;
mod points;
mod pool;
mod repair;
mod search;
#[cfg(test)]
mod tests;
mod threads;

pub(crate) use codes::{CodePoints, FromCode};
pub(crate) use effort::effort;
pub(crate) use floats::{FloatRows, rows_per_block};
pub(crate) use insert::Building;
pub(crate) use levels::levels;
pub(crate) use lists::{Layer, Lists};
pub(crate) use points::Points;
pub(crate) use repair::repair;
pub(crate) use threads::{Caller, insert_all, join};
