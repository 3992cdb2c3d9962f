//! The line of those who wait for a lock: whoever has waited longest tries first.
//!
//! Each waiter holds a byte of the lock's file by a record lock that belongs to its open file (`F_OFD_SETLK`): one byte more than the
//! last that is held when it comes. A waiter that dies loses its byte with its descriptor, so the line needs no clearing, and
//! nothing is written. `flock` does not see record locks: the line orders waiters and excludes nobody. It is advice: where the
//! system or the file system has no such locks there is no line, and chance decides.

use std::{fs::File, path::Path};

use crate::{Result, disk};

/// A place in the line.
#[derive(Debug)]
pub struct Place {
    file: File,
    byte: i64,
}

impl Place {
    /// Joins the line at its end. `None` where there are no lines.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        // Some network file systems make a record lock of every `flock`: who waits would then keep everybody out.
        if disk::is_network_file_system(path)?.is_some() {
            return Ok(None);
        }
        let file = super::open_or_create(path)?;
        Ok(ofd::take_after_last(&file).map(|byte| Self { file, byte }))
    }

    /// Whether nobody has waited longer.
    pub fn is_first(&self) -> bool {
        self.byte == 0 || ofd::held(&self.file, 0, self.byte).is_none()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Not left to closing: a child that is just starting may share the descriptor for a moment longer.
        ofd::release(&self.file, self.byte);
    }
}

/// Whether anybody waits for the lock at `path`. A file that is not there, or not ours to open, has no line.
pub fn is_waited_for(path: &Path) -> bool {
    crate::fs::open_file(path).is_ok_and(|file| ofd::held(&file, 0, 0).is_some())
}

/// A length of 0 reaches to the end of all bytes.
#[cfg(target_os = "linux")]
mod ofd {
    use std::fs::File;

    use nix::{
        errno::Errno,
        fcntl::{FcntlArg, fcntl},
        libc,
    };

    fn range(kind: libc::c_int, start: i64, length: i64) -> libc::flock {
        libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: start,
            l_len: length,
            l_pid: 0,
        }
    }

    /// The first byte after some range that another open file holds between `start` and `start + length`.
    pub fn held(file: &File, start: i64, length: i64) -> Option<i64> {
        let mut range = range(libc::F_WRLCK, start, length);
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut range)).ok()?;
        (range.l_type != libc::F_UNLCK as libc::c_short).then(|| range.l_start.saturating_add(range.l_len.max(1)))
    }

    pub fn take_after_last(file: &File) -> Option<i64> {
        let mut byte = 0;
        loop {
            while let Some(next) = held(file, byte, 0) {
                byte = next;
            }
            match fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_WRLCK, byte, 1))) {
                Ok(_) => return Some(byte),
                // Somebody else came at the same moment.
                Err(Errno::EAGAIN | Errno::EACCES) => byte += 1,
                Err(_) => return None,
            }
        }
    }

    pub fn release(file: &File, byte: i64) {
        let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, byte, 1)));
    }
}

#[cfg(not(target_os = "linux"))]
mod ofd {
    use std::fs::File;

    pub fn held(_: &File, _: i64, _: i64) -> Option<i64> {
        None
    }

    pub fn take_after_last(_: &File) -> Option<i64> {
        None
    }

    pub fn release(_: &File, _: i64) {}
}
