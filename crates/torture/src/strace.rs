//! The shim's count of calls against strace's, so that no call escapes it.

use std::{collections::BTreeMap, path::Path, process::Command};

use crate::{
    ops::Op,
    run::{Fault, Runner},
};

/// How often each call was made below the base, by the shim and by strace; none when there is no strace.
#[must_use]
pub fn compare(runner: &Runner, op: Op) -> Option<(BTreeMap<String, usize>, BTreeMap<String, usize>)> {
    Command::new("strace").arg("-V").output().ok()?;
    let base = runner.base();
    op.prepare(base.path()).unwrap();
    let ours = runner.op(op, base.path(), Fault::Count);
    let ours = count(String::from_utf8_lossy(&ours.log).lines().map(|line| line.split(' ').next().unwrap_or_default()));

    let base = runner.base();
    op.prepare(base.path()).unwrap();
    let log = base.path().with_extension("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-qq", "-e", "signal=none", "-o"]).arg(&log);
    let plain = runner.command(&["op", op.name()]);
    let status = strace.arg(plain.get_program()).args(plain.get_args()).arg(base.path()).status().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(&log).unwrap();
    let theirs = count(text.lines().filter_map(|line| changing(line, base.path())));
    Some((ours, theirs))
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The shim's name for a call of a line of strace, if it changes something below `base`.
fn changing<'a>(line: &'a str, base: &Path) -> Option<&'a str> {
    let call = line.split_once(' ')?.1.trim_start();
    let (name, rest) = call.split_once('(')?;
    if !rest.contains(&base.display().to_string()) {
        return None;
    }
    let writes = |rest: &str| ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"].iter().any(|flag| rest.contains(flag));
    Some(match name {
        "open" | "openat" | "creat" if writes(rest) => "open",
        "rename" | "renameat" | "renameat2" => "rename",
        "link" | "linkat" => "link",
        "symlink" | "symlinkat" => "symlink",
        "unlink" | "unlinkat" | "rmdir" => "unlink",
        "mkdir" | "mkdirat" => "mkdir",
        "chmod" | "fchmod" | "fchmodat" | "fchmodat2" => "chmod",
        "ioctl" if rest.contains("FICLONE") => "ioctl",
        "write" | "pwrite64" | "writev" | "pwritev" | "fsync" | "fdatasync" | "syncfs" | "ftruncate" | "fallocate"
        | "flock" | "copy_file_range" | "sendfile" | "utimensat" | "mknod" | "mknodat" | "chown" | "fchown"
        | "fchownat" | "truncate" | "setxattr" | "fsetxattr" | "sync_file_range" => name,
        _ => return None,
    })
}
