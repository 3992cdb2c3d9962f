//! The names of files within a version.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use crate::{
    Error, Result,
    layout::{self, MANIFEST, STATE, SUMS, of_artifact},
};

/// The longest part of a name, in bytes, that file systems allow.
const LONGEST_PART: usize = 255;
/// The longest name, in bytes.
const LONGEST: usize = 2048;

/// Makes sure that `name` leads to a file within the version it is joined to, and not to one of the version's own records.
///
/// Its parts, joined by `/`, are neither empty, `.` nor `..`, and hold no control characters.
///
/// # Errors
/// [`Error::InvalidName`], saying which rule it breaks.
pub(crate) fn check(name: &str) -> Result<()> {
    check_adopted(name)?;
    if [MANIFEST, SUMS, STATE].contains(&name) { Err(own(name)) } else { Ok(()) }
}

/// [`check`] of a file of an adopted version, which keeps its records apart from those files.
///
/// # Errors
/// [`Error::InvalidName`].
pub(crate) fn check_adopted(name: &str) -> Result<()> {
    check_parts(name)?;
    if layout::is_reserved_when_adopted(name) { Err(own(name)) } else { Ok(()) }
}

fn own(name: &str) -> Error {
    Error::InvalidName { name: name.to_owned(), rule: "it is not one of the version's own records" }
}

/// Makes sure that `name` leads to a file below the directory it is joined to.
pub(crate) fn check_parts(name: &str) -> Result<()> {
    let rule = if name.len() > LONGEST {
        "it has at most 2048 bytes"
    } else if name.chars().any(char::is_control) {
        "it has no control characters"
    } else if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        "its parts are not empty, '.' or '..'"
    } else if name.split('/').any(|part| part.len() > LONGEST_PART) {
        "its parts have at most 255 bytes"
    } else {
        return Ok(());
    };
    Err(Error::InvalidName { name: name.chars().take(LONGEST).collect(), rule })
}

/// [`check`] of an artifact's name, which is not the version's own record wherever the artifacts are.
pub(crate) fn check_artifact(name: &str) -> Result<()> {
    check(&of_artifact(name)).map_err(|error| match error {
        Error::InvalidName { rule, .. } => Error::InvalidName { name: name.chars().take(LONGEST).collect(), rule },
        error => error,
    })
}

/// What `name` and every name that some file systems take for it have in common: canonical composition and case are taken away
/// (Unicode's canonical caseless matching, D145).
pub(crate) fn folded(name: &str) -> String {
    name.nfd().default_case_fold().nfd().collect()
}

/// The directories on the way to `name`, outermost first: `a` and `a/b` for `a/b/c`.
pub(crate) fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(end, _)| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_the_version_and_off_its_records() {
        for name in ["a", "_0.cfs", "segments/1/text", "artifacts/ä b\\c", "..a", "a/.lease", "CON"] {
            assert!(check(name).is_ok(), "{name:?}");
        }
        let refused = [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "./a",
            "a\n",
            "a\0",
            "a\u{7f}",
            "manifest.json",
            "SHA256SUMS",
        ];
        for name in refused.into_iter().chain([
            "state.json",
            ".lease",
            ".cutover",
            ".cutover/x",
            &"x".repeat(256),
            &"x/".repeat(1100),
        ]) {
            assert!(matches!(check(name), Err(Error::InvalidName { .. })), "{name:?}");
        }
    }

    #[test]
    fn parents_are_the_directories_on_the_way() {
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(parents("a").count(), 0);
    }
}
