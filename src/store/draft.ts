// A draft of a store, as callers hold it.
import { Interrupt, limited } from '../abort.js'
import { native } from '../errors.js'
import { pathOf } from '../lifecycle.js'
import { Lifetime } from '../lifetime.js'
import type { NativeStoreDraft } from '../native.js'
import { abortable } from '../options.js'
import type { Abortable } from '../options.js'
import { Reporter } from '../progress.js'
import { given, oneOf, optionsOf, signal, string } from '../validate.js'
import type { Published, VersionInfo } from '../version.js'
import type { StoreWrite } from './options.js'
import type { StoreDraft } from './version-store.js'
import { finish } from './write.js'

const ATTACH = new Set(['how', 'signal'])

/** What a draft needs of its store. */
export interface DraftHost {
  readonly life: Lifetime
  readonly required: readonly string[]
  /** Called when the draft was published. */
  published(what: Published): Promise<VersionInfo>
  /** Called when it has ended. */
  ended(draft: StoreDraftHandle): void
}

/** Implements {@link StoreDraft}. */
export class StoreDraftHandle implements StoreDraft {
  readonly version: string
  readonly directory: string
  readonly #native: NativeStoreDraft
  readonly #write: StoreWrite
  readonly #host: DraftHost
  readonly #life: Lifetime

  constructor(draft: NativeStoreDraft, write: StoreWrite, host: DraftHost) {
    this.version = draft.version
    this.directory = draft.directory
    this.#native = draft
    this.#write = write
    this.#host = host
    this.#life = new Lifetime(`the draft of version ${draft.version}`, host.life)
  }

  async attach(name: string, from: string, options?: { how?: 'copy' | 'move' } & Abortable): Promise<void> {
    string(name, 'name')
    const path = pathOf(from, 'from')
    const o = optionsOf(options, ATTACH)
    const how = given(o.how, (v) => oneOf(v, 'options.how', ['copy', 'move'])) ?? 'copy'
    const stop = signal(o.signal)
    await this.#life.run(() =>
      limited(stop, undefined, (token) => this.#native.attach(name, path, how === 'move', token)),
    )
  }

  async publish(options?: Abortable): Promise<VersionInfo> {
    const interrupt = new Interrupt(abortable(options))
    try {
      this.#life.check()
      // The store waits for it when it is closed.
      return await this.#host.life.run(async () => {
        let published: Published | undefined
        await this.#life.close(async () => {
          published = await this.#finish(interrupt)
        })
        // Only a publish that did not throw gets here.
        return this.#host.published(published as unknown as Published)
      })
    } finally {
      interrupt.dispose()
    }
  }

  async #finish(interrupt: Interrupt): Promise<Published> {
    const reporter = new Reporter(this.#write.onProgress, (error) => interrupt.fire(error))
    try {
      interrupt.check()
      return await finish(this.#native, { required: this.#host.required, gate: this.#write.gate }, interrupt, reporter)
    } catch (error) {
      await this.#native.discard().catch(() => {})
      throw interrupt.explain(error)
    } finally {
      this.#host.ended(this)
    }
  }

  async discard(): Promise<void> {
    const ended = this.#life.close(async () => {
      try {
        await native(() => this.#native.discard())
      } finally {
        this.#host.ended(this)
      }
    })
    // Of a publish that failed, its caller knows why.
    await ended.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard()
  }
}
