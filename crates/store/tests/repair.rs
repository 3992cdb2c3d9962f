//! Repair: what it makes current, what it sets aside, what it removes, and that it loses nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, os::unix::fs::symlink, path::Path};

use common::{FILES, Index, code, draft, edit, flip_a_bit, id, overwrite, tree};
use cutover_store::{Depth, Error, LockWait, RepairReport, State, Store, StoreOptions, VersionId};

fn repair(index: &Index) -> RepairReport {
    index.store.repair(None, false, LockWait::Now, &|_, _| {}, &|| false).unwrap()
}

fn try_repair(index: &Index, to: &str) -> Result<RepairReport, Error> {
    index.store.repair(Some(&id(to)), false, LockWait::Now, &|_, _| {}, &|| false)
}

fn current(report: &RepairReport) -> Option<&str> {
    report.current.as_ref().map(VersionId::as_str)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The index works: it verifies, and a version can be published in it.
fn works(index: &Index) {
    let report = index.store.verify(None, Depth::Digests, &|_, _| {}, &|| false).unwrap();
    assert!(report.ok, "{:?}", report.problems);
    index.publish("afterwards");
    assert_eq!(index.current(), "afterwards");
}

/// What was damaged in an index, and what repair makes of it.
struct Story {
    name: &'static str,
    damage: fn(&Index),
    current: Option<&'static str>,
    set_aside: &'static [&'static str],
    removed: &'static [&'static str],
}

/// v1 and v2 were published, v3 was published and rolled back from, v4 is prepared; v2 is current and tagged "good".
fn index() -> Index {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    index.write().rollback(None, None).unwrap();
    index.prepare("v4");
    index.write().tag("good", Some(&id("v2"))).unwrap();
    index
}

const STORIES: &[Story] = &[
    Story { name: "nothing is wrong", damage: |_| {}, current: Some("v2"), set_aside: &[], removed: &[] },
    Story {
        name: "CURRENT is missing",
        damage: |index| fs::remove_file(index.path("CURRENT")).unwrap(),
        current: Some("v2"),
        set_aside: &[],
        removed: &[],
    },
    Story {
        name: "CURRENT holds rubbish",
        damage: |index| overwrite(&index.path("CURRENT"), "\0\0\0"),
        current: Some("v2"),
        set_aside: &[],
        removed: &[],
    },
    Story {
        name: "CURRENT names nothing",
        damage: |index| overwrite(&index.path("CURRENT"), "v9\n"),
        current: Some("v2"),
        set_aside: &[],
        removed: &[],
    },
    Story {
        name: "CURRENT is a directory",
        damage: |index| {
            fs::remove_file(index.path("CURRENT")).unwrap();
            fs::create_dir(index.path("CURRENT")).unwrap();
        },
        current: Some("v2"),
        set_aside: &["CURRENT"],
        removed: &[],
    },
    Story {
        name: "the current version lost a bit",
        damage: |index| flip_a_bit(&index.path("versions/v2/top")),
        current: Some("v1"),
        set_aside: &["v2"],
        removed: &[],
    },
    Story {
        name: "another version lost its manifest",
        damage: |index| fs::remove_file(index.path("versions/v1/manifest.json")).unwrap(),
        current: Some("v2"),
        set_aside: &["v1"],
        removed: &[],
    },
    Story {
        name: "digests are lost: they are not made anew",
        damage: |index| fs::remove_file(index.path("versions/v2/SHA256SUMS")).unwrap(),
        current: Some("v1"),
        set_aside: &["v2"],
        removed: &[],
    },
    Story {
        name: "the states of the current and of a withdrawn version are lost, and a lease file",
        damage: |index| {
            fs::remove_file(index.path("versions/v2/state.json")).unwrap();
            overwrite(&index.path("versions/v3/state.json"), "{");
            fs::remove_file(index.path("versions/v1/.lease")).unwrap();
        },
        current: Some("v2"),
        set_aside: &[],
        removed: &[],
    },
    Story {
        name: "tags and used ids are rubbish",
        damage: |index| {
            overwrite(&index.path("tags.json"), "[");
            overwrite(&index.path("used-ids"), b"\xff\xff");
        },
        current: Some("v2"),
        set_aside: &["tags.json", "used-ids"],
        removed: &[],
    },
    Story {
        name: "used ids are gone, the link leads elsewhere",
        damage: |index| {
            fs::remove_file(index.path("used-ids")).unwrap();
            fs::remove_file(index.path("current")).unwrap();
            symlink("/nowhere", index.path("current")).unwrap();
        },
        current: Some("v2"),
        set_aside: &[],
        removed: &[],
    },
    Story {
        name: "crashes left their remains",
        damage: |index| {
            fs::create_dir_all(index.path("versions/v5.staging/segments")).unwrap();
            fs::create_dir_all(index.path("trash/v0~abc123/segments")).unwrap();
            fs::write(index.path("CURRENT.tmp-abc123"), "v1\n").unwrap();
            fs::write(index.path("versions/v1/state.json.tmp-abc123"), "{").unwrap();
            edit(&index.path("versions/v4/state.json"), "prepared", "publishing");
        },
        current: Some("v2"),
        set_aside: &[],
        removed: &[
            "versions/v4",
            "CURRENT.tmp-abc123",
            "trash/v0~abc123",
            "versions/v1/state.json.tmp-abc123",
            "versions/v5.staging",
        ],
    },
    Story {
        name: "a directory without records is in the way",
        damage: |index| fs::create_dir_all(index.path("versions/bare/x")).unwrap(),
        current: Some("v2"),
        set_aside: &["bare"],
        removed: &[],
    },
];

