//! Vectors already paid for, by digest of text and model: a rebuild that was killed, or one that finds most documents unchanged, does
//! not ask for them again.
//!
//! A cache and nothing else: no version refers to it, no reader looks at it, nothing of it is synced, and it may be removed at any
//! time. Each record carries a digest of itself, its model and its dimensions, compared whenever it is read: what a crash or a disk made
//! of it is never taken for a vector. Only the holder of the writer lock uses it. Whatever goes wrong here is nobody's error: the vector
//! is not known, or not kept.
//!
//! The oldest files go when all together exceed a bound. A record that is used and lies in the older half is written anew, so that what
//! is used stays.

mod files;
mod record;

use cutover_durable::{disk, fs};
use files::{create_dir, evict, name, newest};
use record::{Codec, HEAD_BYTES, TextDigest};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Files that a full cache has, about: the bound divided by this is where the next file begins.
const FILES: u64 = 32;
/// Records that are known at once: some 100 MiB of memory.
const MOST_RECORDS: usize = 4 << 20;
/// Bytes of the file system that the cache leaves free, besides twice what it has written: the version needs as much.
const LEAVE_FREE: u64 = 64 << 20;
/// Bytes read at once while keys are collected.
const BLOCK: usize = 256 << 10;

/// Where a record is.
#[derive(Debug, Clone, Copy)]
struct Place {
    source: u32,
    record: u32,
}

/// A file that is read from.
struct Source {
    file: File,
    /// Whether it is in the older half of the cache.
    old: bool,
}

/// The file that is appended to.
struct Target {
    path: PathBuf,
    source: u32,
    records: u32,
    bytes: u64,
}

/// The vectors of one model.
pub struct EmbeddingCache {
    directory: PathBuf,
    codec: Codec,
    max_bytes: u64,
    /// By the first eight bytes of a text's digest; the record has all of it.
    places: HashMap<u64, Place>,
    sources: Vec<Source>,
    target: Option<Target>,
    /// Bytes appended since it was opened.
    written: u64,
    writes: bool,
}

impl EmbeddingCache {
    /// The vectors of `model` with so many dimensions (1–4096) that are known in `directory`, which is made when only its parent is
    /// there. All files of all models keep within `max_bytes`; 0 is no cache. A directory that is a link or no directory is none either.
    #[must_use]
    pub fn open(directory: &Path, model: &str, dimensions: usize, max_bytes: u64) -> Self {
        let mut cache = Self {
            directory: directory.to_owned(),
            codec: Codec::new(model, dimensions),
            max_bytes,
            places: HashMap::new(),
            sources: Vec::new(),
            target: None,
            written: 0,
            writes: max_bytes > 0 && create_dir(directory),
        };
        if cache.writes {
            cache.load();
        }
        cache
    }

    /// For each text its vector, if that is known.
    pub fn lookup(&mut self, texts: &[String]) -> Vec<Option<Vec<f32>>> {
        let mut again = Vec::new();
        let found = texts.iter().map(|text| self.find(&self.codec.digest_of(text), &mut again)).collect();
        self.write(&again);
        found
    }

    /// Keeps vectors: those of the texts one after another. What has another length is not kept.
    pub fn append(&mut self, texts: &[String], packed: &[f32]) {
        if packed.len() != texts.len() * self.codec.dimensions() {
            return;
        }
        let vectors = packed.chunks_exact(self.codec.dimensions());
        let records = texts.iter().zip(vectors).map(|(text, vector)| {
            let digest = self.codec.digest_of(text);
            (digest, self.codec.encode(&digest, vector))
        });
        let records: Vec<_> = records.collect();
        self.write(&records);
    }

    fn find(&mut self, digest: &TextDigest, again: &mut Vec<(TextDigest, Vec<u8>)>) -> Option<Vec<f32>> {
        let place = *self.places.get(&key(digest))?;
        let source = &self.sources[place.source as usize];
        let mut bytes = vec![0; self.codec.record_bytes()];
        let at = HEAD_BYTES as u64 + u64::from(place.record) * bytes.len() as u64;
        let read = source.file.read_exact_at(&mut bytes, at).ok().and_then(|()| self.codec.decode(&bytes, digest));
        match &read {
            Some(_) if source.old => again.push((*digest, bytes)),
            Some(_) => {}
            None => drop(self.places.remove(&key(digest))),
        }
        read
    }

