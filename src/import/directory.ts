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

/** Finds the files. CUTOVER_NOT_FOUND names the first of the three needed that is missing. */
export async function findFiles(directory: string): Promise<Files> {
  const needed = async (name: string): Promise<string> => {
    const path = join(directory, name)
    await attempt('look at', path, () => lstat(path))
    return path
  }
  const optional = async (name: string): Promise<string | undefined> => {
    try {
      return await needed(name)
    } catch (error) {
      if (error instanceof Refused && error.code === 'CUTOVER_NOT_FOUND') return undefined
      throw error
    }
  }
  const files = {
    directory,
    documents: await needed('documents.json'),
    embeddings: await needed('embeddings.npy'),
    manifest: await needed('manifest.json'),
    nodes: await optional('nodes.json'),
    edges: await optional('edges.json'),
    fts: await optional('fts.sqlite3'),
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
