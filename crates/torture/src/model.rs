//! What each single sync is for: a model of the worst file system that POSIX allows, since a journal hides missing syncs.
//!
//! An operation is recorded: every change with its data, and every sync. The model cuts the record off after each call and asks what a
//! power cut may leave there. Bytes written to a file since its last sync may be there, a part of them or none. A change of names may
//! be missing as long as its directory was not synced after it, each independently of every other; a rename within a directory
//! happens whole or not at all, and one between two directories does not lose the file unless only the old directory was synced.
//! Each such image is written out and judged as after a kill.
//!
//! Then one sync at a time is taken out of the record: some image must be found to be wrong, and says what the sync is for.

mod disk;
mod images;
mod record;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use crate::{
    check::{Expected, Must, check_against},
    kill::Tried,
    ops::{Op, SOURCE},
    random::Random,
    run::{Fault, Runner},
};
use disk::{Age, Disk, read_tree};
use images::choices;
use record::{Call, Kind};

/// Images of one cut that are chosen at random, besides the canonical ones.
const SAMPLED: usize = 4;

/// What is lost without one sync.
#[derive(Debug, Clone)]
pub struct Loss {
    /// What is synced, below the directory of the operation; random parts of names are cut.
    pub sync: String,
    /// Whether it comes after the sync that made `CURRENT` last.
    pub settles: bool,
    /// What was found wrong; none when nothing was.
    pub lost: Option<String>,
}

/// A recorded operation and what there was before it.
pub struct Model<'a> {
    runner: &'a Runner,
    op: Op,
    before: BTreeMap<String, disk::Leaf>,
    calls: Vec<Call>,
    expected: Expected,
    random: Random,
}

impl<'a> Model<'a> {
    /// Records the operation.
    #[must_use]
    pub fn record(runner: &'a Runner, op: Op, random: Random) -> Self {
        let base = runner.base();
        op.prepare(base.path()).unwrap();
        let before = read_tree(base.path());
        let ended = runner.op(op, base.path(), Fault::Trace);
        assert_eq!(ended.code, Some(0), "{} fails by itself: {}", op.name(), ended.output);
        let calls = record::parse(&ended.log, base.path());
        let expected = Expected::of(op, runner.directory()).unwrap();
        Self { runner, op, before, calls, expected, random }
    }

    /// Judges the images of every cut that `wanted` accepts, with all syncs in place.
    pub fn sound(&mut self, wanted: &mut dyn FnMut(usize) -> bool) -> Tried {
        let mut tried = Tried::default();
        let mut seen = HashSet::new();
        for cut in (0..=self.calls.len()).filter(|cut| wanted(*cut)) {
            if let Some(wrong) = self.judge(cut, &BTreeSet::new(), &mut seen, &mut tried.faults) {
                tried.violations.push(format!("{}, power cut after call {cut}: {wrong}", self.op.name()));
            }
        }
        tried
    }

    /// Takes out each of the syncs that `wanted` accepts by their number, from 0, and looks for an image that is wrong.
    pub fn without(&mut self, wanted: &mut dyn FnMut(usize) -> bool, tried: &mut usize) -> Vec<Loss> {
        let is_sync = |at: &usize| matches!(self.calls[*at].kind, Kind::Sync | Kind::SyncDirectory);
        let syncs: Vec<usize> = (0..self.calls.len()).filter(is_sync).collect();
        let mut losses = Vec::new();
        for (number, at) in syncs.iter().copied().enumerate() {
            if !wanted(number) {
                continue;
            }
            let path = &self.calls[at].path;
            let others: BTreeSet<usize> =
                syncs.iter().copied().filter(|other| self.calls[*other].path == *path).collect();
            let mut lost = self.lost(&BTreeSet::from([at]), tried);
            if lost.is_none() && others.len() > 1 {
                let together = self.lost(&others, tried);
                lost = together.map(|lost| format!("{lost} (if its other syncs are missing too)"));
            }
            let settles =
                self.calls[..at].iter().any(|call| call.other.ends_with("/CURRENT")) && self.calls[at].path != "index";
            losses.push(Loss { sync: tidy(&self.calls[at].path), settles, lost });
        }
        losses
    }

