//! Where a writer's pieces go: hashed and written by the caller at first, and by a thread of their own once there are several.
//!
//! A piece takes about as long to hash as to write, and whoever makes the bytes has better to do meanwhile. The thread has at most one
//! piece in hand and one that waits. Pieces are written in order, whoever writes them, and none is after one that failed.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread::{Builder, JoinHandle},
};

use crate::{Error, digest::Hasher};

/// A file and the digest of what was written to it so far.
#[derive(Debug)]
pub(super) struct Target {
    pub file: File,
    pub path: PathBuf,
    pub hasher: Hasher,
}

impl Target {
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece).map_err(|source| Error::io("write", &self.path, source))?;
        self.hasher.update(piece);
        Ok(())
    }
}

/// A thread that writes pieces to a target. Dropped, it first ends what it was given.
#[derive(Debug)]
pub(super) struct Behind {
    /// None once no more will come.
    pieces: Option<SyncSender<Vec<u8>>>,
    /// Pieces that were written, for their memory.
    spare: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<Box<Target>>>>,
}

impl Behind {
    /// Starts the thread. The target comes back, behind the error, when the system gives none.
    pub fn start(target: Box<Target>) -> Result<Self, Box<Target>> {
        let (pieces, queue) = sync_channel::<Vec<u8>>(1);
        let (done, spare) = channel();
        // The target goes by a channel, so that it is not lost with a thread that could not be started.
        let (hand, given) = sync_channel::<Box<Target>>(1);
        let work = move || {
            let mut target = given.recv().map_err(io::Error::other)?;
            for mut piece in queue {
                target.write(&piece)?;
                piece.clear();
                // Nobody takes it once the writer is done.
                let _ = done.send(piece);
            }
            Ok(target)
        };
        match Builder::new().name("cutover-write".to_owned()).spawn(work) {
            Ok(thread) => {
                // The thread waits for it, and the channel has room.
                let sent = hand.send(target);
                sent.map_err(|unsent| unsent.0)?;
                Ok(Self { pieces: Some(pieces), spare, thread: Some(thread) })
            }
            Err(_) => Err(target),
        }
    }

    /// Hands a piece over and gives memory for another. It waits while two are under way.
    ///
    /// # Errors
    /// Why an earlier piece could not be written: this one was not then, nor will be any other.
    pub fn write(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let capacity = piece.capacity();
        let sent = self.pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok());
        if !sent {
            self.end()?;
            return Err(io::Error::other("the thread that writes the file has ended"));
        }
        Ok(self.spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(capacity)))
    }

    /// Waits until all is written, and gives the target back.
    pub fn end(&mut self) -> io::Result<Box<Target>> {
        self.pieces = None;
        let gone = || io::Error::other("the thread that writes the file has panicked");
        let thread = self.thread.take().ok_or_else(gone)?;
        thread.join().map_err(|_| gone())?
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Whoever dropped the writer asked for no outcome.
        let _ = self.end();
    }
}
