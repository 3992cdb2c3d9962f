// Imports a directory that other software wrote as a version of an index.
import { resolve } from 'node:path'
import { isCutoverError } from '../errors.js'
import { openIndex } from '../open.js'
import { GRAPH } from '../options.js'
import type { RebuildOptions } from '../options.js'
import type { Fields } from '../schema.js'
import { string } from '../validate.js'
import type { VersionInfo } from '../version.js'
import { findHnswFiles, shapeOf } from './directory.js'
import type { Files } from './directory.js'
import type { IdsFrom } from './documents.js'
import { Refused } from './file.js'
import { checkGraph } from './graph.js'
import type { Graph } from './graph.js'
import { HnswReading, lookAtHnsw } from './hnsw.js'
import type { Labels } from './labels.js'
import { importOptions } from './options.js'
import type { Checked, ImportOptions } from './options.js'
import { Reading, look } from './reading.js'

/** What an import did. */
export interface ImportReport {
  readonly version: VersionInfo
  /** Documents read; `version.counts` says how many of them were skipped, or replaced by a later one of the same id. */
  readonly documents: number
  readonly vectors: number
  readonly dimensions: number
  readonly idsFrom: IdsFrom
  /** What became of the vectors of a `hnsw_index.bin`, where there is one. */
  readonly labels: Labels | undefined
  /** Nodes and edges, where there is a nodes.json: `snapshot.artifact('nodes.json')` is its path. */
  readonly graph: Graph | undefined
  /** What the caller should know, a sentence each: files that are there and were not read. */
  readonly notes: readonly string[]
}

/**
 * Makes a version of an index from a directory that other software wrote: `documents.json` (an array of objects),
 * `embeddings.npy` (float16, float32 or float64 of shape (documents, dimensions), in the order of the documents) and
 * `manifest.json` (an object with `count` and perhaps `model` and `config`, which become attributes). All three must agree on how
 * many documents there are. Nothing is embedded anew; text is indexed anew.
 *
 * A document's id is its `id`, else its `chunk_id`, else its `path`, `#` and its position. Its `content`, or `text`, is searched
 * by words, its `path` is filtered, its row of the embeddings is searched by distance, and everything else is kept in `rest`: see
 * `options.fields`. `nodes.json` and `edges.json`, if there, are checked and kept with the version as artifacts of these names. `fts.sqlite3` is not read.
 *
 * Or from a directory of `hnsw_index.bin` (as hnswlib, its Python package and `hnswlib-node` write it), `collection_meta.json` and the ids
 * of its labels: `id_index.json` (id to label), `id_index.bin` (ids and paths in label order) or `hnsw_index.id_mapping` in the metadata. The graph
 * is taken over as it is; documents have an id, a `path` where it is known, and the vector that hnswlib kept (for cosine, of length
 * 1). Vectors that it had deleted are left out, and links that led to them lead on to their neighbours. Ids and labels must match one to one,
 * and every fact that is stated twice must agree; with `onInvalid`, what has no partner is left out, and `labels` counts it.
 *
 * The files are read once the writer lock of the index is held, in blocks: neither the documents nor the vectors are in memory as a
 * whole, their ids are. The index is created if there is none, and stays, empty, when what was read then is refused.
 *
 * Rejects, with nothing published, with CUTOVER_NOT_FOUND (a file is missing), CUTOVER_SOURCE (counts that disagree, all named; an
 * id twice; a file that is damaged, of another form or changed while it was read), CUTOVER_DOCUMENT (names the id: a zero vector
 * under `cosine`, a NaN, a text that is none; see `onInvalid`), CUTOVER_GATE (ids that two nodes have, edges to no node), and as
 * `openIndex` and `rebuild` do.
 */
export async function importDirectory(path: string, from: string, options?: ImportOptions): Promise<ImportReport> {
  if (string(path, 'path') === '') throw new RangeError("path must not be empty, got ''")
  if (string(from, 'from') === '') throw new RangeError("from must not be empty, got ''")
  const checked = importOptions(options)
  const { write } = checked
  write.signal?.throwIfAborted()
  const directory = resolve(from)
  const run = (await shapeOf(directory)) === 'hnsw' ? importHnsw : importDocuments
  return run(path, directory, checked)
}

async function importDocuments(path: string, directory: string, checked: Checked): Promise<ImportReport> {
  const { open, write, duplicates, schema } = checked
  const before = await look(directory, write.signal)
  const { files, dimensions, manifest } = before
  const fields = schema(dimensions, files.embeddings)
  const abort = write.signal === undefined ? {} : { signal: write.signal }
  const index = await openIndex<Fields>(path, { ...open, ...abort, fields })
  try {
    const reading = new Reading(before, fields, duplicates, write.signal)
    let graph: Graph | undefined
    const version = await index.rebuild(() => reading.documents(), {
      ...write,
      attributes: { ...manifest.attributes, ...write.attributes },
      artifacts: graphOf(files),
      async gate(draft) {
        // The copies that are kept; the files themselves were checked before anything was built.
        if (files.nodes !== undefined)
          graph = await checkGraph(draft.artifact(NODES), files.edges && draft.artifact(EDGES), write.signal)
        await write.gate?.(draft)
      },
    })
    return { version, dimensions, graph, labels: undefined, notes: notes(files), ...reading.report() }
  } catch (error) {
    // What the reading refused comes back as the cause of what the rebuild says about its source or its gate.
    throw isCutoverError(error) && error.cause instanceof Refused ? error.cause : error
  } finally {
    await index.close()
  }
}

async function importHnsw(path: string, directory: string, checked: Checked): Promise<ImportReport> {
  const { open, write, force, metric: asked, unmatched } = checked
  const files = await findHnswFiles(directory)
  const seen = await lookAtHnsw(files, asked, force, write.signal)
  const { header, metric, collection } = seen
  const { dimensions, m, efConstruction } = header
  const fields = checked.graphSchema({ dimensions, metric, m, efConstruction }, files.graph)
  const abort = write.signal === undefined ? {} : { signal: write.signal }
  const index = await openIndex<Fields>(path, { ...open, ...abort, fields })
  try {
    const reading = new HnswReading(seen, unmatched, write.signal)
    const version = await index.rebuild(() => reading.documents(), {
      ...write,
      attributes: { ...collection.attributes, ...write.attributes },
      [GRAPH]: await reading.graph(),
    } as RebuildOptions<Fields>)
    const report = reading.report()
    const idsFrom = { id: report.documents, chunkId: 0, position: 0 }
    return { version, dimensions, graph: undefined, notes: [], idsFrom, ...report }
  } finally {
    await index.close()
  }
}

const [NODES, EDGES] = ['nodes.json', 'edges.json']

function graphOf({ nodes, edges }: Files): Record<string, string> {
  return { ...(nodes === undefined ? {} : { [NODES]: nodes }), ...(edges === undefined ? {} : { [EDGES]: edges }) }
}

function notes({ fts }: Files): string[] {
  return fts === undefined ? [] : [`${fts} was not read: the text was indexed anew`]
}
