//! Every file name of an index directory is made and parsed here.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use cutover_durable::{fs, replace::TEMPORARY_INFIX};

use crate::{VersionId, id::STAGING};

/// The file that decides which version is current.
const CURRENT: &str = "CURRENT";
/// The symbolic link to the current version, for tools that want a path.
const LINK: &str = "current";
const LOCK: &str = ".index_rebuild.lock";
const HOLDER: &str = ".index_rebuild.holder";
const TAGS: &str = "tags.json";
const USED_IDS: &str = "used-ids";
const HISTORY: &str = "history.jsonl";
const OLD_HISTORY: &str = "history.1.jsonl";
const VERSIONS: &str = "versions";
const TRASH: &str = "trash";
const DAMAGED: &str = "damaged";
const EMBEDDINGS: &str = "embeddings";

/// A version's manifest, relative to its directory.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The digests of a version's files.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// What may change about a version.
pub(crate) const STATE: &str = "state.json";
/// The file on which a version's readers hold a shared lock.
pub(crate) const LEASE: &str = ".lease";
/// Where a version keeps what users brought.
pub(crate) const ARTIFACTS: &str = "artifacts";

/// What a file system keeps at its root for its own repair: a volume that is otherwise empty can become an index.
const LOST_AND_FOUND: &str = "lost+found";

/// The beginning of the name of a directory in which files are built beside their places (`in_place`).
const IN_PLACE: &str = ".cutover-staging-";

/// The directory of an adopted version's own records.
const ADOPTED: &str = ".cutover";
/// The same, while it is being made.
const ADOPTING: &str = ".cutover.staging";

/// Where one version's own records are: in its directory, or, when it was adopted, apart from the files of the software that laid it
/// out, which may have any name. The lease is in its directory always.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    directory: PathBuf,
    /// Whether the version was adopted.
    pub adopted: bool,
}

impl Records {
    /// Of the version, or draft, in `directory`.
    pub fn of(directory: &Path) -> Self {
        let adopted = directory.join(ADOPTED);
        if matches!(fs::kind(&adopted), Ok(Some(fs::Kind::Directory))) {
            Self { directory: adopted, adopted: true }
        } else {
            Self { directory: directory.to_path_buf(), adopted: false }
        }
    }

    /// Where the records of the version in `directory` come to be when it is adopted, and where they are made before that.
    pub fn adopting(directory: &Path) -> (PathBuf, PathBuf) {
        (directory.join(ADOPTED), directory.join(ADOPTING))
    }

    /// The directory that they are in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of a record.
    pub fn path(&self, record: &str) -> PathBuf {
        self.directory.join(record)
    }

    /// The name of a record relative to the version's directory.
    pub fn name(&self, record: &str) -> String {
        if self.adopted { adopted_name(record) } else { record.to_owned() }
    }

    /// Whether `name`, relative to the version's directory, is one of the records, or the remains of one's replacement.
    pub fn hold(&self, name: &str) -> bool {
        let is_record =
            |name: &str| [MANIFEST, SUMS, STATE].contains(&name) || Layout::is_temporary_state(OsStr::new(name));
        let within = || name.strip_prefix(ADOPTED)?.strip_prefix('/');
        name == LEASE || if self.adopted { within().is_some_and(is_record) } else { is_record(name) }
    }
}

/// The name of an adopted version's record relative to its directory.
pub(crate) fn adopted_name(record: &str) -> String {
    format!("{ADOPTED}/{record}")
}

/// Whether `name`, relative to the directory of an adopted version, can be one of its records and so none of its files.
pub(crate) fn is_reserved_when_adopted(name: &str) -> bool {
    name == LEASE || [ADOPTED, ADOPTING].contains(&name.split('/').next().unwrap_or_default())
}

/// Between the name of a copy's target and random characters, in the name that the copy has until it is whole.
const COPYING: &str = ".cutover-copy-";

/// Between an id and random characters in the name of a version in the trash; no id contains it.
const TRASHED: char = '~';

/// The paths of one index.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// What a name below `versions/` is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum VersionName {
    /// A version, complete or (`publishing`) about to be.
    Version(VersionId),
    /// A draft, dead unless the writer lock is held.
    Staging,
    /// Not of our making.
    Foreign,
}

/// The file of a draft where the artifacts' file called `name` is.
pub(crate) fn of_artifact(name: &str) -> String {
    format!("{ARTIFACTS}/{name}")
}

/// The artifact's file that a draft's file called `name` is; `None` when it is not one.
pub(crate) fn artifact_file(name: &str) -> Option<&str> {
    name.strip_prefix(ARTIFACTS)?.strip_prefix('/')
}

impl Layout {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn current(&self) -> PathBuf {
        self.root.join(CURRENT)
    }

    pub fn link(&self) -> PathBuf {
        self.root.join(LINK)
    }

    /// What the symbolic link to `id` holds: relative, so that the index can be moved.
    pub fn link_target(id: &VersionId) -> PathBuf {
        Path::new(VERSIONS).join(id.as_str())
    }

    pub fn lock(&self) -> PathBuf {
        self.root.join(LOCK)
    }

