// An open index as callers hold it.
import { limited } from './abort.js'
import { coalesce, numberOf } from './coalesce.js'
import { list, listing } from './documents.js'
import type { Embedders } from './embedding/options.js'
import { hasSteps } from './embedding/search.js'
import { native } from './errors.js'
import { Watcher } from './events.js'
import type { IndexEvents } from './events.js'
import { Lifecycle, metered, verifyOptions } from './lifecycle.js'
import type { CopyOptions, PruneOptions, RepairOptions, VerifyOptions } from './lifecycle.js'
import { Lifetime } from './lifetime.js'
import type { CancelToken, NativeIndex, NativeSnapshot } from './native.js'
import { abortable, json, lockOptions, writeOptions } from './options.js'
import type { Abortable, LockOptions, RebuildOptions, WaitOptions, Write } from './options.js'
import type { Facets, Query, SearchOptions, Select } from './query-types.js'
import { prepareQuery, searchLimits } from './query.js'
import type { DocumentsOptions, Listed } from './read.js'
import { Reader, found, many } from './reader.js'
import type { Found } from './reader.js'
import { rebuild } from './rebuild.js'
import type { PruneReport, RepairReport, VerifyReport } from './reports.js'
import type { Fields, Input } from './schema.js'
import type { SearchIndex, Source } from './search-index.js'
import { SnapshotHandle } from './snapshot-handle.js'
import type { Snapshot } from './snapshot.js'
import { checkSource } from './source.js'
import { given, optionsOf, string } from './validate.js'
import { parseInfo, parseStatus } from './version.js'
import type { IndexStatus, Published, VersionInfo } from './version.js'

const VERSION = new Set(['version'])

/** Implements {@link SearchIndex}. */
export class IndexHandle<S extends Fields> extends Reader<S> implements SearchIndex<S> {
  readonly path: string
  readonly #native: NativeIndex
  readonly #life: Lifetime
  readonly #watcher: Watcher
  readonly #lifecycle: Lifecycle
  readonly #release: () => Promise<void>
  #published: Published | undefined

  /** `release` is called once everything is closed. */
  constructor(index: NativeIndex, path: string, embedders: Embedders | undefined, release: () => Promise<void>) {
    const life = new Lifetime(`the index ${path}`)
    super(index, 'index', life, embedders, async (wanted) => {
      const version = await native(() => index.snapshot(wanted))
      return { version, release: () => version.close() }
    })
    this.path = path
    this.#native = index
    this.#life = life
    this.#watcher = new Watcher(index)
    this.#lifecycle = new Lifecycle(index.store(), life)
    this.#release = release
  }

  get current(): VersionInfo | undefined {
    return this.#watcher.info
  }

  async searchBatch<const Sel extends Select<S> | undefined, const F extends Facets<S> | undefined>(
    queries: readonly (string | Query<S, Sel, F>)[],
    options?: SearchOptions,
  ): Promise<Found<S, Sel, F>[]> {
    const prepared = many(queries, 'queries').map((query, at) =>
      prepareQuery(query, `queries[${at}]`, this.embedders !== undefined),
    )
    const limits = searchLimits(options, 'index')
    if (hasSteps(prepared)) return this.inSteps<Sel, F>(prepared, limits)
    const { signal, timeoutMs, version } = limits
    const [texts, vectors] = [prepared.map((query) => query.json), prepared.map((query) => query.vector)]
    const answers = await this.#life.run(() =>
      limited(signal, timeoutMs, (token) => this.#native.searchBatch(texts, vectors, token, version)),
    )
    return answers.map((answer) => found<S, Sel, F>(answer))
  }

