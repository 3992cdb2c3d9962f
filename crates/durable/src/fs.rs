//! The file operations that Cutover uses, each with its path in the error, none following a symbolic link at the end of a path.

mod directory;
mod read;
mod reflink;
mod seal;
mod sink;
mod tree;
mod writer;

pub use directory::{
    Entry, Kind, create_dir, kind, link, list_dir, publish_dir_mode, remove_empty_dir, remove_file, remove_tree,
    rename, rename_no_replace, require_writable_dir, symlink, sync_dir,
};
pub use read::{
    Identity, append, append_synced, copy_into, copy_stepwise, identity, metadata, open_file, read_limited,
};
pub use reflink::clone_file;
pub use seal::{Stamp, seal};
pub use tree::{exchange, real, sync_file, sync_file_system, sync_tree};
pub use writer::{Writer, Written, create};

/// Syncs `file` through libc, once: the pages of a failed sync may be marked clean, so asking again would succeed falsely.
/// (std's `sync_all` asks again when a signal interrupts it.)
pub(crate) fn sync(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(target_os = "macos")]
    {
        // fsync on macOS reaches the drive's cache only.
        nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_FULLFSYNC)?;
        Ok(())
    }
    #[cfg(not(target_os = "macos"))]
    Ok(nix::unistd::fsync(file)?)
}
