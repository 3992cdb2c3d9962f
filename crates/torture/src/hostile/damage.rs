//! What happens to a hostile directory: accidents to files, and records written by somebody who means harm.

use std::{
    fmt::Write,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use cutover_durable::Digest;
use serde_json::{Value, json};

use crate::{campaign::Outcome, random::Random};

/// What was done.
#[derive(Debug, Default)]
pub struct Damage {
    /// In words.
    pub done: Vec<String>,
    /// Whether manifests and digests were made to fit, as only malice does.
    pub signed: bool,
}

impl Damage {
    /// Does one to three things to the index.
    pub fn inflict(index: &Path, canary: &Path, random: &mut Random) -> Outcome<Self> {
        let mut damage = Self { signed: random.once_in(2), ..Self::default() };
        for _ in 0..=random.below(3) {
            let mut files = Vec::new();
            list(index, &mut files)?;
            if files.is_empty() {
                break;
            }
            let target = files[random.below(files.len())].clone();
            let name = target.strip_prefix(index)?.display().to_string();
            let what = if target.symlink_metadata()?.is_dir() {
                replace(&target, canary, random)?
            } else {
                let is_record = target.symlink_metadata()?.is_file()
                    && ["CURRENT", "json", "jsonl", "used-ids", "SHA256SUMS", "holder"]
                        .iter()
                        .any(|end| name.ends_with(end));
                match random.below(4) {
                    0 => replace(&target, canary, random)?,
                    _ if is_record && random.below(4) > 0 => forge(&target, random)?,
                    _ => spoil(&target, &files, random)?,
                }
            };
            damage.done.push(format!("{name}: {what}"));
        }
        if damage.signed {
            sign(index)?;
        }
        Ok(damage)
    }
}

fn list(directory: &Path, found: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        found.push(entry.path());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), found)?;
        }
    }
    found.sort();
    Ok(())
}

/// Something else in its place.
fn replace(target: &Path, canary: &Path, random: &mut Random) -> Outcome<String> {
    let gone = if target.symlink_metadata()?.is_dir() { fs::remove_dir_all(target) } else { fs::remove_file(target) };
    gone?;
    let mknod =
        |kind: &[&str]| Command::new("mknod").arg(target).args(kind).stderr(std::process::Stdio::null()).status();
    Ok(match random.below(8) {
        0 => "removed",
        1 => symlink(canary.join("file"), target).map(|()| "a link to a file outside")?,
        2 => symlink(canary.join("directory"), target).map(|()| "a link to a directory outside")?,
        3 => symlink(target, target).map(|()| "a link to itself")?,
        4 => mknod(&["p"]).map(|_| "a FIFO")?,
        5 => mknod(&["c", "1", "5"]).map(|_| "/dev/zero")?,
        6 => fs::create_dir(target).map(|()| "a directory")?,
        _ => fs::write(target, "").map(|()| "an empty file")?,
    }
    .to_owned())
}

/// Other bytes.
fn spoil(target: &Path, files: &[PathBuf], random: &mut Random) -> Outcome<String> {
    if !target.symlink_metadata()?.is_file() {
        return Ok("left alone".to_owned());
    }
    let mut bytes = fs::read(target)?;
    let length = bytes.len();
    let what = match random.below(7) {
        0 => {
            bytes.truncate(random.below(length + 1));
            "truncated".to_owned()
        }
        1 => {
            bytes.extend((0..=random.below(9000)).map(|n| n as u8));
            "extended".to_owned()
        }
        2 => {
            bytes.fill(0);
            "zeroed".to_owned()
        }
        3 => {
            let other = &files[random.below(files.len())];
            if other.symlink_metadata()?.is_file() {
                bytes = fs::read(other)?;
            }
            format!("the bytes of {}", other.display())
        }
        4 if length > 8 => {
            let at = random.below(length - 7);
            bytes[at..at + 8]
                .copy_from_slice(&[u64::MAX, u64::MAX >> 1, 1 << 32, 0, u64::MAX - 7][random.below(5)].to_le_bytes());
            format!("a limit at {at}")
        }
        5 if length > 0 => {
            let (from, count) = (random.below(length), random.below(600));
            bytes.iter_mut().skip(from).take(count).for_each(|byte| *byte = random.number() as u8);
            format!("noise at {from}")
        }
        _ => {
            for _ in 0..(1 + random.below(8)).min(length) {
                let at = random.below(length);
                bytes[at] ^= 1 << random.below(8);
            }
            "bits flipped".to_owned()
        }
    };
    put(target, &bytes)?;
    Ok(what)
}

