//! When the bytes of a version are compared with the digests they were published with.

use crate::{Error, Store, VersionId};

/// When the bytes of a version are compared with their digests. Records, structure and sizes are checked always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Integrity {
    /// Never, unless [`Store::verify`] is called.
    #[default]
    Sizes,
    /// After a version was taken hold of, by a thread of idle priority: each file once in the life of this process.
    Background,
    /// Before a version is handed out: each file once in the life of this process.
    Digests,
}

impl Store {
    /// What is known in this process to be wrong with a version's bytes.
    #[must_use]
    pub fn damage(&self, _id: &VersionId) -> Option<Error> {
        None
    }

    /// What the check in the background found since this was last called.
    #[must_use]
    pub fn take_problems(&self) -> Vec<Error> {
        Vec::new()
    }
}
