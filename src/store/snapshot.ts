// A version of a store, held.
import { fromNative } from '../errors.js'
import { Lifetime } from '../lifetime.js'
import type { NativeStoreSnapshot } from '../native.js'
import { string } from '../validate.js'
import { parseInfo } from '../version.js'
import type { VersionInfo } from '../version.js'
import type { StoreSnapshot } from './version-store.js'

/** Implements {@link StoreSnapshot}. */
export class StoreSnapshotHandle implements StoreSnapshot {
  readonly version: VersionInfo
  readonly directory: string
  readonly #native: NativeStoreSnapshot
  readonly #life: Lifetime
  readonly #closed: (snapshot: StoreSnapshotHandle) => void

  /** `closed` is called once the version was let go. */
  constructor(snapshot: NativeStoreSnapshot, parent: Lifetime, closed: (snapshot: StoreSnapshotHandle) => void) {
    this.version = parseInfo(snapshot.version())
    this.directory = snapshot.directory()
    this.#native = snapshot
    this.#life = new Lifetime(`the snapshot of version ${this.version.id}`, parent)
    this.#closed = closed
  }

  path(artifact: string): string {
    string(artifact, 'artifact')
    this.#life.check()
    try {
      return this.#native.path(artifact)
    } catch (error) {
      throw fromNative(error)
    }
  }

  async close(): Promise<void> {
    await this.#life.close(async () => {
      this.#native.close()
      this.#closed(this)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
