//! Names that are two here and one elsewhere: where case does not count, or composed and decomposed characters are the same.
//!
//! Such a version could not be copied to, or served from, every file system, so the second name is refused when it comes.

use std::collections::{HashMap, hash_map::Entry};

use crate::{Draft, Error, Result, layout::artifact_file, name, tree::Found};

/// Names of files and of the directories on the way to them, by what is left of them without case and composition.
#[derive(Debug, Default)]
struct Folded(HashMap<String, String>);

impl Draft {
    /// Fails when two artifacts' files that the draft knows, or that are to come, have names that are one elsewhere.
    pub(crate) fn require_distinct(&self, more: &[Found]) -> Result<()> {
        let mut folded = Folded::default();
        let known = self.files();
        known.keys().filter_map(|name| artifact_file(name)).try_for_each(|name| folded.add(name))?;
        more.iter().try_for_each(|file| folded.add(&file.name))
    }
}

impl Folded {
    /// Adds the name of a file.
    ///
    /// # Errors
    /// [`Error::NameClash`] when it, or a directory on the way to it, differs from one that is there in nothing else.
    fn add(&mut self, name: &str) -> Result<()> {
        for part in name::parents(name).chain([name]) {
            match self.0.entry(name::folded(part)) {
                Entry::Vacant(entry) => drop(entry.insert(part.to_owned())),
                Entry::Occupied(entry) if entry.get() == part => {}
                Entry::Occupied(entry) => {
                    return Err(Error::NameClash { name: part.to_owned(), other: entry.get().clone() });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_or_composition_clash_and_others_do_not() {
        let clash = |one: &str, other: &str| {
            let mut names = Folded::default();
            names.add(one).unwrap();
            names.add(other).is_err()
        };
        for (one, other) in [
            ("_0.cfs", "_0.CFS"),
            ("Straße", "STRASSE"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("\u{212b}ngström", "\u{e5}ngstro\u{308}m"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("a/X/1", "a/x/2"),
        ] {
            assert!(clash(one, other), "{one} {other}");
        }
        for (one, other) in [("a", "b"), ("a/1", "a/2"), ("a", "a"), ("cafe", "café"), ("ﬁ", "f"), ("x1", "x\u{b9}")]
        {
            assert!(!clash(one, other), "{one} {other}");
        }
    }
}
