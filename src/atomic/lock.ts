// One lock across processes, held for as long as a function runs.
import { limited } from '../abort.js'
import { native } from '../errors.js'
import { NativeLock } from '../native.js'
import { callback, given, milliseconds, optionsOf, signal } from '../validate.js'
import { pathOf } from './replace.js'

/** Of `withLock`. */
export interface LockOptions {
  /** Milliseconds to wait while another holds the lock; 0 fails at once. Default Infinity. */
  timeoutMs?: number
  /** Ends the wait. Once `work` runs it is told by its own signal, and the lock is held until it has settled. */
  signal?: AbortSignal
}
const lockKeys = new Set(['timeoutMs', 'signal'])

/**
 * Runs `work` under the exclusive lock at `path` and answers what it answers. The lock is let go when `work` has settled, however, or when the
 * process dies.
 *
 * The file is made when it is not there, and never removed. The lock is an `flock`: `flock(1)`, Python's `fcntl.flock` and the writers of an
 * index (whose lock is `<index>/.index_rebuild.lock`) take part. Those who wait get it in the order in which they came. While it is held,
 * `<name>.holder` beside `<name>.lock` says who holds it.
 *
 * @throws {CutoverError} CUTOVER_LOCKED, with the holder's pid, host, since and operation in `detail.holder`; CUTOVER_LOCK_UNSUPPORTED.
 * @throws the signal's reason, when it is aborted before `work` is called.
 */
export async function withLock<T>(
  path: string,
  work: (signal: AbortSignal) => T | Promise<T>,
  options?: LockOptions,
): Promise<Awaited<T>> {
  const at = pathOf(path, 'path')
  callback(work, 'work')
  const chosen = optionsOf(options, lockKeys)
  const timeoutMs = given(chosen['timeoutMs'], (value) => milliseconds(value, 'options.timeoutMs', 0))
  const stop = signal(chosen['signal'])
  const lock = await limited(stop, undefined, (token) => NativeLock.acquire(at, 'lock', timeoutMs, token))
  try {
    stop?.throwIfAborted()
    return await work(stop ?? new AbortController().signal)
  } finally {
    await native(() => lock.release())
  }
}
