// A file that other software wrote, read at positions: regular files only, and noticed when it changes while it is read.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { CutoverError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

/** What an import refuses. A class of its own, so that it can be told from what callers throw. */
export class Refused extends CutoverError {
  /** `code` is CUTOVER_SOURCE where nothing else is said. */
  constructor(
    message: string,
    detail: Readonly<Record<string, unknown>>,
    { code = 'CUTOVER_SOURCE', cause }: { code?: ErrorCode; cause?: unknown } = {},
  ) {
    super(code, message, { detail, ...(cause === undefined ? {} : { cause }) })
  }
}

/** An open file that is to be imported. */
export class SourceFile {
  readonly path: string
  /** Its last name, as messages show it. */
  readonly name: string
  /** Bytes, when it was opened. */
  readonly size: number
  readonly #handle: FileHandle
  readonly #changed: bigint
  readonly #signal: AbortSignal | undefined

  private constructor(path: string, handle: FileHandle, size: number, changed: bigint, signal?: AbortSignal) {
    this.path = path
    this.name = basename(path)
    this.size = size
    this.#handle = handle
    this.#changed = changed
    this.#signal = signal
  }

  /**
   * Opens a file; once the signal is aborted, reading it rejects with the signal's reason.
   *
   * @throws {CutoverError} CUTOVER_NOT_FOUND, CUTOVER_IO, or CUTOVER_SOURCE for what is not a regular file.
   */
  static async open(path: string, signal?: AbortSignal): Promise<SourceFile> {
    // A FIFO without a writer would make opening wait for ever.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    const handle = await attempt('open', path, () => open(path, flags))
    try {
      const stat = await attempt('look at', path, () => handle.stat({ bigint: true }))
      if (!stat.isFile()) throw new Refused(`${path} is not a regular file`, { path })
      return new SourceFile(path, handle, Number(stat.size), stat.mtimeNs, signal)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** @throws the signal's reason, once it is aborted. */
  check(): void {
    this.#signal?.throwIfAborted()
  }

  /** Reads from `position` on until `into` is full or the file ends; the bytes read. */
  async read(into: Uint8Array, position: number): Promise<number> {
    this.check()
    let read = 0
    while (read < into.length) {
      const at = position + read
      const { bytesRead } = await attempt('read', this.path, () =>
        this.#handle.read(into, read, into.length - read, at),
      )
      if (bytesRead === 0) break
      read += bytesRead
    }
    return read
  }

  /** @throws {CutoverError} CUTOVER_SOURCE when the file is another one than was opened: part of what was read may be older. */
  async unchanged(): Promise<void> {
    const stat = await attempt('look at', this.path, () => this.#handle.stat({ bigint: true }))
    if (Number(stat.size) !== this.size || stat.mtimeNs !== this.#changed)
      throw this.refuse('was changed while it was read')
  }

  /** The error that says what is wrong with this file. */
  refuse(what: string, detail: Readonly<Record<string, unknown>> = {}, cause?: unknown): Refused {
    return new Refused(`${this.path} ${what}`, { path: this.path, ...detail }, { cause })
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

/** Runs a file operation; its failure names what was tried on which path. */
export async function attempt<T>(what: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    const text = missing ? `there is no ${path}` : `could not ${what} ${path}: ${message}`
    throw new Refused(text, { path, errno: code }, { code: missing ? 'CUTOVER_NOT_FOUND' : 'CUTOVER_IO', cause })
  }
}