/// A record that says something it must not.
fn forge(target: &Path, random: &mut Random) -> Outcome<String> {
    let text = fs::read_to_string(target).unwrap_or_default();
    let deep = || format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let names = [
        "../outside/file",
        "/etc/passwd",
        "con",
        "nul.txt",
        "..",
        ".",
        "",
        "a/../../../outside/file",
        "one",
        "two",
        "one.staging",
        "a\u{0}b",
        "current",
        "../../outside/directory",
        "x",
        "aux",
        "ONE",
        "one/..",
        "\u{202e}",
        "segments/../manifest.json",
    ];
    let name = names[random.below(names.len())];
    if let (Ok(mut value), true) = (serde_json::from_str::<Value>(&text), random.below(8) > 0) {
        let what = mutate(&mut value, name, random);
        put(target, value.to_string().as_bytes())?;
        return Ok(what);
    }
    let (what, text) = match random.below(6) {
        0 => ("deep", deep()),
        1 => ("long", "x".repeat(3_000_000)),
        2 => ("deep in a field", format!("{{\"format\":{}}}", deep())),
        3 => ("lines", format!("{name}\n").repeat(1000)),
        4 => ("a name and no end", name.to_owned()),
        _ => ("a name", format!("{name}\n")),
    };
    put(target, text.as_bytes())?;
    Ok(format!("{what} {name:?}"))
}

/// Changes one value somewhere inside.
fn mutate(value: &mut Value, name: &str, random: &mut Random) -> String {
    match value {
        Value::Object(map) if !map.is_empty() && random.below(12) > 0 => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = &keys[random.below(keys.len())];
            format!("{key}.{}", map.get_mut(key).map_or_else(String::new, |value| mutate(value, name, random)))
        }
        Value::Array(items) if !items.is_empty() && random.below(6) > 0 => {
            let at = random.below(items.len());
            format!("{at}.{}", mutate(&mut items[at], name, random))
        }
        _ => {
            *value = match random.below(12) {
                0 => json!(u64::MAX),
                1 => json!(-1),
                2 => json!(1e308),
                3 => json!(9_007_199_254_740_993_u64),
                4 => json!(i64::MIN),
                5 => json!(null),
                6 => json!([]),
                7 => json!({}),
                8 => json!(0),
                9 => json!("y".repeat(100_000)),
                10 => json!(1u64 << 32),
                _ => json!(name),
            };
            value.to_string().chars().take(40).collect()
        }
    }
}

/// Makes sizes and digests fit what is there.
fn sign(index: &Path) -> Outcome<()> {
    let Ok(versions) = fs::read_dir(index.join("versions")) else { return Ok(()) };
    for version in versions {
        let directory = version?.path();
        if !directory.symlink_metadata()?.is_dir() {
            continue;
        }
        let manifest = directory.join("manifest.json");
        let is_file = |path: &Path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        let Some(mut value) = is_file(&manifest)
            .then(|| fs::read(&manifest))
            .transpose()?
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        else {
            continue;
        };
        let mut sums = String::new();
        for file in value.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(name) = file["name"].as_str().map(str::to_owned) else { continue };
            let path = directory.join(&name);
            if is_file(&path) {
                let bytes = fs::read(&path)?;
                file["bytes"] = json!(bytes.len());
                writeln!(sums, "{}  {name}", Digest::of(&bytes))?;
            } else {
                writeln!(sums, "{}  {name}", Digest::of(b""))?;
            }
        }
        let bytes = value.to_string();
        put(&manifest, bytes.as_bytes())?;
        writeln!(sums, "{}  manifest.json", Digest::of(bytes.as_bytes()))?;
        if is_file(&directory.join("SHA256SUMS")) {
            put(&directory.join("SHA256SUMS"), sums.as_bytes())?;
        }
    }
    Ok(())
}

/// In place, so that every version that links the file has the damage.
fn put(target: &Path, bytes: &[u8]) -> Outcome<()> {
    if target.symlink_metadata()?.is_file() {
        fs::set_permissions(target, fs::Permissions::from_mode(0o644))?;
        fs::write(target, bytes)?;
    }
    Ok(())
}
