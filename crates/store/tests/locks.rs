//! The writer lock across processes: who it excludes, what ends it, and who is next.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::zombie_processes, reason = "the test that kills the holder kills its child")]

mod common;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use common::{Index, code, open};
use cutover_store::{Error, Held, LockWait, Store, Writer};

/// What a child process does, and to which index.
const DEED: &str = "CUTOVER_TEST_DEED";
const INDEX: &str = "CUTOVER_TEST_INDEX";

/// A program that takes the lock `now` or waits.
type Program<'a> = &'a dyn Fn(&str) -> Command;

/// A process that is killed with the test.
struct Other {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Other {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        Self { process, says }
    }

    /// This test program, doing `deed`.
    fn ours(deed: &str, index: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_process_of_its_own", "--ignored", "--nocapture"]).env(DEED, deed).env(INDEX, index);
        Self::start(&mut command)
    }

    /// Waits until it says a line that begins so; the rest of that line.
    fn hear(&mut self, beginning: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "it ended before it said {beginning:?}");
            if let Some(rest) = line.trim_end().strip_prefix(beginning) {
                return rest.trim().to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap().success());
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wait(store: &Store, wait: LockWait) -> Result<Writer, Error> {
    store.write("test", wait, &|| false)
}

/// Run by other tests as a process of its own.
#[test]
#[ignore = "run by other tests"]
fn a_process_of_its_own() {
    let (Ok(deed), Ok(index)) = (env::var(DEED), env::var(INDEX)) else { return };
    let store = open(Path::new(&index)).unwrap();
    let say = |text: &str| {
        println!("\n{text}");
        std::io::stdout().flush().unwrap();
    };
    match deed.as_str() {
        "hold" => {
            let _writer = store.write("hold it", LockWait::Now, &|| false).unwrap();
            say("held");
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        // Holds the lock while a program that it started runs on.
        "hold with a child" => {
            let _writer = store.write("hold it", LockWait::Now, &|| false).unwrap();
            let child = Command::new("sleep").arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            say(&format!("child {}", child.id()));
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        "wait" => {
            say("waiting");
            let writer = store.write("wait", LockWait::Forever, &|| {
                say("asking");
                false
            });
            fs::write(Path::new(&index).with_file_name("waited"), "").unwrap();
            drop(writer);
            say("done");
        }
        "take turns" => {
            let turns = Path::new(&index).with_file_name("turns");
            say("ready");
            loop {
                let _writer = store.write("turn", LockWait::Forever, &|| false).unwrap();
                let mut taken = fs::read_to_string(&turns).unwrap_or_default();
                if taken.lines().count() >= 200 {
                    break;
                }
                let own = std::process::id();
                taken = format!("{taken}{own}\n");
                fs::write(&turns, taken).unwrap();
            }
        }
        other => panic!("{other}"),
    }
}

#[test]
fn another_process_that_holds_the_lock_is_named_and_a_kill_frees_it() {
    let index = Index::new();
    let mut holder = Other::ours("hold", index.store.root());
    holder.hear("held");
    let Err(error) = wait(&index.store, LockWait::Now) else { panic!("two writers") };
    let detail = error.detail();
    assert_eq!(detail["holder"]["pid"], holder.process.id());
    assert_eq!(detail["holder"]["operation"], "hold it");
    assert_eq!(detail["holder"]["host"], cutover_durable::host::name());
    assert!(detail["holder"]["since"].is_u64());
    assert!(error.to_string().contains(&format!("process {}", holder.process.id())), "{error}");
    assert!(index.store.status().unwrap().locked);

    holder.kill();
    wait(&index.store, LockWait::Now).unwrap();
    assert!(!index.store.status().unwrap().locked);
    assert_eq!(index.store.status().unwrap().lock, None, "what the dead one said is not believed");
}

#[test]
fn a_wait_ends_in_time_at_a_word_or_at_once() {
    let index = Index::new();
    let held = index.write();
    let locked = |result: Result<Writer, Error>| matches!(result, Err(Error::Locked { holder: Some(_), .. }));
    assert!(locked(wait(&index.store, LockWait::Now)));
    assert!(locked(wait(&index.store, LockWait::AtMost(Duration::from_millis(40)))));
    let asked = AtomicU32::new(0);
    let cancelled = index.store.write("test", LockWait::Forever, &|| asked.fetch_add(1, Ordering::Relaxed) == 5);
    assert_eq!(code(cancelled), "CANCELLED");
    // Those who gave up are not in anybody's way.
    drop(held);
    wait(&index.store, LockWait::Now).unwrap();
    wait(&index.store, LockWait::AtMost(Duration::ZERO)).unwrap();
}

#[test]
fn flock_1_and_python_exclude_writers_and_are_excluded_by_them() {
    let index = Index::new();
    let lock = index.path(".index_rebuild.lock");
    drop(index.write());
    let python = "import fcntl,sys\nf=open(sys.argv[1])\nfcntl.flock(f,fcntl.LOCK_EX|(fcntl.LOCK_NB if sys.argv[2]=='now' else 0))\nprint('held',flush=True)\nsys.stdin.readline()";
    let flock = |how: &str| {
        let mut command = Command::new("flock");
        command.args(if how == "now" { vec!["-n", "-F", "-x"] } else { vec!["-F", "-x"] });
        command.arg(&lock).args(["sh", "-c", "echo held; read _"]);
        command
    };
    let fcntl = |how: &str| {
        let mut command = Command::new("python3");
        command.arg("-c").arg(python).arg(&lock).arg(how).stderr(Stdio::null());
        command
    };
    let programs: [(&str, Program); 2] = [("flock", &flock), ("python3", &fcntl)];
    let mut tried = 0;
    for (name, program) in programs {
        if Command::new(name).arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("not run with {name}: it is not here");
            continue;
        }
        let mut other = Other::start(&mut program("wait"));
        other.hear("held");
        // It says nothing about itself, so nobody is named.
        assert!(matches!(wait(&index.store, LockWait::Now), Err(Error::Locked { holder: None, .. })), "{name}");
        other.kill();

        let writer = index.write();
        let refused = program("now").stdin(Stdio::null()).output().unwrap();
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name} took a lock that was held");
        let mut waiting = Other::start(&mut program("wait"));
        drop(writer);
        waiting.hear("held");
        drop(waiting);
        tried += 1;
    }
    assert!(tried > 0, "neither flock(1) nor python3 is here to test with");
}

#[test]
fn a_program_that_the_holder_started_does_not_hold_the_lock() {
    let index = Index::new();
    let writer = index.write();
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    drop(writer);
    let again = wait(&index.store, LockWait::Now);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(again.unwrap());

    let mut holder = Other::ours("hold with a child", index.store.root());
    let orphan = holder.hear("child");
    holder.kill();
    let again = wait(&index.store, LockWait::Now);
    let alive = Command::new("kill").arg(&orphan).status().unwrap().success();
    again.unwrap();
    assert!(alive, "the child outlived the holder, which is what this is about");
}

#[test]
fn of_eight_processes_that_contend_for_two_hundred_turns_none_gets_three_times_anothers() {
    let index = Index::new();
    let held = index.write();
    let mut contenders: Vec<Other> = (0..8).map(|_| Other::ours("take turns", index.store.root())).collect();
    for contender in &mut contenders {
        contender.hear("ready");
    }
    drop(held);
    for contender in &mut contenders {
        assert!(contender.process.wait().unwrap().success());
    }
    let turns = fs::read_to_string(index.store.root().with_file_name("turns")).unwrap();
    let mut counts = BTreeMap::new();
    for line in turns.lines() {
        *counts.entry(line).or_insert(0) += 1;
    }
    println!("turns of each: {:?}", counts.values());
    let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
    assert!(counts.len() == 8 && *most < 3 * least, "{counts:?}");
    assert_eq!(counts.values().sum::<i32>(), 200);
}

#[test]
fn whoever_came_first_is_next_and_whoever_just_had_it_is_not() {
    let index = Index::new();
    let held = index.write();
    let mut first = Other::ours("wait", index.store.root());
    first.hear("asking");
    // Asked twice: in line since.
    first.hear("asking");
    drop(held);
    // Asks again at once, as a program does that rebuilds in a loop.
    let _again = wait(&index.store, LockWait::Forever).unwrap();
    assert!(index.store.root().with_file_name("waited").exists(), "the one that waited had its turn before");
}

#[test]
fn one_that_waits_and_is_stopped_keeps_nobody_from_a_free_lock() {
    let index = Index::new();
    let held = index.write();
    let mut stopped = Other::ours("wait", index.store.root());
    stopped.hear("asking");
    stopped.hear("asking");
    stopped.signal("-STOP");
    drop(held);
    for patience in [LockWait::Forever, LockWait::AtMost(Duration::from_millis(30)), LockWait::Now] {
        drop(wait(&index.store, patience).unwrap());
    }
    stopped.signal("-CONT");
    stopped.hear("done");
}

#[test]
fn a_lock_file_that_cannot_be_written_is_locked_all_the_same() {
    let index = Index::new();
    let path = index.path("any.lock");
    fs::create_dir_all(index.store.root()).unwrap();
    fs::write(&path, "").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let acquire = || Held::acquire(&path, "test", LockWait::AtMost(Duration::from_millis(10)), &|| false);
    let held = acquire().unwrap();
    assert_eq!(code(acquire()), "CUTOVER_LOCKED");
    drop(held);
    acquire().unwrap();
    assert!(!index.path("any.holder").exists());
}
