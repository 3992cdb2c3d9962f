//! Cases that may crash or hang are tried in a child: its silence is measured, and the case that ended it is named.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::campaign::Outcome;

/// Silence after which a case hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// What children did.
#[derive(Debug, Default)]
pub struct Tried {
    /// Cases that broke a promise, each told when it did.
    pub violations: u64,
    /// What children counted: the sums of their lines `count NAME NUMBER`.
    pub counts: Vec<(String, u64)>,
}

/// Runs `part --from SEED --to SEED` of this program, which says `case SEED` before each case and tells violations in lines of their own,
/// for all seeds of a range. One that ends early is followed by another from the next seed on. Its temporary files go to `at`.
pub fn supervise(part: &str, seeds: std::ops::Range<u64>, at: &Path) -> Outcome<Tried> {
    let (mut next, mut tried) = (seeds.start, Tried::default());
    while next < seeds.end {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([part, "--from", &next.to_string(), "--to", &seeds.end.to_string()]);
        let mut child = command.env("TMPDIR", at).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (tell, told) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut err = child.stderr.take().ok_or("no stderr")?;
        let errors = thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).map(|_| text)
        });
        let mut hung = false;
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(case) = line.strip_prefix("case ") {
                        next = case.parse()?;
                    } else if let Some((name, count)) =
                        line.strip_prefix("count ").and_then(|count| count.rsplit_once(' '))
                    {
                        tried.count(name, count.parse()?);
                    } else {
                        tried.violations += 1;
                        println!("VIOLATION {line}");
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    hung = true;
                    child.kill()?;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.wait()?;
        let said = errors.join().map_err(|_| "the listener panicked")??;
        if hung || !status.success() {
            tried.violations += 1;
            let how = if hung { "hung".to_owned() } else { status.to_string() };
            println!("VIOLATION seed {next}: {how}: {}", said.trim());
        }
        next += 1;
    }
    Ok(tried)
}

impl Tried {
    fn count(&mut self, name: &str, more: u64) {
        match self.counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += more,
            None => self.counts.push((name.to_owned(), more)),
        }
    }

    /// A sum, 0 for what nobody counted.
    #[must_use]
    pub fn sum(&self, name: &str) -> u64 {
        self.counts.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count)
    }
}
