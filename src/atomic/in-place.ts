// Files under fixed names, rebuilt beside their places and swapped in under the lock.
import { limited } from '../abort.js'
import { native } from '../errors.js'
import { NativeInPlace } from '../native.js'
import { callback, given, isRecord, milliseconds, optionsOf, signal, string, wrongType } from '../validate.js'
import { pathOf } from './replace.js'

/** Of `rebuildInPlace`. */
export interface RebuildInPlaceOptions {
  /** Milliseconds to wait for another process's rebuild; 0 fails at once. Default Infinity. */
  lockTimeoutMs?: number
  /** Honoured until the first swap; what `build` does is not cut short. */
  signal?: AbortSignal
}
const keys = new Set(['lockTimeoutMs', 'signal'])

/**
 * Rebuilds files of `directory` where they are: takes its lock (`.index_rebuild.lock`), calls `build` with an empty directory, and swaps in what it
 * built. `build` answers which staged path replaces which target, both relative: `{ 'new.faiss': 'vectors.faiss' }`. Files and whole directories; a
 * target that is not there is made. Nothing else in `directory` is touched.
 *
 * Each target is old or new at every instant, and never missing; several change one after another. Where readers must not see
 * new ones with old ones, use versions (`cutover/store`). If `build` fails, everything stays as it was. What a crash leaves in the
 * staging directory, the next call removes.
 *
 * @throws {CutoverError} CUTOVER_LOCKED; CUTOVER_IO, with `detail.reason` 'exchange-unsupported' when a directory is to be replaced where that takes a
 * moment without it; CUTOVER_INDETERMINATE when everything is swapped but may not last.
 * @throws {RangeError} for a path that leads elsewhere, or that nothing was built at; the signal's reason; whatever `build` throws.
 */
export async function rebuildInPlace(
  directory: string,
  build: (staging: string) => Record<string, string> | Promise<Record<string, string>>,
  options?: RebuildInPlaceOptions,
): Promise<void> {
  const at = pathOf(directory, 'directory')
  callback(build, 'build')
  const chosen = optionsOf(options, keys)
  const timeoutMs = given(chosen['lockTimeoutMs'], (value) => milliseconds(value, 'options.lockTimeoutMs', 0))
  const stop = signal(chosen['signal'])
  const rebuild = await limited(stop, undefined, (token) =>
    NativeInPlace.begin(at, 'rebuild in place', timeoutMs, token),
  )
  try {
    stop?.throwIfAborted()
    const swaps = JSON.stringify(swapsOf(await build(rebuild.staging)))
    stop?.throwIfAborted()
    await native(() => rebuild.finish(swaps))
  } catch (error) {
    // What cannot be removed now, the next call removes; the failure that led here is the one to tell.
    await rebuild.abandon().catch(() => {})
    throw error
  }
}

function swapsOf(answer: unknown): { staged: string; target: string }[] {
  if (!isRecord(answer)) throw wrongType('what build answers', 'an object from staged paths to targets', answer)
  return Object.entries(answer).map(([staged, target]) => ({
    staged: string(staged, 'a staged path'),
    target: string(target, `the target of ${JSON.stringify(staged)}`),
  }))
}
