//! What a repair is going to do, decided from what is there before anything is touched (repair.rs says by which rules).

use std::{
    collections::{BTreeSet, HashSet},
    path::PathBuf,
};

use cutover_durable::{Error as FileError, fs, fs::Kind};
use serde_json::Map;

use crate::{
    Depth, Error, Manifest, Problem, ProblemKind, RepairReport, Result, Store, VersionId,
    inspect::{Inspection, inspect},
    layout::{LEASE, Layout, MANIFEST, Records, STATE, SUMS, VersionName},
    reading::Reading,
    state::{Stage, StateFile},
    tags::Tags,
    used_ids::UsedIds,
};

/// What a repair does to an index, and what it says about it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub report: RepairReport,
    /// The current version, whose state may leave something to be written.
    pub settled: Option<VersionId>,
    /// Versions that lost their lease file.
    pub leases: Vec<VersionId>,
    /// States to be written.
    pub states: Vec<(VersionId, StateFile)>,
    /// Whether `CURRENT` is set aside.
    pub current_aside: bool,
    /// The version that `CURRENT` comes to name, and the state it has before.
    pub becomes: Option<(VersionId, StateFile)>,
    /// Versions that are set aside.
    pub damaged: Vec<VersionId>,
    pub tags: Record<Tags>,
    pub used_ids: Record<BTreeSet<String>>,
    /// The highest sequence that was given away.
    pub floor: u64,
    /// Versions whose publisher died.
    pub dead: Vec<VersionId>,
    /// Other things that are proved dead.
    pub remains: Vec<PathBuf>,
}

/// What happens to a record of the index.
#[derive(Debug)]
pub(crate) enum Record<T> {
    Stays,
    IsReplaced(T),
    IsSetAside(T),
}

/// What `CURRENT` says.
enum Named {
    Version(VersionId),
    /// Nothing was ever published.
    Nothing,
    /// It is missing, makes no sense, or names what is not there.
    Lost,
}

/// A version that was looked at.
struct Seen {
    id: VersionId,
    inspection: Inspection,
    /// As it is, or as it will be written.
    state: Option<StateFile>,
    is_sound: bool,
}

impl Seen {
    fn sequence(&self) -> u64 {
        let sequence = self.inspection.manifest.as_ref().map(|manifest| manifest.sequence);
        sequence.or_else(|| self.id.generated_sequence()).unwrap_or(0)
    }
}

impl Plan {
    /// Looks at everything. The caller holds the writer lock, or is content with an answer that may be out of date.
    pub fn make(store: &Store, to: Option<&VersionId>, reading: &mut Reading<'_>) -> Result<Self> {
        let problems = store.verify_records()?;
        let named = named(store)?;
        let ids = store.in_order(store.ids()?, Depth::Digests, reading)?;
        require_adopted(store, &ids)?;
        let mut plan = Self {
            report: RepairReport { current: None, reason: String::new(), set_aside: vec![], removed: vec![], problems },
            settled: None,
            leases: vec![],
            states: vec![],
            current_aside: false,
            becomes: None,
            damaged: vec![],
            tags: Record::Stays,
            used_ids: Record::Stays,
            floor: 0,
            dead: vec![],
            remains: vec![],
        };
        let seen = plan.look(store, &ids, &named, to, reading)?;
        plan.choose(store, &seen, &named, to)?;
        plan.set_current_aside(store, &named)?;
        plan.floor = seen.iter().map(Seen::sequence).max().unwrap_or(0);
        let kept = plan.report.current.clone();
        let damaged = seen.iter().filter(|seen| !seen.is_sound && !seen.inspection.too_new);
        plan.damaged = damaged.map(|seen| seen.id.clone()).filter(|id| Some(id) != kept.as_ref()).collect();
        plan.report.set_aside.extend(plan.damaged.iter().map(ToString::to_string));
        plan.settle_tags(store, &ids)?;
        plan.settle_used_ids(store, &ids)?;
        plan.find_remains(store)?;
        Ok(plan)
    }