    /// The first image that is wrong without these syncs. Most matter when everything is done, or soon after them.
    fn lost(&mut self, without: &BTreeSet<usize>, tried: &mut usize) -> Option<String> {
        let mut seen = HashSet::new();
        let first = without.first().map_or(0, |at| at + 1);
        let mut cuts = [self.calls.len()].into_iter().chain(first..self.calls.len());
        cuts.find_map(|cut| self.judge(cut, without, &mut seen, tried))
    }

    /// What is wrong with an image of this cut, without some of the syncs.
    fn judge(
        &mut self,
        cut: usize,
        without: &BTreeSet<usize>,
        seen: &mut HashSet<u64>,
        tried: &mut usize,
    ) -> Option<String> {
        let must = if cut == self.calls.len() { Must::BeDone } else { Must::BeOneOfBoth };
        let op = self.op;
        let age = |path: &str| match path.split('/').count() {
            // Other software's versions, and what a user wrote, which nobody synced.
            4.. if op == Op::Adopt => Age::Unsynced,
            _ if path.starts_with(SOURCE) => Age::OnlyTheName,
            _ => Age::Lasts,
        };
        let disk = Disk::after(&self.before, &age, &self.calls[..cut], without);
        for choice in choices(&disk, &mut self.random, SAMPLED) {
            let image = disk.image(&choice);
            let mut hasher = DefaultHasher::new();
            (&image, must == Must::BeDone).hash(&mut hasher);
            if !seen.insert(hasher.finish()) {
                continue;
            }
            *tried += 1;
            let base = self.runner.base();
            disk::write_tree(base.path(), &image);
            if let Err(wrong) = check_against(self.op, base.path(), must, &self.expected) {
                return Some(wrong.replace(&base.path().display().to_string(), ""));
            }
        }
        None
    }
}

/// The text without what differs from run to run: the random ends of names.
#[must_use]
pub fn tidy(text: &str) -> String {
    const MARKS: [&str; 3] = [".tmp-", ".cutover-staging-", ".cutover-copy-"];
    let mut tidy = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let id = rest.as_bytes();
        if id.len() >= 17 && id[..10].iter().all(u8::is_ascii_digit) && id[10] == b'-' {
            tidy.push_str("<id>");
            rest = &rest[17..];
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tidy.push_str(mark.trim_end_matches('-'));
            rest = rest[mark.len()..].trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        } else {
            tidy.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    tidy
}

/// Why nothing is lost, in this model, without a sync for which it finds no loss; none when there should have been one.
///
/// `settles` says that the sync comes after the one that made `CURRENT` last.
#[must_use]
pub fn why_spare(op: Op, sync: &str, settles: bool) -> Option<&'static str> {
    match sync.strip_prefix("index/").unwrap_or(sync) {
        sync if sync.ends_with("/.lease") => Some("nothing: the file is empty, only its mode lasts by this"),
        sync if op == Op::RebuildInPlace && sync.starts_with("plain/.cutover-staging") => {
            Some("nothing: what it holds then is what was replaced")
        }
        sync if op == Op::CopyTo && sync.contains(".cutover-copy") => {
            Some("nothing: until the copy has its name its state is written and synced again")
        }
        sync if op == Op::Repair && sync.starts_with("versions/") => {
            Some("nothing: the next writer settles it again from what lasts already")
        }
        "used-ids" if op == Op::Repair => {
            Some("nothing here: the sequence of what is set aside, when it was the newest")
        }
        "trash" => Some("nothing: whatever lost its name in `versions/` is on its way out"),
        "versions" if op == Op::Activate || op == Op::Rollback => {
            Some("nothing here: the version's name, when whoever prepared it died before its own sync")
        }
        sync if settles && sync.starts_with("versions/") => {
            Some("nothing: the next writer settles it again from what lasts already")
        }
        _ => None,
    }
}
