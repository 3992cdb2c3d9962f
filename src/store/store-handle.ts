// An open store as callers hold it.
import { limited } from '../abort.js'
import { native } from '../errors.js'
import { Watcher } from '../events.js'
import type { IndexEvents } from '../events.js'
import { Lifecycle } from '../lifecycle.js'
import { Lifetime } from '../lifetime.js'
import type { CancelToken, NativeStore } from '../native.js'
import { lockOptions } from '../options.js'
import type { LockOptions } from '../options.js'
import { callback, given, optionsOf, string } from '../validate.js'
import { parseInfo, parseStatus } from '../version.js'
import type { VersionInfo } from '../version.js'
import { Follower } from './follow.js'
import { StoreSnapshotHandle } from './snapshot.js'
import type { Followed, StoreSnapshot, StoreStatus, VersionStore } from './version-store.js'
import { Current } from './watch.js'

const VERSION = new Set(['version'])
type Closable = { close(): Promise<void> }

/** Implements {@link VersionStore}. */
export class StoreHandle extends Lifecycle implements VersionStore {
  readonly path: string
  readonly #native: NativeStore
  readonly #life: Lifetime
  readonly #current: Current
  readonly #watcher: Watcher
  /** What closing the store closes. */
  readonly #held = new Set<Closable>()
  readonly #followers = new Set<Follower<unknown>>()

  private constructor(store: NativeStore, path: string, current: Current) {
    const life = new Lifetime(`the store ${path}`)
    super(store, life)
    this.path = path
    this.#native = store
    this.#life = life
    this.#current = current
    this.#watcher = new Watcher(current)
  }

  /** The handle, which knows what is current. */
  static async start(store: NativeStore, path: string, _required: readonly string[]): Promise<StoreHandle> {
    const current = new Current(store)
    await current.refresh()
    return new StoreHandle(store, path, current)
  }

  async current(): Promise<VersionInfo | undefined> {
    return this.#life.run(() => this.#look())
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

  async status(): Promise<StoreStatus> {
    return this.#life.run(async () => {
      const { cache: _, ...status } = parseStatus(await native(() => this.#native.status()), undefined)
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

  /** Tells the listeners what is current, and opens anew what follows it. A failure here is not that of the write that succeeded. */
  async #tell(): Promise<void> {
    await this.#look().catch((error: Error) => this.#watcher.report(error))
    this.#watcher.check()
    await Promise.all([...this.#followers].map((follower) => follower.follow()))
  }
}