#[test]
fn each_kind_of_damage_is_mended_a_dry_run_says_the_same_and_a_second_run_changes_nothing() {
    for Story { name, damage, current: expected, set_aside, removed } in STORIES {
        let index = index();
        damage(&index);
        let before = tree(&index);
        let planned = index.store.repair(None, true, LockWait::Now, &|_, _| {}, &|| false).unwrap();
        assert_eq!(tree(&index), before, "{name}: a dry run touches nothing");

        let report = repair(&index);
        assert_eq!(report, planned, "{name}");
        assert_eq!(current(&report), *expected, "{name}: {}", report.reason);
        assert_eq!(
            (&report.set_aside[..], &report.removed[..]),
            (&owned(set_aside)[..], &owned(removed)[..]),
            "{name}"
        );
        assert!(!report.reason.is_empty());

        let after = tree(&index);
        let again = repair(&index);
        assert_eq!((current(&again), again.set_aside.len(), again.removed.len()), (*expected, 0, 0), "{name}");
        assert!(again.problems.is_empty(), "{name}: {:?}", again.problems);
        assert_eq!(tree(&index), after, "{name}: a second run changes nothing");
        assert_eq!(index.current(), expected.unwrap());
        let link = fs::read_link(index.path("current")).unwrap();
        assert_eq!(link, Path::new("versions").join(expected.unwrap()), "{name}");
        works(&index);
    }
}

#[test]
fn nothing_is_lost_by_a_repair_that_sets_aside() {
    let index = index();
    flip_a_bit(&index.path("versions/v2/top"));
    let before = tree(&index);
    repair(&index);
    let after = tree(&index);
    let aside = index.names("damaged").pop().unwrap();
    assert!(aside.starts_with("v2~"), "{aside}");
    for file in FILES.into_iter().chain(["manifest.json", "SHA256SUMS", "state.json"]) {
        let was = &before[&index.path("versions/v2").join(file)];
        assert_eq!(&after[&index.path("damaged").join(&aside).join(file)], was, "{file}");
    }
}

#[test]
fn a_tag_of_a_version_that_is_set_aside_is_dropped_and_its_id_stays_used() {
    let index = index();
    let mut generated = draft(index.write(), None);
    let name = generated.id().clone();
    generated.complete(cutover_store::Contents::default(), true).unwrap();
    let sequence = generated.sequence();
    generated.publish(None, &|| false).unwrap();
    for version in ["v2", name.as_str()] {
        fs::remove_file(index.path("versions").join(version).join("manifest.json")).unwrap();
    }
    let report = repair(&index);
    assert_eq!(report.set_aside, [name.as_str(), "v2"]);
    assert!(report.problems.iter().any(|problem| problem.file == "tags.json"), "{:?}", report.problems);
    assert_eq!(fs::read_to_string(index.path("tags.json")).unwrap().trim(), "{}");
    let again =
        |version| index.write().draft(cutover_store::DraftOptions { id: Some(id(version)), ..Default::default() });
    assert_eq!(code(again("v2")), "CUTOVER_EXISTS");
    assert_eq!(code(again(name.as_str())), "CUTOVER_EXISTS");
    assert!(draft(index.write(), None).sequence() > sequence, "sequences are not given away again");
}

