//! Tags: names for versions that are to be kept. And attributes, the other thing that may change about a version.

use std::collections::BTreeMap;

use cutover_durable::{fs, replace};
use serde_json::{Map, Value};

use crate::{Error, Result, VersionId, VersionInfo, Writer, layout::Layout, manifest::encode, state::StateFile};

/// The largest file of tags that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;
/// The longest tag, in bytes.
const LONGEST: usize = 255;

/// Tags and the versions they name.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<String, VersionId>);

impl Tags {
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = layout.tags();
        match fs::read_limited(&path, LARGEST) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Self).map_err(|error| Error::corrupt(&path, None, error.to_string()))
            }
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// [`Tags::read`], or none when they are damaged: no reader depends on them, and `verify` names the damage.
    pub fn read_if_sound(layout: &Layout) -> Result<Self> {
        match Self::read(layout) {
            Err(Error::Corrupt { .. } | Error::Durable(cutover_durable::Error::Malformed { .. })) => {
                Ok(Self::default())
            }
            tags => tags,
        }
    }

    /// The tags that name `id`.
    pub fn of(&self, id: &VersionId) -> Vec<String> {
        self.0.iter().filter(|(_, named)| *named == id).map(|(tag, _)| tag.clone()).collect()
    }

    /// Every tag and the version it names.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &VersionId)> {
        self.0.iter()
    }

    /// The tags that name versions for which `stays` holds.
    pub fn naming(self, stays: &dyn Fn(&VersionId) -> bool) -> Self {
        Self(self.0.into_iter().filter(|(_, id)| stays(id)).collect())
    }

    /// Replaces the file and returns once that lasts.
    pub fn replace(&self, layout: &Layout) -> Result<()> {
        Ok(replace::replace_file(&layout.tags(), &encode(&self.0)?)?)
    }

    /// Whether any tag names `id`.
    pub fn name(&self, id: &VersionId) -> bool {
        self.0.values().any(|named| named == id)
    }
}

impl Writer {
    /// Makes `tag` name `version`, so that it is kept; a tag moves. `None` removes the tag.
    ///
    /// # Errors
    /// [`Error::InvalidName`] unless the tag has 1 to 255 bytes and no control characters; [`Error::NotFound`].
    pub fn tag(&mut self, tag: &str, version: Option<&VersionId>) -> Result<()> {
        if tag.is_empty() || tag.len() > LONGEST || tag.chars().any(char::is_control) {
            return Err(Error::InvalidName {
                name: tag.to_owned(),
                rule: "a tag has 1 to 255 bytes and no control characters",
            });
        }
        let mut tags = Tags::read(self.layout())?;
        match version {
            Some(id) => {
                self.store().info(id)?;
                tags.0.insert(tag.to_owned(), id.clone());
            }
            None => {
                tags.0.remove(tag);
            }
        }
        tags.replace(self.layout())
    }

    /// Merges `attributes` into those of a version: new keys win, null removes.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn set_attributes(&mut self, version: &VersionId, attributes: Map<String, Value>) -> Result<VersionInfo> {
        self.store().info(version)?;
        let directory = self.layout().version(version);
        let mut state = StateFile::read(&directory, version)?;
        for (key, value) in attributes {
            if value.is_null() {
                state.attributes.remove(&key);
            } else {
                state.attributes.insert(key, value);
            }
        }
        state.replace(&directory)?;
        self.store().info(version)
    }
}
