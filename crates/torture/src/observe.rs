//! What a process sees that comes after a fault: the picture, whatever is wrong, and whether the next write succeeds.

use std::path::Path;

use cutover_store::{Depth, Store};
use serde::{Deserialize, Serialize};

use crate::{
    campaign::Outcome,
    random::Random,
    workload::{self, Picture},
};

/// What was seen; `wrong` is empty when all is well.
#[derive(Debug, Serialize, Deserialize)]
pub struct Observed {
    /// The index as it was found.
    pub picture: Picture,
    /// Everything that is not as it must be, whichever state it is.
    pub wrong: Vec<String>,
}

/// Looks at the index at `path`, writes one more version, looks again, and prints what it saw.
pub fn run(path: &Path) -> Outcome<()> {
    let mut wrong = Vec::new();
    let store = workload::open(path)?;
    let picture = workload::picture(&store)?;
    look(&store, "found", &mut wrong)?;
    match workload::publish(&store, None, true, &mut Random(1)) {
        Ok(id) => {
            if store.current()?.as_ref() != Some(&id) {
                wrong.push("the next publish resolved and is not current".to_owned());
            }
            look(&store, "after the next write", &mut wrong)?;
            debris(path, &mut wrong)?;
        }
        Err(error) => wrong.push(format!("the next write fails: {error}")),
    }
    println!("{}", serde_json::to_string(&Observed { picture, wrong })?);
    Ok(())
}

/// Digests of everything, and the bytes that every name stands for.
pub fn look(store: &Store, when: &str, wrong: &mut Vec<String>) -> Outcome<()> {
    // A version whose publishing a crash broke off is the next writer's to remove; so are the remains beside it.
    let listed = store.versions()?;
    for info in &listed {
        let report = store.verify(Some(&info.id), Depth::Digests, &|_, _| {}, &|| false)?;
        wrong.extend(report.problems.iter().map(|problem| format!("{when}: {problem:?}")));
        let snapshot = store.snapshot(Some(&info.id))?;
        for file in &snapshot.manifest().files {
            if std::fs::read(snapshot.path(&file.name)?)? != workload::bytes_of(&file.name) {
                wrong.push(format!("{when}: {} of {} holds other bytes", file.name, info.id));
            }
        }
    }
    if store.current()?.is_some_and(|id| listed.iter().all(|info| info.id != id)) {
        wrong.push(format!("{when}: the current version is not among the versions"));
    }
    Ok(())
}

/// Drafts, half-written replacements and trash that outlived the next write.
fn debris(path: &Path, wrong: &mut Vec<String>) -> Outcome<()> {
    for (directory, is_debris) in [
        (path.to_path_buf(), (|name| name.contains(".tmp")) as fn(&str) -> bool),
        (path.join("versions"), |name| name.ends_with(".staging")),
        (path.join("trash"), |_| true),
    ] {
        for entry in std::fs::read_dir(directory)? {
            let name = entry?.file_name();
            if is_debris(&name.to_string_lossy()) {
                wrong.push(format!("the next write leaves {}", name.display()));
            }
        }
    }
    Ok(())
}
