//! What can be asked of a snapshot, answered as JSON.

use crate::answer::{Answer, check_select, everything};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::highlight::Highlights;
use crate::query::{Query, Select};
use crate::search::search;
use crate::snapshot::Snapshot;
use serde_json::Value;
use std::time::Instant;

/// Documents in one page of an iteration.
const MAX_PAGE: usize = 10_000;

impl Snapshot {
    /// Answers a query; `vector` holds the values of its vector leg.
    ///
    /// # Errors
    /// [`Error::Type`] and [`Error::Range`] for a query that does not fit the schema; [`Error::Cancelled`].
    pub fn search(&self, query: &Query, vector: Option<&[f32]>, cancel: &Cancel) -> Result<Answer> {
        let started = Instant::now();
        cancel.check()?;
        check_select(self, &query.select)?;
        let found = search(self, query, vector, cancel)?;
        let mut highlights = Highlights::new(self, query, found.text.as_ref())?;
        Answer::results(self, &found, query, highlights.as_mut(), started)
    }

    /// Documents by id, in the order asked, null for an id that the version does not have. Vectors included unless `select` says
    /// otherwise.
    ///
    /// # Errors
    /// [`Error::Type`] for a field that the schema does not have.
    pub fn get_many(&self, ids: &[String], select: Option<&str>) -> Result<Answer> {
        let places = ids.iter().map(|id| self.locate(id)).collect::<Result<Vec<_>>>()?;
        Answer::documents(self, &places, &self.selection(select)?)
    }

    /// Documents in the order of their ids, after the id `after`, at most `limit` of them (1–10,000).
    ///
    /// # Errors
    /// [`Error::Type`] and [`Error::Range`] for a filter or selection that does not fit the schema.
    pub fn page_after(
        &self,
        after: Option<&str>,
        limit: usize,
        filter: Option<&str>,
        select: Option<&str>,
    ) -> Result<Answer> {
        let filter = filter.map(parse_filter).transpose()?;
        let places = self.page(after, limit.clamp(1, MAX_PAGE), filter.as_ref())?;
        let places: Vec<_> = places.into_iter().map(Some).collect();
        Answer::documents(self, &places, &self.selection(select)?)
    }

    fn selection(&self, select: Option<&str>) -> Result<Select> {
        let Some(select) = select else { return Ok(everything(self)) };
        let names =
            serde_json::from_str(select).map_err(|e| Error::Type(format!("select must be an array of names: {e}")))?;
        let select = Select::Fields(names);
        check_select(self, &select)?;
        Ok(select)
    }
}

/// A filter from its JSON.
///
/// # Errors
/// [`Error::Type`] when it is not JSON.
pub fn parse_filter(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|e| Error::Type(format!("where: {e}")))
}
