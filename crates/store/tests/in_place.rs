//! Files rebuilt in their places: swapped under the lock, remains cleared by the next, nothing else touched.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs::{self, create_dir, create_dir_all, read_to_string, write},
    os::unix::fs::symlink,
    path::Path,
};

use cutover_store::{Error, InPlace, LockWait, Store, StoreOptions, Swap};

fn begin(directory: &Path) -> InPlace {
    InPlace::begin(directory, "test", LockWait::Now, &|| false).unwrap()
}

fn swap(staged: &str, target: &str) -> Swap {
    Swap { staged: staged.to_owned(), target: target.to_owned() }
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_and_directories_take_their_places_and_nothing_else_changes() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    write(base.join("vectors.faiss"), "old").unwrap();
    create_dir(base.join("text")).unwrap();
    write(base.join("text/segment_1"), "old").unwrap();
    write(base.join("notes"), "a user's").unwrap();

    let rebuild = begin(base);
    write(rebuild.staging().join("v"), "new").unwrap();
    create_dir_all(rebuild.staging().join("t/sub")).unwrap();
    write(rebuild.staging().join("t/sub/segment_2"), "new").unwrap();
    write(rebuild.staging().join("scratch"), "not wanted").unwrap();
    write(rebuild.staging().join("m"), "new").unwrap();
    rebuild.finish(&[swap("v", "vectors.faiss"), swap("t", "text"), swap("m", "made/on/the/way")]).unwrap();

    assert_eq!(names(base), [".index_rebuild.lock", "made", "notes", "text", "vectors.faiss"]);
    assert_eq!(read_to_string(base.join("vectors.faiss")).unwrap(), "new");
    assert_eq!(names(&base.join("text")), ["sub"]);
    assert_eq!(read_to_string(base.join("made/on/the/way")).unwrap(), "new");
    assert_eq!(read_to_string(base.join("notes")).unwrap(), "a user's");
}

#[test]
fn one_that_is_given_up_leaves_everything_as_it_was_and_the_lock_free() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path().join("file"), "old").unwrap();
    let rebuild = begin(directory.path());
    write(rebuild.staging().join("file"), "new").unwrap();
    drop(rebuild);
    assert_eq!(names(directory.path()), [".index_rebuild.lock", "file"]);
    assert_eq!(read_to_string(directory.path().join("file")).unwrap(), "old");
    begin(directory.path());
}

#[test]
fn the_next_one_removes_what_a_dead_one_left_and_nothing_that_only_looks_like_it() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let dead = begin(base);
    write(dead.staging().join("file"), "half").unwrap();
    let remains = dead.staging().to_path_buf();
    // What a kill leaves: the directory stays, the lock does not.
    let kept = tempfile::tempdir().unwrap();
    fs::rename(&remains, kept.path().join("x")).unwrap();
    drop(dead);
    fs::rename(kept.path().join("x"), &remains).unwrap();
    for name in ["file.tmp-abc123", "file.replaced-abc123", ".cutover", "staging"] {
        write(base.join(name), "a user's").unwrap();
    }
    let sibling = tempfile::tempdir_in(base).unwrap();
    let living = begin(sibling.path());

    drop(begin(base));
    assert!(!remains.exists());
    assert!(living.staging().exists(), "another directory's, whose lock is held");
    for name in ["file.tmp-abc123", "file.replaced-abc123", ".cutover", "staging"] {
        assert_eq!(read_to_string(base.join(name)).unwrap(), "a user's");
    }
}

#[test]
fn what_leads_elsewhere_or_was_not_built_is_refused_before_anything_is_swapped() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().join("base");
    create_dir(&base).unwrap();
    write(base.join("file"), "old").unwrap();
    symlink(directory.path(), base.join("out")).unwrap();
    let refused: [&[Swap]; 12] = [
        &[swap("new", "../file")],
        &[swap("new", "/etc/file")],
        &[swap("new", "a//b")],
        &[swap("new", "out/file")],
        &[swap("new", "file/below")],
        &[swap("../file", "file")],
        &[swap("absent", "file")],
        &[swap("link", "file")],
        &[swap("new", ".index_rebuild.lock")],
        &[swap("new", ".cutover-staging-abcdef/file")],
        &[swap("new", "same"), swap("other", "same")],
        &[swap("new", "a"), swap("other", "a/b")],
    ];
    for swaps in refused {
        let rebuild = begin(&base);
        write(rebuild.staging().join("new"), "new").unwrap();
        write(rebuild.staging().join("other"), "new").unwrap();
        symlink("new", rebuild.staging().join("link")).unwrap();
        // A good one before it is not swapped either.
        write(rebuild.staging().join("good"), "new").unwrap();
        let swaps: Vec<Swap> = [swap("good", "file")].into_iter().chain(swaps.iter().cloned()).collect();
        assert!(matches!(rebuild.finish(&swaps), Err(Error::InvalidName { .. })), "{swaps:?}");
        assert_eq!(names(&base), [".index_rebuild.lock", "file", "out"]);
        assert_eq!(read_to_string(base.join("file")).unwrap(), "old");
    }
    assert_eq!(names(directory.path()), ["base"]);
}

#[test]
fn it_excludes_the_writers_of_an_index_and_says_who_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), StoreOptions { create: true, ..StoreOptions::default() }).unwrap();
    let writer = store.write("publish", LockWait::Now, &|| false).unwrap();
    match InPlace::begin(directory.path(), "test", LockWait::Now, &|| false) {
        Err(Error::Locked { holder: Some(holder), .. }) => assert_eq!(holder.operation, "publish"),
        other => panic!("{other:?}"),
    }
    drop(writer);
    let rebuild = begin(directory.path());
    match store.write("publish", LockWait::Now, &|| false) {
        Err(Error::Locked { holder: Some(holder), .. }) => {
            assert_eq!((holder.operation.as_str(), holder.pid), ("test", std::process::id()));
        }
        other => panic!("{other:?}"),
    }
    drop(rebuild);
    store.write("publish", LockWait::Now, &|| false).unwrap();
}
