//! Files and names: what the helpers promise about modes, links, bounds and replacement.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{Permissions, read, read_dir, set_permissions, symlink_metadata, write},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use cutover_durable::{Digest, Error, Map, digest_file, disk, fs, replace};

fn mode(path: &Path) -> u32 {
    symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The umask that this process was started with, asked of another process that inherited it.
fn umask() -> u32 {
    let output = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap();
    u32::from_str_radix(String::from_utf8(output.stdout).unwrap().trim(), 8).unwrap()
}

#[test]
fn a_finished_file_is_counted_digested_and_read_only() {
    const GATHERED: usize = 2 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let mut writer = fs::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    let mut expected = Vec::new();
    // Writes that end before, at and behind the two megabytes that are gathered, and one of several times as many.
    for size in [0, 1, 1000, GATHERED - 1001, GATHERED, 3, 5_000_000, GATHERED - 1] {
        let start = expected.len();
        let bytes: Vec<u8> = (start..start + size).map(|at| (at % 251) as u8).collect();
        writer.write_all(&bytes).unwrap();
        expected.extend_from_slice(&bytes);
        assert_eq!(writer.position(), expected.len() as u64);
    }
    let written = writer.finish().unwrap();
    assert_eq!(mode(&path), 0o444 & !umask());
    assert_eq!(read(&path).unwrap(), expected);
    assert_eq!(written, fs::Written { bytes: expected.len() as u64, digest: Digest::of(&expected) });
    assert_eq!(digest_file(&path).unwrap(), (written.bytes, written.digest));
    assert_eq!(&*Map::open(&path).unwrap(), expected);
}

#[test]
fn a_digest_is_the_one_that_sha256sum_prints_and_parses_only_as_printed() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Digest::of(b"abc").to_string(), abc);
    assert_eq!(abc.parse(), Ok(Digest::of(b"abc")));
    for wrong in [&abc[1..], &abc.to_uppercase(), &format!("{abc}0"), &abc.replace('b', "g"), ""] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

#[test]
fn creating_refuses_what_exists_and_never_follows_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (target, link) = (directory.path().join("target"), directory.path().join("link"));
    symlink(&target, &link).unwrap();
    assert!(fs::create(&link).err().unwrap().is_already_exists());
    assert!(!target.exists());
}

#[test]
fn reading_refuses_links_directories_and_fifos_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    write(at("file"), "x").unwrap();
    symlink(at("file"), at("link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    for name in ["link", "fifo", "."] {
        assert!(matches!(Map::open(&at(name)), Err(Error::Malformed { .. })), "{name}");
        assert!(matches!(digest_file(&at(name)), Err(Error::Malformed { .. })), "{name}");
    }
    assert!(Map::open(&at("none")).unwrap_err().is_not_found());
}

#[test]
fn a_bounded_read_accepts_its_bound_and_refuses_one_byte_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    write(&path, "12345").unwrap();
    assert_eq!(fs::read_limited(&path, 5).unwrap(), b"12345");
    assert!(matches!(fs::read_limited(&path, 4), Err(Error::Malformed { .. })));
}

#[test]
fn an_empty_file_maps_to_nothing_and_slices_stay_within_the_map() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    write(&path, "").unwrap();
    let empty = Map::open(&path).unwrap();
    assert!(empty.is_empty() && empty.slice(0..0).is_some() && empty.slice(0..1).is_none());
    write(&path, "hello").unwrap();
    let map = Map::open(&path).unwrap();
    assert_eq!(&*map.slice(1..3).unwrap(), b"el");
    #[expect(clippy::reversed_empty_ranges, reason = "a hostile range")]
    let reversed = map.slice(3..1);
    assert!(reversed.is_none() && map.slice(4..6).is_none());
}

#[test]
fn renaming_without_replacing_refuses_even_an_empty_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    fs::create_dir(&from).unwrap();
    fs::create_dir(&to).unwrap();
    assert!(fs::rename_no_replace(&from, &to).unwrap_err().is_already_exists());
    std::fs::remove_dir(&to).unwrap();
    fs::rename_no_replace(&from, &to).unwrap();
    assert_eq!((fs::kind(&from).unwrap(), fs::kind(&to).unwrap()), (None, Some(fs::Kind::Directory)));
}

#[test]
fn replacing_leaves_the_new_bytes_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("CURRENT");
    for bytes in [&b"one"[..], b"two"] {
        replace::replace_file(&path, bytes).unwrap();
        assert_eq!(read(&path).unwrap(), bytes);
    }
    let staged = replace::stage(&path, b"three").unwrap();
    assert_eq!(read(&path).unwrap(), b"two");
    assert_eq!(read_dir(directory.path()).unwrap().count(), 2);
    drop(staged);
    replace::replace_unsynced(&path, b"four").unwrap();
    assert_eq!(read(&path).unwrap(), b"four");
    assert_eq!(read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(mode(&path) & 0o600, 0o600);
}

#[test]
fn a_symbolic_link_is_replaced_and_removed_itself() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(&at("kept")).unwrap();
    write(at("kept/file"), "x").unwrap();
    replace::replace_symlink(&at("link"), Path::new("nowhere")).unwrap();
    replace::replace_symlink(&at("link"), Path::new("kept")).unwrap();
    assert_eq!(std::fs::read_link(at("link")).unwrap(), Path::new("kept"));
    fs::remove_tree(&at("link")).unwrap();
    assert!(at("kept/file").exists());
    fs::create_dir(&at("tree")).unwrap();
    symlink(at("kept"), at("tree/link")).unwrap();
    fs::remove_tree(&at("tree")).unwrap();
    fs::remove_tree(&at("tree")).unwrap();
    assert!(at("kept/file").exists() && !at("tree").exists());
}

#[test]
fn a_full_disk_is_told_apart_also_through_io_write() {
    // Writing to this device always fails as a full disk does.
    if !Path::new("/dev/full").exists() {
        return;
    }
    let error = fs::append_synced(Path::new("/dev/full"), b"x").unwrap_err();
    assert!(error.is_no_space(), "{error}");
    let travelled = Error::io("write", "/elsewhere", error.into());
    assert!(travelled.is_no_space());
    assert_eq!(travelled.path(), Path::new("/dev/full"));
    assert!(disk::require_bytes(Path::new("/"), u64::MAX).unwrap_err().is_no_space());
    disk::require_bytes(Path::new("/"), 0).unwrap();
}

#[test]
fn only_a_directory_without_the_sticky_bit_counts_as_writable_by_others() {
    let directory = tempfile::tempdir().unwrap();
    for (mode, writable) in [(0o777, true), (0o1777, false), (0o775, false), (0o755, false)] {
        set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
        assert_eq!(disk::writable_by_others(directory.path()).unwrap(), writable, "{mode:o}");
    }
    assert_eq!(disk::is_network_file_system(Path::new("/proc")).unwrap(), None);
}
