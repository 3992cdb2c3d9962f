//! `CURRENT`: the version id and a newline; the only fact that decides what readers read.

use cutover_durable::fs;

use crate::{
    Error, Result, VersionId,
    layout::{Layout, VersionName},
    state::{Stage, StateFile},
};

/// The longest `CURRENT` that is read, in bytes: an id and a newline fit well.
const LARGEST: usize = 128;

/// The bytes of `CURRENT` when it names `id`.
pub(crate) fn encode(id: &VersionId) -> Vec<u8> {
    format!("{id}\n").into_bytes()
}

/// The version that `CURRENT` names; `None` when nothing was ever published. One small read, unless there is no `CURRENT`.
///
/// # Errors
/// [`Error::Corrupt`] when `CURRENT` holds no version id, or is missing although something was published.
pub(crate) fn read(layout: &Layout) -> Result<Option<VersionId>> {
    let path = layout.current();
    match fs::read_limited(&path, LARGEST) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            let id = VersionId::parse(text.strip_suffix('\n').unwrap_or(text));
            id.map(Some).map_err(|error| Error::corrupt(&path, None, format!("it does not name a version: {error}")))
        }
        Err(error) if error.is_not_found() => {
            if let Some(id) = was_published(layout)? {
                // Perhaps it is being published for the first time just now.
                if fs::kind(&path)?.is_some() {
                    return read(layout);
                }
                return Err(Error::corrupt(&path, None, format!("it is missing, but version {id} was published")));
            }
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A version that must once have been current.
fn was_published(layout: &Layout) -> Result<Option<VersionId>> {
    let entries = match fs::list_dir(&layout.versions()) {
        Err(error) if error.is_not_found() => return Ok(None),
        entries => entries?,
    };
    for entry in entries {
        let VersionName::Version(id) = Layout::parse_version(&entry.name) else { continue };
        match StateFile::read(&layout.version(&id), &id) {
            Ok(StateFile { state: Stage::Publishing | Stage::Prepared, .. }) => {}
            _ => return Ok(Some(id)),
        }
    }
    Ok(None)
}
