//! The files of the cache's directory: their names, and which of them go.
//!
//! `<ten digits>-<eight hexadecimal digits>.vectors`: a number that grows, and the beginning of the head's check, which tells models
//! apart that are written side by side. Whatever has another name is not the cache's and is left alone, and so is a link.

use super::record::HEAD_BYTES;
use cutover_durable::fs::{self, Kind};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Files that there may be, of all models: each is open while it is read from.
const MOST_FILES: usize = 128;
const LAST: u64 = 9_999_999_999;
const SUFFIX: &str = ".vectors";

/// A file of the cache.
pub(super) struct Found {
    number: u64,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Whether `directory` is one, made where nothing was. A link is none.
pub(super) fn create_dir(directory: &Path) -> bool {
    match fs::kind(directory) {
        Ok(Some(kind)) => kind == Kind::Directory,
        Ok(None) => fs::create_dir(directory).and_then(|()| fs::publish_dir_mode(directory)).is_ok(),
        Err(_) => false,
    }
}

/// The name of a file; `None` when the numbers have run out.
pub(super) fn name(number: u64, head: &[u8; HEAD_BYTES]) -> Option<String> {
    let check = u32::from_be_bytes(*head.last_chunk()?);
    (number <= LAST).then(|| format!("{number:010}-{check:08x}{SUFFIX}"))
}

fn number_of(name: &OsStr) -> Option<u64> {
    let (number, check) = name.to_str()?.strip_suffix(SUFFIX)?.split_once('-')?;
    let formed = number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit());
    let checked = check.len() == 8 && check.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if formed && checked { number.parse().ok() } else { None }
}

/// The cache's files, oldest first.
fn list(directory: &Path) -> Vec<Found> {
    let entries = fs::list_dir(directory).unwrap_or_default();
    let files = entries.into_iter().filter(|entry| entry.kind == Kind::File).filter_map(|entry| {
        let (number, path) = (number_of(&entry.name)?, directory.join(&entry.name));
        Some(Found { number, bytes: fs::metadata(&path).ok()?.len(), path })
    });
    // Numbers have ten digits each, so the order of names is theirs.
    files.collect()
}

/// The greatest number of any file.
pub(super) fn newest(directory: &Path) -> Option<u64> {
    list(directory).last().map(|found| found.number)
}

/// Removes the oldest files until the others are few enough and keep within `max_bytes`, the newest aside. What is left, oldest first.
pub(super) fn evict(directory: &Path, max_bytes: u64) -> Vec<Found> {
    let mut files = list(directory);
    let mut bytes = files.iter().fold(0_u64, |sum, found| sum.saturating_add(found.bytes));
    let many = files.len().saturating_sub(1);
    let mut gone = 0;
    while gone < many && (bytes > max_bytes || files.len() - gone > MOST_FILES) {
        bytes = bytes.saturating_sub(files[gone].bytes);
        // What cannot be removed is tried again the next time.
        let _ = fs::remove_file(&files[gone].path);
        gone += 1;
    }
    files.split_off(gone)
}
