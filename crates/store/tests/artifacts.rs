//! Artifacts: files and directories that users bring, by attaching them or by writing them with tools of their own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    cell::Cell,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use common::{Index, code, draft, id, put};
use cutover_store::{Contents, Draft, Error, How, LockWait, Snapshot, Store, StoreOptions};

const NEVER: &dyn Fn() -> bool = &|| false;

fn collect(draft: &Draft) -> Result<(), Error> {
    draft.collect(&[], &|_, _| {}, NEVER)
}

fn publish(mut draft: Draft) -> Result<Snapshot, Error> {
    collect(&draft)?;
    draft.complete(Contents::default(), true)?;
    let writer = draft.publish(None, NEVER)?.1;
    writer.store().snapshot(None)
}

/// A directory beside the index with these files, each holding its own name.
fn tree(index: &Index, name: &str, files: &[&str]) -> PathBuf {
    let root = index.directory.path().join(name);
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    root
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn sums_agree(directory: &Path) -> bool {
    let check = ["--quiet", "--strict", "-c", "SHA256SUMS"];
    Command::new("sha256sum").args(check).current_dir(directory).status().unwrap().success()
}

#[test]
fn files_written_by_any_tool_become_artifacts_digested_read_only_and_listed() {
    let index = Index::new();
    let staged = draft(index.write(), Some("v1"));
    let directory = staged.artifacts().unwrap();
    let script =
        "printf faiss > vectors.faiss; mkdir -p lucene/deep; printf x > lucene/_0.cfs; : > lucene/deep/write.lock";
    assert!(Command::new("sh").args(["-c", script]).current_dir(&directory).status().unwrap().success());
    let told = Cell::new((0, 0));
    staged.collect(&["lucene".into(), "lucene/_0.cfs".into()], &|done, total| told.set((done, total)), NEVER).unwrap();
    assert_eq!(told.get(), (6, 6));
    // What is collected is not collected again; what comes later is.
    fs::write(directory.join("late"), "late").unwrap();
    let snapshot = publish(staged).unwrap();
    assert_eq!(snapshot.artifact_names(), ["late", "lucene", "vectors.faiss"]);
    assert_eq!(snapshot.artifacts(), index.path("versions/v1/artifacts"));
    assert_eq!(read(&snapshot.artifact("vectors.faiss").unwrap()), "faiss");
    assert_eq!(read(&snapshot.artifact("lucene").unwrap().join("_0.cfs")), "x");
    assert!(sums_agree(&index.path("current")));
    let mode = |name: &str| fs::metadata(index.path("versions/v1/artifacts").join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("late"), mode("lucene/_0.cfs") & 0o222, mode("lucene/deep") & 0o700), (0o444, 0, 0o700));
}

#[test]
fn a_missing_required_artifact_is_named_before_anything_is_digested() {
    let index = Index::new();
    let staged = draft(index.write(), None);
    fs::write(staged.artifacts().unwrap().join("bm25"), "x").unwrap();
    let told = Cell::new(0);
    let required = ["bm25".to_owned(), "vectors".to_owned()];
    let error = staged.collect(&required, &|_, _| told.set(told.get() + 1), NEVER).unwrap_err();
    assert!(matches!(&error, Error::MissingArtifact { name } if name == "vectors"), "{error}");
    assert_eq!((error.code(), error.detail()["name"].as_str(), told.get()), ("CUTOVER_NOT_FOUND", Some("vectors"), 0));
    // A longer name that begins alike is not it.
    fs::write(staged.artifacts().unwrap().join("vectors2"), "x").unwrap();
    assert_eq!(code(staged.collect(&required, &|_, _| {}, NEVER)), "CUTOVER_NOT_FOUND");
    fs::write(staged.artifacts().unwrap().join("vectors"), "x").unwrap();
    staged.collect(&required, &|_, _| {}, NEVER).unwrap();
    publish(staged).unwrap();
}

#[test]
fn what_was_not_collected_is_refused_by_name_when_the_draft_is_completed() {
    let index = Index::new();
    let mut staged = draft(index.write(), None);
    collect(&staged).unwrap();
    let directory = staged.artifacts().unwrap();
    fs::write(directory.join("late"), "x").unwrap();
    let error = staged.complete(Contents::default(), true).unwrap_err();
    assert!(error.to_string().contains("artifacts/late"), "{error}");
    fs::remove_file(directory.join("late")).unwrap();
    fs::create_dir(directory.join("empty")).unwrap();
    assert!(staged.complete(Contents::default(), true).unwrap_err().to_string().contains("artifacts/empty"));
    fs::remove_dir(directory.join("empty")).unwrap();
    staged.complete(Contents::default(), true).unwrap();
    assert!(matches!(staged.artifacts(), Err(Error::Misuse { .. })));
    assert!(matches!(collect(&staged), Err(Error::Misuse { .. })));
}

