//! Many processes: four readers, two writers and a pruner on one index, and SIGKILL for any of them at any time.
//!
//! Documents carry the name of their version, so that every answer can be compared with the version that it names.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cutover_index::{Cancel, Query, Wait};
use cutover_store::{Depth, Integrity, Keep};
use serde_json::{Value, json};

use crate::{
    campaign::{Outcome, number, seed},
    corpus::{self, DOCUMENTS},
    random::Random,
    workload,
};

const READERS: usize = 4;
const WRITERS: usize = 2;
/// How long the first publish is waited for.
const MOST: Duration = Duration::from_mins(5);
/// How long a reader leaves the processors to the others after each round.
const PAUSE: Duration = Duration::from_millis(1);

/// What the processes said they did.
#[derive(Debug, Default)]
struct Counted {
    answers: AtomicU64,
    publishes: AtomicU64,
    prunes: AtomicU64,
    wrong: AtomicU64,
}

/// `processes [--seconds N] [--seed N]`.
pub fn run(arguments: &[&str]) -> Outcome<()> {
    let seconds = number(arguments, "--seconds", 120)?;
    let mut random = Random(seed(arguments, "processes")?);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("index");
    corpus::publish(&corpus::open(&path, Integrity::Sizes)?, Some("first"), DOCUMENTS)?;
    let counted = Arc::new(Counted::default());
    let mut crowd = Vec::new();
    for role in 0..=READERS + WRITERS {
        crowd.push(start(&path, role, 0, &counted)?);
    }
    let (mut kills, started) = (0, Instant::now());
    // Builders run at idle priority: on a busy machine the first publish can take long, and without one nothing was tried.
    let unpublished = || counted.publishes.load(Ordering::Relaxed) == 0 && started.elapsed() < MOST;
    while started.elapsed() < Duration::from_secs(seconds) || unpublished() {
        thread::sleep(Duration::from_millis(20 + random.below(180) as u64));
        let role = random.below(crowd.len());
        if let Some(status) = crowd[role].try_wait()? {
            counted.wrong.fetch_add(1, Ordering::Relaxed);
            println!("VIOLATION {} ended by itself: {status}", name_of(role));
        }
        stop(&mut crowd[role])?;
        kills += 1;
        crowd[role] = start(&path, role, kills, &counted)?;
    }
    crowd.iter_mut().try_for_each(stop)?;
    let store = workload::open(&path)?;
    let report = {
        // The next writer removes what the killed ones left.
        drop(workload::writer(&store)?);
        store.verify(None, Depth::Digests, &|_, _| {}, &|| false)?
    };
    for problem in &report.problems {
        println!("VIOLATION {problem:?}");
    }
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let violations = get(&counted.wrong) + report.problems.len() as u64;
    let summary = format!(
        "processes: {seconds} s, {kills} kills, {} answers, {} publishes and rollbacks, {} prunes, violations: {violations}",
        get(&counted.answers),
        get(&counted.publishes),
        get(&counted.prunes)
    );
    if violations > 0 || get(&counted.answers) == 0 || get(&counted.publishes) == 0 {
        return Err(summary.into());
    }
    println!("{summary}");
    Ok(())
}

fn name_of(role: usize) -> &'static str {
    match role {
        0..READERS => "reader",
        _ if role < READERS + WRITERS => "writer",
        _ => "pruner",
    }
}

fn start(path: &Path, role: usize, number: u64, counted: &Arc<Counted>) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name_of(role)).arg(path).stdout(Stdio::piped());
    if name_of(role) == "writer" {
        command.arg(format!("w{role}-{number}"));
    }
    let mut child = command.spawn()?;
    let (out, counted) = (child.stdout.take().ok_or("no stdout")?, Arc::clone(counted));
    thread::spawn(move || listen(out, &counted));
    Ok(child)
}

/// Counts what a process says that it did; the rest is a violation.
fn listen(out: ChildStdout, counted: &Counted) {
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        let count = match line.as_str() {
            "answer" => &counted.answers,
            "published" => &counted.publishes,
            "pruned" => &counted.prunes,
            wrong => {
                println!("VIOLATION {wrong}");
                &counted.wrong
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn stop(child: &mut Child) -> Outcome<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn say(what: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}")?;
    Ok(out.flush()?)
}

/// A reader: asks for ever, and compares every answer with the version that it names.
pub fn read(path: &Path) -> Outcome<()> {
    let index = corpus::open(path, Integrity::Sizes)?;
    for round in 0_usize.. {
        let snapshot = index.snapshot(None)?;
        let id = snapshot.id().to_string();
        let word = round % 7;
        let query = Query::from_json(&json!({"text": {"query": format!("word{word}")}, "limit": 50}).to_string())?;
        let text: Value = serde_json::from_str(&snapshot.search(&query, None, &Cancel::default())?.json)?;
        let near = round % DOCUMENTS;
        let query = Query::from_json(&json!({"vector": {}, "limit": 1}).to_string())?;
        let vector = [near as f32, 0.5, (near % 5) as f32, 1.0];
        let vector: Value = serde_json::from_str(&snapshot.search(&query, Some(&vector), &Cancel::default())?.json)?;
        let document = snapshot.get_many(&[format!("d{near}")], None)?.json;
        let document: Value = serde_json::from_str(&document)?;
        let expected = (0..DOCUMENTS).filter(|n| n % 7 == word).count();
        let hits = text["hits"].as_array().map_or(0, Vec::len);
        if hits != expected || vector["hits"][0]["id"] != format!("d{near}") || document[0]["version"] != id {
            say(&format!("version {id}: {hits} of {expected} hits, nearest {}, {document}", vector["hits"][0]["id"]))?;
        } else {
            say("answer")?;
        }
        if round % 16 == 0 {
            index.refresh(true)?;
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A writer: publishes versions under names of its own, and sometimes goes back.
pub fn write(path: &Path, name: &str) -> Outcome<()> {
    let index = corpus::open(path, Integrity::Sizes)?;
    for number in 0_usize.. {
        if number % 4 == 3 {
            match index.rollback(None, &Wait::new(Some(60_000.0), None), &Cancel::default()) {
                Err(error) if error.code() != "CUTOVER_NOT_FOUND" => return Err(error.into()),
                _ => say("published")?,
            }
        } else {
            corpus::publish(&index, Some(&format!("{name}-{number}")), DOCUMENTS)?;
            say("published")?;
        }
    }
    Ok(())
}

/// A pruner: leaves two versions, again and again.
pub fn prune(path: &Path) -> Outcome<()> {
    let store = workload::open(path)?;
    loop {
        workload::writer(&store)?.prune(&Keep { versions: 2, ..Keep::default() }, false)?;
        say("pruned")?;
        thread::sleep(Duration::from_millis(30));
    }
}