    /// Whether carrying it out changes anything that lasts.
    pub fn changes(&self) -> bool {
        let records = matches!(self.tags, Record::Stays) && matches!(self.used_ids, Record::Stays);
        let versions = self.leases.is_empty() && self.states.is_empty() && self.damaged.is_empty();
        !(records && versions && self.becomes.is_none() && !self.current_aside && self.report.removed.is_empty())
    }

    fn look(
        &mut self,
        store: &Store,
        ids: &[VersionId],
        named: &Named,
        to: Option<&VersionId>,
        reading: &mut Reading<'_>,
    ) -> Result<Vec<Seen>> {
        let mut all = Vec::new();
        for id in ids {
            let directory = store.layout().version(id);
            let is_current = matches!(named, Named::Version(current) if current == id);
            let state = StateFile::read(&directory, id);
            let was_publishing = state.is_ok_and(|state| state.state == Stage::Publishing) && !is_current;
            if was_publishing && !matches!(named, Named::Lost) && to != Some(id) {
                self.report.removed.push(format!("versions/{id}"));
                self.dead.push(id.clone());
                continue;
            }
            let mut inspection = inspect(store.layout(), id, Depth::Digests, reading)?;
            let is_sound = !inspection.is_damaged(&directory) && !inspection.too_new;
            let mut state = inspection.state.take();
            if is_sound {
                if inspection.problems.iter().any(|problem| problem.file == LEASE) {
                    self.leases.push(id.clone());
                }
                if let Some(mended) = self.mend(id, state.as_ref(), was_publishing, is_current) {
                    self.states.push((id.clone(), mended.clone()));
                    state = Some(mended);
                }
            }
            self.report.problems.append(&mut inspection.problems);
            all.push(Seen { id: id.clone(), inspection, state, is_sound });
        }
        // Its activation withdraws another, whether or not that has been written down yet.
        let current = all.iter().find(|seen| matches!(named, Named::Version(current) if *current == seen.id));
        self.settled = current.map(|seen| seen.id.clone());
        let withdrawn = current.and_then(|seen| seen.state.as_ref()?.withdraws.clone());
        for seen in all.iter_mut().filter(|seen| Some(&seen.id) == withdrawn.as_ref()) {
            if let Some(state) = &mut seen.state {
                state.state = Stage::Withdrawn;
            }
        }
        Ok(all)
    }

    /// The state that a sound version is given, if it has to be given one.
    fn mend(
        &mut self,
        id: &VersionId,
        state: Option<&StateFile>,
        was_publishing: bool,
        is_current: bool,
    ) -> Option<StateFile> {
        let Some(state) = state else {
            let state = if is_current { Stage::Published } else { Stage::Withdrawn };
            return Some(StateFile { state, previous: None, withdraws: None, attributes: Map::new() });
        };
        was_publishing.then(|| {
            let detail = "it was being published when CURRENT was lost: whether readers saw it is not known";
            self.report.problems.push(Problem::of_version(id, STATE, ProblemKind::Disagree, detail));
            StateFile { state: Stage::Prepared, ..state.clone() }
        })
    }

    /// Step 4: which version is to be current, and why.
    fn choose(&mut self, store: &Store, seen: &[Seen], named: &Named, to: Option<&VersionId>) -> Result<()> {
        let find = |id: &VersionId| seen.iter().find(|seen| seen.id == *id);
        let current = if let Named::Version(current) = named { find(current) } else { None };
        if let Some(to) = to {
            let chosen = find(to).ok_or_else(|| Error::NotFound { version: to.clone() })?;
            self.require_sound(store, chosen)?;
            self.point(chosen, current, seen, "it was asked for, and it is sound".to_owned());
            return Ok(());
        }
        if let Some(current) = current.filter(|current| current.is_sound || current.inspection.too_new) {
            let newer = "it is current, and its format is newer than this program can check";
            let why = if current.inspection.too_new { newer } else { "it is current, and it is sound" };
            self.point(current, Some(current), seen, why.to_owned());
            return Ok(());
        }
        let published = |seen: &&Seen| seen.state.as_ref().is_some_and(|state| state.state == Stage::Published);
        let candidates = seen.iter().filter(|seen| seen.is_sound).filter(published);
        let lost = match (current, named) {
            (Some(current), _) => format!("the current version, {}, is damaged", current.id),
            (None, Named::Nothing) => "nothing was published".to_owned(),
            (None, _) => "CURRENT names no version".to_owned(),
        };
        if let Some(chosen) = candidates.max_by_key(|seen| (seen.sequence(), seen.id.clone())) {
            let why = format!("{lost}; it is the newest sound one that was published and never withdrawn");
            self.point(chosen, current, seen, why);
            return Ok(());
        }
        self.report.current = current.map(|current| current.id.clone());
        self.report.reason = match (current, named) {
            (Some(_), _) => {
                format!("{lost}, and no sound version can take its place unasked: it stays until one is published")
            }
            (None, Named::Nothing) => lost,
            (None, _) => format!("{lost}, and no sound version was published and never withdrawn"),
        };
        Ok(())
    }

