// Opening what a command works on: an index of documents, or the versions of one whatever they hold.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openIndex } from '../open.js'
import type { OpenOptions } from '../options.js'
import type { Fields } from '../schema.js'
import type { SearchIndex } from '../search-index.js'
import { openStore } from '../store/open.js'
import type { VersionStore } from '../store/version-store.js'
import { isRecord } from '../validate.js'
import type { VersionInfo } from '../version.js'
import type { Opening } from './command.js'
import { EXIT, Failure } from './exit.js'

/** Opens an index of documents to read it. */
export const openToRead = (path: string, { allow }: Opening): Promise<SearchIndex> =>
  openIndex(path, { mode: 'read-only', ...(allow ? { allow } : {}) })

/** Opens an index of documents to write it; `fields` are needed where there is none yet. */
export const openToWrite = (path: string, { allow }: Opening, options: OpenOptions<Fields>): Promise<SearchIndex> =>
  openIndex(path, { ...options, ...(allow ? { allow } : {}) })

/** Opens a directory of versions, of whatever kind, which must be there. */
export async function openVersions(
  path: string,
  { allow }: Opening,
  mode: 'read-only' | 'read-write',
): Promise<VersionStore> {
  const allowing = allow ? { allow } : {}
  const reading = await openStore(path, { mode: 'read-only', ...allowing })
  if (mode === 'read-only') return reading
  await reading.close()
  return openStore(path, allowing)
}

/** Opens a directory of versions, or makes it with the first write. */
export const openStoreToWrite = (
  path: string,
  { allow }: Opening,
  versions: number | undefined,
): Promise<VersionStore> =>
  openStore(path, { ...(allow ? { allow } : {}), ...(versions === undefined ? {} : { keep: { versions } }) })

/** Works on something open, and closes it whatever happens. */
export async function using<T extends { close(): Promise<void> }, R>(
  opened: Promise<T>,
  work: (open: T) => Promise<R>,
): Promise<R> {
  const open = await opened
  try {
    return await work(open)
  } finally {
    await open.close()
  }
}

/** The version that an argument means: an id, else a tag, else `current`. */
export async function versionOf(
  open: Pick<VersionStore, 'versions' | 'status'>,
  argument: string,
): Promise<VersionInfo> {
  const versions = await open.versions()
  const found = versions.find(({ id }) => id === argument) ?? versions.find(({ tags }) => tags.includes(argument))
  if (found) return found
  if (argument !== 'current')
    throw new Failure(`there is no version ${argument}, and no version tagged so`, EXIT.notFound)
  const { current } = await open.status()
  if (current) return current
  throw new Failure('nothing was published yet', EXIT.notFound)
}

/** What a version's manifest says of its files, and whether they are documents or something else. */
export interface Manifest {
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  readonly content: unknown
}

/** Reads the manifest of a version. */
export async function manifestOf(store: VersionStore, id: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(store.path, 'versions', id, 'manifest.json'), 'utf8')) as Manifest
}

/** Whether a version holds documents, or files that only other software reads. */
export const holdsDocuments = ({ content }: Manifest): boolean => isRecord(content) && 'segments' in content