    pub fn holder(&self) -> PathBuf {
        self.root.join(HOLDER)
    }

    pub fn tags(&self) -> PathBuf {
        self.root.join(TAGS)
    }

    pub fn used_ids(&self) -> PathBuf {
        self.root.join(USED_IDS)
    }

    pub fn history(&self) -> PathBuf {
        self.root.join(HISTORY)
    }

    /// The history before the last rotation.
    pub fn old_history(&self) -> PathBuf {
        self.root.join(OLD_HISTORY)
    }

    pub fn versions(&self) -> PathBuf {
        self.root.join(VERSIONS)
    }

    pub fn version(&self, id: &VersionId) -> PathBuf {
        self.root.join(VERSIONS).join(id.as_str())
    }

    pub fn staging(&self, id: &VersionId) -> PathBuf {
        self.root.join(VERSIONS).join(format!("{id}{STAGING}"))
    }

    pub fn trash(&self) -> PathBuf {
        self.root.join(TRASH)
    }

    pub fn trashed(&self, id: &VersionId, random: &str) -> PathBuf {
        self.root.join(TRASH).join(format!("{id}{TRASHED}{random}"))
    }

    /// Where repair puts what is damaged.
    pub fn damaged(&self) -> PathBuf {
        self.root.join(DAMAGED)
    }

    /// The cache of vectors already paid for.
    pub fn embeddings(&self) -> PathBuf {
        self.root.join(EMBEDDINGS)
    }

    /// Where the version, or the record of the index, that is called `name` goes when it is set aside.
    pub fn set_aside(&self, name: &str, random: &str) -> PathBuf {
        self.root.join(DAMAGED).join(format!("{name}{TRASHED}{random}"))
    }

    /// The id of a version that lies in the trash, or among the damaged, under `name`.
    pub fn trashed_id(name: &OsStr) -> Option<VersionId> {
        VersionId::parse(name.to_str()?.split_once(TRASHED)?.0).ok()
    }

    /// What a name below `versions/` is.
    pub fn parse_version(name: &OsStr) -> VersionName {
        let Some(name) = name.to_str() else { return VersionName::Foreign };
        if let Some(id) = name.strip_suffix(STAGING) {
            return if VersionId::parse(id).is_ok() { VersionName::Staging } else { VersionName::Foreign };
        }
        VersionId::parse(name).map_or(VersionName::Foreign, VersionName::Version)
    }

    /// Whether `name`, in the index directory, is the remains of a replacement that a crash cut short.
    pub fn is_temporary(name: &OsStr) -> bool {
        let Some((replaced, _)) = name.to_str().and_then(|name| name.split_once(TEMPORARY_INFIX)) else { return false };
        [CURRENT, LINK, HOLDER, TAGS, USED_IDS].contains(&replaced)
    }

    /// Whether `name`, in a version's directory, is the remains of a replacement that a crash cut short.
    pub fn is_temporary_state(name: &OsStr) -> bool {
        name.to_str().and_then(|name| name.split_once(TEMPORARY_INFIX)).is_some_and(|(replaced, _)| replaced == STATE)
    }

    /// The name of a staging directory for files that are replaced in their places.
    pub fn in_place_staging(random: &str) -> String {
        format!("{IN_PLACE}{random}")
    }

    /// Whether `name`, in a directory whose files are replaced in their places, is what one that died left.
    pub fn is_dead_in_place(name: &OsStr) -> bool {
        let Some(name) = name.to_str() else { return false };
        name.starts_with(IN_PLACE) || name.split_once(TEMPORARY_INFIX).is_some_and(|(replaced, _)| replaced == HOLDER)
    }

    /// Whether `name` is of the lock, or of what is built under it.
    pub fn belongs_to_lock(name: &OsStr) -> bool {
        name == LOCK || name == HOLDER || Self::is_dead_in_place(name)
    }

    /// What the copy of an index is called beside its target, called `name`, until it is whole.
    pub fn copying(name: &str, random: &str) -> String {
        format!(".{name}{COPYING}{random}")
    }

    /// Whether `entry` is, or was, a copy to a target called `name` that is not whole.
    pub fn is_copying(entry: &OsStr, name: &str) -> bool {
        let rest = || entry.to_str()?.strip_prefix('.')?.strip_prefix(name)?.strip_prefix(COPYING);
        rest().is_some_and(|random| random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// Whether `name` is of what the first write makes in an empty directory, the lock aside.
    pub fn is_made_with_an_index(name: &OsStr) -> bool {
        [HOLDER, HISTORY, TRASH, USED_IDS, VERSIONS].iter().any(|known| name == *known) || Self::is_temporary(name)
    }

    /// Whether a directory that holds `name` is an index.
    pub fn marks_an_index(name: &OsStr) -> bool {
        name == CURRENT || name == VERSIONS
    }

    /// Whether an index that a crash kept from being made completely, or an empty volume, can hold `name`.
    pub fn may_precede_an_index(name: &OsStr) -> bool {
        [LOCK, HOLDER, TRASH, USED_IDS, LOST_AND_FOUND].iter().any(|known| name == *known) || Self::is_temporary(name)
    }
}
