//! Power cuts: a workload runs on a real file system on a recorded disk, and the images that a cut at any moment can leave are
//! mounted and looked at, one after another.
//!
//! After a step has resolved, an image shows what it resolved to; during a step, what was before or what comes after. A disk that
//! lies about its flushes (`--lying`) must be caught: that is how the check is checked.

pub mod device;
mod image;
mod record;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use nix::unistd::Uid;

use crate::{
    campaign::{Outcome, number, option, seed},
    observe::Observed,
    random::Random,
    workload::Picture,
};
use device::{Device, Disk};
use image::Cuts;
use record::Step;

/// A file system under test, and its smallest useful image.
struct Kind {
    name: &'static str,
    mebibytes: u64,
    make: &'static [&'static str],
    mount: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "ext4",
        mebibytes: 32,
        make: &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
        // Without the heuristics that forgive a missing sync before a rename.
        mount: "loop,noauto_da_alloc",
    },
    Kind { name: "xfs", mebibytes: 300, make: &["-q", "-f"], mount: "loop" },
    Kind { name: "btrfs", mebibytes: 128, make: &["-q", "-f"], mount: "loop" },
];

/// `power [--fs ext4,xfs,btrfs] [--images N] [--seed N] [--lying]`: N images of each file system.
pub fn run(arguments: &[&str]) -> Outcome<()> {
    if let Some(missing) = missing() {
        println!("power cut: not run: {missing}");
        return Ok(());
    }
    if !inside() {
        return isolated(arguments);
    }
    let images = number(arguments, "--images", 1500)? as usize;
    let seed = seed(arguments, "power cut")?;
    let lying = arguments.contains(&"--lying");
    let wanted = option(arguments, "--fs");
    let (mut violations, mut figures) = (0, Vec::new());
    for kind in &KINDS {
        if wanted.is_some_and(|wanted| !wanted.split(',').any(|name| name == kind.name)) {
            continue;
        }
        if let Some(missing) = unsupported(kind.name)? {
            println!("power cut on {}: not run: {missing}", kind.name);
            continue;
        }
        let (tried, wrong) = campaign(kind, images, seed, lying)?;
        figures.push(format!("{} {tried}", kind.name));
        violations += wrong;
    }
    println!("power-cut images: {}, violations: {violations}", figures.join(", "));
    match (violations, lying) {
        (0, true) => Err("a disk that ignores flushes was not noticed: the check is worth nothing".into()),
        (0, false) => Ok(()),
        (_, true) => {
            println!("the disk that ignores flushes was caught");
            Ok(())
        }
        (violations, false) => {
            Err(format!("power-cut images: {}, violations: {violations}", figures.join(", ")).into())
        }
    }
}

/// Set in a process that has mounts of its own.
const INSIDE: &str = "CUTOVER_TORTURE_MOUNTS";

/// Whether this process has mounts of its own.
pub(crate) fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this again in a mount namespace of its own, so that nothing stays mounted however it ends.
pub(crate) fn isolated(arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe()?).args(arguments);
    let status = command.env(INSIDE, "1").status()?;
    if status.success() { Ok(()) } else { Err(format!("{}: violations: see above ({status})", arguments[0]).into()) }
}

/// What this machine lacks for any of it.
fn missing() -> Option<String> {
    if !Uid::effective().is_root() {
        return Some("this is not root".to_owned());
    }
    ["/dev/fuse", "/dev/loop-control"].iter().find(|path| !Path::new(path).exists()).map(|path| format!("no {path}"))
}

fn unsupported(name: &str) -> Outcome<Option<String>> {
    let kernel = std::fs::read_to_string("/proc/filesystems")?;
    if !kernel.lines().any(|line| line.split_whitespace().last() == Some(name)) {
        return Ok(Some(format!("the kernel has no {name}")));
    }
    let found = Command::new(format!("mkfs.{name}")).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    Ok(found.is_err().then(|| format!("no mkfs.{name}")))
}

/// Mount points of one campaign, below a temporary directory.
struct Places {
    _directory: tempfile::TempDir,
    image: PathBuf,
    disk: PathBuf,
    mounted: PathBuf,
}

