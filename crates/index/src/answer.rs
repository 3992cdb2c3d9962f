//! Answers as JSON, written once: documents are stored as JSON and pass through as they are.
//!
//! Vectors do not travel as JSON: a selected vector field holds its index in [`Answer::vectors`].

use crate::document::{Members, json_string, put};
use crate::error::{Error, Result};
use crate::fusion::Candidate;
use crate::groups::Group;
use crate::highlight::Highlights;
use crate::query::{Query, Select};
use crate::rows::rows;
use crate::schema::Slot;
use crate::search::Found;
use crate::snapshot::Snapshot;
use std::fmt::Write as _;
use std::time::Instant;

/// JSON, and the vectors it refers to.
#[derive(Debug, Default)]
pub struct Answer {
    /// The answer's JSON text.
    pub json: String,
    /// Vectors that fields of its documents name by index.
    pub vectors: Vec<Vec<f32>>,
    /// The fields of its documents that hold dates as epoch milliseconds, by the schema of the version that was read.
    pub dates: Vec<String>,
    /// The fields of its documents that name a vector.
    pub vector_fields: Vec<String>,
}

impl Answer {
    /// The results of a query.
    pub(crate) fn results(
        snapshot: &Snapshot,
        found: &Found,
        query: &Query,
        mut highlights: Option<&mut Highlights<'_>>,
        started: Instant,
    ) -> Result<Self> {
        let select = &query.select;
        let mut answer = Self::reading(snapshot, select);
        let version = json_string(snapshot.id().as_str())?;
        answer.push(format_args!("{{\"version\":{version},"));
        let as_rows = query.rows && matches!(select, Select::Documents(_)) && highlights.is_none();
        if let Some(rows) = if as_rows { rows(snapshot, found)? } else { None } {
            answer.json.push_str(&rows);
        } else {
            answer.push(format_args!("\"hits\":["));
            for (at, hit) in found.hits.iter().enumerate() {
                answer.push(format_args!("{}", comma(at > 0)));
                answer.hit(snapshot, found, &hit.best, hit.group.as_ref(), select, highlights.as_deref_mut())?;
            }
            answer.push(format_args!("]"));
        }
        answer.push(format_args!(",\"total\":{},\"exact\":{}", found.total, found.exact));
        if !found.facets.is_empty() {
            answer.push(format_args!(",\"facets\":{{"));
            for (at, (name, counts)) in found.facets.iter().enumerate() {
                answer.push(format_args!("{}{}:[", comma(at > 0), json_string(name)?));
                for (at, (value, count)) in counts.iter().enumerate() {
                    let value = json_string(value)?;
                    answer.push(format_args!("{}{{\"value\":{value},\"count\":{count}}}", comma(at > 0)));
                }
                answer.push(format_args!("]"));
            }
            answer.push(format_args!("}}"));
        }
        if let Some(explanation) = &found.explanation {
            answer.push(format_args!(",\"explanation\":{}", explanation.query));
        }
        let took_ms = started.elapsed().as_secs_f64() * 1000.0;
        answer.push(format_args!(",\"tookMs\":{took_ms:.3}}}"));
        Ok(answer)
    }

    /// An empty answer that says how the selected fields are to be read.
    fn reading(snapshot: &Snapshot, select: &Select) -> Self {
        let selected = |name: &str| match select {
            Select::Default => true,
            Select::Documents(_) => false,
            Select::Fields(names) => names.iter().any(|selected| selected == name),
        };
        let dates = snapshot.schema.dates().filter(|name| selected(name)).map(str::to_owned).collect();
        let mut vector_fields = Vec::new();
        if matches!(select, Select::Fields(_)) {
            vector_fields
                .extend(snapshot.schema.vectors().iter().map(|(name, _)| name.clone()).filter(|name| selected(name)));
        }
        Self { dates, vector_fields, ..Self::default() }
    }

    /// An array of documents; null where there is none.
    pub(crate) fn documents(snapshot: &Snapshot, places: &[Option<(usize, u32)>], select: &Select) -> Result<Self> {
        let mut answer = Self { json: "[".into(), ..Self::reading(snapshot, select) };
        for (at, place) in places.iter().enumerate() {
            answer.push(format_args!("{}", comma(at > 0)));
            match place {
                Some((segment, ordinal)) => answer.document(snapshot, *segment, *ordinal, select)?,
                None => answer.push(format_args!("null")),
            }
        }
        answer.push(format_args!("]"));
        Ok(answer)
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.json.write_fmt(text);
    }

