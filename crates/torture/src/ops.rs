//! The operations that are tried, each as a process of its own runs it, and what there is before each.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use cutover_durable::swap::{Gap, replace_with};
use cutover_store::{
    Contents, Draft, DraftOptions, How, InPlace, Keep, LockWait, Result, Store, StoreOptions, Swap, VersionId, Writer,
};
use serde_json::{Map, json};

/// Something that changes an index, or other files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The first version of an index that is not there yet.
    FirstPublish,
    /// A version under a generated id.
    Publish,
    /// A version under an id that the caller chose.
    PublishNamed,
    /// A version that stays prepared.
    Prepare,
    /// A prepared version becomes current.
    Activate,
    /// The version before becomes current again.
    Rollback,
    /// Versions that are not kept go.
    Prune,
    /// A tag is set.
    Tag,
    /// A version's attributes change.
    SetAttributes,
    /// Other software's versions become ours.
    Adopt,
    /// A damaged current version is set aside.
    Repair,
    /// The current version is copied into an index of its own.
    CopyTo,
    /// A directory takes another's place.
    ReplaceWith,
    /// A directory and a file are replaced in their places.
    RebuildInPlace,
}

/// All of them, by the names that the command line knows.
pub const ALL: [(&str, Op); 14] = [
    ("first-publish", Op::FirstPublish),
    ("publish", Op::Publish),
    ("publish-named", Op::PublishNamed),
    ("prepare", Op::Prepare),
    ("activate", Op::Activate),
    ("rollback", Op::Rollback),
    ("prune", Op::Prune),
    ("tag", Op::Tag),
    ("set-attributes", Op::SetAttributes),
    ("adopt", Op::Adopt),
    ("repair", Op::Repair),
    ("copy-to", Op::CopyTo),
    ("replace-with", Op::ReplaceWith),
    ("rebuild-in-place", Op::RebuildInPlace),
];

/// The index, below the directory that a fault campaign works in.
pub const INDEX: &str = "index";
/// Files beside the index that a publish brings in as artifacts: the tree `tree` is copied, the file `moved` is moved.
pub const SOURCE: &str = "source";
/// Where `copy-to` copies to.
pub const COPY: &str = "copy";
/// The directory whose parts `replace-with` and `rebuild-in-place` replace.
pub const PLAIN: &str = "plain";

impl Op {
    /// The operation of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|(known, _)| *known == name).map(|(_, op)| op)
    }

    /// The name of this operation.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.into_iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }

    /// Whether it works on plain files, without an index.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Self::ReplaceWith | Self::RebuildInPlace)
    }

    /// Makes what there is before the operation, below `base`.
    ///
    /// # Errors
    /// The store's.
    pub fn prepare(self, base: &Path) -> Result<()> {
        let index = base.join(INDEX);
        match self {
            Self::FirstPublish => put_sources(base),
            Self::ReplaceWith | Self::RebuildInPlace => {
                for (name, text) in
                    [("live/a", "old a"), ("live/sub/b", "old b"), ("file", "old file"), ("beside", "kept")]
                {
                    put_plain(&base.join(PLAIN).join(name), text);
                }
            }
            Self::Adopt => {
                for version in ["v1", "v2"] {
                    put_plain(&index.join("versions").join(version).join("faiss.index"), version);
                    put_plain(&index.join("versions").join(version).join("lucene/_0.cfs"), version);
                }
                put_plain(&index.join("CURRENT"), "v2\n");
            }
            _ => {
                for version in ["zero", "one", "two", "three"] {
                    publish(write(&index)?, Some(version), true)?;
                }
                drop(publish(write(&index)?, Some("waiting"), false)?);
                write(&index)?.tag("kept", Some(&id("one")))?;
                put_sources(base);
                if self == Self::Repair {
                    // The current version is damaged, and CURRENT will have to lead elsewhere.
                    let file = index.join("versions/three/segments/0/text");
                    fs::remove_file(&file).unwrap();
                    fs::write(&file, "damaged").unwrap();
                }
            }
        }
        Ok(())
    }

    /// Does it.
    ///
    /// # Errors
    /// The store's.
    pub fn run(self, base: &Path) -> Result<()> {
        let index = base.join(INDEX);
        let never = || false;
        match self {
            Self::FirstPublish | Self::Publish => drop(publish_all(base, None, true)?),
            Self::PublishNamed => drop(publish_all(base, Some("four"), true)?),
            Self::Prepare => drop(publish_all(base, None, false)?),
            Self::Activate => drop(write(&index)?.activate(&id("waiting"), None)?),
            Self::Rollback => drop(write(&index)?.rollback(None, None)?),
            Self::Prune => drop(write(&index)?.prune(&Keep { versions: 1, ..Keep::default() }, false)?),
            Self::Tag => write(&index)?.tag("moved", Some(&id("two")))?,
            Self::SetAttributes => {
                let attributes = Map::from_iter([("model".to_owned(), json!("other")), ("more".to_owned(), json!(1))]);
                write(&index)?.set_attributes(&id("two"), attributes)?;
            }
            Self::Adopt => drop(Store::adopt(&index, StoreOptions::default(), &|_, _| (), &never)?),
            Self::Repair => {
                let store = Store::open(&index, StoreOptions::default())?;
                store.repair(None, false, LockWait::Now, &|_, _| (), &never)?;
            }
            Self::CopyTo => {
                let store = Store::open(&index, StoreOptions::default())?;
                store.copy_to(&base.join(COPY), None, &|_, _| (), &never)?;
            }
            Self::ReplaceWith => {
                let plain = base.join(PLAIN);
                for (name, text) in [("staged/a", "new a"), ("staged/sub/b", "new b")] {
                    stage(&plain.join(name), text)?;
                }
                replace_with(&plain.join("live"), &plain.join("staged"), Gap::Refuse)?;
            }
            Self::RebuildInPlace => {
                let rebuild = InPlace::begin(&base.join(PLAIN), "torture", LockWait::Now, &never)?;
                for (name, text) in [("live/a", "new a"), ("live/sub/b", "new b"), ("file", "new file")] {
                    stage(&rebuild.staging().join(name), text)?;
                }
                let swap = |name: &str| Swap { staged: name.to_owned(), target: name.to_owned() };
                rebuild.finish(&[swap("live"), swap("file")])?;
            }
        }
        Ok(())
    }
}

