// Opening an index.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Interrupt } from './abort.js'
import { native } from './errors.js'
import { IndexHandle } from './index-handle.js'
import { NativeIndex } from './native.js'
import { openOptions } from './options.js'
import type { OpenOptions, Opening } from './options.js'
import type { Fields, Known, Unreserved } from './schema.js'
import type { SearchIndex } from './search-index.js'
import { string } from './validate.js'

/**
 * Opens the index in a directory; where there is none, or an empty one, it is created if `fields` are given. Nothing is searchable
 * before the first publish: see `ready`.
 *
 * Rejects with `signal.reason` when aborted, TypeError or RangeError for options, and CutoverError: CUTOVER_NOT_FOUND (nothing
 * there, and no `fields`), CUTOVER_IO (a file, no permission), CUTOVER_CORRUPT, CUTOVER_FORMAT_TOO_NEW, CUTOVER_UNSAFE_DIRECTORY
 * (others may write it, or it is on a network), CUTOVER_LOCK_UNSUPPORTED.
 */
export async function openIndex<const S extends Fields = Fields>(
  path: string,
  options?: OpenOptions<S>,
): Promise<SearchIndex<S>> {
  if (string(path, 'path') === '') throw new RangeError("path must not be empty, got ''")
  return open<S>(resolve(path), openOptions(options), async () => {})
}

/** Opens a new index in a directory of its own below the system's temporary one, which goes away on close. Rejects as `openIndex` does. */
export async function openTemporary<const S extends Fields>(
  options: OpenOptions<S> & { fields: S & Known<S> & Unreserved },
): Promise<SearchIndex<S>> {
  const checked = openOptions(options)
  if ((options as OpenOptions<S> | undefined)?.fields === undefined)
    throw new TypeError('options.fields must be given for a temporary index, got undefined')
  const path = await mkdtemp(join(tmpdir(), 'cutover-'))
  const remove = () => rm(path, { recursive: true, force: true })
  try {
    return await open<S>(path, checked, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

async function open<S extends Fields>(
  path: string,
  { json, signal, embedders }: Opening,
  release: () => Promise<void>,
): Promise<SearchIndex<S>> {
  const interrupt = new Interrupt(signal)
  const opening = native(() => NativeIndex.open(path, json))
  try {
    return new IndexHandle<S>(await interrupt.race(opening), path, embedders, release)
  } catch (error) {
    // Opening cannot be stopped half-way: what nobody waits for any more is closed when it is there.
    if (interrupt.fired) opening.then((index) => index.close()).catch(() => {})
    throw error
  } finally {
    interrupt.dispose()
  }
}
