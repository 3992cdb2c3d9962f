//! Running an operation as a process of its own, with the shim preloaded.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::ops::Op;

/// What the shim does in a run.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Counts and logs.
    Count,
    /// Kills before the call of this number.
    Kill(usize),
    /// Lets the call of this number fail with an errno; with 0 a write is short.
    Fail(usize, i32),
    /// Records every call with its data.
    Trace,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub output: String,
    /// What the shim logged.
    pub log: Vec<u8>,
}

/// Where operations are run from.
#[derive(Debug)]
pub struct Runner {
    program: PathBuf,
    shim: PathBuf,
    directory: TempDir,
}

impl Runner {
    /// Compiles the shim. `program` is the `cutover-torture` binary.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        // In memory where there is such a place: what is tried is the order of calls, not the device.
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let shim = directory.path().join("shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/shim.cc");
        let mut command = Command::new("c++");
        command.args(["-std=c++17", "-O1", "-shared", "-fPIC", "-o"]).arg(&shim).arg(source).arg("-ldl");
        assert!(command.status().unwrap().success(), "the shim does not compile");
        Self { program: program.to_owned(), shim, directory }
    }

    /// A fresh directory to work in.
    #[must_use]
    pub fn base(&self) -> TempDir {
        TempDir::new_in(self.directory.path()).unwrap()
    }

    /// Where those are made.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A process of ours.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    /// Runs an operation below `base` under a fault.
    #[must_use]
    pub fn op(&self, op: Op, base: &Path, fault: Fault) -> Ended {
        let log = self.directory.path().join(format!("log-{}", base.file_name().unwrap_or_default().display()));
        let mut command = self.command(&["op", op.name()]);
        command.arg(base).env("LD_PRELOAD", &self.shim).env("CUTOVER_FAULT_ROOT", base).env("CUTOVER_FAULT_LOG", &log);
        let mode = match fault {
            Fault::Count => "count",
            Fault::Kill(_) => "kill",
            Fault::Fail(..) => "fail",
            Fault::Trace => "trace",
        };
        command.env("CUTOVER_FAULT_MODE", mode);
        if let Fault::Kill(at) | Fault::Fail(at, _) = fault {
            command.env("CUTOVER_FAULT_AT", at.to_string());
        }
        if let Fault::Fail(_, error) = fault {
            command.env("CUTOVER_FAULT_ERROR", error.to_string());
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        let logged = fs::read(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        Ended { signal: status.signal(), code: status.code(), output, log: logged }
    }

    /// The calls of an operation that is let be, each with its name and paths, in order.
    #[must_use]
    pub fn calls(&self, op: Op) -> Vec<String> {
        let base = self.base();
        op.prepare(base.path()).unwrap();
        let ended = self.op(op, base.path(), Fault::Count);
        assert_eq!(ended.code, Some(0), "{} fails by itself: {}", op.name(), ended.output);
        String::from_utf8_lossy(&ended.log).lines().map(str::to_owned).collect()
    }

    /// Judges what an operation left below `base`, as a process that knows nothing of it. The error says what is wrong.
    ///
    /// # Errors
    /// What the check printed.
    pub fn check(&self, op: Op, base: &Path, must: &str) -> Result<(), String> {
        let output = self.command(&["check", op.name()]).arg(base).arg(must).output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}