    fn hit(
        &mut self,
        snapshot: &Snapshot,
        found: &Found,
        hit: &Candidate,
        group: Option<&Group>,
        select: &Select,
        mut highlights: Option<&mut Highlights<'_>>,
    ) -> Result<()> {
        let id = json_string(snapshot.segments[hit.segment].segment.ids.id(hit.ordinal)?)?;
        self.push(format_args!("{{\"id\":{id},\"score\":{}", number(hit.score)));
        if let Some((rank, bm25)) = hit.text {
            self.push(format_args!(",\"text\":{{\"rank\":{rank},\"bm25\":{}}}", number(f64::from(bm25))));
        }
        if let Some((rank, distance)) = hit.vector {
            self.push(format_args!(",\"vector\":{{\"rank\":{rank},\"distance\":{}}}", number(f64::from(distance))));
        }
        if !matches!(select, Select::Documents(_)) {
            self.push(format_args!(",\"document\":"));
            self.document(snapshot, hit.segment, hit.ordinal, select)?;
        }
        if let Some(highlights) = highlights.as_deref_mut() {
            let stored = snapshot.segments[hit.segment].segment.documents.get(hit.ordinal)?;
            self.push(format_args!(",\"highlights\":"));
            highlights.write(stored, &mut self.json).map_err(|error| {
                crate::segment::broken(snapshot, hit.segment, &format!("document {} {error}", hit.ordinal))
            })?;
        }
        if let Some(explanation) = found.explanation.as_ref().and_then(|all| all.hits.get(&(hit.segment, hit.ordinal)))
        {
            self.push(format_args!(",\"explanation\":{explanation}"));
        }
        if let Some(Group { value, hits }) = group {
            self.push(format_args!(",\"group\":{{\"value\":{},\"hits\":[", json_string(value)?));
            for (at, hit) in hits.iter().enumerate() {
                self.push(format_args!("{}", comma(at > 0)));
                self.hit(snapshot, found, hit, None, select, highlights.as_deref_mut())?;
            }
            self.push(format_args!("]}}"));
        }
        self.push(format_args!("}}"));
        Ok(())
    }

    fn document(&mut self, snapshot: &Snapshot, segment: usize, ordinal: u32, select: &Select) -> Result<()> {
        let stored = snapshot.segments[segment].segment.documents.get(ordinal)?;
        let Select::Fields(names) = select else {
            self.json.push_str(stored);
            return Ok(());
        };
        let members: Members<'_> = serde_json::from_str(stored)
            .map_err(|e| crate::segment::broken(snapshot, segment, &format!("document {ordinal} is not JSON: {e}")))?;
        let mut object = vec![b'{'];
        for (name, raw) in &members.0 {
            if name == "id" || names.iter().any(|wanted| wanted == name) {
                put(&mut object, name, raw.get());
            }
        }
        for name in names {
            if let Some((_, Slot::Vector(field))) = snapshot.schema.field(name)
                && let Some(vector) = snapshot.segments[segment].segment.vectors[field].vector(ordinal)
            {
                put(&mut object, name, &self.vectors.len().to_string());
                self.vectors.push(vector.into_owned());
            }
        }
        object.push(b'}');
        let object = String::from_utf8(object).map_err(|_| Error::Internal("a document is not UTF-8".into()))?;
        self.json.push_str(&object);
        Ok(())
    }
}

fn comma(more: bool) -> &'static str {
    if more { "," } else { "" }
}

/// JSON has neither infinities nor NaN: a distance that overflowed is shown as the largest number.
fn number(value: f64) -> f64 {
    if value.is_nan() { f64::MAX } else { value.clamp(f64::MIN, f64::MAX) }
}

/// Checks a selection against the schema.
pub(crate) fn check_select(snapshot: &Snapshot, select: &Select) -> Result<()> {
    let Select::Fields(names) = select else { return Ok(()) };
    match names.iter().find(|name| *name != "id" && snapshot.schema.field(name).is_none()) {
        Some(name) => Err(Error::Type(format!("select: the schema has no field {name:?}"))),
        None => Ok(()),
    }
}

/// Every field of the schema, vectors too: what `get` returns.
pub(crate) fn everything(snapshot: &Snapshot) -> Select {
    if snapshot.schema.vectors().is_empty() {
        return Select::Default;
    }
    Select::Fields(snapshot.schema.names().map(str::to_owned).collect())
}