#[test]
fn links_fifos_empty_directories_and_names_that_are_not_text_are_refused_by_name() {
    use std::os::unix::ffi::OsStrExt;
    let index = Index::new();
    let staged = draft(index.write(), None);
    let directory = staged.artifacts().unwrap();
    let refused = |what: &str, make: &dyn Fn(&Path)| {
        let path = directory.join("sub/odd");
        fs::create_dir(directory.join("sub")).unwrap();
        make(&path);
        let here = collect(&staged).unwrap_err();
        let attached = staged.attach("a", &directory.join("sub"), How::Copy, NEVER).unwrap_err();
        for error in [here, attached] {
            assert!(error.to_string().contains(what) && error.to_string().contains("odd"), "{error}");
            assert_eq!(error.code(), "RangeError");
        }
        fs::remove_dir_all(directory.join("sub")).unwrap();
    };
    refused("symbolic link", &|path| symlink("/etc/passwd", path).unwrap());
    refused("symbolic link", &|path| symlink("/etc", path).unwrap());
    refused("FIFO", &|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()));
    refused("socket", &|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()));
    refused("empty directory", &|path| fs::create_dir(path).unwrap());
    refused("not UTF-8", &|path| {
        fs::write(path.with_file_name(std::ffi::OsStr::from_bytes(b"odd\xff")), "x").unwrap();
    });
    refused("control characters", &|path| fs::write(path.with_file_name("odd\n"), "x").unwrap());
    // The directory itself replaced by a link leads nowhere.
    fs::remove_dir(&directory).unwrap();
    symlink("/etc", &directory).unwrap();
    assert_eq!(code(collect(&staged)), "RangeError");
}

#[test]
fn two_names_that_are_one_elsewhere_are_both_named() {
    let index = Index::new();
    let staged = draft(index.write(), None);
    let directory = staged.artifacts().unwrap();
    fs::write(directory.join("_0.cfs"), "x").unwrap();
    collect(&staged).unwrap();
    fs::create_dir(directory.join("Modèle")).unwrap();
    fs::write(directory.join("Modèle/1"), "x").unwrap();
    collect(&staged).unwrap();
    let other = tree(&index, "other", &["1"]);
    for (name, there) in [("_0.CFS", "_0.cfs"), ("mode\u{300}le", "Modèle")] {
        let error = staged.attach(name, &other, How::Copy, NEVER).unwrap_err();
        assert!(matches!(&error, Error::NameClash { name: one, other } if one == name && other == there), "{error}");
        fs::write(directory.join(name), "x").unwrap();
        let error = collect(&staged).unwrap_err();
        assert_eq!((error.code(), &error.detail()["name"]), ("RangeError", &name.into()));
        fs::remove_file(directory.join(name)).unwrap();
    }
    publish(staged).unwrap();
}

#[test]
fn an_attached_tree_is_a_copy_under_its_name_and_the_original_stays_as_it_was() {
    let index = Index::new();
    let names = ["_0.cfs", "a b/ü\\", "con", "deep/er/x"];
    let from = tree(&index, "from", &names);
    let staged = draft(index.write(), None);
    staged.attach("lucene", &from, How::Copy, NEVER).unwrap();
    staged.attach("one/file", &from.join("con"), How::Copy, NEVER).unwrap();
    symlink(from.join("con"), index.directory.path().join("link")).unwrap();
    staged.attach("linked", &index.directory.path().join("link"), How::Copy, NEVER).unwrap();
    fs::write(from.join("con"), "changed").unwrap();
    let snapshot = publish(staged).unwrap();
    assert_eq!(snapshot.artifact_names(), ["linked", "lucene", "one"]);
    for name in names {
        assert_eq!(read(&snapshot.artifact("lucene").unwrap().join(name)), name);
        assert_eq!(fs::metadata(from.join(name)).unwrap().permissions().mode() & 0o200, 0o200);
    }
    assert_eq!(
        (read(&snapshot.artifact("linked").unwrap()).as_str(), read(&from.join("con")).as_str()),
        ("con", "changed")
    );
    assert!(sums_agree(snapshot.directory()));
}