    /// Appends records. The first failure ends all writing: a record that was torn is then the last of its file.
    fn write(&mut self, records: &[(TextDigest, Vec<u8>)]) {
        let bytes = records.iter().map(|(_, record)| record.as_slice()).collect::<Vec<_>>().concat();
        if bytes.is_empty() || !self.writes {
            return;
        }
        self.writes = self.try_write(records, &bytes).is_some();
    }

    fn try_write(&mut self, records: &[(TextDigest, Vec<u8>)], bytes: &[u8]) -> Option<()> {
        let after = self.written + bytes.len() as u64;
        let room = LEAVE_FREE.saturating_add(after.saturating_mul(2));
        if after - self.written > self.max_bytes || disk::free_bytes(&self.directory).ok()? < room {
            return None;
        }
        if self.target.as_ref().is_none_or(|target| target.bytes >= self.max_bytes / FILES) {
            self.target = Some(self.begin()?);
        }
        let target = self.target.as_mut()?;
        fs::append(&target.path, bytes).ok()?;
        self.written = after;
        target.bytes += bytes.len() as u64;
        for (digest, _) in records {
            if self.places.len() < MOST_RECORDS || self.places.contains_key(&key(digest)) {
                self.places.insert(key(digest), Place { source: target.source, record: target.records });
            }
            target.records = target.records.checked_add(1)?;
        }
        Some(())
    }

    /// Begins the next file.
    fn begin(&mut self) -> Option<Target> {
        let number = newest(&self.directory).map_or(Some(0), |newest| newest.checked_add(1))?;
        let path = self.directory.join(name(number, self.codec.head())?);
        // Something of that name is not ours to append to.
        if fs::kind(&path).ok()?.is_some() {
            return None;
        }
        fs::append(&path, self.codec.head()).ok()?;
        evict(&self.directory, self.max_bytes);
        let file = fs::open_file(&path).ok()?;
        Some(Target { source: self.add_source(file, false)?, path, records: 0, bytes: HEAD_BYTES as u64 })
    }

    fn add_source(&mut self, file: File, old: bool) -> Option<u32> {
        self.sources.push(Source { file, old });
        u32::try_from(self.sources.len() - 1).ok()
    }

    /// Learns what there is, the newest first, and removes what nobody can use.
    fn load(&mut self) {
        let mut newer = 0;
        for found in evict(&self.directory, self.max_bytes).into_iter().rev() {
            let old = newer > self.max_bytes / 2;
            newer += found.bytes;
            let Ok(file) = fs::open_file(&found.path) else { continue };
            let mut head = [0; HEAD_BYTES];
            if file.read_exact_at(&mut head, 0).is_err() || !Codec::is_head(&head) {
                // A failure to remove it is for the next eviction.
                let _ = fs::remove_file(&found.path);
                continue;
            }
            if head == *self.codec.head() {
                self.learn(file, old, found.path, found.bytes);
            }
        }
    }

    /// Learns the keys of one file, and goes on with it where it ends if it is the newest and there is room in it.
    fn learn(&mut self, file: File, old: bool, path: PathBuf, bytes: u64) {
        let size = self.codec.record_bytes();
        let body = bytes.saturating_sub(HEAD_BYTES as u64);
        let records = u32::try_from(body / size as u64).unwrap_or(u32::MAX);
        let Some(source) = self.add_source(file, old) else { return };
        if self.sources.len() == 1 && !old && body.is_multiple_of(size as u64) {
            self.target = Some(Target { path, source, records, bytes });
        }
        let at_once = (BLOCK / size).max(1);
        let mut block = vec![0; at_once * size];
        for first in (0..records).step_by(at_once) {
            let here = at_once.min((records - first) as usize);
            let at = HEAD_BYTES as u64 + u64::from(first) * size as u64;
            if self.sources[source as usize].file.read_exact_at(&mut block[..here * size], at).is_err() {
                return;
            }
            for (record, digest) in (first..).zip(block[..here * size].chunks_exact(size)) {
                if self.places.len() >= MOST_RECORDS {
                    return;
                }
                // Of an older copy the newer one is known already.
                self.places.entry(key(digest)).or_insert(Place { source, record });
            }
        }
    }
}

/// The first eight bytes of a digest.
fn key(digest: &[u8]) -> u64 {
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
