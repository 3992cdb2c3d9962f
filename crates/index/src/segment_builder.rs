//! Builds one segment: documents, ids, text and vectors that share ordinals.
//!
//! A document is checked whole before any part of it is kept, so the parts never disagree about how many there are.

use crate::cancel::Cancel;
use crate::document::Document;
use crate::documents::DocumentsWriter;
use crate::error::{Error, Result};
use crate::graph_file::Adopted;
use crate::ids::IdsWriter;
use crate::schema::Schema;
use crate::threads;
use cutover_durable::beside;
use cutover_store::Draft;
use cutover_text::TextBuilder;
use cutover_vectors::VectorBuilder;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of documents from which a thread pays that waits for the disk.
const LONG: u64 = 1 << 20;

/// The path of a segment's file, relative to the version's directory.
pub(crate) fn path(segment: &str, file: &str) -> String {
    format!("segments/{segment}/{file}")
}

/// A segment under construction. What it holds in memory is [`SegmentBuilder::memory_bytes`]; documents are written as they come.
pub(crate) struct SegmentBuilder {
    name: String,
    schema: Arc<Schema>,
    documents: DocumentsWriter,
    ids: IdsWriter,
    text: TextBuilder,
    vectors: Vec<VectorBuilder>,
    /// The field whose graph is taken over, and the graph.
    adopted: Option<(usize, Adopted)>,
}

/// A finished segment.
pub(crate) struct BuiltSegment {
    pub name: String,
    pub documents: u32,
    /// Ordinals whose id came again later in the same segment.
    pub replaced: Vec<u32>,
}

impl SegmentBuilder {
    /// With `adopted`, each document that is added, or passed, is that of the graph's next row.
    pub fn new(name: String, schema: Arc<Schema>, draft: &Draft, adopted: Option<(usize, Adopted)>) -> Result<Self> {
        let documents = DocumentsWriter::new(draft.create(&path(&name, "documents"))?)?;
        let text = TextBuilder::new(schema.searchable())?;
        let vectors = schema
            .vectors()
            .iter()
            .map(|(field, parameters)| VectorBuilder::new(*parameters).map_err(Error::vectors(field)))
            .collect::<Result<_>>()?;
        Ok(Self { name, schema, documents, ids: IdsWriter::default(), text, vectors, adopted })
    }

    /// Adds a document.
    ///
    /// # Errors
    /// [`Error::Document`] when a vector breaks the schema: then nothing of the document was kept.
    pub fn add(&mut self, document: &Document<'_>) -> Result<()> {
        let ordinal = u32::try_from(self.ids.len()).map_err(|_| Error::Internal("a segment is full".into()))?;
        self.adopt(document)?;
        for (field, vector) in &document.vectors {
            let (name, parameters) = &self.schema.vectors()[*field];
            parameters.check_vector(vector).map_err(|error| refused(document, name, &error, vector))?;
        }
        for (field, vector) in &document.vectors {
            let name = &self.schema.vectors()[*field].0;
            self.vectors[*field].push(ordinal, vector).map_err(Error::vectors(name))?;
        }
        self.text.add(ordinal, &document.values())?;
        self.documents.add(&document.stored)?;
        self.ids.add(&document.id);
        Ok(())
    }

    /// Takes the vector of the document's row over from the graph.
    fn adopt(&mut self, document: &Document<'_>) -> Result<()> {
        let Some((field, adopted)) = &mut self.adopted else { return Ok(()) };
        let row = adopted.next().ok_or_else(|| Error::Internal("a graph has fewer rows than documents came".into()))?;
        let name = &self.schema.vectors()[*field].0;
        adopted.graph.keep(row).map_err(|error| refused(document, name, &error, &adopted.graph.vector(row)))
    }

    /// Leaves out a document that could not be read.
    pub fn pass(&mut self) {
        if let Some((_, adopted)) = &mut self.adopted {
            adopted.next();
        }
    }

    /// Whether it may be ended for another: the rows of a graph stay together.
    pub fn can_be_cut(&self) -> bool {
        self.adopted.is_none()
    }

    /// Documents so far.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes that the segment holds in memory until it is finished.
    pub fn memory_bytes(&self) -> usize {
        self.documents.memory_bytes()
            + self.ids.memory_bytes()
            + self.text.memory_bytes()
            + self.vectors.iter().map(VectorBuilder::memory_bytes).sum::<usize>()
    }