/// The writer of the index at `path`, which is made when it is not there.
///
/// # Errors
/// The store's.
pub fn write(path: &Path) -> Result<Writer> {
    let options = StoreOptions { create: true, ..StoreOptions::default() };
    Store::open(path, options)?.write("torture", LockWait::Now, &|| false)
}

/// A valid id.
#[must_use]
pub fn id(text: &str) -> VersionId {
    VersionId::parse(text).unwrap()
}

/// Publishes a version of several files in several directories; one of them is shared with the current version. Every file says which
/// version it belongs to.
///
/// # Errors
/// The store's.
pub fn publish(writer: Writer, version: Option<&str>, activate: bool) -> Result<Writer> {
    finish(begin(writer, version)?, activate)
}

/// The same with artifacts: a tree that is copied, a file that is moved, and files that another tool writes into the draft.
fn publish_all(base: &Path, version: Option<&str>, activate: bool) -> Result<Writer> {
    let never = || false;
    let draft = begin(write(&base.join(INDEX))?, version)?;
    draft.attach("tree", &base.join(SOURCE).join("tree"), How::Copy, &never)?;
    draft.attach("moved", &base.join(SOURCE).join("moved"), How::Move, &never)?;
    let artifacts = draft.artifacts()?;
    for name in ["faiss.index", "lucene/_0.cfs"] {
        stage(&artifacts.join(name), "written by another tool")?;
    }
    draft.collect(&["faiss.index".to_owned()], &|_, _| (), &never)?;
    finish(draft, activate)
}

fn begin(writer: Writer, version: Option<&str>) -> Result<Draft> {
    let current = writer.store().current()?;
    let before = current.map(|current| writer.store().snapshot(Some(&current))).transpose()?;
    let attributes = Map::from_iter([("model".to_owned(), json!("m"))]);
    let draft = writer.draft(DraftOptions { id: version.map(id), attributes, ..DraftOptions::default() })?;
    let text = draft.id().to_string();
    for name in ["segments/0/documents", "segments/0/text", "tombstones/0", "artifacts/notes"] {
        put(&draft, name, text.repeat(20).as_bytes())?;
    }
    match before.filter(|before| before.manifest().file("shared/vectors").is_some()) {
        Some(before) => draft.link(&before, "shared/vectors")?,
        None => put(&draft, "shared/vectors", b"vectors that all versions share")?,
    }
    Ok(draft)
}

fn finish(mut draft: Draft, activate: bool) -> Result<Writer> {
    draft.complete(Contents::default(), activate)?;
    Ok(draft.publish(None, &|| false)?.1)
}

fn put_sources(base: &Path) {
    for name in ["tree/a", "tree/sub/b", "moved"] {
        put_plain(&base.join(SOURCE).join(name), name);
    }
}

fn put(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = draft.create(name)?;
    file.write_all(bytes)
        .map_err(|source| cutover_durable::Error::io("write", draft.directory().join(name), source))?;
    draft.record(name, file.finish()?)
}

fn put_plain(path: &Path, text: &str) {
    try_put(path, text).unwrap();
}

/// Writes a file as a user does who knows nothing of syncs.
fn stage(path: &Path, text: &str) -> Result<()> {
    Ok(try_put(path, text).map_err(|source| cutover_durable::Error::io("write", path, source))?)
}

fn try_put(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, text)
}
