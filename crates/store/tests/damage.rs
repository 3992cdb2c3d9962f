//! Any damage: verify names it or a reader is not harmed by it, repair mends what can be mended and loses nothing that was sound.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::hash_map::RandomState,
    fs,
    hash::{BuildHasher, Hasher},
    os::unix::fs::symlink,
    path::PathBuf,
};

use common::{Index, overwrite, tree};
use cutover_store::{Depth, LockWait, ProblemKind};

/// A small generator: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn index() -> Index {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    index.prepare("v4");
    index.write().tag("good", Some(&common::id("v1"))).unwrap();
    index
}

/// Does something bad to one file or directory of the index, and says what.
fn damage(index: &Index, random: &mut Random) -> String {
    let paths: Vec<PathBuf> = tree(index).into_keys().skip(1).collect();
    let path = &paths[random.below(paths.len())];
    let is_file = fs::symlink_metadata(path).unwrap().is_file();
    // Without directories of these names the index does not open; without the lock nothing may be done to it.
    if ["versions", "trash", "damaged", ".index_rebuild.lock"].iter().any(|name| index.path(name) == *path) {
        return String::new();
    }
    let what = random.below(7);
    match what {
        0 if is_file => fs::remove_file(path).unwrap(),
        1 if is_file => overwrite(path, ""),
        2 if is_file => {
            let mut bytes = fs::read(path).unwrap();
            if !bytes.is_empty() {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            overwrite(path, bytes);
        }
        3 if is_file => {
            fs::remove_file(path).unwrap();
            symlink("/dev/zero", path).unwrap();
        }
        4 if is_file => {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }
        5 if is_file => overwrite(path, "[".repeat(10_000)),
        6 if !is_file && path.is_dir() => fs::remove_dir_all(path).unwrap(),
        _ => return String::new(),
    }
    format!("{what} {}; ", path.strip_prefix(index.store.root()).unwrap().display())
}

#[test]
fn after_any_damage_a_repair_leaves_an_index_that_works_and_a_second_one_nothing_to_do() {
    let seed = RandomState::new().build_hasher().finish();
    for case in 0..25 {
        let mut random = Random(seed.wrapping_add(case));
        let index = index();
        let done: String = (0..=random.below(4)).map(|_| damage(&index, &mut random)).collect();
        let story = format!("seed {}, {done}", seed.wrapping_add(case));
        // Shown when the test fails.
        println!("{story}");
        let before = tree(&index);
        let look = || index.store.verify(None, Depth::Digests, &|_, _| {}, &|| false);
        let found = look().unwrap();
        let repair = |dry_run| index.store.repair(None, dry_run, LockWait::Now, &|_, _| {}, &|| false);
        let planned = repair(true).unwrap();
        assert_eq!(tree(&index), before, "{story}");
        let report = repair(false).unwrap();
        assert_eq!(report, planned, "{story}");
        assert!(found.problems.iter().all(|problem| report.problems.contains(problem)), "{story}");

        let after = tree(&index);
        let again = repair(false).unwrap();
        assert_eq!((&again.current, again.set_aside.len(), again.removed.len()), (&report.current, 0, 0), "{story}");
        assert_eq!(tree(&index), after, "{story}");
        // What is left harms no reader, unless there is nothing that could be current.
        let kept = report.current.is_none() || report.reason.contains("it stays");
        let left = look().unwrap().problems;
        let harmful = left.iter().find(|problem| problem.kind != ProblemKind::Unexpected);
        assert!(harmful.is_none() || kept, "{story}: {harmful:?}");
        if let Some(current) = report.current.filter(|_| !kept) {
            assert_eq!(index.store.snapshot(None).unwrap().id(), &current, "{story}");
        }
        for version in ["v1", "v2", "v3", "v4"] {
            let at = index.path("versions").join(version);
            let was_sound = !found.problems.iter().any(|problem| problem.version.as_deref() == Some(version));
            assert!(!was_sound || !before.contains_key(&at) || at.exists(), "{story}: {version} was sound and is gone");
        }
    }
}
