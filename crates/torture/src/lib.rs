//! The fault campaign: operations on an index are killed, failed and cut off at every call, and what is left is checked.
//!
//! Faults come from outside the process that is tried: a library preloaded into it (`shim/shim.cc`), small and recorded file systems,
//! signals. Production code has no hooks for them. `npm run torture` runs everything, `npm test` a part of it.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "a tool of the tests, which fails by panicking"
)]

pub mod campaign;
pub mod check;
pub mod children;
pub mod corpus;
pub mod fail;
pub mod full_disk;
pub mod hostile;
pub mod kill;
pub mod model;
pub mod observe;
pub mod ops;
pub mod power;
pub mod processes;
pub mod random;
pub mod run;
pub mod strace;
pub mod vectors;
pub mod workload;
