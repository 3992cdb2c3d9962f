// A directory of hnsw_index.bin, collection_meta.json and an id map: read once to know what it is, and again, under the writer lock,
// for its ids.
import { realpath } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { AdoptedGraph } from '../options.js'
import type { Fields, Input, Metric } from '../schema.js'
import { show } from '../validate.js'
import { readCollection } from './collection.js'
import type { Collection } from './collection.js'
import type { HnswFiles } from './directory.js'
import { Refused, attempt } from './file.js'
import { readHnswHeader } from './hnsw-header.js'
import type { HnswHeader } from './hnsw-header.js'
import { IdMap, readBinaryIndex, readJsonIndex, readMapping } from './id-map.js'
import { match } from './labels.js'
import type { Labels, Matched } from './labels.js'

/** What a schema and attributes are made of, before an index is opened for it. */
export interface HnswLook {
  readonly files: HnswFiles
  readonly header: HnswHeader
  readonly collection: Collection
  readonly metric: Metric
}

/** Looks at a directory. What cannot be imported at all is refused here, before an index is made for it. */
export async function lookAtHnsw(
  files: HnswFiles,
  metric: Metric | undefined,
  force: boolean,
  signal: AbortSignal | undefined,
): Promise<HnswLook> {
  const collection = await readCollection(files.collection)
  const { path } = collection
  if (collection.stale && !force)
    throw new Refused(`${path} says that ${files.graph} is stale: options.force imports it all the same`, { path })
  const header = await readHnswHeader(files.graph, signal)
  for (const [what, said, is] of [
    ['dimensions', collection.dimensions, header.dimensions],
    ['hnsw_index.M', collection.m, header.m],
  ] as const)
    if (said !== undefined && said !== is)
      throw new Refused(`${path} says ${what} ${said}, and ${files.graph} has ${is}`, { path, said, is })
  if (metric !== undefined && collection.metric !== undefined && metric !== collection.metric)
    throw new Refused(
      `${path} says hnsw_index.space ${show(collection.metric)}, but the metric asked for is ${show(metric)}`,
      { path },
    )
  if (files.json === undefined && files.binary === undefined && collection.mapping === undefined)
    throw new Refused(
      `${files.directory} has no ids: neither id_index.json nor id_index.bin nor hnsw_index.id_mapping in ${path}`,
      { directory: files.directory },
    )
  return { files, header, collection, metric: metric ?? collection.metric ?? 'cosine' }
}

/** One reading of a directory's ids. */
export class HnswReading {
  readonly #look: HnswLook
  readonly #unmatched: 'throw' | 'skip'
  readonly #signal: AbortSignal | undefined
  readonly #map = new IdMap()
  #matched: Matched | undefined

  constructor(seen: HnswLook, unmatched: 'throw' | 'skip', signal: AbortSignal | undefined) {
    this.#look = seen
    this.#unmatched = unmatched
    this.#signal = signal
  }

  /** The graph to be adopted; `rows` is called once the file was checked, under the writer lock. */
  async graph(): Promise<AdoptedGraph> {
    const { graph } = this.#look.files
    return {
      field: 'embedding',
      // The addon follows no link.
      path: await attempt('look at', graph, () => realpath(graph)),
      rows: (labels, deleted) => this.#rows(labels, deleted),
    }
  }

  /** What has been read. */
  report(): { documents: number; vectors: number; labels: Labels } {
    const { report, ids } = this.#result()
    return { documents: ids.length, vectors: report.rows, labels: report }
  }

  /** A document for each row, in their order. */
  *documents(): Generator<Input<Fields>, undefined> {
    for (const id of this.#result().ids) {
      const path = this.#map.path(id)
      yield path === undefined ? { id } : { id, path }
    }
    return undefined
  }

  #result(): Matched {
    if (!this.#matched) throw new Error('nothing was read')
    return this.#matched
  }

  async #rows(labels: BigUint64Array, deleted: Uint8Array): Promise<Uint32Array> {
    const { files, collection } = this.#look
    const { path } = collection
    if (!isDeepStrictEqual(await readCollection(path), collection))
      throw new Refused(`${path} was changed while the writer lock was waited for`, { path })
    if (collection.mapping !== undefined)
      await this.#map.add('hnsw_index.id_mapping', readMapping(collection.mapping, path))
    if (files.json !== undefined) await this.#map.add('id_index.json', readJsonIndex(files.json, this.#signal))
    if (files.binary !== undefined) await this.#map.add('id_index.bin', readBinaryIndex(files.binary, this.#signal))
    this.#map.check(files.directory)
    const matched = match(files.directory, this.#map, labels, deleted, this.#unmatched)
    const { rows, deleted: gone } = matched.report
    const said = collection.vectors
    if (said !== undefined && said !== rows && said !== rows - gone)
      throw new Refused(
        `${path} says hnsw_index.vector_count ${said}, and ${files.graph} has ${rows} vectors, ${gone} of them deleted`,
        { path, said, rows, deleted: gone },
      )
    this.#matched = matched
    return matched.rows
  }
}