    /// Builds the graphs and writes every file. `progress` gets nodes done and nodes to do, over all vector fields.
    pub fn finish(
        self,
        draft: &Draft,
        build_threads: usize,
        cancel: &Cancel,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<BuiltSegment> {
        let documents = u32::try_from(self.ids.len()).map_err(|_| Error::Internal("a segment is full".into()))?;
        let adopted = self.adopted.as_ref();
        if adopted.is_some_and(|(_, adopted)| adopted.left() > 0) {
            return Err(Error::Internal("a graph has more rows than documents came".into()));
        }
        let total: usize = self.vectors.iter().map(VectorBuilder::len).sum::<usize>()
            + adopted.map_or(0, |(_, adopted)| adopted.graph.len());
        let replaced = finish_rows(&self.name, self.documents, self.ids, self.text, draft)?;
        let mut before = 0;
        let mut adopted = self.adopted;
        for (at, (builder, (field, _))) in self.vectors.into_iter().zip(self.schema.vectors()).enumerate() {
            let (graph_path, full_path) =
                (path(&self.name, &format!("{field}.graph")), path(&self.name, &format!("{field}.full")));
            let (graph, full) = (draft.create(&graph_path)?, draft.create(&full_path)?);
            let own = adopted.take_if(|(field, _)| *field == at);
            let nodes = own.as_ref().map_or(builder.len(), |(_, adopted)| adopted.graph.len());
            let report = |done: usize, _: usize| progress(before + done, total);
            let stop = || cancel.is_set();
            let finished = match own {
                Some((_, adopted)) => adopted.graph.finish(graph, full, &stop, &report),
                None => builder.finish(graph, full, build_threads, &stop, &report, &threads::become_idle),
            };
            let (graph, full) = finished.map_err(Error::vectors(field))?;
            draft.record(&graph_path, graph)?;
            draft.record(&full_path, full)?;
            before += nodes;
        }
        Ok(BuiltSegment { name: self.name, documents, replaced })
    }
}

/// Writes what every segment has; the ordinals whose id came again. Long documents are brought to the disk while the text is made.
fn finish_rows(
    name: &str,
    documents: DocumentsWriter,
    ids: IdsWriter,
    text: TextBuilder,
    draft: &Draft,
) -> Result<Vec<u32>> {
    let [documents_path, ids_path, text_path] = ["documents", "ids", "text"].map(|file| path(name, file));
    let long = documents.written() >= LONG;
    let rows = |documents: DocumentsWriter, ids: IdsWriter| {
        Ok::<_, Error>((documents.finish()?, ids.finish(draft.create(&ids_path)?)?))
    };
    let text = || Ok::<_, Error>(text.finish(draft.create(&text_path)?)?);
    let (rows, text) = if long {
        let given = Mutex::new(Some((documents, ids)));
        let taken = || given.lock().unwrap_or_else(PoisonError::into_inner).take();
        let twice = || Error::Internal("the documents of a segment are finished twice".into());
        let rows = || taken().ok_or_else(twice).and_then(|(documents, ids)| rows(documents, ids));
        beside("cutover-write", rows, text)
    } else {
        (rows(documents, ids), text())
    };
    let (documents, (ids, replaced)) = rows?;
    draft.record(&documents_path, documents)?;
    draft.record(&ids_path, ids)?;
    draft.record(&text_path, text?)?;
    Ok(replaced)
}

fn refused(document: &Document<'_>, field: &str, error: &cutover_vectors::Error, vector: &[f32]) -> Error {
    use cutover_vectors::Error as V;
    let (reason, value) = match error {
        V::Dimensions { expected, actual } => (format!("must have {expected} dimensions"), actual.to_string()),
        V::NotFinite { component, value } => (format!("must be finite at component {component}"), value.to_string()),
        V::NotHalf { component, value } => (
            format!("must be within ±65504 at component {component} where the precision is float16"),
            value.to_string(),
        ),
        V::Length { length } => {
            ("must have a length from 1e-37 to 1e37 where the metric is cosine".to_owned(), length.to_string())
        }
        V::Zero => ("must not be zero where the metric is cosine".to_owned(), format!("{} zeros", vector.len())),
        other => (other.to_string(), format!("{} components", vector.len())),
    };
    Error::Document { id: document.id.to_string(), field: Some(field.to_owned()), value, reason }
}
