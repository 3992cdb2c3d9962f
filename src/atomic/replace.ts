// Replacing one file, written here, or one finished file or directory, made by anybody.
import { Buffer } from 'node:buffer'
import { native } from '../errors.js'
import { NativeReplacement } from '../native.js'
import { boolean, given, isRecord, optionsOf, show, string, wrongType } from '../validate.js'

/** Bytes handed to the native side at once: copying them takes well under a millisecond. */
const SLICE = 1024 * 1024

/** Of `replaceWith`. */
export interface ReplaceOptions {
  /** Accept a moment without a target, and a crash that leaves the old one as `<target>.replaced-<random>`, where the file system cannot exchange two names. Default false: refused. */
  allowGap?: boolean
}
const replaceKeys = new Set(['allowGap'])

/**
 * Writes a file so that a reader, and a crash, see the old bytes or the new bytes. Resolves once the new ones survive a power cut.
 *
 * The file keeps the permission bits of the one that it replaces, else it gets 0644 less the umask; owner and extended attributes are a new
 * file's. A symbolic link at the path is replaced itself; what it leads to is not touched. If the source of the bytes fails, the old file
 * stays and nothing else does.
 *
 * @throws {CutoverError} CUTOVER_IO, CUTOVER_NO_SPACE; CUTOVER_INDETERMINATE when the new bytes are there but may not last.
 */
export async function replaceFile(path: string, data: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const target = pathOf(path, 'path')
  const chunks = chunksOf(data)
  const replacement = await native(() => NativeReplacement.begin(target))
  try {
    for await (const chunk of chunks) {
      const bytes = bytesOf(chunk)
      for (let at = 0; at < bytes.length; at += SLICE)
        await native(() => replacement.write(bytes.subarray(at, at + SLICE)))
    }
    await native(() => replacement.finish())
  } catch (error) {
    // Nothing is left to abandon after a failed finish; the failure that led here is the one to tell.
    await replacement.abandon().catch(() => {})
    throw error
  }
}

/**
 * Moves a finished file or directory onto `target`, in place of what is there: at no moment is there no target, and a crash leaves the old
 * or the new. Resolves once the new survives a power cut and the old is removed.
 *
 * Everything staged is synced first. Both paths are on one file system. Symbolic links are not followed: one at `target` is replaced
 * itself. What a crash leaves under the staged name, which after the exchange is the old, is yours to remove.
 *
 * @throws {CutoverError} CUTOVER_IO, with `detail.reason` 'exchange-unsupported' where the file system cannot exchange two names: then nothing was
 * changed. CUTOVER_INDETERMINATE when the new is there but may not last; the old is kept under the staged name.
 */
export async function replaceWith(target: string, staged: string, options?: ReplaceOptions): Promise<void> {
  const to = pathOf(target, 'target')
  const from = pathOf(staged, 'staged')
  const allowGap = given(optionsOf(options, replaceKeys)['allowGap'], (value) => boolean(value, 'options.allowGap'))
  await native(() => NativeReplacement.with(to, from, allowGap ?? false))
}

/** A path that the system can be asked about. */
export function pathOf(value: unknown, name: string): string {
  const path = string(value, name)
  if (path === '' || path.includes('\0')) throw new RangeError(`${name} must be a path, got ${show(path)}`)
  return path
}

function chunksOf(data: unknown): Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof data === 'string') return [Buffer.from(string(data, 'data'))]
  if (data instanceof Uint8Array) return [data]
  if (isRecord(data) && Symbol.asyncIterator in data) return data as unknown as AsyncIterable<unknown>
  throw wrongType('data', 'a string, a Uint8Array or an async iterable of Uint8Arrays', data)
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw wrongType('each chunk of data', 'a Uint8Array', chunk)
}
