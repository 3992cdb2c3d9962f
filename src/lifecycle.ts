// What an index and a store do with their versions alike: list, discard, tag, attach attributes, prune, verify, repair, copy.
import { resolve } from 'node:path'
import { limited } from './abort.js'
import { native } from './errors.js'
import type { Lifetime } from './lifetime.js'
import { NativeProgress } from './native.js'
import type { CancelToken, NativeStore } from './native.js'
import { json, keepOf, lock } from './options.js'
import type { Abortable, OpenOptions, Progress, WaitOptions } from './options.js'
import { Reporter } from './progress.js'
import type { PruneReport, RepairReport, VerifyReport } from './reports.js'
import type { Fields } from './schema.js'
import { boolean, callback, given, isRecord, oneOf, optionsOf, show, signal, string, wrongType } from './validate.js'
import { parseInfo, parseInfos } from './version.js'
import type { VersionInfo } from './version.js'

/** What a prune leaves. */
export interface PruneOptions extends WaitOptions {
  /** Instead of what the index or store was opened with. */
  keep?: NonNullable<OpenOptions<Fields>['keep']>
  /** Only says what would go. Default false. */
  dryRun?: boolean
}

/** What is verified. */
export interface VerifyOptions<Depth extends string = 'sizes' | 'digests'> extends Abortable {
  /** Default: every version. */
  version?: string
  /** `sizes`: every file is there with its size. `digests` (default): every byte is the one published. */
  depth?: Depth
  /** Called at most every 100 ms, with bytes. A throw ends the call with what it threw. */
  onProgress?(progress: Progress): void
}

/** How a repair goes about it. */
export interface RepairOptions extends WaitOptions {
  /** The version to make current. Default: the one that is, else the newest that verifies, was published and was never withdrawn. */
  to?: string
  /** Only says what would be done. Default false. */
  dryRun?: boolean
  /** Called at most every 100 ms, with bytes. A throw ends the call with what it threw. */
  onProgress?(progress: Progress): void
}

/** What is copied. */
export interface CopyOptions extends Abortable {
  /** Default: the current one. */
  version?: string
  /** Called at most every 100 ms, with bytes. A throw ends the call with what it threw. */
  onProgress?(progress: Progress): void
}

const WAIT = ['signal', 'lockTimeoutMs'] as const
const TAG = new Set<string>(WAIT)
const PRUNE = new Set([...WAIT, 'keep', 'dryRun'])
const VERIFY = new Set(['signal', 'version', 'depth', 'onProgress'])
const REPAIR = new Set([...WAIT, 'to', 'dryRun', 'onProgress'])
const COPY = new Set(['signal', 'version', 'onProgress'])

/** Reports progress of native work, and stops it when that throws. */
export async function metered<T>(
  phase: Progress['phase'],
  onProgress: ((progress: Progress) => void) | undefined,
  outer: AbortSignal | undefined,
  call: (progress: NativeProgress, token: CancelToken | undefined) => Promise<T>,
): Promise<T> {
  const progress = new NativeProgress(phase)
  if (!onProgress) return limited(outer, undefined, (token) => call(progress, token))
  const failing = new AbortController()
  const reporter = new Reporter(onProgress, (error) => failing.abort(error))
  const either = outer ? AbortSignal.any([outer, failing.signal]) : failing.signal
  const result = await limited(either, undefined, (token) =>
    reporter.during(() => progress.look(), call(progress, token)),
  )
  failing.signal.throwIfAborted()
  return result
}

/** Checks an `onProgress`. */
export const progressOf = (value: unknown): ((progress: Progress) => void) | undefined =>
  given(value, (v) => callback(v, 'options.onProgress') as (progress: Progress) => void)

/** Checks the options of a verify; `depths` are those that this kind of index has, the default first. */
export function verifyOptions<const D extends string>(value: unknown, depths: readonly [D, ...D[]]) {
  const o = optionsOf(value, VERIFY)
  return {
    version: given(o.version, (v) => string(v, 'options.version')) ?? null,
    depth: given(o.depth, (v) => oneOf(v, 'options.depth', depths)) ?? depths[0],
    onProgress: progressOf(o.onProgress),
    signal: signal(o.signal),
  }
}

/** The directory that a path means now, whatever the working directory becomes later. */
export function pathOf(value: unknown, name: string): string {
  const path = string(value, name)
  if (path === '' || path.includes('\0')) throw new RangeError(`${name} must be a path, got ${show(value)}`)
  return resolve(path)
}