  async *documents<const Sel extends readonly (keyof S & string)[] | undefined = undefined>(
    options?: DocumentsOptions<S, Sel> & { version?: string },
  ): AsyncGenerator<Listed<S, Sel>, undefined> {
    const wanted = listing(options, 'index')
    const snapshot = await this.#hold(wanted.version)
    try {
      yield* list(snapshot, wanted, this.#life) as AsyncGenerator<Listed<S, Sel>, undefined>
    } finally {
      snapshot.close()
    }
  }

  async snapshot(wanted?: { version?: string }): Promise<Snapshot<S>> {
    const version = given(optionsOf(wanted, VERSION).version, (v) => string(v, 'options.version')) ?? null
    return new SnapshotHandle<S>(await this.#hold(version), this.#life, this.embedders)
  }

  async rebuild(
    documents: Source<Input<S>> | (() => Source<Input<S>> | Promise<Source<Input<S>>>),
    options?: RebuildOptions<S>,
  ): Promise<VersionInfo> {
    checkSource(documents)
    const write = writeOptions(options, 'rebuild')
    if (write.coalesce && typeof documents !== 'function')
      throw new TypeError('options.coalesce needs a source function, which is called once the lock is held')
    return this.#life.run(async () => {
      const published = await (write.coalesce
        ? coalesce(this.#key(write), write, ({ began, ...turn }) =>
            rebuild(this.#native, documents, { ...write, ...turn }, this.embedders, began),
          )
        : rebuild(this.#native, documents, write, this.embedders))
      this.#published = published
      if (published.info.state === 'published') await this.#serve(published.info)
      return published.info
    })
  }

  async versions(): Promise<readonly VersionInfo[]> {
    return this.#lifecycle.versions()
  }

  async activate(version: string, options?: LockOptions): Promise<VersionInfo> {
    string(version, 'version')
    return this.#switch(options, (wait, token) => this.#native.activate(version, wait, token))
  }

  async rollback(to?: string, options?: LockOptions): Promise<VersionInfo> {
    const target = given(to, (v) => string(v, 'to')) ?? null
    return this.#switch(options, (wait, token) => this.#native.rollback(target, wait, token))
  }

  async discard(version: string, options?: WaitOptions): Promise<void> {
    await this.#lifecycle.discard(version, options)
  }

  async tag(name: string, version: string | undefined, options?: WaitOptions): Promise<void> {
    await this.#lifecycle.tag(name, version, options)
  }

  async setAttributes(
    version: string,
    attributes: Record<string, unknown>,
    options?: WaitOptions,
  ): Promise<VersionInfo> {
    return this.#lifecycle.setAttributes(version, attributes, options)
  }

  async prune(options?: PruneOptions): Promise<PruneReport> {
    return this.#lifecycle.prune(options)
  }

  async verify(options?: VerifyOptions<'sizes' | 'digests' | 'contents'>): Promise<VerifyReport> {
    const { version, depth, onProgress, signal } = verifyOptions(options, ['contents', 'digests', 'sizes'])
    const what = json({ version, depth }, 'options')
    return this.#life.run(async () => {
      const report = metered('verifying', onProgress, signal, (progress, token) =>
        this.#native.verify(what, progress, token),
      )
      return JSON.parse(await report) as VerifyReport
    })
  }

  async repair(options?: RepairOptions): Promise<RepairReport> {
    const report = await this.#lifecycle.repair(options)
    await this.#life.run(() => this.#look())
    this.#watcher.check()
    return report
  }

  async copyTo(directory: string, options?: CopyOptions): Promise<void> {
    await this.#lifecycle.copyTo(directory, options)
  }

  async status(): Promise<IndexStatus> {
    return this.#life.run(async () => parseStatus(await native(() => this.#native.status()), this.#published))
  }

  async ready(options?: Abortable): Promise<VersionInfo> {
    const signal = abortable(options)
    signal?.throwIfAborted()
    this.#life.check()
    const now = this.current ?? (await this.#life.run(() => this.#look()))
    if (now) return now
    return new Promise<VersionInfo>((resolve, reject) => {
      const settle = (): void => {
        giveUp()
        this.#closed.delete(onClose)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        settle()
        reject(signal?.reason as Error)
      }
      const onClose = (): void => {
        settle()
        reject(this.#life.error)
      }
      const giveUp = this.#watcher.wait((info) => {
        settle()
        resolve(info)
      })
      this.#closed.add(onClose)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted) onAbort()
      else if (this.#life.closed) onClose()
    })
  }

  on<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this {
    this.#watcher.on(event, listener)
    return this
  }

  off<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this {
    this.#watcher.off(event, listener)
    return this
  }

  async close(): Promise<void> {
    const closing = this.#life.close(async () => {
      this.#watcher.stop()
      try {
        await native(() => this.#native.close())
      } finally {
        await this.#release()
      }
    })
    for (const onClose of this.#closed) onClose()
    await closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Calls that wait for something that closing the index ends. */
  readonly #closed = new Set<() => void>()

  async #hold(version: string | null): Promise<NativeSnapshot> {
    return this.#life.run(() => native(() => this.#native.snapshot(version)))
  }

  /** Equal for rebuilds that do the same: what a function does is its own to know. */
  #key({ json: what, artifacts, gate, onInvalid, reuse }: Write): string {
    const functions = [gate, typeof onInvalid === 'function' ? onInvalid : undefined].map(numberOf)
    return JSON.stringify(['index', this.path, what, artifacts, functions, reuse])
  }

  async #look(): Promise<VersionInfo | undefined> {
    await native(() => this.#native.refresh(true))
    return this.current
  }

  async #switch(
    options: LockOptions | undefined,
    call: (wait: string, token: CancelToken | undefined) => Promise<string>,
  ): Promise<VersionInfo> {
    const { json: wait, signal } = lockOptions(options)
    return this.#life.run(async () => {
      const info = parseInfo(await limited(signal, undefined, (token) => call(wait, token)))
      await this.#serve(info)
      return info
    })
  }

  /** Makes what was published answer here, and tells of it, before the call that published it resolves. */
  async #serve(info: VersionInfo): Promise<void> {
    if (this.current?.id !== info.id) await this.#look()
    this.#watcher.check()
  }
}
