// Opening what a command works on: an index of documents, or the versions of one whatever they hold.
import { isCutoverError } from '../errors.js'
import { openIndex } from '../open.js'
import type { OpenOptions } from '../options.js'
import type { Fields } from '../schema.js'
import type { SearchIndex } from '../search-index.js'
import type { VersionInfo } from '../version.js'
import type { Opening } from './command.js'
import { EXIT, Failure } from './exit.js'

/** What the lifecycle commands use, of documents and of artifacts alike. */
export type Versions = SearchIndex

/** Opens an index of documents to read it. */
export const openToRead = (path: string, { allow }: Opening): Promise<SearchIndex> =>
  openIndex(path, { mode: 'read-only', ...(allow ? { allow } : {}) })

/** Opens an index of documents to write it; `fields` are needed where there is none yet. */
export const openToWrite = (path: string, { allow }: Opening, options: OpenOptions<Fields>): Promise<SearchIndex> =>
  openIndex(path, { ...options, ...(allow ? { allow } : {}) })

/** Opens a directory of versions, of whatever kind. */
export const openVersions = (path: string, options: Opening, mode: 'read-only' | 'read-write'): Promise<Versions> =>
  openIndex(path, { mode, ...(options.allow ? { allow: options.allow } : {}) })

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

/** The id of the version that an argument means: an id, else a tag, else `current`. */
export async function versionOf(open: Pick<Versions, 'versions' | 'status'>, argument: string): Promise<VersionInfo> {
  const versions = await open.versions()
  const found = versions.find(({ id }) => id === argument) ?? versions.find(({ tags }) => tags.includes(argument))
  if (found) return found
  const current = argument === 'current' ? (await open.status()).current : undefined
  if (current) return current
  throw new Failure(`there is no version ${argument}, and no version tagged so`, EXIT.notFound)
}

/** Whether a command failed because there is nothing at its path. */
export const isMissing = (error: unknown): boolean => isCutoverError(error, 'CUTOVER_NOT_FOUND')