/** The calls of {@link VersionStore} and {@link SearchIndex} that look after versions. */
export class Lifecycle {
  readonly #store: NativeStore
  readonly #life: Lifetime

  constructor(store: NativeStore, life: Lifetime) {
    this.#store = store
    this.#life = life
  }

  async versions(): Promise<readonly VersionInfo[]> {
    return this.#life.run(async () => parseInfos(await native(() => this.#store.versions())))
  }

  async tag(name: string, version: string | undefined, options?: WaitOptions): Promise<void> {
    string(name, 'name')
    const named = given(version, (v) => string(v, 'version')) ?? null
    const wait = waitOf(optionsOf(options, TAG))
    await this.#life.run(() =>
      limited(wait.signal, undefined, (token) => this.#store.tag(name, named, wait.json, token)),
    )
  }

  async discard(version: string, options?: WaitOptions): Promise<void> {
    string(version, 'version')
    const wait = waitOf(optionsOf(options, TAG))
    await this.#life.run(() =>
      limited(wait.signal, undefined, (token) => this.#store.discard(version, wait.json, token)),
    )
  }

  async setAttributes(
    version: string,
    attributes: Record<string, unknown>,
    options?: WaitOptions,
  ): Promise<VersionInfo> {
    string(version, 'version')
    if (!isRecord(attributes)) throw wrongType('attributes', 'an object', attributes)
    // JSON leaves out what is undefined; here that removes.
    const merged = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, value ?? null]))
    const text = json(merged, 'attributes')
    const wait = waitOf(optionsOf(options, TAG))
    return this.#life.run(async () =>
      parseInfo(
        await limited(wait.signal, undefined, (token) => this.#store.setAttributes(version, text, wait.json, token)),
      ),
    )
  }

  async prune(options?: PruneOptions): Promise<PruneReport> {
    const o = optionsOf(options, PRUNE)
    const what = json(
      {
        keep: given(o.keep, keepOf),
        dryRun: given(o.dryRun, (v) => boolean(v, 'options.dryRun')) ?? false,
      },
      'options',
    )
    const wait = waitOf(o)
    return this.#life.run(
      async () =>
        JSON.parse(
          await limited(wait.signal, undefined, (token) => this.#store.prune(what, wait.json, token)),
        ) as PruneReport,
    )
  }

  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    const { version, depth, onProgress, signal: stop } = verifyOptions(options, ['digests', 'sizes'])
    const what = json({ version, depth }, 'options')
    return this.#life.run(
      async () =>
        JSON.parse(
          await metered('verifying', onProgress, stop, (progress, token) => this.#store.verify(what, progress, token)),
        ) as VerifyReport,
    )
  }

  async repair(options?: RepairOptions): Promise<RepairReport> {
    const o = optionsOf(options, REPAIR)
    const what = json(
      {
        to: given(o.to, (v) => string(v, 'options.to')),
        dryRun: given(o.dryRun, (v) => boolean(v, 'options.dryRun')) ?? false,
      },
      'options',
    )
    const onProgress = progressOf(o.onProgress)
    const wait = waitOf(o)
    return this.#life.run(async () => {
      const told = JSON.parse(
        await metered('verifying', onProgress, wait.signal, (progress, token) =>
          this.#store.repair(what, wait.json, progress, token),
        ),
      ) as Omit<RepairReport, 'current'> & { current: string | null }
      return { ...told, current: told.current ?? undefined }
    })
  }

  async copyTo(directory: string, options?: CopyOptions): Promise<void> {
    const target = pathOf(directory, 'directory')
    const o = optionsOf(options, COPY)
    const version = given(o.version, (v) => string(v, 'options.version')) ?? null
    const onProgress = progressOf(o.onProgress)
    const stop = signal(o.signal)
    await this.#life.run(() =>
      metered('reading', onProgress, stop, (progress, token) => this.#store.copyTo(target, version, progress, token)),
    )
  }
}

/** How the writer lock is waited for, as the native layer takes it. */
export function waitOf(o: Record<string, unknown>): { json: string; signal: AbortSignal | undefined } {
  return { json: json({ lockTimeoutMs: lock(o).lockTimeoutMs }, 'options'), signal: signal(o.signal) }
}
