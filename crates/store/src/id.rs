//! Version ids: what they may look like, and how they are made.

use std::{fmt, str::FromStr};

use cutover_durable::random;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, Result};

/// What follows the id in the name of a draft's directory; an id cannot end in it.
pub(crate) const STAGING: &str = ".staging";

/// The longest id, in bytes.
const LONGEST: usize = 64;
/// The digits of the sequence in a generated id.
const DIGITS: usize = 10;

/// The name of one version of an index, never used twice in it.
///
/// It is 1 to 64 characters of `[a-z0-9._-]`, beginning and ending with a letter or digit, without `..`, not ending in
/// `.staging`, and not the name of a Windows device: so it is a file name everywhere, and the same one where case is ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct VersionId(String);

impl VersionId {
    /// The id that `text` spells.
    ///
    /// # Errors
    /// [`Error::InvalidId`], saying which rule it breaks.
    pub fn parse(text: &str) -> Result<Self> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(Error::InvalidId { id: text.chars().take(2 * LONGEST).collect(), rule }),
        }
    }

    /// A new id for the version numbered `sequence`: ten digits and six random characters.
    pub(crate) fn generate(sequence: u64) -> Result<Self> {
        Ok(Self(format!("{sequence:0DIGITS$}-{}", random::suffix()?)))
    }

    /// The sequence that a generated id begins with; `None` for an id of another shape.
    pub(crate) fn generated_sequence(&self) -> Option<u64> {
        let (digits, random) = self.0.split_once('-')?;
        let shape = digits.len() >= DIGITS && random.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        shape.then(|| digits.parse().ok())?
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = text.as_bytes();
    let inside = |byte: &u8| edge(Some(byte)) || matches!(byte, b'.' | b'_' | b'-');
    if bytes.is_empty() || bytes.len() > LONGEST {
        Some("it has 1 to 64 characters")
    } else if !bytes.iter().all(inside) {
        Some("its characters are a-z, 0-9, '.', '_' and '-'")
    } else if !edge(bytes.first()) || !edge(bytes.last()) {
        Some("it begins and ends with a letter or a digit")
    } else if text.contains("..") {
        Some("it does not contain '..'")
    } else if text.ends_with(STAGING) {
        Some("it does not end in '.staging'")
    } else if is_device(text.split('.').next().unwrap_or_default()) {
        Some("it is not the name of a device on Windows")
    } else {
        None
    }
}

/// Whether Windows takes a file of this name, whatever its extension, for a device.
fn is_device(stem: &str) -> bool {
    let numbered = |prefix| {
        stem.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for VersionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_safe_file_names_everywhere_are_accepted_and_no_others() {
        for id in ["a", "0", "v1.2.3", "a_b-c", "0000000042-k3x9qd", &"x".repeat(64), "console", "com10", "a.staging.b"]
        {
            assert_eq!(VersionId::parse(id).unwrap().as_str(), id);
        }
        let refused = [
            "",
            ".",
            "..",
            "a..b",
            "../../a",
            "/a",
            "a/b",
            "a\\b",
            "A",
            "é",
            "a b",
            "a\n",
            "-a",
            "a-",
            ".a",
            "a.",
            "_a",
            "v1.staging",
            "con",
            "nul.txt",
            "com1",
            "lpt9.a",
            &"x".repeat(65),
            "a\0",
        ];
        for id in refused {
            assert!(matches!(VersionId::parse(id), Err(Error::InvalidId { .. })), "{id:?}");
        }
    }

    #[test]
    fn generated_ids_keep_the_rules_and_tell_their_sequence() {
        for sequence in [1, 42, 9_999_999_999, 10_000_000_000] {
            let id = VersionId::generate(sequence).unwrap();
            assert_eq!(VersionId::parse(id.as_str()).unwrap().generated_sequence(), Some(sequence));
        }
        assert_eq!(VersionId::parse("42-abcdef").unwrap().generated_sequence(), None);
        assert_eq!(VersionId::parse("v1").unwrap().generated_sequence(), None);
    }
}