impl Places {
    fn new() -> Outcome<Self> {
        let shared = Path::new("/dev/shm");
        let directory = if shared.exists() { tempfile::tempdir_in(shared)? } else { tempfile::tempdir()? };
        let place = |name: &str| directory.path().join(name);
        let places =
            Self { image: place("image"), disk: place("disk"), mounted: place("mounted"), _directory: directory };
        std::fs::create_dir(&places.disk)?;
        std::fs::create_dir(&places.mounted)?;
        Ok(places)
    }
}

/// Records workloads and looks at images until there are enough of them; how many, and how many were not as they must be.
fn campaign(kind: &Kind, images: usize, seed: u64, lying: bool) -> Outcome<(usize, usize)> {
    let started = Instant::now();
    let (mut tried, mut rounds, mut violations) = (0, 0, 0);
    while tried < images {
        let round_seed = seed.wrapping_add(rounds);
        let places = Places::new()?;
        let mut recording = record::record(kind, &places, round_seed)?;
        if lying {
            recording.ignore_flushes();
        }
        let disk = Disk { bytes: recording.bytes, ..Disk::default() };
        let device = Device::serve(disk, &places.disk)?;
        let most = (images - tried).min(600);
        let mut cuts = Cuts::new(recording.start, recording.log, Random(round_seed), most);
        while let Some((position, what, blocks)) = cuts.next_image() {
            device.disk().blocks = blocks;
            tried += 1;
            let wrong = match look(kind, &device, &places) {
                Ok(observed) => judge(&observed, &recording.steps, position),
                Err(error) => vec![error.to_string()],
            };
            if !wrong.is_empty() {
                violations += 1;
                if !lying {
                    println!("power cut on {}: seed {round_seed}, cut at {position} ({what}): {wrong:#?}", kind.name);
                }
            }
        }
        rounds += 1;
    }
    let seconds = started.elapsed().as_secs();
    println!("power cut on {}: {tried} images of {rounds} workloads, {violations} violations, {seconds} s", kind.name);
    Ok((tried, violations))
}

/// Mounts the image, which recovers it, and lets a fresh process look.
fn look(kind: &Kind, device: &Device, places: &Places) -> Outcome<Observed> {
    mount(kind, device.path(), &places.mounted)?;
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg("observe").arg(places.mounted.join("index")).output();
    unmount(&places.mounted)?;
    let output = output?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn mount(kind: &Kind, disk: &Path, at: &Path) -> Outcome<()> {
    tool(Command::new("mount").args(["-t", kind.name, "-o", kind.mount]).arg(disk).arg(at))
}

fn unmount(at: &Path) -> Outcome<()> {
    tool(Command::new("umount").arg(at))
}

pub(crate) fn tool(command: &mut Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// What an image must not show when the disk had seen `position` events.
fn judge(observed: &Observed, steps: &[Step], position: usize) -> Vec<String> {
    let mut wrong = observed.wrong.clone();
    let resolved = steps.iter().rev().find(|step| step.position <= position);
    let nothing = Picture::default();
    let before = resolved.map_or(&nothing, |step| &step.picture);
    // A step in flight may have happened.
    let after = steps.iter().find(|step| step.position > position).map_or(before, |step| &step.picture);
    let seen = &observed.picture;
    let mut expect = |what: &str, found: &dyn std::fmt::Debug, either: bool| {
        if !either {
            wrong.push(format!("{what} {found:?}, but it was {before:?} and was to be {after:?}"));
        }
    };
    expect("current", &seen.current, seen.current == before.current || seen.current == after.current);
    expect("tags", &seen.tags, seen.tags == before.tags || seen.tags == after.tags);
    for id in before.versions.keys().filter(|id| after.versions.contains_key(*id)) {
        expect("lost version", id, seen.versions.contains_key(id));
    }
    for (id, version) in &seen.versions {
        let one = before.versions.get(id) == Some(version) || after.versions.get(id) == Some(version);
        expect("version", &(id, version), one);
    }
    wrong
}
