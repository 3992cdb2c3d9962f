//! Reading the bytes of many files, each once, with progress and a way to stop.
//!
//! Files are read and never mapped, so a disk that fails gives an error, which says something about the file.

use std::{collections::HashMap, ops::ControlFlow, path::Path};

use cutover_durable::{Digest, digest::Hasher, fs::Identity, read_blocks};

use crate::{Error, Result};

/// What a file held when it was read.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Bytes with this digest.
    Digest(Digest),
    /// Nothing that could be read; why.
    Unreadable(String),
}

/// A walk over the bytes of files. What two names lead to is read once.
pub(crate) struct Reading<'a> {
    read: HashMap<Identity, Content>,
    done: u64,
    expected: u64,
    progress: &'a dyn Fn(u64, u64),
    cancel: &'a dyn Fn() -> bool,
}

impl<'a> Reading<'a> {
    pub fn new(progress: &'a dyn Fn(u64, u64), cancel: &'a dyn Fn() -> bool) -> Self {
        Self { read: HashMap::new(), done: 0, expected: 0, progress, cancel }
    }

    /// Says that `bytes` more are going to be read.
    pub fn expect(&mut self, bytes: u64) {
        self.expected = self.expected.saturating_add(bytes);
    }

    /// Bytes read so far.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Bytes that are going to be read in all, as far as that was said.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// # Errors
    /// [`Error::Cancelled`] once the caller's flag is set.
    pub fn proceed(&self) -> Result<()> {
        if (self.cancel)() { Err(Error::Cancelled) } else { Ok(()) }
    }

    pub fn cancel(&self) -> &'a dyn Fn() -> bool {
        self.cancel
    }

    /// What the file at `path`, which is `identity`, holds.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; an error when the file is gone, or that says nothing about the file.
    pub fn content(&mut self, path: &Path, identity: Identity) -> Result<Content> {
        if let Some(known) = self.read.get(&identity) {
            return Ok(known.clone());
        }
        let mut hasher = Hasher::new();
        let complete = read_blocks(path, &mut |block| {
            hasher.update(block);
            Ok(self.advance(block.len() as u64))
        });
        let content = match complete {
            Ok(true) => Content::Digest(hasher.finish()),
            Ok(false) => return Err(Error::Cancelled),
            Err(error) if error.is_exhausted() || error.is_not_found() => return Err(error.into()),
            Err(error) => Content::Unreadable(error.to_string()),
        };
        self.read.insert(identity, content.clone());
        Ok(content)
    }

    /// Counts bytes that were read; breaks when the caller wants to stop.
    pub fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        self.done = self.done.saturating_add(bytes);
        (self.progress)(self.done, self.expected.max(self.done));
        if (self.cancel)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