#[test]
fn a_name_is_given_once_and_leads_nowhere_else() {
    let index = Index::new();
    let from = tree(&index, "from", &["a", "d/b"]);
    let staged = draft(index.write(), None);
    staged.attach("x", &from, How::Copy, NEVER).unwrap();
    for name in ["x", "x/a", "x/d"] {
        assert_eq!(code(staged.attach(name, &from.join("a"), How::Copy, NEVER)), "CUTOVER_EXISTS", "{name}");
    }
    for hostile in ["", ".", "..", "../x", "/x", "x/", "a/../b", "a\0"] {
        let error = staged.attach(hostile, &from, How::Copy, NEVER).unwrap_err();
        assert!(matches!(&error, Error::InvalidName { name, .. } if name == hostile), "{error}");
    }
    assert_eq!(code(staged.attach("y", &from.join("absent"), How::Copy, NEVER)), "CUTOVER_IO");
    // Where nothing failed half-way, what was refused left nothing.
    assert_eq!(publish(staged).unwrap().artifact_names(), ["x"]);
}

#[test]
fn a_moved_tree_stays_until_the_version_lasts_and_is_gone_then() {
    let index = Index::new();
    let from = tree(&index, "from", &["a", "d/b"]);
    let begin = || {
        let staged = draft(index.write(), None);
        staged.attach("x", &from, How::Move, NEVER).unwrap();
        staged
    };
    drop(begin());
    begin().discard().unwrap();
    let mut cancelled = begin();
    cancelled.complete(Contents::default(), true).unwrap();
    assert!(matches!(cancelled.publish(None, &|| true), Err(Error::Cancelled)));
    assert_eq!((read(&from.join("a")), read(&from.join("d/b"))), ("a".into(), "d/b".into()));

    let inode = fs::metadata(from.join("a")).unwrap().ino();
    let snapshot = publish(begin()).unwrap();
    let moved = fs::metadata(snapshot.artifact("x/a").unwrap()).unwrap();
    assert_eq!((moved.ino(), moved.nlink()), (inode, 1), "it is the file that was there");
    assert_eq!(read(&snapshot.artifact("x/d/b").unwrap()), "d/b");
    assert!(!from.exists());
}

#[test]
fn a_moved_file_that_changes_before_the_version_is_complete_is_refused() {
    let index = Index::new();
    let from = tree(&index, "from", &["a"]);
    let mut staged = draft(index.write(), None);
    staged.attach("x", &from, How::Move, NEVER).unwrap();
    common::overwrite(&from.join("a"), "other");
    let error = staged.complete(Contents::default(), true).unwrap_err();
    assert!(matches!(&error, Error::Changed { path } if path.ends_with("from/a")), "{error}");
}

#[test]
fn a_moved_file_with_another_name_is_copied_and_that_name_stays_harmless() {
    let index = Index::new();
    let from = tree(&index, "from", &["a"]);
    let other = index.directory.path().join("other");
    fs::hard_link(from.join("a"), &other).unwrap();
    let staged = draft(index.write(), None);
    staged.attach("x", &from, How::Move, NEVER).unwrap();
    fs::hard_link(&other, staged.artifacts().unwrap().join("y")).unwrap();
    let snapshot = publish(staged).unwrap();
    fs::write(&other, "overwritten").unwrap();
    assert_eq!(
        (read(&snapshot.artifact("x/a").unwrap()), read(&snapshot.artifact("y").unwrap())),
        ("a".into(), "a".into())
    );
    assert!(!from.exists() && sums_agree(snapshot.directory()));
}

#[test]
fn a_cancelled_attach_leaves_nothing_of_the_artifact() {
    let index = Index::new();
    let from = tree(&index, "from", &["a", "b", "c"]);
    let staged = draft(index.write(), None);
    for allowed in 0..6 {
        for how in [How::Copy, How::Move] {
            let asked = Cell::new(0);
            let cancel = || asked.replace(asked.get() + 1) >= allowed;
            match staged.attach("x", &from, how, &cancel) {
                Err(error) => assert!(matches!(error, Error::Cancelled), "{error}"),
                Ok(()) => unreachable!("cancelled at {allowed}"),
            }
            assert!(!staged.directory().join("artifacts/x").exists());
        }
    }
    fs::write(staged.artifacts().unwrap().join("y"), "y").unwrap();
    assert!(matches!(staged.collect(&[], &|_, _| {}, &|| true), Err(Error::Cancelled)));
    staged.attach("x", &from, How::Copy, NEVER).unwrap();
    assert_eq!(publish(staged).unwrap().artifact_names(), ["x", "y"]);
}

#[test]
fn a_file_that_is_written_to_while_it_is_collected_is_refused() {
    let index = Index::new();
    let staged = draft(index.write(), None);
    let path = staged.artifacts().unwrap().join("growing");
    fs::write(&path, vec![1; 600_000]).unwrap();
    let grow = |done, _| {
        if done > 0 {
            use std::io::Write;
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        }
    };
    let error = staged.collect(&[], &grow, NEVER).unwrap_err();
    assert!(matches!(&error, Error::Changed { path } if path.ends_with("growing")), "{error}");
    assert_eq!(error.code(), "CUTOVER_CONFLICT");
    // Once nobody writes any more it is what it is.
    publish(staged).unwrap();
}

