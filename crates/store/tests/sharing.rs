//! How versions share what did not change, on file systems that can clone and on those that cannot.
//!
//! The file systems are images that root mounts in a mount namespace of its own. What cannot be made here is said, not tested.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
    process::Command,
};

use common::{apart::with_mounts, code, draft, open};
use cutover_durable::disk;
use cutover_store::{Contents, How, LockWait, Snapshot, Store};

const LARGE: u64 = 64 << 20;
/// What the records of a few versions, and a file system's own bookkeeping, take at most.
const LITTLE: u64 = 8 << 20;

const NEVER: &dyn Fn() -> bool = &|| false;

fn run(program: &str, args: &[&str], path: &Path) -> Result<(), String> {
    match Command::new(program).args(args).arg(path).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// Runs `body` on a new file system that can clone.
fn on_image(make: &str, kind: &str, body: impl FnOnce(&Path)) {
    let base = tempfile::tempdir().unwrap();
    let (image, mounted) = (base.path().join("image"), base.path().join("mounted"));
    File::create(&image).unwrap().set_len(512 << 20).unwrap();
    fs::create_dir(&mounted).unwrap();
    let device = image.to_str().unwrap();
    let ready = run(make, &["-q"], &image).and_then(|()| run("mount", &["-t", kind, "-o", "loop", device], &mounted));
    if let Err(why) = ready {
        return eprintln!("not run: {kind}: {why}");
    }
    body(&mounted);
    run("umount", &[], &mounted).unwrap();
}

fn publish(store: &Store, fill: impl FnOnce(&cutover_store::Draft)) -> Snapshot {
    let mut staged = draft(store.write("test", LockWait::Now, NEVER).unwrap(), None);
    fill(&staged);
    staged.complete(Contents::default(), true).unwrap();
    staged.publish(None, NEVER).unwrap();
    store.snapshot(None).unwrap()
}

fn noise(path: &Path) {
    let mut state = 1_u64;
    let mut bytes = vec![0; usize::try_from(LARGE).unwrap()];
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    fs::write(path, bytes).unwrap();
    File::open(path).unwrap().sync_all().unwrap();
}

fn limitations(store: &Store) -> Vec<String> {
    store.status().unwrap().limitations
}

/// Attaches a large file, then publishes a version that shares it although no link leads from one version to the next.
fn clones_share_their_blocks(directory: &Path) {
    let store = open(&directory.join("index")).unwrap();
    let original = directory.join("original");
    noise(&original);
    let before = disk::free_bytes(directory).unwrap();
    let first = publish(&store, |staged| staged.attach("large", &original, How::Copy, NEVER).unwrap());
    let taken = before.saturating_sub(disk::free_bytes(directory).unwrap());
    assert!(taken < LITTLE, "{taken} bytes for a copy that shares its blocks");
    fs::write(&original, "changed").unwrap();

    // From one mount to another of the same file system there are no links.
    let version = first.directory().to_path_buf();
    run("mount", &["--bind", version.to_str().unwrap()], &version).unwrap();
    let before = disk::free_bytes(directory).unwrap();
    let second = publish(&store, |staged| staged.inherit(&first, &[]).unwrap());
    let taken = before.saturating_sub(disk::free_bytes(directory).unwrap());
    assert!(taken < LITTLE, "{taken} bytes for a clone");
    run("umount", &[], &version).unwrap();

    let [one, two] = [&first, &second].map(|snapshot| snapshot.artifact("large").unwrap());
    assert_ne!(fs::metadata(&one).unwrap().ino(), fs::metadata(&two).unwrap().ino());
    assert_eq!(fs::read(one).unwrap(), fs::read(&two).unwrap());
    assert_eq!(cutover_durable::digest_file(&two).unwrap().1, second.digest("artifacts/large").unwrap());
    assert!(matches!(&limitations(&store)[..], [only] if only.contains("cloned")), "{:?}", limitations(&store));
}

#[test]
fn on_btrfs_copies_and_what_cannot_be_linked_share_their_blocks() {
    with_mounts("on_btrfs_copies_and_what_cannot_be_linked_share_their_blocks", || {
        on_image("mkfs.btrfs", "btrfs", clones_share_their_blocks);
    });
}

#[test]
fn on_xfs_copies_and_what_cannot_be_linked_share_their_blocks() {
    with_mounts("on_xfs_copies_and_what_cannot_be_linked_share_their_blocks", || {
        on_image("mkfs.xfs", "xfs", clones_share_their_blocks);
    });
}

#[test]
fn what_can_be_neither_linked_nor_cloned_is_copied_compared_and_told() {
    with_mounts("what_can_be_neither_linked_nor_cloned_is_copied_compared_and_told", || {
        let directory = tempfile::tempdir().unwrap();
        if let Err(why) = run("mount", &["-t", "tmpfs", "-o", "size=32m", "cutover-test"], directory.path()) {
            return eprintln!("not run: tmpfs: {why}");
        }
        let store = open(&directory.path().join("index")).unwrap();
        let from = directory.path().join("from");
        fs::write(&from, vec![7; 1 << 20]).unwrap();
        let first = publish(&store, |staged| staged.attach("a", &from, How::Copy, NEVER).unwrap());
        let version = first.directory().to_path_buf();
        run("mount", &["--bind", version.to_str().unwrap()], &version).unwrap();
        let second = publish(&store, |staged| staged.inherit(&first, &[]).unwrap());
        assert_eq!(fs::read(second.artifact("a").unwrap()).unwrap(), vec![7; 1 << 20]);
        assert!(matches!(&limitations(&store)[..], [only] if only.contains("copied")), "{:?}", limitations(&store));

        // A copy is compared with what was published: damage does not travel on.
        common::overwrite(&version.join("artifacts/a"), vec![8; 1 << 20]);
        let staged = draft(store.write("test", LockWait::Now, NEVER).unwrap(), None);
        assert_eq!(code(staged.inherit(&first, &[])), "CUTOVER_CORRUPT");
        drop(staged);
        run("umount", &[], &version).unwrap();
        drop((first, second));
        run("umount", &[], directory.path()).unwrap();
    });
}

#[test]
fn an_artifact_that_the_disk_has_no_room_for_is_refused_before_it_is_copied_and_costs_nothing() {
    with_mounts("an_artifact_that_the_disk_has_no_room_for_is_refused_before_it_is_copied_and_costs_nothing", || {
        let directory = tempfile::tempdir().unwrap();
        if let Err(why) = run("mount", &["-t", "tmpfs", "-o", "size=4m", "cutover-test"], directory.path()) {
            return eprintln!("not run: tmpfs: {why}");
        }
        let store = open(&directory.path().join("index")).unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        elsewhere.as_file().set_len(8 << 20).unwrap();
        let staged = draft(store.write("test", LockWait::Now, NEVER).unwrap(), None);
        let before = disk::free_bytes(directory.path()).unwrap();
        for how in [How::Copy, How::Move] {
            let error = staged.attach("large", elsewhere.path(), how, NEVER).unwrap_err();
            assert_eq!(
                (error.code(), error.detail()["needed"].as_u64()),
                ("CUTOVER_NO_SPACE", Some(8 << 20)),
                "{error}"
            );
        }
        assert!(disk::free_bytes(directory.path()).unwrap() + 65536 >= before);
        // One that fits takes its place: a move from another file system is a copy and a removal.
        elsewhere.as_file().set_len(1 << 20).unwrap();
        let path = elsewhere.into_temp_path();
        staged.attach("large", &path, How::Move, NEVER).unwrap();
        drop(staged);
        assert!(path.exists());
        let published = publish(&store, |staged| staged.attach("large", &path, How::Move, NEVER).unwrap());
        assert_eq!(fs::metadata(published.artifact("large").unwrap()).unwrap().len(), 1 << 20);
        assert!(!path.exists());
        drop(published);
        run("umount", &[], directory.path()).unwrap();
    });
}
