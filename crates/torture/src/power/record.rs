//! One run of the workload on a recorded disk.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::{
    Kind, Places,
    device::{Blocks, Device, Disk, Event},
    mount, tool, unmount,
};
use crate::{
    campaign::Outcome,
    workload::{Picture, Said},
};

/// A step that had resolved when the disk had seen `position` events.
#[derive(Debug)]
pub struct Step {
    /// Events that the disk had seen.
    pub position: usize,
    /// What must be seen from then on, until the next step begins.
    pub picture: Picture,
}

/// What happened.
pub struct Recording {
    /// The disk's length.
    pub bytes: u64,
    /// What was on it at first.
    pub start: Blocks,
    /// What was asked of it.
    pub log: Vec<Event>,
    /// What had resolved when.
    pub steps: Vec<Step>,
}

impl Recording {
    /// As a disk would have it that says a flush is done and does nothing.
    pub fn ignore_flushes(&mut self) {
        for step in &mut self.steps {
            step.position = self.log[..step.position].iter().filter(|event| matches!(event, Event::Write(..))).count();
        }
        self.log.retain(|event| matches!(event, Event::Write(..)));
    }
}

/// Makes a file system and runs the seed's workload on it.
pub fn record(kind: &Kind, places: &Places, seed: u64) -> Outcome<Recording> {
    let file = std::fs::File::create(&places.image)?;
    file.set_len(kind.mebibytes << 20)?;
    tool(Command::new(format!("mkfs.{}", kind.name)).args(kind.make).arg(&places.image))?;
    let (start, bytes) = (Blocks::load(&places.image)?, file.metadata()?.len());
    std::fs::remove_file(&places.image)?;
    let device = Device::serve(Disk { bytes, blocks: start.clone(), log: Some(Vec::new()) }, &places.disk)?;
    mount(kind, device.path(), &places.mounted)?;
    let steps = work(&device, places, seed);
    // What the file system does by itself afterwards can be cut off too.
    unmount(&places.mounted)?;
    let log = device.disk().log.take().unwrap_or_default();
    Ok(Recording { bytes, start, log, steps: steps? })
}

fn work(device: &Device, places: &Places, seed: u64) -> Outcome<Vec<Step>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("workload").arg(places.mounted.join("index")).args(["--seed", &seed.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut answer = child.stdin.take().ok_or("no stdin")?;
    let mut steps = Vec::new();
    for line in BufReader::new(child.stdout.take().ok_or("no stdout")?).lines() {
        // The workload waits for the answer: all that it did before is in the log, and nothing that it does next.
        match serde_json::from_str(&line?)? {
            Said::Begin(_) => {}
            Said::Done(picture) => steps.push(Step { position: device.position(), picture }),
        }
        answer.write_all(b"\n")?;
    }
    let status = child.wait()?;
    if status.success() { Ok(steps) } else { Err(format!("the workload with seed {seed} failed: {status}").into()) }
}
