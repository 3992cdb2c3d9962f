//! A disk that remembers: an image file served through FUSE, whose every write and flush is recorded in order.
//!
//! A loop device on the file turns the block layer's writes into writes of the file and its flushes into `fsync`. What a power cut
//! can leave is then computed, not waited for: all that was written before the last flush, and any part of what came after.

use std::{
    collections::HashMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    WriteFlags,
};

/// Unit in which the disk's content is kept, and the smallest piece that a cut writes whole.
pub const BLOCK: usize = 4096;

const DISK: &str = "disk";
const DISK_INODE: INodeNo = INodeNo(2);
/// The content changes below the kernel, so it may remember nothing.
const FORGET: Duration = Duration::ZERO;

/// What the file system asked of the disk.
#[derive(Debug, Clone)]
pub enum Event {
    /// Bytes for a place, in no order with others since the last flush.
    Write(u64, Arc<[u8]>),
    /// Everything written before it lasts.
    Flush,
}

/// The blocks that were ever written; the others are zero. A clone shares them until one is changed.
#[derive(Debug, Clone, Default)]
pub struct Blocks(HashMap<u64, Arc<[u8; BLOCK]>>);

impl Blocks {
    /// The content of an image file, without its holes and zeroes.
    pub fn load(image: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(image)?;
        let mut blocks = Self::default();
        for (number, block) in bytes.chunks(BLOCK).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                blocks.write((number * BLOCK) as u64, block);
            }
        }
        Ok(blocks)
    }

    /// Puts bytes at an offset.
    pub fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let within = (offset % BLOCK as u64) as usize;
            let length = bytes.len().min(BLOCK - within);
            let block = self.0.entry(offset / BLOCK as u64).or_insert_with(|| Arc::new([0; BLOCK]));
            Arc::make_mut(block)[within..within + length].copy_from_slice(&bytes[..length]);
            (offset, bytes) = (offset + length as u64, &bytes[length..]);
        }
    }

    fn read(&self, mut offset: u64, mut length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while length > 0 {
            let within = (offset % BLOCK as u64) as usize;
            let part = length.min(BLOCK - within);
            match self.0.get(&(offset / BLOCK as u64)) {
                Some(block) => bytes.extend_from_slice(&block[within..within + part]),
                None => bytes.resize(bytes.len() + part, 0),
            }
            (offset, length) = (offset + part as u64, length - part);
        }
        bytes
    }
}

/// What the disk holds now, and how it came to it.
#[derive(Debug, Default)]
pub struct Disk {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its content.
    pub blocks: Blocks,
    /// What was asked of it, while that is recorded.
    pub log: Option<Vec<Event>>,
}

/// The disk, mounted; dropping it unmounts.
pub struct Device {
    disk: Arc<Mutex<Disk>>,
    path: PathBuf,
    session: Option<BackgroundSession>,
}

impl Device {
    /// Serves a disk as the file `disk` in `mountpoint`.
    pub fn serve(disk: Disk, mountpoint: &Path) -> io::Result<Self> {
        let disk = Arc::new(Mutex::new(disk));
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("cutover-torture".to_owned()), MountOption::DefaultPermissions];
        let session = fuser::spawn_mount(Server(Arc::clone(&disk)), mountpoint, &config)?;
        Ok(Self { disk, path: mountpoint.join(DISK), session: Some(session) })
    }

    /// The disk's file, for a loop device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The disk itself.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    /// How many events have been recorded.
    pub fn position(&self) -> usize {
        self.disk().log.as_ref().map_or(0, Vec::len)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.session.take().map(BackgroundSession::umount_and_join) {
            eprintln!("unmount {}: {error}", self.path.display());
        }
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Server(Arc<Mutex<Disk>>);

impl Server {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let directory = inode == INodeNo::ROOT;
        let bytes = if directory { 0 } else { lock(&self.0).bytes };
        FileAttr {
            ino: inode,
            size: bytes,
            blocks: bytes / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if directory { FileType::Directory } else { FileType::RegularFile },
            perm: if directory { 0o700 } else { 0o600 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: BLOCK as u32,
            flags: 0,
        }
    }
}

/// One thread serves all requests, so that what a flush covers is what was answered before it was read.
impl Filesystem for Server {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if parent == INodeNo::ROOT && name == DISK {
            reply.entry(&FORGET, &self.attributes(DISK_INODE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FORGET, &self.attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let disk = lock(&self.0);
        let length = disk.bytes.saturating_sub(offset).min(u64::from(length));
        reply.data(&disk.blocks.read(offset, length as usize));
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut disk = lock(&self.0);
        disk.blocks.write(offset, bytes);
        if let Some(log) = &mut disk.log {
            log.push(Event::Write(offset, bytes.into()));
        }
        reply.written(bytes.len() as u32);
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        if let Some(log) = &mut lock(&self.0).log {
            log.push(Event::Flush);
        }
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }
}
