// Something opened from the current version, opened anew for every other one.
import { CutoverError, isCutoverError } from '../errors.js'
import { Lifetime } from '../lifetime.js'
import type { VersionInfo } from '../version.js'
import type { Followed, StoreSnapshot } from './version-store.js'

/** Milliseconds until a version that could not be held is asked for again. */
const RETRY_MS = 1000

/** What following needs of the store. */
export interface FollowHost {
  readonly life: Lifetime
  /** Holds the current version. */
  hold(): Promise<StoreSnapshot>
  /** Tells those who listen. */
  problem(error: Error): void
  /** Called when it was closed. */
  ended(follower: { close(): Promise<void> }): void
}

/** What is open, the version it was opened from, and by how many it is used. */
interface Slot<T> {
  readonly snapshot: StoreSnapshot
  readonly value: T
  uses: number
  retired: boolean
}

/** Implements {@link Followed}. */
export class Follower<T> implements Followed<T> {
  readonly #host: FollowHost
  readonly #life: Lifetime
  readonly #open: (snapshot: StoreSnapshot) => T | Promise<T>
  readonly #close: (value: T) => void | Promise<void>
  /** Closings under way. */
  readonly #dropping = new Set<Promise<void>>()
  #slot: Slot<T>
  #reopening: Promise<void> | undefined
  /** Whether the version changed while it was being opened anew. */
  #again = false
  /** The version that could not be opened: it is tried again only after another was current. */
  #failed: string | undefined
  #retry: NodeJS.Timeout | undefined

  private constructor(
    host: FollowHost,
    open: (snapshot: StoreSnapshot) => T | Promise<T>,
    close: (value: T) => void | Promise<void>,
    slot: Slot<T>,
  ) {
    this.#host = host
    this.#life = new Lifetime('what is followed', host.life)
    this.#open = open
    this.#close = close
    this.#slot = slot
  }

  /** Opens it from the current version. Rejects with what `open` threw. */
  static async start<T>(
    host: FollowHost,
    open: (snapshot: StoreSnapshot) => T | Promise<T>,
    close: (value: T) => void | Promise<void>,
  ): Promise<Follower<T>> {
    return new Follower(host, open, close, await fill(await host.hold(), open))
  }

  get version(): VersionInfo {
    return this.#slot.snapshot.version
  }

  async use<R>(work: (value: T) => R | Promise<R>): Promise<R> {
    return this.#life.run(async () => {
      const slot = this.#slot
      slot.uses++
      try {
        return await work(slot.value)
      } finally {
        slot.uses--
        this.#dropUnused(slot)
      }
    })
  }

  /** Opens it anew when another version is current, and resolves once that is done or has failed. One at a time. */
  follow(): Promise<void> {
    if (this.#reopening) this.#again = true
    else
      this.#reopening = this.#reopen().finally(() => {
        this.#reopening = undefined
      })
    return this.#reopening
  }

  async close(): Promise<void> {
    await this.#life.close(async () => {
      this.#host.ended(this)
      clearTimeout(this.#retry)
      await this.#reopening
      clearTimeout(this.#retry)
      this.#slot.retired = true
      this.#dropUnused(this.#slot)
      await Promise.all(this.#dropping)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #reopen(): Promise<void> {
    do {
      this.#again = false
      if (this.#life.closed) return
      try {
        await this.#advance()
      } catch (error) {
        // Closing the store is no problem of what it followed.
        if (!this.#life.closed) this.#host.problem(error as Error)
      }
    } while (this.#again)
  }

  async #advance(): Promise<void> {
    const snapshot = await this.#hold()
    const { id } = snapshot.version
    if (id === this.#slot.snapshot.version.id || id === this.#failed) {
      if (id !== this.#failed) this.#failed = undefined
      return snapshot.close()
    }
    let slot: Slot<T>
    try {
      slot = await fill(snapshot, this.#open)
    } catch (cause) {
      this.#failed = id
      throw describe(cause, `opening version ${id} failed, and ${this.version.id} stays in use`, id)
    }
    this.#failed = undefined
    const before = this.#slot
    this.#slot = slot
    before.retired = true
    this.#dropUnused(before)
    return undefined
  }

  /** Holds the current version. What keeps that from succeeding may pass, and no event would tell: it is tried again. */
  async #hold(): Promise<StoreSnapshot> {
    clearTimeout(this.#retry)
    try {
      return await this.#host.hold()
    } catch (error) {
      if (!this.#life.closed) this.#retry = setTimeout(() => void this.follow(), RETRY_MS).unref()
      throw error
    }
  }

  #dropUnused(slot: Slot<T>): void {
    if (!slot.retired || slot.uses > 0) return
    const dropping = this.#drop(slot).finally(() => this.#dropping.delete(dropping))
    this.#dropping.add(dropping)
  }

  async #drop({ snapshot, value }: Slot<T>): Promise<void> {
    try {
      await this.#close(value)
    } catch (cause) {
      this.#host.problem(
        describe(cause, `closing what was opened from version ${snapshot.version.id} failed`, snapshot.version.id),
      )
    } finally {
      await snapshot.close()
    }
  }
}

/** Opens from a snapshot, which is let go when that fails. */
async function fill<T>(snapshot: StoreSnapshot, open: (snapshot: StoreSnapshot) => T | Promise<T>): Promise<Slot<T>> {
  try {
    return { snapshot, value: await open(snapshot), uses: 0, retired: false }
  } catch (error) {
    await snapshot.close()
    throw error
  }
}

/** A caller's failure as those who listen to problems are told. */
function describe(cause: unknown, what: string, version: string): Error {
  if (isCutoverError(cause)) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new CutoverError('CUTOVER_SOURCE', `${what}: ${message}`, { cause, detail: { version } })
}
