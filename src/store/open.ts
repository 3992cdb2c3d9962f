// Opening a store.
import { native } from '../errors.js'
import { pathOf } from '../lifecycle.js'
import { NativeStore } from '../native.js'
import { storeOptions } from './options.js'
import { StoreHandle } from './store-handle.js'
import type { StoreOptions, VersionStore } from './version-store.js'

/**
 * Opens the store in a directory; one that is missing or empty becomes a store with the first write, unless it is opened
 * `read-only`. An index of `openIndex` is a store too.
 *
 * Rejects with TypeError or RangeError for options, and CutoverError: CUTOVER_NOT_FOUND (nothing there, and `read-only`, or
 * something that is no store), CUTOVER_IO (a file, no permission), CUTOVER_CORRUPT, CUTOVER_FORMAT_TOO_NEW,
 * CUTOVER_UNSAFE_DIRECTORY (others may write it).
 */
export async function openStore(path: string, options?: StoreOptions): Promise<VersionStore> {
  const directory = pathOf(path, 'path')
  const { json, required } = storeOptions(options)
  return StoreHandle.start(await native(() => NativeStore.open(directory, json)), directory, required)
}
