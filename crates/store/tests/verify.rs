//! Verify: which damage is named, at which depth, for which versions; and what it leaves alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    cell::{Cell, RefCell},
    fs,
    os::unix::{fs::symlink, net::UnixListener},
};

use common::{FILES, Index, code, complete, draft, edit, flip_a_bit, id, overwrite};
use cutover_store::{
    Contents, Depth, Keep, Problem,
    ProblemKind::{self, Digest, Disagree, Missing, Size, Unexpected, Unreachable, Unreadable},
    VerifyReport,
};

fn verify(index: &Index, depth: Depth) -> VerifyReport {
    index.store.verify(None, depth, &|_, _| {}, &|| false).unwrap()
}

/// Version, file and kind of every problem.
fn found(report: &VerifyReport) -> Vec<(&str, &str, ProblemKind)> {
    let of = |problem: &Problem| problem.version.as_deref().unwrap_or_default().to_owned().leak() as &str;
    report.problems.iter().map(|problem| (of(problem), problem.file.as_str(), problem.kind)).collect()
}

/// Publishes a version that links all files of `from`.
fn publish_linked(index: &Index, from: &str, to: &str) {
    let from = index.store.snapshot(Some(&id(from))).unwrap();
    let mut draft = draft(index.write(), Some(to));
    for file in FILES {
        draft.link(&from, file).unwrap();
    }
    draft.complete(Contents::default(), true).unwrap();
    draft.publish(None, &|| false).unwrap();
}

#[test]
fn a_sound_index_has_no_problems_and_each_shared_byte_is_read_once() {
    let index = Index::new();
    index.publish("v1");
    publish_linked(&index, "v1", "v2");
    index.prepare("v3");
    index.write().rollback(None, None).unwrap();
    let report = verify(&index, Depth::Digests);
    assert_eq!((report.ok, found(&report)), (true, vec![]));
    assert_eq!(report.versions, [id("v1"), id("v2"), id("v3")], "published, withdrawn and prepared ones");
    assert_eq!(report.bytes_read, 2 * FILES.len() as u64 * 2, "v2 links the files of v1");
    assert_eq!(verify(&index, Depth::Sizes).bytes_read, 0);
}

#[test]
fn every_kind_of_damage_is_named_once_with_its_file() {
    let index = Index::new();
    for version in ["v1", "v2", "v3", "v4", "v5", "v6", "v7"] {
        index.publish(version);
    }
    let path = |version: &str, name: &str| index.path("versions").join(version).join(name);
    fs::remove_file(path("v1", "top")).unwrap();
    fs::write(path("v1", "segments/notes"), "x").unwrap();
    overwrite(&path("v2", "top"), "longer");
    flip_a_bit(&path("v3", "top"));
    fs::remove_file(path("v4", "state.json")).unwrap();
    overwrite(&path("v4", "SHA256SUMS"), "rubbish");
    edit(&path("v5", "manifest.json"), "\"format\": 1", "\"format\": 99");
    edit(&path("v6", "SHA256SUMS"), "  top", "  pot");
    fs::remove_dir_all(path("v7", "segments/0")).unwrap();
    symlink("/etc", path("v7", "segments/0")).unwrap();
    let _socket = UnixListener::bind(path("v7", "socket")).unwrap();

    let at_sizes = [
        ("v1", "top", Missing),
        ("v1", "segments/notes", Unexpected),
        ("v2", "top", Size),
        ("v4", "SHA256SUMS", Unreadable),
        ("v4", "state.json", Missing),
        ("v6", "SHA256SUMS", Disagree),
        ("v6", "SHA256SUMS", Disagree),
        ("v7", "segments/0/documents", Missing),
        ("v7", "segments/0/text", Missing),
        ("v7", "segments/0", Unexpected),
        ("v7", "socket", Unexpected),
        ("v5", "manifest.json", Unreadable),
    ];
    assert_eq!(found(&verify(&index, Depth::Sizes)), at_sizes);
    let mut at_digests = at_sizes.to_vec();
    at_digests.insert(3, ("v3", "top", Digest));
    let report = verify(&index, Depth::Digests);
    assert_eq!((report.ok, found(&report)), (false, at_digests));
    let newer = report.problems.last().unwrap();
    assert!(newer.detail.contains("99"), "{newer:?}");
    let one = index.store.verify(Some(&id("v2")), Depth::Digests, &|_, _| {}, &|| false).unwrap();
    assert_eq!((one.versions.as_slice(), found(&one)), ([id("v2")].as_slice(), vec![("v2", "top", Size)]));
}

#[test]
fn damage_to_a_shared_file_is_named_for_each_version_that_links_it() {
    let index = Index::new();
    index.publish("v1");
    publish_linked(&index, "v1", "v2");
    index.publish("v3");
    flip_a_bit(&index.path("versions/v2/segments/0/text"));
    let report = verify(&index, Depth::Digests);
    let expected = [("v1", "segments/0/text", Digest), ("v2", "segments/0/text", Digest)];
    assert_eq!(found(&report), expected);
    assert_eq!(report.bytes_read, 2 * FILES.len() as u64 * 2, "the damaged file too is read once");
}

