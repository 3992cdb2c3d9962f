//! `SHA256SUMS`: a digest for every file of a version, as `sha256sum -c` reads it.

use std::{collections::BTreeMap, path::Path};

use cutover_durable::{Digest, fs};

use crate::{
    Error, Result, VersionId,
    layout::{Records, SUMS},
};

/// The largest file of digests that is read, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Digests by file name.
pub(crate) type Sums = BTreeMap<String, Digest>;

/// The text of `SHA256SUMS`: a line a file. A backslash in a name is doubled, and the line begins with one, as coreutils does.
pub(crate) fn encode<'a>(sums: impl Iterator<Item = (&'a str, Digest)>) -> String {
    sums.map(|(name, digest)| {
        if name.contains('\\') {
            format!("\\{digest}  {}\n", name.replace('\\', "\\\\"))
        } else {
            format!("{digest}  {name}\n")
        }
    })
    .collect()
}

/// Reads the digests in a version's directory, and the digest of that file itself, which names what the version contains.
pub(crate) fn read(directory: &Path, id: &VersionId) -> Result<(Sums, Digest)> {
    let path = Records::of(directory).path(SUMS);
    let bytes = fs::read_limited(&path, LARGEST)?;
    let text = std::str::from_utf8(&bytes).ok();
    let sums = text.and_then(|text| text.lines().map(decode_line).collect::<Option<Sums>>());
    let sums = sums.ok_or_else(|| Error::corrupt(&path, Some(id), "a line of it is not a digest and a name"))?;
    Ok((sums, Digest::of(&bytes)))
}

fn decode_line(line: &str) -> Option<(String, Digest)> {
    let (line, escaped) = line.strip_prefix('\\').map_or((line, false), |line| (line, true));
    let (digest, name) = line.split_once("  ")?;
    let name = if escaped { name.replace("\\\\", "\\") } else { name.to_owned() };
    Some((name, digest.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_and_backslashes_come_back() {
        let names = ["a", " two  spaces", "back\\slash", "\\", "ends in \\\\"];
        let sums: Sums = names.iter().map(|name| ((*name).to_owned(), Digest::of(name.as_bytes()))).collect();
        let text = encode(sums.iter().map(|(name, digest)| (name.as_str(), *digest)));
        assert_eq!(text.lines().map(decode_line).collect::<Option<Sums>>(), Some(sums));
    }
}
