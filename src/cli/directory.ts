// Opening what a command works on: an index of documents, or the versions of one whatever they hold.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCutoverError } from '../errors.js'
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

/** A command is over before digests are compared in the background, or nearly: what it finds must not depend on that. `verify` compares them. */
const integrity = 'sizes'

/** Reads an index of documents, and tells one that holds other files from one that is damaged. */
export async function reading<R>(path: string, options: Opening, work: (index: SearchIndex) => Promise<R>): Promise<R> {
  const { allow } = options
  try {
    return await using(openIndex(path, { mode: 'read-only', integrity, ...(allow ? { allow } : {}) }), work)
  } catch (error) {
    if (!isCutoverError(error, 'CUTOVER_CORRUPT') || (await mayHoldDocuments(path, options))) throw error
    throw new Failure(`${path} holds files of other software, not documents`, EXIT.problem, { cause: error })
  }
}

const mayHoldDocuments = (path: string, options: Opening): Promise<boolean> =>
  using(openVersions(path, options, 'read-only'), async (store) =>
    holdsDocuments(await manifestOf(store, (await versionOf(store, 'current')).id)),
  ).catch(() => true)

/** Opens an index of documents to write it; `fields` are needed where there is none yet. */
export const openToWrite = (path: string, { allow }: Opening, options: OpenOptions<Fields>): Promise<SearchIndex> =>
  openIndex(path, { ...options, ...(allow ? { allow } : {}) })

/** Opens a directory of versions, of whatever kind, which must be there. */
export async function openVersions(
  path: string,
  { allow }: Opening,
  mode: 'read-only' | 'read-write',
): Promise<VersionStore> {
  const allowing = { integrity, ...(allow ? { allow } : {}) } as const
  const looking = await openStore(path, { mode: 'read-only', ...allowing })
  if (mode === 'read-only') return looking
  await looking.close()
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

const currentOf = async (open: Pick<VersionStore, 'current'> | Pick<SearchIndex, 'current'>) =>
  typeof open.current === 'function' ? open.current() : open.current

/** The version that an argument means: an id, else a tag, else `current`. */
export async function versionOf(
  open: Pick<VersionStore, 'versions' | 'current'> | Pick<SearchIndex, 'versions' | 'current'>,
  argument: string,
): Promise<VersionInfo> {
  const versions = await open.versions()
  const found = versions.find(({ id }) => id === argument) ?? versions.find(({ tags }) => tags.includes(argument))
  if (found) return found
  if (argument !== 'current')
    throw new Failure(`there is no version ${argument}, and no version tagged so`, EXIT.notFound)
  const current = await currentOf(open).catch((error: unknown) => {
    if (!isCutoverError(error, 'CUTOVER_NOT_FOUND')) throw error
    throw new Failure(`CURRENT is damaged: ${error.message}`, EXIT.corrupt, { cause: error })
  })
  if (current) return current
  throw new Failure('nothing was published yet', EXIT.notFound)
}

/** What a version's manifest says of its files, and whether they are documents or something else. */
export interface Manifest {
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  readonly content: unknown
}

const utf8 = (path: string): Promise<string> => readFile(path, 'utf8')

/** Reads the manifest of a version. That of an adopted one is apart, since what it holds may have a manifest.json of its own. */
export async function manifestOf(store: VersionStore, id: string): Promise<Manifest> {
  const version = join(store.path, 'versions', id)
  const text = await utf8(join(version, '.cutover', 'manifest.json')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return utf8(join(version, 'manifest.json'))
  })
  return JSON.parse(text) as Manifest
}

/** Whether a version holds documents, or files that only other software reads. */
export const holdsDocuments = ({ content }: Manifest): boolean => isRecord(content) && 'segments' in content
