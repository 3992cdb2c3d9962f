//! What is in memory after some calls, what a power cut may leave of it, and directory trees in and out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
};

use super::record::{Call, Kind};

/// What is at a path. Files of the same number are one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leaf {
    File(u64, Vec<u8>),
    Directory,
    Symlink(String),
}

/// What lasts of what others had written before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Lasts,
    OnlyTheName,
    Unsynced,
}

/// How much of a file's unsynced bytes is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Half,
    All,
}

/// What is there of all that no sync ordered.
#[derive(Debug)]
pub struct Choice {
    pub names: BTreeSet<usize>,
    pub files: BTreeMap<usize, Kept>,
}

#[derive(Debug)]
enum Node {
    File { synced: Vec<u8>, now: Vec<u8> },
    Directory(BTreeMap<String, usize>),
    Symlink(String),
}

/// Names in a directory lead elsewhere.
#[derive(Debug)]
struct Change {
    directory: usize,
    edits: Vec<(String, Option<usize>)>,
    lasts: bool,
    /// The change without which this one does not happen by itself.
    after: Option<usize>,
}

/// Memory and disk after some calls.
#[derive(Debug, Default)]
pub struct Disk {
    nodes: Vec<Node>,
    /// The directories as they were before the first call: those of the nodes are as they are now.
    lasting: BTreeMap<usize, BTreeMap<String, usize>>,
    changes: Vec<Change>,
}

const ROOT: usize = 0;

impl Disk {
    /// Makes the calls, all but those numbered `without`. Of what was there before them the bytes and the names last as `age` says.
    pub fn after(
        before: &BTreeMap<String, Leaf>,
        age: &dyn Fn(&str) -> Age,
        calls: &[Call],
        without: &BTreeSet<usize>,
    ) -> Self {
        let mut disk = Self::default();
        disk.nodes.push(Node::Directory(BTreeMap::new()));
        let mut files = BTreeMap::new();
        for (path, leaf) in before {
            let lasts = age(path) == Age::Lasts;
            let node = match leaf {
                Leaf::Directory => disk.add(Node::Directory(BTreeMap::new())),
                Leaf::Symlink(target) => disk.add(Node::Symlink(target.clone())),
                Leaf::File(number, bytes) => *files.entry(*number).or_insert_with(|| {
                    let synced = if lasts { bytes.clone() } else { Vec::new() };
                    disk.add(Node::File { synced, now: bytes.clone() })
                }),
            };
            let (directory, name) = disk.place(path);
            disk.entries(directory).insert(name, node);
        }
        for (at, node) in disk.nodes.iter().enumerate() {
            if let Node::Directory(entries) = node {
                disk.lasting.insert(at, entries.clone());
            }
        }
        for path in before.keys().filter(|path| age(path) == Age::Unsynced) {
            let (directory, name) = disk.place(path);
            let node = disk.entries(directory).get(&name).copied();
            disk.lasting.entry(directory).or_default().remove(&name);
            disk.change(directory, vec![(name, node)], None);
        }
        for (_, call) in calls.iter().enumerate().filter(|(at, _)| !without.contains(at)) {
            disk.make(call);
        }
        disk
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn entries(&mut self, directory: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[directory] {
            Node::Directory(entries) => entries,
            other => unreachable!("{other:?} is no directory"),
        }
    }

    fn find(&self, path: &str) -> Option<usize> {
        path.split('/').filter(|part| !part.is_empty()).try_fold(ROOT, |at, part| match &self.nodes[at] {
            Node::Directory(entries) => entries.get(part).copied(),
            _ => None,
        })
    }

    fn place(&self, path: &str) -> (usize, String) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        (self.find(directory).unwrap(), name.to_owned())
    }

    fn change(&mut self, directory: usize, edits: Vec<(String, Option<usize>)>, after: Option<usize>) -> usize {
        for (name, node) in &edits {
            match node {
                Some(node) => drop(self.entries(directory).insert(name.clone(), *node)),
                None => drop(self.entries(directory).remove(name)),
            }
        }
        self.changes.push(Change { directory, edits, lasts: false, after });
        self.changes.len() - 1
    }

    fn name(&mut self, path: &str, node: Option<usize>) {
        let (directory, name) = self.place(path);
        self.change(directory, vec![(name, node)], None);
    }

    fn make(&mut self, call: &Call) {
        match call.kind {
            Kind::Create => {
                let node = self.add(Node::File { synced: Vec::new(), now: Vec::new() });
                self.name(&call.path, Some(node));
            }
            Kind::Mkdir => {
                let node = self.add(Node::Directory(BTreeMap::new()));
                self.name(&call.path, Some(node));
            }
            Kind::Symlink => {
                let node = self.add(Node::Symlink(String::from_utf8_lossy(&call.bytes).into_owned()));
                self.name(&call.path, Some(node));
            }
            Kind::Link => self.name(&call.other, self.find(&call.path)),
            Kind::Unlink | Kind::Rmdir => self.name(&call.path, None),
            Kind::Rename | Kind::Exchange => self.rename(call),
            Kind::Write | Kind::Truncate | Kind::Sync => {
                // A file without a name is of no interest.
                let Some(at) = self.find(&call.path) else { return };
                let Node::File { synced, now } = &mut self.nodes[at] else { return };
                match call.kind {
                    Kind::Write => {
                        now.resize(now.len().max(call.offset + call.bytes.len()), 0);
                        now[call.offset..][..call.bytes.len()].copy_from_slice(&call.bytes);
                    }
                    Kind::Truncate => now.resize(call.offset, 0),
                    _ => synced.clone_from(now),
                }
            }
            Kind::SyncDirectory => {
                let Some(at) = self.find(&call.path) else { return };
                self.changes.iter_mut().filter(|change| change.directory == at).for_each(|change| change.lasts = true);
            }
        }
    }

