//! Files as a crash leaves them.
//!
//! Everything that Cutover writes goes through this crate: bytes are hashed as they are written, synced once on the descriptor
//! that wrote them, given their final mode, and only then named by a rename. What is read is mapped whole or read with a bound.
//! Nothing here follows a symbolic link in the last part of a path, and nothing here knows what an index is.

#[cfg(target_endian = "big")]
compile_error!("Cutover's files are little-endian and mapped as they are; big-endian machines are not supported");

mod beside;
pub mod digest;
pub mod disk;
mod error;
pub mod fs;
pub mod host;
pub mod lock;
mod mmap;
mod mode;
pub mod priority;
pub mod random;
pub mod replace;
pub mod sections;
pub mod swap;

pub use beside::beside;
pub use digest::{Digest, digest_file, read_blocks};
pub use error::{Error, Result};
pub use mmap::{Map, MapSlice};