#[test]
fn a_version_inherits_what_it_does_not_replace_without_taking_room() {
    let index = Index::new();
    let staged = draft(index.write(), Some("v1"));
    put(&staged, "segments/0/text", b"text");
    let from = tree(&index, "from", &["a", "b", "d/c"]);
    staged.attach("set", &from, How::Copy, NEVER).unwrap();
    staged.attach("model", &from.join("a"), How::Copy, NEVER).unwrap();
    let before = publish(staged).unwrap();

    let staged = draft(index.write(), Some("v2"));
    staged.inherit(&before, &["model/v2", "set/d"]).unwrap();
    staged.attach("model/v2", &from.join("b"), How::Copy, NEVER).unwrap();
    let after = publish(staged).unwrap();
    assert_eq!(after.artifact_names(), ["model", "set"]);
    assert_eq!(read(&after.artifact("model/v2").unwrap()), "b");
    assert_eq!(code(after.artifact("set/d")), "CUTOVER_NOT_FOUND");
    for name in ["segments/0/text", "artifacts/set/a", "artifacts/set/b"] {
        let inode = |snapshot: &Snapshot| fs::metadata(snapshot.path(name).unwrap()).unwrap().ino();
        assert_eq!(inode(&before), inode(&after), "{name}");
    }
    assert_eq!(read(&before.artifact("model").unwrap()), "a");
    assert!(sums_agree(after.directory()) && index.store.status().unwrap().limitations.is_empty());
}

#[test]
fn an_adopted_version_has_its_artifacts_beside_its_records_and_they_can_be_inherited() {
    let base = tempfile::tempdir().unwrap();
    let files = ["versions/v1/vectors.faiss", "versions/v1/lucene/_0.cfs", "versions/v1/manifest.json", "CURRENT"];
    for (file, text) in files.iter().zip(["faiss", "cfs", "theirs", "v1\n"]) {
        let path = base.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Store::adopt(base.path(), StoreOptions::default(), &|_, _| {}, NEVER).unwrap();
    let store = common::open(base.path()).unwrap();
    let adopted = store.snapshot(None).unwrap();
    assert_eq!(adopted.artifact_names(), ["lucene", "manifest.json", "vectors.faiss"]);
    assert_eq!(read(&adopted.artifact("vectors.faiss").unwrap()), "faiss");
    let staged = draft(store.write("test", LockWait::Now, NEVER).unwrap(), Some("v2"));
    staged.inherit(&adopted, &["vectors.faiss"]).unwrap();
    fs::write(staged.artifacts().unwrap().join("new"), "new").unwrap();
    let next = publish(staged).unwrap();
    assert_eq!(next.artifact_names(), ["lucene", "manifest.json", "new"]);
    assert_eq!(next.artifact("lucene/_0.cfs").unwrap(), store.root().join("versions/v2/artifacts/lucene/_0.cfs"));
    // Other software can still write to what it made: not to what we publish.
    fs::write(base.path().join(files[1]), "xxx").unwrap();
    assert_eq!(read(&next.artifact("lucene/_0.cfs").unwrap()), "cfs");
    assert!(sums_agree(next.directory()) && store.status().unwrap().limitations.is_empty());
}

#[test]
fn a_manifest_from_before_artifacts_had_a_root_is_read_and_one_that_leads_elsewhere_is_not() {
    let index = Index::new();
    let staged = draft(index.write(), Some("v1"));
    fs::write(staged.artifacts().unwrap().join("new"), "new").unwrap();
    publish(staged).unwrap();
    rewrite_manifest(&index, "v1", "  \"artifactRoot\": \"artifacts\",\n", "");
    assert_eq!(index.store.snapshot(None).unwrap().artifact_names(), ["new"]);
    rewrite_manifest(&index, "v1", "\"content\"", "\"artifactRoot\": \"../v1\", \"content\"");
    assert_eq!(code(index.store.snapshot(Some(&id("v1")))), "CUTOVER_CORRUPT");
}

fn rewrite_manifest(index: &Index, version: &str, from: &str, to: &str) {
    let manifest = index.path(&format!("versions/{version}/manifest.json"));
    let digest = || cutover_durable::digest_file(&manifest).unwrap().1.to_string();
    let old = digest();
    common::edit(&manifest, from, to);
    common::edit(&index.path(&format!("versions/{version}/SHA256SUMS")), &old, &digest());
}
