//! Copies that share their blocks with the original until one of them is written: btrfs, XFS and others can, ext4 and tmpfs cannot.
//!
//! The call goes through the C library, as all of ours do, so that injected faults reach it.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "an ioctl has no safe form"))]

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use nix::fcntl::OFlag;

use super::{open_file, remove_file};
use crate::{Error, Result};

/// Makes a new file at `to`, with mode 0600, that holds what the regular file `from` holds and shares its blocks; whether that
/// was possible. Where it was not, nothing is at `to`. What the clone holds is for its reader to find out: [`super::seal`].
///
/// # Errors
/// When `from` cannot be opened, `to` cannot be made, or the disk is full; not when the file systems cannot do it.
pub fn clone_file(from: &Path, to: &Path) -> Result<bool> {
    let source = open_file(from)?;
    let target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(to)
        .map_err(|source| Error::io("create", to, source))?;
    match ficlone(&source, &target) {
        Ok(()) => Ok(true),
        Err(errno) => {
            drop(target);
            remove_file(to)?;
            let error = Error::io("clone to", to, errno.into());
            // Every other refusal means "not here": EXDEV, EOPNOTSUPP, EINVAL, ENOTTY, EPERM, ENOSYS. The copy that follows meets
            // whatever else is wrong.
            if error.is_no_space() { Err(error) } else { Ok(false) }
        }
    }
}

#[cfg(target_os = "linux")]
fn ficlone(source: &File, target: &File) -> nix::Result<()> {
    use std::os::fd::AsRawFd;

    use nix::libc;

    mod call {
        // linux/fs.h: FICLONE is _IOW(0x94, 9, int).
        nix::ioctl_write_int!(ficlone, 0x94, 9);
    }
    // SAFETY: FICLONE takes a descriptor by value and touches no memory of this process; both files are open, as borrowed here,
    // until the call has returned.
    unsafe { call::ficlone(target.as_raw_fd(), libc::c_ulong::from(source.as_raw_fd().unsigned_abs())) }.map(drop)
}

#[cfg(not(target_os = "linux"))]
fn ficlone(_: &File, _: &File) -> nix::Result<()> {
    Err(nix::errno::Errno::ENOTSUP)
}
