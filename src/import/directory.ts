// A directory to import: which files there are, what its manifest says, and whether what it counts agrees.
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord, show } from '../validate.js'
import { Refused, attempt } from './file.js'
import { readJson } from './json-array.js'

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024

/** The files of a directory to import. */
export interface Files {
  readonly directory: string
  readonly documents: string
  readonly embeddings: string
  readonly manifest: string
  /** Where there are such files. */
  readonly nodes: string | undefined
  readonly edges: string | undefined
  readonly fts: string | undefined
}

/** What a manifest.json says, as far as an import reads it. */
export interface Manifest {
  readonly count: number
  /** `model` and `config`, when there. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** The files of a directory with an index of hnswlib's. */
export interface HnswFiles {
  readonly directory: string
  readonly graph: string
  readonly collection: string
  /** Where there are such files. */
  readonly json: string | undefined
  readonly binary: string | undefined
}

/** What a directory holds: hnsw_index.bin tells. CUTOVER_SOURCE when it could be either. */
export async function shapeOf(directory: string): Promise<'hnsw' | 'documents'> {
  const graph = await optional(directory, 'hnsw_index.bin')
  if (graph === undefined) return 'documents'
  const documents = await optional(directory, 'documents.json')
  if (documents !== undefined)
    throw new Refused(`${directory} has both ${graph} and ${documents}: import them from a directory each`, {
      directory,
    })
  return 'hnsw'
}

/** Finds the files. CUTOVER_NOT_FOUND names the first of the two needed that is missing. */
export async function findHnswFiles(directory: string): Promise<HnswFiles> {
  return {
    directory,
    graph: await needed(directory, 'hnsw_index.bin'),
    collection: await needed(directory, 'collection_meta.json'),
    json: await optional(directory, 'id_index.json'),
    binary: await optional(directory, 'id_index.bin'),
  }
}

async function needed(directory: string, name: string): Promise<string> {
  const path = join(directory, name)
  await attempt('look at', path, () => lstat(path))
  return path
}

async function optional(directory: string, name: string): Promise<string | undefined> {
  try {
    return await needed(directory, name)
  } catch (error) {
    if (error instanceof Refused && error.code === 'CUTOVER_NOT_FOUND') return undefined
    throw error
  }
}

/** Finds the files. CUTOVER_NOT_FOUND names the first of the three needed that is missing. */
export async function findFiles(directory: string): Promise<Files> {
  const files = {
    directory,
    documents: await needed(directory, 'documents.json'),
    embeddings: await needed(directory, 'embeddings.npy'),
    manifest: await needed(directory, 'manifest.json'),
    nodes: await optional(directory, 'nodes.json'),
    edges: await optional(directory, 'edges.json'),
    fts: await optional(directory, 'fts.sqlite3'),
  }
  if (files.edges !== undefined && files.nodes === undefined)
    throw new Refused(`${files.edges} has no nodes.json beside it`, { path: files.edges })
  return files
}

/** Reads a manifest.json. */
export async function readManifest(path: string): Promise<Manifest> {
  const value = await readJson(path, MAX_MANIFEST_BYTES)
  if (!isRecord(value)) throw new Refused(`${path} is no JSON object`, { path })
  const { count, model, config } = value
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0)
    throw new Refused(`${path} must have a count, a whole number from 0, got ${show(count)}`, { path, count })
  const attributes = Object.fromEntries(
    Object.entries({ model, config }).filter(([, member]) => member !== undefined && member !== null),
  )
  return { count, attributes }
}

/** What each file of a directory counts. */
export interface Counts {
  readonly documents: number
  readonly vectors: number
  readonly manifest: number
}

/** @throws {CutoverError} CUTOVER_SOURCE that names every count, unless they agree. */
export function checkCounts(directory: string, counts: Counts): void {
  const { documents, vectors, manifest } = counts
  if (documents === vectors && vectors === manifest) return
  throw new Refused(
    `${directory} disagrees with itself: documents.json has ${documents} documents, embeddings.npy ${vectors} rows, ` +
      `manifest.json counts ${manifest}`,
    { directory, ...counts },
  )
}
