//! The text of one segment, served from its mapped container.
//!
//! What says where something is, is read and checked when the index is opened: the container's table, Tantivy's tables of fields and
//! dictionaries, the columns' table. Postings and cells are read, and checked, where a query needs them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cutover_durable::{Digest, Map};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::schema::Field;
use tantivy::{Index, SegmentReader};

use crate::columns::{Floats, Integers, Keywords, Table};
use crate::guard::{self, Stop};
use crate::{Error, FieldKind, FieldSpec, Result, TextSchema, builder, container};

/// The text of one segment.
pub struct TextIndex {
    path: PathBuf,
    fields: Vec<IndexedField>,
    schema: Digest,
    documents: u32,
}

/// A field and where its terms or values are.
pub(crate) struct IndexedField {
    pub spec: FieldSpec,
    pub data: FieldData,
}

/// The postings of a text field in one form.
pub(crate) struct TextForm {
    pub terms: Arc<InvertedIndexReader>,
    /// Tokens of each document, as a code.
    pub lengths: FieldNormReader,
}

/// Where a field's terms or values are.
pub(crate) enum FieldData {
    /// A list of postings for each form, the one that queries use by default first.
    Text(Vec<TextForm>),
    Keyword(Keywords),
    Number(Floats),
    /// Integers and dates.
    Integer(Integers),
    Boolean(Integers),
}

impl TextIndex {
    /// Opens the container in `map`, which was built for `schema`.
    ///
    /// # Errors
    /// [`Error::File`] when it is not a container of a format that this program reads; [`Error::OtherSchema`] when it was built for
    /// other fields; [`Error::Corrupt`] when it contradicts itself.
    pub fn open(map: Map, schema: &TextSchema) -> Result<Self> {
        schema.check()?;
        let path = map.path().to_path_buf();
        let fingerprint = schema.fingerprint();
        let (sections, files, documents) = container::open(map, &fingerprint)?;
        let (tantivy_schema, tantivy) = schema.tantivy();
        guard::reading(&path, "open it", || {
            let index = Index::create(files, tantivy_schema, builder::settings())?;
            let id =
                SegmentId::from_uuid_string(container::SEGMENT).map_err(|error| Stop::Theirs(format!("{error:?}")))?;
            let reader = SegmentReader::open(&index.segment(index.new_segment_meta(id, documents)))?;
            let table = Table::open(&sections, documents, schema.fields.len())?;
            let specs = schema.fields.iter().zip(tantivy).enumerate();
            let fields = specs.map(|(number, (spec, field))| {
                let data = FieldData::open(&reader, &table, number, spec, &field)?;
                Ok(IndexedField { spec: spec.clone(), data })
            });
            let fields = fields.collect::<Result<Vec<_>, Stop>>()?;
            Ok(Self { path: path.clone(), fields, schema: fingerprint, documents })
        })
    }

    /// The number of documents, dead ones included.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.documents
    }

    /// Whether there is no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn schema(&self) -> &Digest {
        &self.schema
    }

    pub(crate) fn fields(&self) -> &[IndexedField] {
        &self.fields
    }

    /// The field of this name.
    ///
    /// # Errors
    /// [`Error::Query`] when there is none.
    pub(crate) fn field(&self, name: &str) -> Result<&IndexedField> {
        let found = self.fields.iter().find(|field| field.spec.name == name);
        found.ok_or_else(|| Error::query(name, "the schema has no such field"))
    }

    /// The error that says that the container is damaged.
    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> Error {
        Error::Corrupt { path: self.path.clone(), detail: detail.into() }
    }
}

impl fmt::Debug for TextIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextIndex({}, {} documents)", self.path.display(), self.documents)
    }
}

impl FieldData {
    fn open(
        reader: &SegmentReader,
        table: &Table<'_>,
        number: usize,
        spec: &FieldSpec,
        fields: &[Field],
    ) -> Result<Self, Stop> {
        Ok(match spec.kind {
            FieldKind::Text { .. } => {
                let forms = fields.iter().map(|field| {
                    let (lengths, documents) = (reader.get_fieldnorms_reader(*field)?, reader.max_doc());
                    if lengths.num_docs() != documents {
                        let count = lengths.num_docs();
                        let detail = format!("field {:?} has {count} lengths for {documents} documents", spec.name);
                        return Err(Stop::Theirs(detail));
                    }
                    Ok(TextForm { terms: reader.inverted_index(*field)?, lengths })
                });
                Self::Text(forms.collect::<Result<_, Stop>>()?)
            }
            FieldKind::Keyword { .. } => Self::Keyword(Keywords::open(table, number)?),
            FieldKind::Number { .. } => Self::Number(table.floats(number)?),
            FieldKind::Boolean { .. } => Self::Boolean(table.integers(number)?),
            FieldKind::Integer { .. } | FieldKind::Date { .. } => Self::Integer(table.integers(number)?),
        })
    }
}
