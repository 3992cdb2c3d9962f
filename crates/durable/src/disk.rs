//! What a path's file system can hold and can be trusted with.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::sys::statvfs::{FsFlags, statvfs};

use crate::{Error, Result};

/// Bytes that this user can still write on the file system of `path`.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let stat = statvfs(path).map_err(|errno| Error::io("measure the file system of", path, errno.into()))?;
    // The types are 32 bits wide on some systems.
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::useless_conversion, reason = "identity on Linux, a widening on macOS")
    )]
    let (blocks, size) = (u64::from(stat.blocks_available()), u64::from(stat.fragment_size()));
    Ok(blocks.saturating_mul(size))
}

/// Fails unless `needed` bytes can be written on the file system of `path`.
pub fn require_bytes(path: &Path, needed: u64) -> Result<()> {
    let available = free_bytes(path)?;
    if available < needed {
        return Err(Error::NoSpace { path: path.to_path_buf(), needed, available });
    }
    Ok(())
}

/// Whether the file system of `path` is mounted read-only.
pub fn is_read_only(path: &Path) -> Result<bool> {
    let stat = statvfs(path).map_err(|errno| Error::io("measure the file system of", path, errno.into()))?;
    Ok(stat.flags().contains(FsFlags::ST_RDONLY))
}

/// Whether users other than the owner and the group can make and remove names in the directory. One with the sticky bit does not
/// count: there they can remove only what is theirs.
pub fn writable_by_others(path: &Path) -> Result<bool> {
    let metadata = std::fs::metadata(path).map_err(|source| Error::io("look at", path, source))?;
    let mode = metadata.permissions().mode();
    Ok(mode & 0o002 != 0 && mode & 0o1000 == 0)
}

/// The name of the network file system that `path` is on; `None` when it is on a local one.
///
/// Locks, renames and syncs on network file systems do not promise what they do elsewhere.
pub fn is_network_file_system(path: &Path) -> Result<Option<&'static str>> {
    let stat =
        nix::sys::statfs::statfs(path).map_err(|errno| Error::io("measure the file system of", path, errno.into()))?;
    #[cfg(target_os = "linux")]
    {
        let magic = i128::from(stat.filesystem_type().0) & 0xffff_ffff;
        if magic == FUSE {
            return network_fuse(path);
        }
        Ok(NETWORK.iter().find(|(number, _)| *number == magic).map(|(_, name)| *name))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let name = stat.filesystem_type_name();
        Ok(["nfs", "smbfs", "afpfs", "webdav"].into_iter().find(|known| *known == name))
    }
}

/// Whether `path` is on one of the file systems that are known to be local and to tell at once what another process changed.
#[must_use]
pub fn is_local_file_system(path: &Path) -> bool {
    nix::sys::statfs::statfs(path).is_ok_and(|stat| {
        #[cfg(target_os = "linux")]
        return LOCAL.contains(&(i128::from(stat.filesystem_type().0) & 0xffff_ffff));
        #[cfg(not(target_os = "linux"))]
        ["apfs", "hfs"].contains(&stat.filesystem_type_name())
    })
}

/// ext, XFS, btrfs, tmpfs, F2FS, ZFS, and overlays, which containers have.
#[cfg(target_os = "linux")]
const LOCAL: &[i128] = &[0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010, 0x2fc1_2fc1, 0x794c_7630];

#[cfg(target_os = "linux")]
const FUSE: i128 = 0x6573_5546;

/// File-system types by the magic number that `statfs` reports.
#[cfg(target_os = "linux")]
const NETWORK: &[(i128, &str)] = &[
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "afs"),
    (0x7375_7245, "coda"),
    (0x564c, "ncp"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x0116_1970, "gfs2"),
];

/// FUSE says nothing about what is behind it; its mounts' type names do.
#[cfg(target_os = "linux")]
const NETWORK_FUSE: &[&str] = &[
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.goofys",
    "fuse.mount-s3",
    "fuse.blobfuse2",
    "fuse.juicefs",
    "fuse.ceph",
    "fuse.curlftpfs",
    "fuse.davfs",
];

#[cfg(target_os = "linux")]
fn network_fuse(path: &Path) -> Result<Option<&'static str>> {
    let device = std::fs::metadata(path).map_err(|source| Error::io("look at", path, source))?.dev();
    let device = format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device));
    // Without /proc nothing names the mount; then it is taken for a local one.
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok(mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let kind = kind.split(' ').next()?;
        (mount.split(' ').nth(2)? == device).then(|| NETWORK_FUSE.iter().find(|known| **known == kind).copied())?
    }))
}
