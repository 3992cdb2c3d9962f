//! `cutover-torture`: the fault campaign, and the processes that it tries.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

use std::{collections::BTreeSet, env, path::Path, process::ExitCode};

use cutover_torture::{
    campaign,
    check::{Must, check},
    fail, kill,
    kill::Tried,
    model::{self, Model},
    ops::{ALL, Op},
    random::Random,
    run::Runner,
    strace,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(code) = campaign::run(&arguments) {
        return code;
    }
    match arguments.as_slice() {
        ["op", op, base] => run_op(op, Path::new(base)),
        ["check", op, base, must] => run_check(op, Path::new(base), must),
        ["kill", ops @ ..] => report("kill points", &each(ops, |runner, op| kill::kill(runner, op, &mut |_| true))),
        ["fail", ops @ ..] => {
            report("injected failures", &each(ops, |runner, op| fail::fail(runner, op, &mut |_, _| true)))
        }
        ["model", "--table", ops @ ..] => table(ops),
        ["model", ops @ ..] => report("images of the model", &each(ops, modelled)),
        ["strace", ops @ ..] => report("operations compared with strace", &each(ops, compared)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: cutover-torture kill|fail|strace|model [--table] [operation...] | power|full-disk|processes|hostile|vectors [--seed N]"
    );
    ExitCode::from(2)
}

/// Prints `CODE message` and exits with 1 when the operation is refused.
fn run_op(op: &str, base: &Path) -> ExitCode {
    let Some(op) = Op::named(op) else { return usage() };
    match op.run(base) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{} {error} {}", error.code(), error.detail());
            ExitCode::FAILURE
        }
    }
}

fn run_check(op: &str, base: &Path, must: &str) -> ExitCode {
    let Some(op) = Op::named(op) else { return usage() };
    let must = if must == "be-done" { Must::BeDone } else { Must::BeOneOfBoth };
    match check(op, base, must) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

fn each(named: &[&str], mut attack: impl FnMut(&Runner, Op) -> Tried) -> Tried {
    let runner = Runner::new(&env::current_exe().unwrap_or_default());
    let mut all = Tried::default();
    for (name, op) in ALL.into_iter().filter(|(name, _)| named.is_empty() || named.contains(name)) {
        let tried = attack(&runner, op);
        println!("{name}: {} tried, {} violations", tried.faults, tried.violations.len());
        all.add(tried);
    }
    all
}

fn compared(runner: &Runner, op: Op) -> Tried {
    let Some((ours, theirs)) = strace::compare(runner, op) else {
        println!("strace is not there: not compared");
        return Tried::default();
    };
    let violations =
        if ours == theirs { vec![] } else { vec![format!("{}: shim {ours:?}, strace {theirs:?}", op.name())] };
    Tried { faults: 1, violations }
}

/// All images with every sync in place, and with one taken out at a time.
fn modelled(runner: &Runner, op: Op) -> Tried {
    let mut model = Model::record(runner, op, Random::seeded(op.name()));
    let mut tried = model.sound(&mut |_| true);
    for loss in model.without(&mut |_| true, &mut tried.faults) {
        if loss.lost.is_none() && model::why_spare(op, &loss.sync, loss.settles).is_none() {
            tried.violations.push(format!("{}: nothing is lost without syncing {:?}", op.name(), loss.sync));
        }
    }
    tried
}

/// What each sync is for, as a table; what an operation above has already is not repeated.
fn table(ops: &[&str]) -> ExitCode {
    let runner = Runner::new(&env::current_exe().unwrap_or_default());
    let mut rows = BTreeSet::new();
    println!("| operation | sync of | what is lost without it |\n| --- | --- | --- |");
    for (name, op) in ALL.into_iter().filter(|(name, _)| ops.is_empty() || ops.contains(name)) {
        let mut model = Model::record(&runner, op, Random(1));
        for loss in model.without(&mut |_| true, &mut 0) {
            let path = if loss.sync.is_empty() { ".." } else { &loss.sync };
            let spare = model::why_spare(op, &loss.sync, loss.settles).unwrap_or("nothing is known");
            let lost = loss.lost.map_or_else(|| spare.to_owned(), |lost| short(&model::tidy(&lost)));
            let path = ["four", "v1", "v2"]
                .iter()
                .fold(path.to_owned(), |path, id| path.replace(&format!("versions/{id}"), "versions/<id>"));
            // All that make versions do so in the same way.
            let publishes = matches!(op, Op::FirstPublish | Op::Publish | Op::PublishNamed | Op::Prepare);
            let after_current = if loss.settles && path != "index" { ", after `CURRENT`" } else { "" };
            if rows.insert((if publishes { "" } else { name }, path.clone(), loss.settles, lost.starts_with("nothing")))
            {
                println!("| {name}{after_current} | `{}` | {lost} |", path.strip_prefix("index/").unwrap_or(&path));
            }
        }
    }
    ExitCode::SUCCESS
}

/// What a check found, in a line.
fn short(lost: &str) -> String {
    if lost.starts_with("found Seen") {
        return "the version, its state, or what was said to be current: an earlier state comes back".to_owned();
    }
    let line = lost.replace('\n', "; ").replace('|', "/").replace("Problem { ", "").replace(" }", "");
    let line = line.replace("the current version does not open: ", "").replace("version <id> is damaged: ", "");
    line.chars().take(150).collect()
}

fn report(what: &str, tried: &Tried) -> ExitCode {
    for violation in &tried.violations {
        println!("VIOLATION {violation}");
    }
    println!("{what}: {}, violations: {}", tried.faults, tried.violations.len());
    if tried.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
