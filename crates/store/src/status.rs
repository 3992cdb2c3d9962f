//! What is in the index directory, who uses it, and what its file system cannot give. Nothing is written, no lock is kept.

use cutover_durable::{Error as FileError, disk, fs, lock};
use serde::Serialize;

use crate::{
    Holder, Result, Store, VersionId, VersionInfo,
    layout::{LEASE, Layout, VersionName},
    store::Sharing,
    usage::Usage,
};

/// The state of an index directory.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    /// The current version.
    pub current: Option<VersionInfo>,
    /// How many complete versions there are.
    pub versions: usize,
    /// Bytes that versions and drafts take together; files that several share count once.
    pub bytes: u64,
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Whether a writer is at work.
    pub locked: bool,
    /// The writer, when one is at work and said who it is.
    pub lock: Option<Holder>,
    /// Versions that some process holds.
    pub in_use: Vec<VersionId>,
    /// Drafts: at most one while a writer is at work, else remains that the next one removes.
    pub drafts: usize,
    /// What this file system, or this open, cannot give, and versions that cannot be used.
    pub limitations: Vec<String>,
}

impl Store {
    /// Looks at the whole index. To see whether it is locked, locks are tried for an instant.
    pub fn status(&self) -> Result<StoreStatus> {
        let layout = self.layout();
        let current = self.current();
        let mut limitations = Vec::new();
        if let Err(error) = &current {
            limitations.push(error.to_string());
        }
        let current = current.ok().flatten();
        let listed = self.list()?;
        limitations.extend(listed.iter().filter_map(|(_, info)| info.as_ref().err().map(ToString::to_string)));
        let versions: Vec<VersionInfo> = listed.into_iter().filter_map(|(_, info)| info.ok()).collect();

        let mut usage = Usage::default();
        usage.add(&layout.versions())?;
        let mut in_use = Vec::new();
        let mut locks = !self.leases_failed();
        for version in &versions {
            match lock::try_exclusive(&layout.version(&version.id).join(LEASE)) {
                Err(FileError::Contended { .. }) => in_use.push(version.id.clone()),
                Err(FileError::LockUnsupported { .. }) => locks = false,
                // Gone, or not ours to open: not in use as far as anybody here can tell.
                _ => {}
            }
        }
        self.describe(locks, &mut limitations)?;
        let locked = matches!(lock::try_exclusive(&layout.lock()), Err(FileError::Contended { .. }));
        let existing = layout.root().ancestors().find(|path| path.exists()).unwrap_or(layout.root());
        Ok(StoreStatus {
            current: versions.iter().find(|version| Some(&version.id) == current.as_ref()).cloned(),
            versions: versions.len(),
            bytes: usage.bytes(),
            free_bytes: disk::free_bytes(existing)?,
            locked,
            lock: if locked { Holder::read(&layout.holder()) } else { None },
            in_use,
            drafts: self.drafts()?,
            limitations,
        })
    }

    fn describe(&self, locks: bool, limitations: &mut Vec<String>) -> Result<()> {
        let layout = self.layout();
        if fs::kind(layout.root())?.is_none() {
            return Ok(());
        }
        if disk::is_read_only(layout.root())? {
            limitations.push("writes: the file system is mounted read-only".to_owned());
        }
        if let Some(kind) = disk::is_network_file_system(layout.root())? {
            limitations.push(format!(
                "network file system ({kind}): locks, renames and syncs promise less than on a local one"
            ));
        }
        if !locks {
            limitations.push(
                "leases: this file system cannot lock, so a version in use is not kept from being removed".to_owned(),
            );
        }
        if self.had_to(Sharing::Cloned) {
            limitations.push("hard links: unchanged files had to be cloned (they share their blocks)".to_owned());
        }
        if self.had_to(Sharing::Copied) {
            limitations.push("hard links and clones: unchanged files had to be copied".to_owned());
        }
        match (fs::identity(&layout.current()), fs::identity(&layout.link())) {
            (Ok(current), Ok(link)) if current == link => {
                limitations.push("case-sensitive names: there is no symbolic link `current`".to_owned());
            }
            (_, Ok(_)) if fs::kind(&layout.link())? != Some(fs::Kind::Symlink) => {
                limitations.push("`current` is not ours: there is no symbolic link of that name".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn drafts(&self) -> Result<usize> {
        let entries = match fs::list_dir(&self.layout().versions()) {
            Err(error) if error.is_not_found() => return Ok(0),
            entries => entries?,
        };
        Ok(entries.iter().filter(|entry| Layout::parse_version(&entry.name) == VersionName::Staging).count())
    }
}