    fn require_sound(&self, store: &Store, chosen: &Seen) -> Result<()> {
        let directory = store.layout().version(&chosen.id);
        if chosen.inspection.too_new {
            // Says which format.
            Manifest::read(&directory, &chosen.id)?;
        }
        if chosen.is_sound {
            return Ok(());
        }
        let of_chosen = |problem: &&Problem| problem.version.as_deref() == Some(chosen.id.as_str());
        let problem = self.report.problems.iter().rfind(of_chosen);
        let (file, detail) = problem.map_or(("", ""), |problem| (&problem.file, &problem.detail));
        Err(Error::corrupt(directory.join(file), Some(&chosen.id), detail))
    }

    /// Makes `chosen` current, unless it is.
    fn point(&mut self, chosen: &Seen, current: Option<&Seen>, seen: &[Seen], why: String) {
        self.report.current = Some(chosen.id.clone());
        self.report.reason = why;
        if current.is_some_and(|current| current.id == chosen.id) {
            return;
        }
        let Some(mut state) = chosen.state.clone() else { return };
        let is_sound = |id: &VersionId| *id != chosen.id && seen.iter().any(|seen| seen.is_sound && seen.id == *id);
        // Where `rollback` leads: never to what is damaged.
        let previous = current.filter(|current| current.is_sound).map(|current| current.id.clone());
        state.previous = previous.or_else(|| state.previous.take().filter(is_sound));
        state.withdraws = None;
        self.becomes = Some((chosen.id.clone(), state));
    }

    /// A `CURRENT` that names nothing is set aside when nothing replaces it, or when a file cannot: it is no file.
    fn set_current_aside(&mut self, store: &Store, named: &Named) -> Result<()> {
        let kind = fs::kind(&store.layout().current())?;
        let is_replaced = self.becomes.is_some() && kind == Some(Kind::File);
        if matches!(named, Named::Lost) && kind.is_some() && !is_replaced {
            self.current_aside = true;
            self.report.set_aside.push("CURRENT".to_owned());
        }
        Ok(())
    }

    fn settle_tags(&mut self, store: &Store, ids: &[VersionId]) -> Result<()> {
        let tags = match Tags::read(store.layout()) {
            Err(error) if is_damage(&error) => {
                self.tags = Record::IsSetAside(Tags::default());
                self.report.set_aside.push("tags.json".to_owned());
                return Ok(());
            }
            tags => tags?,
        };
        let stays: HashSet<_> = ids.iter().filter(|id| !self.damaged.contains(id) && !self.dead.contains(id)).collect();
        for (tag, id) in tags.iter().filter(|(_, id)| self.damaged.contains(id)) {
            let detail = format!("the tag {tag:?} names {id}, which is set aside");
            self.report.problems.push(Problem::of_version(id, "tags.json", ProblemKind::Missing, detail));
        }
        if tags.iter().any(|(_, id)| !stays.contains(id)) {
            self.tags = Record::IsReplaced(tags.naming(&|id| stays.contains(id)));
        }
        Ok(())
    }

