//! Runs a test in a process of its own: with mounts that nobody else sees, or with system calls that answer as another file system's
//! would (disguise.cc).

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Tells this program, started again, that it is the process in which the test is to happen.
pub const INSIDE: &str = "CUTOVER_TEST_INSIDE";
/// Tells it the directory to work in.
pub const DIRECTORY: &str = "CUTOVER_TEST_DIRECTORY";

/// Whether this is the process in which the test called `name` is to happen.
pub fn is_inside(name: &str) -> bool {
    env::var_os(INSIDE).is_some_and(|inside| inside == name)
}

/// The directory that the process was told to work in.
pub fn directory() -> PathBuf {
    PathBuf::from(env::var_os(DIRECTORY).unwrap())
}

/// Runs the test called `name` in a process of its own, which `around` starts.
fn inside(name: &str, around: &mut Command, body: impl FnOnce()) {
    if is_inside(name) {
        return body();
    }
    let program = around.arg(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).env(INSIDE, name);
    let output = program.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said.lines().filter(|line| line.starts_with("not run")).for_each(|line| eprintln!("{line}"));
}

/// Runs a test that mounts things, in a mount namespace of its own; not where that is not possible.
pub fn with_mounts(name: &str, body: impl FnOnce()) {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        command
    };
    if !is_inside(name) {
        match unshare().arg("true").output() {
            Ok(output) if output.status.success() => {}
            refused => return eprintln!("not run: {name}: nothing can be mounted here ({refused:?})"),
        }
    }
    inside(name, &mut unshare(), body);
}

/// Runs a test on a directory in a process whose system calls answer as the variable of disguise.cc says.
pub fn disguised(name: &str, variable: &str, value: &str, directory: &Path, body: impl FnOnce(&Path)) {
    if is_inside(name) {
        return body(&self::directory());
    }
    let built = tempfile::tempdir().unwrap();
    let library = built.path().join("disguise.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/disguise.cc");
    let compiler =
        Command::new("c++").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    assert!(compiler.unwrap().success());
    let mut command = Command::new("env");
    command.arg(format!("LD_PRELOAD={}", library.display())).arg(format!("{variable}={value}"));
    inside(name, command.env(DIRECTORY, directory), || {});
}
