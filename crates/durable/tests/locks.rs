//! Locks exclude across threads and processes and end with their holder.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use cutover_durable::{
    Error,
    lock::{self, Lease, WriterLock},
};

/// A process of another program that holds the lock at `path` once this returns, until it is killed.
fn hold(command: &mut Command) -> Option<Child> {
    let mut child = command.stdout(Stdio::piped()).stdin(Stdio::piped()).spawn().ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    Some(child)
}

fn contended<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Contended { .. }))
}

fn excludes(path: &Path, mut child: Child) {
    assert!(contended(&WriterLock::try_acquire(path)));
    assert!(contended(&Lease::try_shared(path)));
    assert!(contended(&lock::try_exclusive(path)));
    child.kill().unwrap();
    child.wait().unwrap();
    WriterLock::try_acquire(path).unwrap();
}

#[test]
fn one_writer_at_a_time_and_the_lock_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let held = WriterLock::try_acquire(&path).unwrap();
    assert!(contended(&WriterLock::try_acquire(&path)));
    assert!(held.is_intact().unwrap());
    drop(held);
    assert!(path.exists());
    WriterLock::try_acquire(&path).unwrap();
}

#[test]
fn leases_share_and_keep_out_whoever_wants_to_remove() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".lease");
    assert!(Lease::try_shared(&path).unwrap_err().is_not_found());
    std::fs::write(&path, "").unwrap();
    let (one, two) = (Lease::try_shared(&path).unwrap(), Lease::try_shared(&path).unwrap());
    assert!(contended(&lock::try_exclusive(&path)));
    drop((one, two));
    let removing = lock::try_exclusive(&path).unwrap();
    assert!(contended(&Lease::try_shared(&path)));
    drop(removing);
}

#[test]
fn a_removed_lock_file_is_noticed_by_its_holder() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let held = WriterLock::try_acquire(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(!held.is_intact().unwrap());
    let second = WriterLock::try_acquire(&path).unwrap();
    assert!(second.is_intact().unwrap() && !held.is_intact().unwrap());
}

#[test]
fn flock_1_and_python_exclude_us_until_they_are_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    std::fs::write(&path, "").unwrap();
    // exec: killing the shell that flock runs must not leave a child behind with the lock.
    let flock = hold(Command::new("flock").args(["-F", "-x"]).arg(&path).args(["sh", "-c", "echo held; read _"]));
    let program = "import fcntl,sys\nf=open(sys.argv[1])\nfcntl.flock(f,fcntl.LOCK_EX)\nprint('held',flush=True)\nsys.stdin.read()";
    let exercised = flock.into_iter().map(|child| excludes(&path, child)).count();
    let python = hold(Command::new("python3").args(["-c", program]).arg(&path));
    let exercised = exercised + python.into_iter().map(|child| excludes(&path, child)).count();
    assert!(exercised > 0, "neither flock(1) nor python3 is here to test with");
}

#[test]
fn we_exclude_flock_1() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let held = WriterLock::try_acquire(&path).unwrap();
    let attempt = || Command::new("flock").args(["-n", "-x"]).arg(&path).arg("true").status();
    if let Ok(status) = attempt() {
        assert_eq!(status.code(), Some(1));
        drop(held);
        assert!(attempt().unwrap().success());
    }
}

#[test]
fn a_link_is_not_taken_for_a_lock() {
    let directory = tempfile::tempdir().unwrap();
    let (target, link) = (directory.path().join("target"), directory.path().join("lock"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(matches!(WriterLock::try_acquire(&link), Err(Error::Io { .. })));
    assert!(!target.exists());
}