    fn settle_used_ids(&mut self, store: &Store, ids: &[VersionId]) -> Result<()> {
        let layout = store.layout();
        let (used, is_damaged) = match UsedIds::read(layout) {
            Err(error) if is_damage(&error) => (UsedIds::default(), true),
            used => (used?, false),
        };
        self.floor = self.floor.max(used.floor());
        if !is_damaged && used.is_whole() {
            return Ok(());
        }
        let mut all: BTreeSet<String> = used.iter().cloned().chain(ids.iter().map(ToString::to_string)).collect();
        for directory in [layout.trash(), layout.damaged()] {
            let names = entries(&directory)?.into_iter().filter_map(|entry| Layout::trashed_id(&entry.name));
            all.extend(names.map(|id| id.to_string()));
        }
        self.used_ids = if is_damaged {
            self.report.set_aside.push("used-ids".to_owned());
            Record::IsSetAside(all)
        } else {
            Record::IsReplaced(all)
        };
        Ok(())
    }

    /// Drafts, trash, and what replacements left.
    fn find_remains(&mut self, store: &Store) -> Result<()> {
        let layout = store.layout();
        let root = entries(layout.root())?.into_iter().filter(|entry| Layout::is_temporary(&entry.name));
        self.remains.extend(root.map(|entry| layout.root().join(entry.name)));
        let trash = entries(&layout.trash())?;
        self.remains.extend(trash.into_iter().map(|entry| layout.trash().join(entry.name)));
        for entry in entries(&layout.versions())? {
            let path = layout.versions().join(&entry.name);
            match Layout::parse_version(&entry.name) {
                VersionName::Staging => self.remains.push(path),
                VersionName::Version(id)
                    if entry.kind == Kind::Directory && !self.dead.contains(&id) && !self.damaged.contains(&id) =>
                {
                    let records = Records::of(&path);
                    let found = entries(records.directory())?.into_iter();
                    let states = found.filter(|entry| Layout::is_temporary_state(&entry.name));
                    self.remains.extend(states.map(|entry| records.directory().join(entry.name)));
                }
                VersionName::Version(_) | VersionName::Foreign => {}
            }
        }
        let relative = |path: &PathBuf| path.strip_prefix(layout.root()).unwrap_or(path).display().to_string();
        self.report.removed.extend(self.remains.iter().map(relative));
        Ok(())
    }
}

/// What `CURRENT` says, and whether that can be believed.
fn named(store: &Store) -> Result<Named> {
    match store.current() {
        Ok(Some(id)) if fs::kind(&store.layout().version(&id))? == Some(Kind::Directory) => Ok(Named::Version(id)),
        Ok(Some(_)) => Ok(Named::Lost),
        Ok(None) => Ok(Named::Nothing),
        Err(error) if is_damage(&error) => Ok(Named::Lost),
        Err(error) => Err(error),
    }
}

/// Whether an error says that a record is damaged, and not that it could not be looked at just now.
fn is_damage(error: &Error) -> bool {
    matches!(error, Error::Corrupt { .. } | Error::Durable(FileError::Malformed { .. }))
}

/// A base directory of other software, or one whose adoption was cut short, is no index to be repaired: every version that was not
/// adopted would look damaged.
fn require_adopted(store: &Store, ids: &[VersionId]) -> Result<()> {
    if fs::kind(&store.layout().used_ids())?.is_some() {
        return Ok(());
    }
    for id in ids {
        let records = Records::of(&store.layout().version(id));
        let is_missing = |record: &&str| fs::kind(&records.path(record)).is_ok_and(|kind| kind.is_none());
        if [MANIFEST, SUMS, STATE].iter().all(is_missing) {
            let detail = format!("version {id} has no records of ours: adopt the directory first");
            return Err(Error::NotAnIndex { path: store.root().to_path_buf(), detail });
        }
    }
    Ok(())
}

/// The entries of a directory; none when it is not there.
fn entries(path: &std::path::Path) -> Result<Vec<fs::Entry>> {
    match fs::list_dir(path) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        entries => Ok(entries?),
    }
}
