// An open store as callers hold it.
import { limited } from '../abort.js'
import { coalesce } from '../coalesce.js'
import { isCutoverError, native } from '../errors.js'
import { Watcher } from '../events.js'
import type { IndexEvents } from '../events.js'
import { Lifecycle } from '../lifecycle.js'
import type { RepairOptions } from '../lifecycle.js'
import { Lifetime } from '../lifetime.js'
import type { CancelToken, NativeStore } from '../native.js'
import { lockOptions } from '../options.js'
import type { LockOptions } from '../options.js'
import type { RepairReport } from '../reports.js'
import { callback, given, optionsOf, string } from '../validate.js'
import { parseInfo, parseStatus } from '../version.js'
import type { Published, VersionInfo } from '../version.js'
import { extend, rebuildKey, runBuild } from './build.js'
import { StoreDraftHandle } from './draft.js'
import { Follower } from './follow.js'
import { artifactsOf, storeWriteOptions } from './options.js'
import { StoreSnapshotHandle } from './snapshot.js'
import type {
  Followed,
  StoreDraft,
  StoreRebuildOptions,
  StoreSnapshot,
  StoreStatus,
  StoreWriteOptions,
  VersionStore,
} from './version-store.js'
import { Current } from './watch.js'

const VERSION = new Set(['version'])
type Closable = { close(): Promise<void> }

/** Implements {@link VersionStore}. */
export class StoreHandle extends Lifecycle implements VersionStore {
  readonly path: string
  readonly #native: NativeStore
  readonly #required: readonly string[]
  readonly #life: Lifetime
  readonly #current: Current
  readonly #watcher: Watcher
  /** What closing the store closes. */
  readonly #held = new Set<Closable>()
  readonly #followers = new Set<Follower<unknown>>()
  #published: Published | undefined

  private constructor(store: NativeStore, path: string, required: readonly string[], current: Current) {
    const life = new Lifetime(`the store ${path}`)
    super(store, life)
    this.path = path
    this.#native = store
    this.#required = required
    this.#life = life
    this.#current = current
    this.#watcher = new Watcher(current)
  }

  /** The handle, which knows what is current. */
  static async start(store: NativeStore, path: string, required: readonly string[]): Promise<StoreHandle> {
    const current = new Current(store)
    // What is damaged can be opened, to be looked at and repaired: whoever reads the version is told.
    await current.refresh().catch((error: unknown) => {
      const damaged = isCutoverError(error, 'CUTOVER_CORRUPT') || isCutoverError(error, 'CUTOVER_NOT_FOUND')
      if (!damaged) throw error
    })
    return new StoreHandle(store, path, required, current)
  }

  async current(): Promise<VersionInfo | undefined> {
    return this.#life.run(() => this.#look())
  }

  async rebuild(
    build: (directory: string, signal: AbortSignal) => void | Promise<void>,
    options?: StoreRebuildOptions,
  ): Promise<VersionInfo> {
    callback(build, 'build')
    const write = storeWriteOptions(options, 'rebuild')
    return this.#life.run(async () => {
      const run = runBuild(this.#native, this.#required, write, build)
      const key = rebuildKey(this.#native.path(), this.#required, write)
      return this.#serve(await (write.coalesce ? coalesce(key, write, run) : run(undefined)))
    })
  }

  async extend(artifacts: Readonly<Record<string, string>>, options?: StoreWriteOptions): Promise<VersionInfo> {
    const wanted = artifactsOf(artifacts)
    const write = storeWriteOptions(options, 'extend')
    return this.#life.run(async () => this.#serve(await extend(this.#native, this.#required, write, wanted)))
  }

  async draft(options?: StoreWriteOptions): Promise<StoreDraft> {
    const write = storeWriteOptions(options, 'draft')
    return this.#life.run(async () => {
      write.onProgress?.({ phase: 'waiting', done: 0, elapsedMs: 0 })
      const draft = await limited(write.signal, undefined, (token) => this.#native.beginDraft(write.json, token))
      const held: Closable = { close: () => handle.discard() }
      const handle: StoreDraftHandle = new StoreDraftHandle(draft, write, {
        life: this.#life,
        required: this.#required,
        published: (published) => this.#serve(published),
        ended: () => this.#held.delete(held),
      })
      this.#held.add(held)
      return handle
    })
  }

  async snapshot(options?: { version?: string }): Promise<StoreSnapshot> {
    const version = given(optionsOf(options, VERSION).version, (v) => string(v, 'options.version')) ?? null
    return this.#life.run(() => this.#hold(version))
  }

  async follow<T>(
    open: (snapshot: StoreSnapshot) => T | Promise<T>,
    close?: (value: T) => void | Promise<void>,
  ): Promise<Followed<T>> {
    callback(open, 'open')
    given(close, (v) => callback(v, 'close'))
    return this.#life.run(async () => {
      const changed = (): void => void follower.follow()
      const follower = await Follower.start<T>(
        {
          life: this.#life,
          hold: () => this.#hold(null),
          problem: (error) => this.#watcher.report(error),
          ended: (ended) => {
            this.#watcher.off('version', changed)
            this.#followers.delete(ended as Follower<unknown>)
            this.#held.delete(ended)
          },
        },
        open,
        close ?? (() => {}),
      )
      this.#held.add(follower)
      this.#followers.add(follower as Follower<unknown>)
      this.#watcher.on('version', changed)
      // It may have changed before anybody watched.
      changed()
      return follower
    })
  }

  async activate(version: string, options?: LockOptions): Promise<VersionInfo> {
    string(version, 'version')
    return this.#switch(options, (json, token) => this.#native.activate(version, json, token))
  }

  async rollback(to?: string, options?: LockOptions): Promise<VersionInfo> {
    const target = given(to, (v) => string(v, 'to')) ?? null
    return this.#switch(options, (json, token) => this.#native.rollback(target, json, token))
  }

  override async repair(options?: RepairOptions): Promise<RepairReport> {
    return this.#life.run(async () => {
      const report = await super.repair(options)
      await this.#tell()
      return report
    })
  }

  async status(): Promise<StoreStatus> {
    return this.#life.run(async () => {
      const { cache: _, ...status } = parseStatus(await native(() => this.#native.status()), this.#published)
      return status
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
    await this.#life.close(async () => {
      this.#watcher.stop()
      await Promise.all([...this.#held].map((held) => held.close()))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #look(): Promise<VersionInfo | undefined> {
    await this.#current.refresh()
    return this.#watcher.info
  }

  async #hold(version: string | null): Promise<StoreSnapshot> {
    const snapshot = await native(() => this.#native.snapshot(version))
    const handle = new StoreSnapshotHandle(snapshot, this.#life, (closed) => this.#held.delete(closed))
    this.#held.add(handle)
    return handle
  }

  async #switch(
    options: LockOptions | undefined,
    call: (json: string, token: CancelToken | undefined) => Promise<string>,
  ): Promise<VersionInfo> {
    const { json, signal } = lockOptions(options)
    return this.#life.run(async () => {
      const info = parseInfo(await limited(signal, undefined, (token) => call(json, token)))
      await this.#tell()
      return info
    })
  }

  /** What a write published; its caller hears of it once everyone here has. */
  async #serve(published: Published): Promise<VersionInfo> {
    this.#published = published
    await this.#tell()
    return published.info
  }

  /** Tells the listeners what is current, and opens anew what follows it. A failure here is not that of the write that succeeded. */
  async #tell(): Promise<void> {
    await this.#look().catch((error: Error) => this.#watcher.report(error))
    this.#watcher.check()
    await Promise.all([...this.#followers].map((follower) => follower.follow()))
  }
}
