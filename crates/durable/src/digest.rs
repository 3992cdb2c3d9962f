//! SHA-256 digests: of bytes, of files, and as text.

use std::{fmt, fs::File, ops::ControlFlow, os::unix::fs::FileExt, path::Path, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::{Error, Result, fs};

/// Bytes read at a time: what hashing takes a fifth of a millisecond for, so that whoever asks to stop is heard.
const BLOCK: usize = 256 * 1024;

/// A SHA-256 digest. Displayed, parsed and ordered as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The 32 bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The text was not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is 64 lower-case hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| ParseDigestError)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, ParseDigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(ParseDigestError),
    }
}

/// A digest in the making.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// The digest of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Sha256::new())
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken in.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Reads a regular file with `pread` and returns its length in bytes and its digest.
///
/// It is never mapped: a disk that fails, or somebody who truncates the file, gives an error here and not a fault.
pub fn digest_file(path: &Path) -> Result<(u64, Digest)> {
    let mut hasher = Hasher::new();
    let mut length = 0;
    read_blocks(path, &mut |block| {
        hasher.update(block);
        length += block.len() as u64;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((length, hasher.finish()))
}

/// Reads a regular file with `pread`, block after block, until its end or until `each` breaks off; whether it came to the end.
///
/// # Errors
/// [`Error::Malformed`] when it is not a regular file, the system's error, and whatever `each` fails with.
pub fn read_blocks(path: &Path, each: &mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>>) -> Result<bool> {
    read_opened(&fs::open_file(path)?, path, each)
}

/// [`read_blocks`] of a file that is open.
pub(crate) fn read_opened(
    file: &File,
    path: &Path,
    each: &mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    loop {
        match file.read_at(&mut block, offset) {
            Ok(0) => return Ok(true),
            Ok(count) => {
                if each(&block[..count])?.is_break() {
                    return Ok(false);
                }
                offset += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::io("read", path, source)),
        }
    }
}