#[test]
fn the_version_asked_for_becomes_current_whatever_its_state_if_it_is_sound() {
    let index = index();
    assert_eq!(current(&try_repair(&index, "v4").unwrap()), Some("v4"));
    assert_eq!((index.current().as_str(), index.states().last().unwrap().as_str()), ("v4", "v4 published"));
    let before = tree(&index);
    assert_eq!(code(try_repair(&index, "v9")), "CUTOVER_NOT_FOUND");
    assert_eq!(tree(&index), before);
    flip_a_bit(&index.path("versions/v3/top"));
    fs::remove_file(index.path("CURRENT")).unwrap();
    let before = tree(&index);
    let refused = try_repair(&index, "v3").unwrap_err();
    assert!(refused.to_string().contains("top") && refused.code() == "CUTOVER_CORRUPT", "{refused}");
    assert_eq!(tree(&index), before, "nothing is done when what was asked for cannot be");
    assert_eq!(current(&repair(&index)), Some("v4"));
    // Where rollback leads was damaged, or not known.
    assert_eq!(index.store.versions().unwrap().len(), 3);
    works(&index);
}

#[test]
fn a_withdrawn_or_prepared_version_never_comes_back_by_itself() {
    let index = index();
    for version in ["v1", "v2"] {
        flip_a_bit(&index.path("versions").join(version).join("top"));
    }
    let report = repair(&index);
    // Nothing can take its place: it stays, so that a rebuild can.
    assert_eq!((current(&report), report.set_aside.as_slice()), (Some("v2"), ["v1".to_owned()].as_slice()));
    assert!(report.reason.contains("stays"), "{}", report.reason);
    assert_eq!(repair(&index).set_aside, [""; 0]);
    assert_eq!(index.states(), ["v2 published", "v3 withdrawn", "v4 prepared"]);
    index.publish("v5");
    assert_eq!(
        (current(&repair(&index)), index.names("versions")),
        (Some("v5"), vec!["v3".into(), "v4".into(), "v5".into()])
    );

    fs::remove_file(index.path("CURRENT")).unwrap();
    fs::remove_file(index.path("versions/v5/SHA256SUMS")).unwrap();
    let report = repair(&index);
    assert_eq!((current(&report), &report.set_aside[..]), (None, &owned(&["v5"])[..]));
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_CORRUPT");
    assert_eq!(current(&try_repair(&index, "v3").unwrap()), Some("v3"));
    works(&index);
}

#[test]
fn a_version_that_may_have_been_current_when_current_was_lost_is_kept_as_prepared() {
    let index = index();
    edit(&index.path("versions/v4/state.json"), "prepared", "publishing");
    fs::remove_file(index.path("CURRENT")).unwrap();
    let report = repair(&index);
    assert_eq!((current(&report), report.removed.len()), (Some("v2"), 0));
    assert_eq!(index.states().last().unwrap(), "v4 prepared");
    works(&index);
}

#[test]
fn a_rollback_that_was_not_settled_still_withdraws() {
    let index = Index::new();
    for version in ["v1", "v2", "v3"] {
        index.publish(version);
    }
    // The process died after it had pointed CURRENT at v2, which withdraws v3; then v2 was damaged.
    edit(
        &index.path("versions/v2/state.json"),
        "\"state\": \"published\"",
        "\"state\": \"published\", \"withdraws\": \"v3\"",
    );
    overwrite(&index.path("CURRENT"), "v2\n");
    flip_a_bit(&index.path("versions/v2/top"));
    assert_eq!(current(&repair(&index)), Some("v1"), "and not v3, which is newer");
    assert_eq!(index.states(), ["v1 published", "v3 withdrawn"]);
}

