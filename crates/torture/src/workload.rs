//! A process that changes an index step by step, and says before and after each step what the index must look like.
//!
//! Every file's bytes follow from its name, and every name from the version that first had it, so that whoever reads a version can
//! tell whether they are the right ones without believing any record.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    path::Path,
};

use cutover_store::{Contents, Draft, DraftOptions, Keep, LockWait, State, Store, StoreOptions, VersionId, Writer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    campaign::{Outcome, number},
    random::{Random, number_of},
};

/// What an index looks like to whoever opens it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The current version.
    pub current: Option<String>,
    /// The versions: state and attributes.
    pub versions: BTreeMap<String, Seen>,
    /// Which version each tag names.
    pub tags: BTreeMap<String, String>,
}

/// What can change about a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How far it has come.
    pub state: String,
    /// What is attached to it.
    pub attributes: Value,
}

/// What the workload says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Said {
    /// A step begins.
    Begin(String),
    /// The step has resolved, and this is what must last.
    Done(Picture),
}

/// Opens an index as the campaigns do.
pub fn open(path: &Path) -> Outcome<Store> {
    Ok(Store::open(path, StoreOptions { create: true, ..StoreOptions::default() })?)
}

/// The write lock, for one step.
pub fn writer(store: &Store) -> Outcome<Writer> {
    Ok(store.write("torture", LockWait::Forever, &|| false)?)
}

/// What the index looks like now.
pub fn picture(store: &Store) -> Outcome<Picture> {
    let mut picture = Picture { current: store.current()?.map(|id| id.to_string()), ..Picture::default() };
    for info in store.versions()? {
        for tag in info.tags {
            picture.tags.insert(tag, info.id.to_string());
        }
        let state = match info.state {
            State::Prepared => "prepared",
            State::Published => "published",
            State::Withdrawn => "withdrawn",
        };
        let seen = Seen { state: state.to_owned(), attributes: Value::Object(info.attributes) };
        picture.versions.insert(info.id.to_string(), seen);
    }
    Ok(picture)
}

/// The bytes of the file called `name`, wherever it is.
#[must_use]
pub fn bytes_of(name: &str) -> Vec<u8> {
    let mut random = Random(number_of(name));
    let length = random.below(24_000);
    (0..length.div_ceil(8)).flat_map(|_| random.number().to_le_bytes()).take(length).collect()
}

/// Fills a draft: three files of its own, and those of the current version's that it keeps.
pub fn fill(draft: &mut Draft, store: &Store, random: &mut Random) -> Outcome<()> {
    if let Some(parent) = store.current()? {
        let parent = store.snapshot(Some(&parent))?;
        for file in parent.manifest().files.iter().filter(|_| random.once_in(3)).take(4) {
            draft.link(&parent, &file.name)?;
        }
    }
    for part in 0..3 {
        let name = format!("segments/{}/part{part}", draft.id());
        let mut file = draft.create(&name)?;
        file.write_all(&bytes_of(&name))?;
        draft.record(&name, file.finish()?)?;
    }
    Ok(())
}

/// Publishes a version, or prepares it.
pub fn publish(store: &Store, id: Option<VersionId>, activate: bool, random: &mut Random) -> Outcome<VersionId> {
    let mut draft = writer(store)?.draft(DraftOptions { id, ..DraftOptions::default() })?;
    fill(&mut draft, store, random)?;
    draft.complete(Contents { content: json!({}), ..Contents::default() }, activate)?;
    Ok(draft.publish(None, &|| false)?.0.info.id)
}

/// Does `--steps` steps of the sequence of `--seed`. After everything it says, it waits for a line.
pub fn run(path: &Path, arguments: &[&str]) -> Outcome<()> {
    let (mut random, steps) = (Random(number(arguments, "--seed", 0)?), number(arguments, "--steps", 12)?);
    let mut prepared = None;
    for number in 0..steps {
        let step = if number < 2 { 0 } else { random.below(12) };
        say(&Said::Begin(step.to_string()))?;
        let store = open(path)?;
        match step {
            4 => prepared = Some(publish(&store, None, false, &mut random)?),
            5 if prepared.is_some() => drop(writer(&store)?.activate(&prepared.take().ok_or("prepared")?, None)?),
            5 | 6 => drop(writer(&store)?.rollback(None, None)),
            7 => drop(publish(&store, Some(VersionId::parse(&format!("chosen-{number}"))?), true, &mut random)?),
            8 => writer(&store)?.tag(["good", "old"][random.below(2)], store.current()?.as_ref())?,
            9 => {
                let current = store.current()?.ok_or("current")?;
                let attributes = json!({ "step": number }).as_object().cloned().unwrap_or_default();
                writer(&store)?.set_attributes(&current, attributes)?;
            }
            10 => drop(writer(&store)?.prune(&Keep { versions: 2, ..Keep::default() }, false)?),
            _ => drop(publish(&store, None, true, &mut random)?),
        }
        if prepared.as_ref().is_some_and(|id| store.info(id).is_err()) {
            prepared = None;
        }
        say(&Said::Done(picture(&store)?))?;
    }
    Ok(())
}

/// One line out, and the answer in: the position that the listener notes lies between two steps.
fn say(said: &Said) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(said)?)?;
    out.flush()?;
    if io::stdin().lock().read_line(&mut String::new())? == 0 {
        return Err("nobody listens".into());
    }
    Ok(())
}
