//! The calls that the shim recorded.

use std::path::Path;

/// What a call did. The numbers are the shim's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Create = 1,
    Mkdir,
    Symlink,
    Write,
    Truncate,
    Sync,
    SyncDirectory,
    Rename,
    Exchange,
    Link,
    Unlink,
    Rmdir,
}

const KINDS: [Kind; 12] = [
    Kind::Create,
    Kind::Mkdir,
    Kind::Symlink,
    Kind::Write,
    Kind::Truncate,
    Kind::Sync,
    Kind::SyncDirectory,
    Kind::Rename,
    Kind::Exchange,
    Kind::Link,
    Kind::Unlink,
    Kind::Rmdir,
];

/// A call that succeeded. Paths are relative to the directory of the operation, which itself is empty.
#[derive(Debug, Clone)]
pub struct Call {
    pub kind: Kind,
    pub offset: usize,
    pub path: String,
    pub other: String,
    pub bytes: Vec<u8>,
}

/// Reads what the shim wrote of an operation below `base`.
pub fn parse(log: &[u8], base: &Path) -> Vec<Call> {
    let prefix = base.display().to_string();
    let relative = |path: &[u8]| {
        let path = String::from_utf8(path.to_vec()).unwrap();
        path.strip_prefix(&prefix).unwrap_or(&path).trim_start_matches('/').to_owned()
    };
    let (mut rest, mut calls) = (log, Vec::new());
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(33);
        let number = |at: usize, bytes: usize| {
            head[at..at + bytes].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let (bytes, path, other) = (number(25, 4), number(29, 2), number(31, 2));
        let (names, tail) = tail.split_at(path + other);
        let (data, tail) = tail.split_at(bytes);
        calls.push(Call {
            kind: KINDS[usize::from(head[0]) - 1],
            offset: number(17, 8),
            path: relative(&names[..path]),
            other: relative(&names[path..]),
            bytes: data.to_vec(),
        });
        rest = tail;
    }
    calls
}
