// A snapshot as callers hold it.
import { list, listing } from './documents.js'
import type { Facts } from './embedding/near.js'
import type { Embedders } from './embedding/options.js'
import { fromNative } from './errors.js'
import { Lifetime } from './lifetime.js'
import type { NativeSnapshot } from './native.js'
import type { DocumentsOptions, Listed } from './read.js'
import { Reader } from './reader.js'
import type { Fields } from './schema.js'
import type { Snapshot } from './snapshot.js'
import { string } from './validate.js'
import { parseInfo } from './version.js'
import type { VersionInfo } from './version.js'

/** Implements {@link Snapshot}. */
export class SnapshotHandle<S extends Fields> extends Reader<S> implements Snapshot<S> {
  readonly version: VersionInfo
  readonly models: Readonly<Record<string, string>>
  readonly #native: NativeSnapshot
  readonly #life: Lifetime

  constructor(snapshot: NativeSnapshot, parent: Lifetime | undefined, embedders: Embedders | undefined) {
    const version = parseInfo(snapshot.version())
    const life = new Lifetime(`the snapshot of version ${version.id}`, parent)
    super(snapshot, 'snapshot', life, embedders, async () => ({ version: snapshot, release: () => {} }))
    this.version = version
    this.models = Object.freeze((JSON.parse(snapshot.embeddingFacts()) as Facts).models)
    this.#native = snapshot
    this.#life = life
  }

  async *documents<const Sel extends readonly (keyof S & string)[] | undefined = undefined>(
    options?: DocumentsOptions<S, Sel>,
  ): AsyncGenerator<Listed<S, Sel>, undefined> {
    yield* list(this.#native, listing(options, 'snapshot'), this.#life) as AsyncGenerator<Listed<S, Sel>, undefined>
  }

  artifact(name: string): string {
    string(name, 'name')
    this.#life.check()
    try {
      return this.#native.artifact(name)
    } catch (error) {
      throw fromNative(error)
    }
  }

  async close(): Promise<void> {
    await this.#life.close(async () => this.#native.close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