#[test]
fn records_of_the_index_that_name_what_is_not_there_are_problems() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    index.write().tag("good", Some(&id("v1"))).unwrap();
    fs::remove_dir_all(index.path("versions/v1")).unwrap();
    overwrite(&index.path("CURRENT"), "v9\n");
    assert_eq!(found(&verify(&index, Depth::Sizes)), [("v9", "CURRENT", Missing), ("v1", "tags.json", Missing)]);
    overwrite(&index.path("CURRENT"), "../../etc\n");
    overwrite(&index.path("tags.json"), "{");
    overwrite(&index.path("used-ids"), b"\xff\n");
    let expected = [("", "CURRENT", Unreadable), ("", "tags.json", Unreadable), ("", "used-ids", Unreadable)];
    assert_eq!(found(&verify(&index, Depth::Sizes)), expected);
    fs::remove_file(index.path("CURRENT")).unwrap();
    assert_eq!(found(&verify(&index, Depth::Sizes))[0], ("", "CURRENT", Missing));
}

#[test]
fn drafts_and_versions_about_to_be_published_are_left_to_their_writer() {
    let index = Index::new();
    index.publish("v1");
    let _draft = complete(draft(index.write(), Some("v2")), true);
    fs::rename(index.path("versions/v2.staging"), index.path("versions/v2")).unwrap();
    fs::create_dir(index.path("versions/v3.staging")).unwrap();
    let report = verify(&index, Depth::Digests);
    assert_eq!((report.versions.as_slice(), report.ok), ([id("v1")].as_slice(), true));
    let named = index.store.verify(Some(&id("v2")), Depth::Sizes, &|_, _| {}, &|| false);
    assert_eq!(code(named), "CUTOVER_NOT_FOUND");
}

#[test]
fn a_version_is_leased_while_it_is_read_and_one_pruned_before_is_not_looked_at() {
    let index = Index::new();
    for version in ["v1", "v2", "v3", "v4"] {
        index.publish(version);
    }
    let held = RefCell::new(Vec::new());
    let report = index.store.verify_with(
        None,
        Depth::Digests,
        &mut |snapshot| {
            if *snapshot.id() == id("v1") {
                let pruned = index.write().prune(&Keep { versions: 1, ..Keep::default() }, false)?;
                held.borrow_mut().extend(pruned.in_use);
            }
            Ok(Vec::new())
        },
        &|_, _| {},
        &|| false,
    );
    let report = report.unwrap();
    assert_eq!(*held.borrow(), [id("v1")]);
    assert_eq!((report.versions.as_slice(), report.ok), ([id("v1"), id("v3"), id("v4")].as_slice(), true));
}

#[test]
fn what_a_further_check_finds_is_reported_and_it_never_sees_a_damaged_version() {
    let index = Index::new();
    index.publish("v1");
    index.publish("v2");
    flip_a_bit(&index.path("versions/v1/top"));
    let mut seen = Vec::new();
    let mut extra = |snapshot: &cutover_store::Snapshot| {
        seen.push(snapshot.id().clone());
        let (version, file, detail) = (Some(snapshot.id().to_string()), "top".to_owned(), "lost".to_owned());
        Ok(vec![Problem { version, file, kind: Unreachable, detail }])
    };
    let report = index.store.verify_with(None, Depth::Digests, &mut extra, &|_, _| {}, &|| false).unwrap();
    assert_eq!(found(&report), [("v1", "top", Digest), ("v2", "top", Unreachable)]);
    assert_eq!(seen, [id("v2")]);
}

#[test]
fn progress_counts_bytes_and_a_cancelled_verify_stops_within_a_block() {
    let index = Index::new();
    let draft = draft(index.write(), Some("v1"));
    common::put(&draft, "big", &vec![7; 4 << 20]);
    let mut draft = draft;
    draft.complete(Contents::default(), true).unwrap();
    draft.publish(None, &|| false).unwrap();

    let told = RefCell::new(Vec::new());
    let progress = |done, total| told.borrow_mut().push((done, total));
    index.store.verify(None, Depth::Digests, &progress, &|| false).unwrap();
    let told = told.into_inner();
    assert_eq!(told.last(), Some(&(4 << 20, 4 << 20)));
    assert!(told.len() >= 16 && told.is_sorted(), "{told:?}");

    let done = Cell::new(0);
    let cancelled = index.store.verify(None, Depth::Digests, &|now, _| done.set(now), &|| done.get() > 0);
    assert_eq!(code(cancelled), "CANCELLED");
    assert!(done.get() <= 256 * 1024, "{}", done.get());
}

#[test]
fn a_directory_full_of_strangers_is_described_within_bounds() {
    let index = Index::new();
    index.publish("v1");
    for n in 0..1500 {
        fs::write(index.path(&format!("versions/v1/stranger-{n}")), "").unwrap();
    }
    let report = verify(&index, Depth::Digests);
    assert_eq!(report.problems.len(), 1001);
    assert!(report.problems[1000].detail.contains("not listed"));
}
