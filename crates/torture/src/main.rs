//! `cutover-torture`: the fault campaign, and the processes that it tries.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

use std::{env, path::Path, process::ExitCode};

use cutover_torture::{
    campaign,
    check::{Must, check},
    fail, kill,
    kill::Tried,
    ops::{ALL, Op},
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
        ["strace", ops @ ..] => report("operations compared with strace", &each(ops, compared)),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cutover-torture kill|fail|strace [operation...] | power|full-disk|processes|hostile [--seed N]");
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

fn report(what: &str, tried: &Tried) -> ExitCode {
    for violation in &tried.violations {
        println!("VIOLATION {violation}");
    }
    println!("{what}: {}, violations: {}", tried.faults, tried.violations.len());
    if tried.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