    fn rename(&mut self, call: &Call) {
        let (node, other) = (self.find(&call.path), self.find(&call.other));
        let ((from, old), (to, new)) = (self.place(&call.path), self.place(&call.other));
        let back = other.filter(|_| call.kind == Kind::Exchange);
        if from == to {
            self.change(from, vec![(old, back), (new, node)], None);
        } else {
            let added = self.change(to, vec![(new, node)], None);
            self.change(from, vec![(old, back)], Some(added));
        }
    }

    /// The changes of names that need not be there.
    pub fn open_changes(&self) -> Vec<usize> {
        (0..self.changes.len()).filter(|at| !self.changes[*at].lasts).collect()
    }

    /// The files of which not all need be there.
    pub fn dirty_files(&self) -> Vec<usize> {
        let is_dirty = |at: &usize| matches!(&self.nodes[*at], Node::File { synced, now } if synced != now);
        (0..self.nodes.len()).filter(is_dirty).collect()
    }

    /// The tree that a power cut leaves when it leaves this.
    pub fn image(&self, choice: &Choice) -> BTreeMap<String, Leaf> {
        let mut directories = self.lasting.clone();
        for (at, change) in self.changes.iter().enumerate() {
            let possible = change.after.is_none_or(|after| self.changes[after].lasts || choice.names.contains(&after));
            if change.lasts || (choice.names.contains(&at) && possible) {
                let entries = directories.entry(change.directory).or_default();
                for (name, node) in &change.edits {
                    match node {
                        Some(node) => drop(entries.insert(name.clone(), *node)),
                        None => drop(entries.remove(name)),
                    }
                }
            }
        }
        let mut image = BTreeMap::new();
        self.spread(ROOT, "", &directories, choice, &mut image);
        image
    }

    fn spread(
        &self,
        directory: usize,
        prefix: &str,
        directories: &BTreeMap<usize, BTreeMap<String, usize>>,
        choice: &Choice,
        image: &mut BTreeMap<String, Leaf>,
    ) {
        for (name, node) in directories.get(&directory).into_iter().flatten() {
            let path = format!("{prefix}{name}");
            let leaf = match &self.nodes[*node] {
                Node::Directory(_) => {
                    self.spread(*node, &format!("{path}/"), directories, choice, image);
                    Leaf::Directory
                }
                Node::Symlink(target) => Leaf::Symlink(target.clone()),
                Node::File { synced, now } => {
                    let bytes = match choice.files.get(node) {
                        Some(Kept::Nothing) => synced.clone(),
                        // What was synced stays when more is appended.
                        Some(Kept::Half) if now.starts_with(synced) => now[..synced.len().midpoint(now.len())].to_vec(),
                        Some(Kept::Half) => now[..now.len() / 2].to_vec(),
                        Some(Kept::All) | None => now.clone(),
                    };
                    Leaf::File(*node as u64, bytes)
                }
            };
            image.insert(path, leaf);
        }
    }
}

/// Everything below `root`.
pub fn read_tree(root: &Path) -> BTreeMap<String, Leaf> {
    fn walk(directory: &Path, prefix: &str, tree: &mut BTreeMap<String, Leaf>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let (path, found) = (entry.path(), entry.metadata().unwrap());
            let name = format!("{prefix}{}", entry.file_name().display());
            if found.is_dir() {
                tree.insert(name.clone(), Leaf::Directory);
                walk(&path, &format!("{name}/"), tree);
            } else if found.is_symlink() {
                tree.insert(name, Leaf::Symlink(fs::read_link(&path).unwrap().display().to_string()));
            } else {
                tree.insert(name, Leaf::File(found.ino(), fs::read(&path).unwrap()));
            }
        }
    }
    let mut tree = BTreeMap::new();
    walk(root, "", &mut tree);
    tree
}

/// Writes the tree out below `root`, which is empty.
pub fn write_tree(root: &Path, tree: &BTreeMap<String, Leaf>) {
    let mut written: BTreeMap<u64, &String> = BTreeMap::new();
    for (name, leaf) in tree {
        let path = root.join(name);
        match leaf {
            Leaf::Directory => fs::create_dir(&path).unwrap(),
            Leaf::Symlink(target) => symlink(target, &path).unwrap(),
            Leaf::File(number, bytes) => {
                if let Some(first) = written.get(number) {
                    fs::hard_link(root.join(first), &path).unwrap();
                } else {
                    fs::write(&path, bytes).unwrap();
                    written.insert(*number, name);
                }
            }
        }
    }
}
