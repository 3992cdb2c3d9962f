//! The vector leg of a query, checked against the schema.

use crate::error::{Error, Result};
use crate::query::VectorLeg;
use crate::schema::Slot;
use crate::snapshot::Snapshot;
use cutover_vectors::Metric;

/// A vector leg whose field and values fit the schema.
pub(crate) struct VectorSearch<'a> {
    pub field: usize,
    pub name: &'a str,
    pub metric: Metric,
    pub values: &'a [f32],
    pub ef: Option<usize>,
    pub max_distance: Option<f32>,
    pub exact: bool,
}

impl<'a> VectorSearch<'a> {
    pub fn new(snapshot: &'a Snapshot, leg: &VectorLeg, values: &'a [f32]) -> Result<Self> {
        let fields = snapshot.schema.vectors();
        let field = match (&leg.field, fields) {
            (Some(name), _) => match snapshot.schema.field(name) {
                Some((_, Slot::Vector(field))) => field,
                _ => return Err(Error::Type(format!("vector.field: the schema has no vector field {name:?}"))),
            },
            (None, [_]) => 0,
            (None, []) => return Err(Error::Type("vector: the schema has no vector field".into())),
            (None, _) => {
                return Err(Error::Type("vector.field must be named: the schema has several vector fields".into()));
            }
        };
        let (name, parameters) = &fields[field];
        parameters.check_query(values).map_err(|e| Error::Range(format!("vector: {e}")))?;
        let metric = parameters.metric;
        Ok(Self { field, name, metric, values, ef: leg.ef, max_distance: leg.max_distance, exact: leg.exact })
    }

    /// Whether a distance is not too far.
    pub fn reaches(&self, distance: f32) -> bool {
        self.max_distance.is_none_or(|max| distance <= max)
    }
}
