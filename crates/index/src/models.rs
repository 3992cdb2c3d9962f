//! Which embedding model made the vectors of a field: kept with each version, and compared with what this program can serve.
//!
//! Vectors of two models lie in different spaces: distances between them are numbers without meaning. So a version names the model
//! of each of its vector fields, and a query that is to be embedded is embedded by that one. A version without a name for a field
//! holds vectors that its writer brought; they are taken to be of whatever model the reader was given first.

use crate::error::{Error, Result};
use crate::schema::{Schema, Slot};
use std::collections::BTreeMap;

/// The models that this program was given, by vector field; the first of a field is that of new versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Models(BTreeMap<String, Vec<String>>);

impl Models {
    /// Models by field.
    #[must_use]
    pub fn new(by_field: BTreeMap<String, Vec<String>>) -> Self {
        Self(by_field)
    }

    /// The models that a new version of this schema names.
    ///
    /// # Errors
    /// [`Error::Type`] when models were given for what is no vector field.
    pub(crate) fn of_new(&self, schema: &Schema) -> Result<BTreeMap<String, String>> {
        let mut models = BTreeMap::new();
        for (field, given) in &self.0 {
            if !matches!(schema.field(field), Some((_, Slot::Vector(_)))) {
                return Err(Error::Type(format!("embeddings.{field}: the schema has no vector field of this name")));
            }
            if let Some(first) = given.first() {
                models.insert(field.clone(), first.clone());
            }
        }
        Ok(models)
    }

    /// Whether queries can be embedded for a version whose fields have these models.
    ///
    /// # Errors
    /// [`Error::Schema`] naming field and model.
    pub(crate) fn serve(&self, version: &BTreeMap<String, String>) -> Result<()> {
        for (field, given) in &self.0 {
            if let Some(model) = version.get(field).filter(|model| !given.contains(model)) {
                let given = given.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                return Err(Error::Schema {
                    detail: format!(
                        "the vectors of field {field:?} are of the model {model:?}, and only {given} was given for it"
                    ),
                });
            }
        }
        Ok(())
    }
}
