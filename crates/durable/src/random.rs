//! Short random names for files that must not meet.

use std::{io, path::Path};

use crate::{Error, Result};

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Six random characters of `[0-9a-z]`: one of 2 billion.
pub fn suffix() -> Result<String> {
    let mut number = below(36_u64.pow(6))?;
    let mut text = String::with_capacity(6);
    for _ in 0..6 {
        text.push(char::from(ALPHABET[(number % 36) as usize]));
        number /= 36;
    }
    Ok(text)
}

/// A random number from 0 up to, not including, `bound`; 0 when `bound` is 0. As good as even for bounds far below 2^64.
pub fn below(bound: u64) -> Result<u64> {
    let number = getrandom::u64()
        .map_err(|error| Error::io("read", Path::new("the system's random numbers"), io::Error::from(error)))?;
    Ok(number.checked_rem(bound).unwrap_or(0))
}
