//! Which directories are opened, and with what a directory that is not an index, or not safe, is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use common::{Index, code, names, open};
use cutover_store::{Error, LockWait, Store, StoreOptions};

#[test]
fn a_file_or_a_path_through_a_file_is_not_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below"), file.join("far/below")] {
        assert!(matches!(open(&path), Err(Error::NotADirectory { .. })), "{}", path.display());
    }
}

#[test]
fn a_directory_of_other_things_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "x").unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(&error, Error::NotAnIndex { detail, .. } if detail.contains("thesis.tex")), "{error}");
    assert_eq!(names(directory.path()), ["thesis.tex"]);
}

#[test]
fn without_create_there_must_be_an_index() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_path_buf(), directory.path().join("missing")] {
        assert!(
            matches!(Store::open(&path, StoreOptions::default()), Err(Error::NotAnIndex { .. })),
            "{}",
            path.display()
        );
        let read_only = StoreOptions { create: true, read_only: true, ..StoreOptions::default() };
        assert!(matches!(Store::open(&path, read_only), Err(Error::NotAnIndex { .. })), "{}", path.display());
    }
    let index = Index::new();
    index.publish("v1");
    Store::open(index.store.root(), StoreOptions::default()).unwrap();
}

#[test]
fn the_directories_on_the_way_are_made_with_the_first_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a/b/index")).unwrap();
    assert!(names(directory.path()).is_empty());
    assert_eq!(store.status().unwrap().versions, 0);
    drop(store.write("test", LockWait::Now, &|| false).unwrap());
    assert_eq!(names(store.root()), [".index_rebuild.lock", "trash", "used-ids", "versions"]);
}

#[test]
fn the_index_may_be_reached_through_a_link_which_may_change_later() {
    let index = Index::new();
    index.publish("v1");
    let link = index.directory.path().join("link");
    symlink(index.store.root(), &link).unwrap();
    let store = open(&link).unwrap();
    fs::remove_file(&link).unwrap();
    assert_eq!(store.current().unwrap(), index.store.current().unwrap());
}

#[test]
fn versions_that_is_not_a_directory_is_damage() {
    let index = Index::new();
    index.publish("v1");
    fs::rename(index.path("versions"), index.path("moved")).unwrap();
    symlink("moved", index.path("versions")).unwrap();
    assert_eq!(code(open(index.store.root())), "CUTOVER_CORRUPT");
}

#[test]
fn a_directory_that_everyone_can_write_is_refused_unless_allowed() {
    let index = Index::new();
    index.publish("v1");
    let set = |mode| fs::set_permissions(index.store.root(), Permissions::from_mode(mode)).unwrap();
    set(0o777);
    assert_eq!(code(open(index.store.root())), "CUTOVER_UNSAFE_DIRECTORY");
    assert_eq!(code(index.store.write("test", LockWait::Now, &|| false)), "CUTOVER_UNSAFE_DIRECTORY");
    let allowed = StoreOptions { allow_writable_by_others: true, ..StoreOptions::default() };
    drop(Store::open(index.store.root(), allowed).unwrap().write("test", LockWait::Now, &|| false).unwrap());
    set(0o1777);
    drop(open(index.store.root()).unwrap().write("test", LockWait::Now, &|| false).unwrap());
}

const CHILD: &str = "CUTOVER_TEST_INDEX";

/// Run without privileges by the next test.
#[test]
#[ignore = "a part of another test"]
fn child_without_permission() {
    let root = std::env::var_os(CHILD).unwrap();
    let store = open(Path::new(&root)).unwrap();
    assert_eq!(store.snapshot(None).unwrap().map("top").unwrap().len(), 2);
    let error = store.write("test", LockWait::Now, &|| false).unwrap_err();
    assert_eq!(error.code(), "CUTOVER_IO", "{error}");
    assert!(error.to_string().contains("ermission denied"), "{error}");
    let hidden = open(&Path::new(&root).with_file_name("hidden")).unwrap_err();
    assert_eq!((hidden.code(), hidden.detail()["errno"].as_i64()), ("CUTOVER_IO", Some(13)), "{hidden}");
    println!("\nrefused as expected");
}

/// Reading works without any permission to write, and what is not permitted is said by the system's error. Where the tests run as
/// root, whom permissions do not bind, another user is asked to try.
#[test]
fn without_permission_reading_works_and_writing_says_why_not() {
    let index = Index::new();
    index.publish("v1");
    let base = index.directory.path();
    fs::create_dir(base.join("hidden")).unwrap();
    let program = base.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(base, 0o755);
    set(&program, 0o755);
    set(&base.join("hidden"), 0o000);
    for directory in ["versions/v1/segments/0", "versions/v1/segments", "versions/v1", "versions", "trash", "."] {
        set(&index.path(directory), 0o555);
    }
    let child = ["--exact", "child_without_permission", "--ignored", "--nocapture"];
    let is_root = fs::metadata(&program).unwrap().uid() == 0;
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    let output = command.args(child).env(CHILD, index.store.root()).current_dir("/").output();
    for directory in [".", "trash", "versions", "versions/v1", "versions/v1/segments", "versions/v1/segments/0"] {
        set(&index.path(directory), 0o755);
    }
    set(&base.join("hidden"), 0o755);
    match output {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && text.contains("refused as expected"),
                "{text}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(error) => {
            assert!(is_root, "{error}");
            eprintln!("not tested: this is root, and setpriv is not here to become another user ({error})");
        }
    }
}

/// A full disk is told apart, and leaves the version before as it was. Where file systems cannot be mounted this is not tested.
#[test]
fn a_full_disk_leaves_the_version_before_and_no_draft() {
    let directory = tempfile::tempdir().unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "cutover-test"]).arg(directory.path()).output();
    if !mounted.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: no file system can be mounted here ({mounted:?})");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let store = open(&directory.path().join("index")).unwrap();
        let write = || store.write("test", LockWait::Now, &|| false).unwrap();
        let publish =
            || common::complete(common::draft(write(), None), true).publish(None, &|| false).unwrap().0.info.id;
        let first = publish();
        assert_eq!(code(write().need(10_000_000)), "CUTOVER_NO_SPACE");
        let staged = common::draft(write(), None);
        let mut file = staged.create("large").unwrap();
        let error = std::io::Write::write_all(&mut file, &vec![1; 15_000_000]).unwrap_err();
        let error = Error::from(cutover_durable::Error::io("write", "large", error));
        assert_eq!(error.code(), "CUTOVER_NO_SPACE", "{error}");
        assert!(std::io::Write::write_all(&mut file, b"x").is_err(), "a file that failed takes no more");
        assert!(file.finish().is_err());
        drop(staged);
        assert_eq!(store.current().unwrap(), Some(first));
        assert_eq!(names(&store.root().join("versions")).len(), 1);
        publish();
    });
    assert!(Command::new("umount").arg(directory.path()).status().unwrap().success());
    result.unwrap();
}
