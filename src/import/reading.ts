// Reads a directory to import: once to know what it is, and again, under the writer lock, for its documents.
import { isDeepStrictEqual } from 'node:util'
import type { Fields, Input } from '../schema.js'
import { show } from '../validate.js'
import { checkCounts, findFiles, readManifest } from './directory.js'
import type { Files, Manifest } from './directory.js'
import { Duplicates, Mapper } from './documents.js'
import type { IdsFrom } from './documents.js'
import { Refused, SourceFile } from './file.js'
import { checkGraph } from './graph.js'
import { readArray } from './json-array.js'
import { openNpy } from './npy.js'
import type { Npy, Vector } from './npy.js'

/** What a schema and attributes are made of, before an index is opened for it. */
export interface Look {
  readonly files: Files
  readonly manifest: Manifest
  readonly dimensions: number
}

/** Looks at a directory. What cannot be imported at all is refused here, before an index is made for it. */
export async function look(directory: string, signal: AbortSignal | undefined): Promise<Look> {
  const files = await findFiles(directory)
  const manifest = await readManifest(files.manifest)
  const npy = await openNpy(files.embeddings, signal)
  const { rows, dimensions } = npy.header
  await npy.close()
  const file = await SourceFile.open(files.documents, signal)
  try {
    if (rows !== manifest.count)
      checkCounts(directory, { documents: await count(file), vectors: rows, manifest: manifest.count })
  } finally {
    await file.close()
  }
  return { files, manifest, dimensions }
}

async function count(file: SourceFile): Promise<number> {
  let documents = 0
  for await (const _ of readArray(file)) documents++
  return documents
}

/** One reading of a directory's documents. */
export class Reading {
  readonly #look: Look
  readonly #mapper: Mapper
  readonly #duplicates: Duplicates | undefined
  readonly #signal: AbortSignal | undefined
  #documents = 0
  #vectors = 0

  /** Of what `look` saw, as documents with these fields. */
  constructor(seen: Look, fields: Fields, duplicates: 'throw' | 'last', signal: AbortSignal | undefined) {
    this.#signal = signal
    this.#look = seen
    this.#mapper = new Mapper(fields)
    this.#duplicates = duplicates === 'throw' ? new Duplicates() : undefined
  }

  /** What has been read. */
  report(): { documents: number; vectors: number; idsFrom: IdsFrom } {
    return { documents: this.#documents, vectors: this.#vectors, idsFrom: this.#mapper.idsFrom }
  }

  /** Every document with its vector. Ends with CUTOVER_SOURCE unless all counts agree and, where that matters, ids differ. */
  async *documents(): AsyncGenerator<Input<Fields>, undefined> {
    const { files, manifest, dimensions } = this.#look
    const now = await readManifest(files.manifest)
    if (!isDeepStrictEqual(now, manifest)) throw this.#changed(files.manifest)
    if (files.nodes !== undefined) await checkGraph(files.nodes, files.edges, this.#signal)
    const npy = await openNpy(files.embeddings, this.#signal)
    try {
      if (npy.header.dimensions !== dimensions) throw this.#changed(files.embeddings)
      const file = await SourceFile.open(files.documents, this.#signal)
      try {
        yield* this.#join(file, npy)
      } finally {
        await file.close()
      }
      this.#vectors = npy.header.rows
    } finally {
      await npy.close()
    }
    checkCounts(files.directory, { documents: this.#documents, vectors: this.#vectors, manifest: manifest.count })
    this.#checkIds()
    return undefined
  }

  /** Documents and rows side by side; of what has no partner only the number is taken. */
  async *#join(file: SourceFile, npy: Npy): AsyncGenerator<Input<Fields>, undefined> {
    const rows = npy.rows()
    let row: IteratorResult<Vector, undefined> = await rows.next()
    for await (const value of readArray(file)) {
      const position = this.#documents++
      if (row.done) continue
      const document = this.#mapper.map(value, position, row.value)
      this.#duplicates?.see(document, position)
      // What is no document at all goes the same way, and is refused like the source's others.
      yield document as Input<Fields>
      row = await rows.next()
    }
    await rows.return(undefined)
    return undefined
  }

  #checkIds(): void {
    const { count: found = 0, found: named = [] } = this.#duplicates ?? {}
    if (found === 0) return
    const told = named.map(({ id, positions }) => `${show(id)} (${positions.join(' and ')})`)
    const { documents: path } = this.#look.files
    throw new Refused(
      `${path} has ${found} documents with an id that an earlier one has: ${told.join(', ')}; positions count from 0`,
      { path, duplicates: named, duplicateCount: found },
    )
  }

  #changed(path: string): Refused {
    return new Refused(`${path} was changed while the writer lock was waited for`, { path })
  }
}
