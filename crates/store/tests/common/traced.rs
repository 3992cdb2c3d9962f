//! Runs a part of a test in a process of its own, into which a library is preloaded that reports its calls (trace/trace.cc).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The variable that tells the child which index to use.
pub const INDEX: &str = "CUTOVER_TEST_INDEX";

pub struct Traced {
    _directory: tempfile::TempDir,
    library: PathBuf,
    log: PathBuf,
    /// Where the child makes its index.
    pub root: PathBuf,
}

impl Traced {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // As the kernel names it.
        let base = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(base.join("parent")).unwrap();
        let library = base.join("trace.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace/trace.cc");
        let compiled =
            Command::new("c++").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").status();
        assert!(compiled.unwrap().success());
        Self { library, log: base.join("log"), root: base.join("parent/index"), _directory: directory }
    }

    /// Runs the ignored test of this name, with one of its syncs failing.
    pub fn run(&self, test: &str, failing_sync: Option<usize>) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(INDEX, &self.root)
            .env("CUTOVER_TRACE", &self.log)
            .env("LD_PRELOAD", &self.library);
        if let Some(number) = failing_sync {
            command.env("CUTOVER_FAIL_SYNC", number.to_string());
        }
        command.output().unwrap()
    }

    /// Removes the index and forgets the calls.
    pub fn reset(&self) {
        fs::remove_dir_all(&self.root).unwrap();
        fs::remove_file(&self.log).unwrap();
    }

    /// The calls so far, with paths relative to the index and the random ends of temporary names cut.
    pub fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines().map(|line| line.split(' ').map(|word| self.tidy(word)).collect::<Vec<_>>().join(" ")).collect()
    }

    fn tidy(&self, word: &str) -> String {
        let (below, parent) = (format!("{}/", self.root.display()), self.root.parent().unwrap());
        let word = match word.strip_prefix(&below) {
            Some(below) => below,
            None if Path::new(word) == self.root => ".",
            None if Path::new(word) == parent => "..",
            None => word,
        };
        word.split_once(".tmp-").map_or_else(|| word.to_owned(), |(name, _)| format!("{name}.tmp"))
    }
}
