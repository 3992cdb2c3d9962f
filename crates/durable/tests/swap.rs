//! Replacing: at no instant without a target, nothing followed, nothing lost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs::{
        Permissions, create_dir, create_dir_all, read, read_dir, read_link, set_permissions, symlink_metadata, write,
    },
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use cutover_durable::{
    Error,
    replace::Replacement,
    swap::{Gap, replace_with},
};

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A directory that holds one file with these bytes, and a link.
fn tree(path: &Path, bytes: &str) {
    create_dir_all(path.join("deep/er")).unwrap();
    write(path.join("deep/er/file"), bytes).unwrap();
    symlink("nowhere", path.join("link")).unwrap();
}

#[test]
fn a_directory_takes_the_place_of_another_and_only_it_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let (target, staged) = (directory.path().join("target"), directory.path().join("staged"));
    tree(&target, "old");
    tree(&staged, "new");
    write(target.join("only in the old"), "").unwrap();
    replace_with(&target, &staged, Gap::Refuse).unwrap();
    assert_eq!(names(directory.path()), ["target"]);
    assert_eq!(names(&target), ["deep", "link"]);
    assert_eq!(read(target.join("deep/er/file")).unwrap(), b"new");
}

#[test]
fn anything_takes_the_place_of_anything_and_of_nothing() {
    for old in ["file", "directory", "link", "nothing"] {
        for new in ["file", "directory"] {
            let base = tempfile::tempdir().unwrap();
            let kept = base.path().join("kept");
            tree(&kept, "kept");
            create_dir(base.path().join("elsewhere")).unwrap();
            let (target, staged) = (base.path().join("target"), base.path().join("elsewhere/staged"));
            match old {
                "file" => write(&target, "old").unwrap(),
                "directory" => tree(&target, "old"),
                "link" => symlink(&kept, &target).unwrap(),
                _ => {}
            }
            if new == "file" {
                write(&staged, "new").unwrap();
            } else {
                tree(&staged, "new");
            }
            replace_with(&target, &staged, Gap::Refuse).unwrap_or_else(|error| panic!("{new} for {old}: {error}"));
            let file = if new == "file" { target.clone() } else { target.join("deep/er/file") };
            assert!(!symlink_metadata(&target).unwrap().is_symlink());
            assert_eq!(read(file).unwrap(), b"new", "{new} for {old}");
            assert_eq!(names(&base.path().join("elsewhere")), [""; 0], "{new} for {old}");
            assert_eq!(read(kept.join("deep/er/file")).unwrap(), b"kept", "a link is not followed");
        }
    }
}

#[test]
fn a_reader_never_finds_the_target_missing() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    tree(&target, "0");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0_u64;
            while !done.load(Ordering::Relaxed) {
                symlink_metadata(&target).unwrap();
                looks += 1;
            }
            looks
        });
        for round in 1..200 {
            let staged = directory.path().join(format!("staged-{round}"));
            tree(&staged, &round.to_string());
            replace_with(&target, &staged, Gap::Refuse).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn paths_that_cannot_be_used_are_refused_and_nothing_changes() {
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path();
    let (target, staged) = (base.join("target"), base.join("staged"));
    tree(&target, "old");
    tree(&staged, "new");
    symlink(&staged, base.join("link")).unwrap();
    let refused =
        |target: &Path, staged: &Path| matches!(replace_with(target, staged, Gap::Accept), Err(Error::Refused { .. }));
    assert!(refused(&target, &target));
    assert!(refused(&target, &target.join("deep")));
    assert!(refused(&target.join("deep"), &target));
    assert!(refused(&target, &base.join("link")), "a link is not taken for what it leads to");
    assert!(refused(&target, &base.join("link/")), "not with a slash at its end either");
    assert!(refused(Path::new("/"), &staged) && refused(&base.join(".."), &staged));
    assert!(replace_with(&target, &base.join("absent"), Gap::Accept).unwrap_err().is_not_found());
    assert_eq!(names(base), ["link", "staged", "target"]);
    assert_eq!(read(target.join("deep/er/file")).unwrap(), b"old");
}

#[test]
fn another_file_system_is_refused_and_nothing_changes() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in("/dev/shm"));
    let Ok(there) = there else { return eprintln!("not run: there is no /dev/shm") };
    let (target, staged) = (here.path().join("target"), there.path().join("staged"));
    tree(&target, "old");
    tree(&staged, "new");
    let error = replace_with(&target, &staged, Gap::Accept).unwrap_err();
    if error.is_cross_device() {
        assert_eq!(read(target.join("deep/er/file")).unwrap(), b"old");
        assert_eq!(read(staged.join("deep/er/file")).unwrap(), b"new");
    } else {
        panic!("{error}");
    }
}

#[test]
fn a_file_is_replaced_whole_and_keeps_its_permission_bits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let replace = |bytes: &[&[u8]]| {
        let mut replacement = Replacement::begin(&path).unwrap();
        for bytes in bytes {
            replacement.write(bytes).unwrap();
        }
        replacement.finish().unwrap();
    };
    replace(&[b"one", b", two"]);
    assert_eq!(read(&path).unwrap(), b"one, two");
    set_permissions(&path, Permissions::from_mode(0o2771)).unwrap();
    replace(&[]);
    assert_eq!((read(&path).unwrap(), mode(&path)), (Vec::new(), 0o771));
    assert_eq!(names(directory.path()), ["file"]);
}

#[test]
fn a_replacement_that_is_given_up_leaves_the_old_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    write(&path, "old").unwrap();
    let mut replacement = Replacement::begin(&path).unwrap();
    replacement.write(b"new").unwrap();
    drop(replacement);
    assert_eq!(names(directory.path()), ["file"]);
    assert_eq!(read(&path).unwrap(), b"old");
}

#[test]
fn a_link_is_replaced_itself_and_a_directory_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    write(&file, "kept").unwrap();
    symlink("file", &link).unwrap();
    let mut replacement = Replacement::begin(&link).unwrap();
    replacement.write(b"new").unwrap();
    replacement.finish().unwrap();
    assert_eq!((read(&file).unwrap(), read(&link).unwrap()), (b"kept".to_vec(), b"new".to_vec()));
    assert!(read_link(&link).is_err());
    assert!(matches!(Replacement::begin(directory.path()), Err(Error::Refused { .. })));
}
