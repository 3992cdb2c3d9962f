//! The files below a directory that a user wrote, under the names that they would have in a version.

use std::path::{Path, PathBuf};

use cutover_durable::fs::{self, Kind, Stamp};

use crate::{Error, Result, name};

/// One regular file.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to where the walk began, parts joined by `/`.
    pub name: String,
    pub path: PathBuf,
    /// As it was when it was found.
    pub stamp: Stamp,
    /// Whether another name leads to it.
    pub linked: bool,
    /// Who owns it.
    pub owner: u32,
}

/// What is below a directory.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// In the order of the directories' listings.
    pub files: Vec<Found>,
    /// The directories, each before those in it.
    pub directories: Vec<PathBuf>,
}

/// The regular file at `path`, which is to be called `name`.
pub(crate) fn file(path: &Path, name: &str) -> Result<Found> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(unfit(path, Kind::from(metadata.file_type())));
    }
    Ok(Found {
        name: name.to_owned(),
        path: path.to_path_buf(),
        stamp: Stamp::from(&metadata),
        linked: metadata.nlink() > 1,
        owner: metadata.uid(),
    })
}

/// Lists what is below `directory`; every name is to be put behind `prefix`. Nothing is followed out of it.
///
/// # Errors
/// [`Error::Unfit`] names the first link, device, socket, FIFO or empty directory, or name that is not UTF-8; [`Error::InvalidName`].
pub(crate) fn walk(directory: &Path, prefix: &str) -> Result<Tree> {
    let mut tree = Tree::default();
    descend(directory, prefix, &mut tree)?;
    Ok(tree)
}

fn descend(directory: &Path, prefix: &str, tree: &mut Tree) -> Result<()> {
    tree.directories.push(directory.to_path_buf());
    for entry in fs::list_dir(directory)? {
        let path = directory.join(&entry.name);
        let Some(part) = entry.name.to_str() else {
            return Err(Error::Unfit { path, what: "its name is not UTF-8" });
        };
        let name = format!("{prefix}{part}");
        name::check_artifact(&name)?;
        match entry.kind {
            Kind::Directory => {
                let (files, directories) = (tree.files.len(), tree.directories.len());
                descend(&path, &format!("{name}/"), tree)?;
                // A manifest lists files: nothing would bring an empty directory back.
                if (files, directories + 1) == (tree.files.len(), tree.directories.len()) {
                    return Err(Error::Unfit { path, what: "it is an empty directory" });
                }
            }
            Kind::File => tree.files.push(file(&path, &name)?),
            kind @ (Kind::Symlink | Kind::Other) => return Err(unfit(&path, kind)),
        }
    }
    Ok(())
}

/// Why something that is not a regular file cannot be an artifact's.
pub(crate) fn unfit(path: &Path, kind: Kind) -> Error {
    let what = match kind {
        Kind::Symlink => "it is a symbolic link",
        Kind::Directory => "it is a directory",
        Kind::File | Kind::Other => "it is a device, a socket or a FIFO",
    };
    Error::Unfit { path: path.to_path_buf(), what }
}
