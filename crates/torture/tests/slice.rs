//! The part of the campaign that runs with all tests: every kill of publish and activate, and of the rest what a printed seed chooses.

use std::path::Path;

use cutover_torture::{
    fail::fail,
    kill::{Tried, kill},
    model::{Model, why_spare},
    ops::{ALL, Op},
    random::Random,
    run::Runner,
    strace,
};

fn runner() -> Runner {
    Runner::new(Path::new(env!("CARGO_BIN_EXE_cutover-torture")))
}

fn assert_none(what: &str, tried: &Tried) {
    println!("{what}: {} tried", tried.faults);
    assert!(tried.faults > 0 && tried.violations.is_empty(), "{:#?}", tried.violations);
}

#[test]
fn a_kill_before_any_call_of_publish_or_activate_leaves_the_old_version_or_the_new() {
    let runner = runner();
    for op in [Op::Publish, Op::Activate] {
        assert_none(op.name(), &kill(&runner, op, &mut |_| true));
    }
}

#[test]
fn a_kill_before_some_calls_of_the_others_leaves_the_state_before_or_after() {
    let runner = runner();
    let mut random = Random::seeded("kills");
    let mut tried = Tried::default();
    for (_, op) in ALL {
        tried.add(kill(&runner, op, &mut |_| random.below(8) == 0));
    }
    assert_none("kills", &tried);
}

#[test]
fn a_call_that_fails_is_a_typed_error_or_no_matter_and_never_half_a_state() {
    let runner = runner();
    let mut random = Random::seeded("failures");
    let mut tried = Tried::default();
    for (_, op) in ALL {
        tried.add(fail(&runner, op, &mut |_, _| random.below(24) == 0));
    }
    assert_none("failures", &tried);
}

#[test]
fn no_call_escapes_the_shim() {
    let runner = runner();
    for (name, op) in ALL {
        match strace::compare(&runner, op) {
            Some((ours, theirs)) => assert_eq!(ours, theirs, "{name}"),
            None => return println!("not compared: there is no strace"),
        }
    }
}

#[test]
fn a_power_cut_leaves_old_or_new_on_the_worst_file_system_and_every_sync_is_needed() {
    let runner = runner();
    let mut random = Random::seeded("model");
    let (mut tried, mut red) = (Tried::default(), 0);
    for (name, op) in ALL {
        let mut model = Model::record(&runner, op, random.clone());
        let every = op == Op::Publish;
        tried.add(model.sound(&mut |_| every || random.below(16) == 0));
        for loss in model.without(&mut |_| every || random.below(8) == 0, &mut tried.faults) {
            let explained = loss.lost.is_some() || why_spare(op, &loss.sync, loss.settles).is_some();
            assert!(explained, "{name}: nothing is lost without syncing {:?}", loss.sync);
            red += usize::from(loss.lost.is_some());
        }
    }
    assert!(red >= 15, "{red}");
    assert_none("model", &tried);
}