#[test]
fn a_version_of_a_newer_format_is_left_alone_and_stays_current() {
    let index = index();
    edit(&index.path("versions/v2/manifest.json"), "\"format\": 1", "\"format\": 2");
    let before = tree(&index);
    let report = repair(&index);
    assert_eq!((current(&report), report.set_aside.len()), (Some("v2"), 0));
    assert_eq!(tree(&index), before);
    assert_eq!(code(try_repair(&index, "v2")), "CUTOVER_FORMAT_TOO_NEW");
}

#[test]
fn rollback_never_leads_to_what_was_set_aside() {
    let index = index();
    flip_a_bit(&index.path("versions/v1/top"));
    fs::remove_file(index.path("CURRENT")).unwrap();
    repair(&index);
    assert_eq!(code(index.write().rollback(None, None)), "CUTOVER_NOT_FOUND");
}

#[test]
fn a_process_that_holds_a_damaged_version_goes_on_with_what_it_has_open() {
    let index = index();
    let held = index.store.snapshot(None).unwrap();
    let map = held.map("top").unwrap();
    flip_a_bit(&index.path("versions/v2/segments/0/text"));
    assert_eq!(repair(&index).set_aside, ["v2"]);
    assert_eq!(&*map, b"v2");
}

#[test]
fn a_repair_waits_for_the_writer_stops_when_asked_and_is_refused_where_writing_is() {
    let index = index();
    flip_a_bit(&index.path("versions/v2/top"));
    let writer = index.write();
    let before = tree(&index);
    for dry_run in [true, false] {
        let locked = index.store.repair(None, dry_run, LockWait::Now, &|_, _| {}, &|| false);
        assert_eq!(code(locked), "CUTOVER_LOCKED");
    }
    assert_eq!(tree(&index), before);
    drop(writer);
    let before = tree(&index);
    assert_eq!(code(index.store.repair(None, false, LockWait::Now, &|_, _| {}, &|| true)), "CANCELLED");
    let read = std::cell::Cell::new(false);
    let cancelled = index.store.repair(None, false, LockWait::Now, &|_, _| read.set(true), &|| read.get());
    assert_eq!(code(cancelled), "CANCELLED");
    assert_eq!(tree(&index), before);
    let options = StoreOptions { read_only: true, ..StoreOptions::default() };
    let read_only = Store::open(index.store.root(), options).unwrap();
    assert_eq!(code(read_only.repair(None, false, LockWait::Now, &|_, _| {}, &|| false)), "CUTOVER_READ_ONLY");
    let report = read_only.repair(None, true, LockWait::Now, &|_, _| {}, &|| false).unwrap();
    assert_eq!(report.set_aside, ["v2"]);
}

#[test]
fn an_index_without_versions_is_mended_too() {
    let index = Index::new();
    assert_eq!(code(index.store.repair(None, false, LockWait::Now, &|_, _| {}, &|| false)), "CUTOVER_NOT_FOUND");
    drop(index.write());
    assert_eq!(repair(&index).current, None);
    let after = tree(&index);
    repair(&index);
    assert_eq!(tree(&index), after);
    fs::remove_dir(index.path("versions")).unwrap();
    fs::remove_file(index.path("used-ids")).unwrap();
    fs::write(index.path("CURRENT"), "v1\n").unwrap();
    assert_eq!((repair(&index).set_aside, index.names("versions").len()), (owned(&["CURRENT"]), 0));
    works(&index);
}

#[test]
fn a_base_directory_that_was_not_adopted_is_refused_before_anything_is_touched() {
    let index = Index::new();
    fs::create_dir_all(index.path("versions/v1")).unwrap();
    fs::write(index.path("versions/v1/faiss.index"), "x").unwrap();
    fs::write(index.path("CURRENT"), "v1").unwrap();
    let refused = index.store.repair(None, true, LockWait::Now, &|_, _| {}, &|| false).unwrap_err();
    assert!(refused.to_string().contains("adopt"), "{refused}");
    assert_eq!(index.store.info(&id("v1")).map(|info| info.state).ok(), None::<State>);
}
