// The cache of vectors already paid for, as a rebuild uses it: never a reason for it to fail.
import type { NativeDraft, NativeEmbeddings } from '../native.js'
import type { PaidFor } from './calls.js'

/** Texts of one crossing. */
const AT_ONCE = 64

/**
 * The caches of a draft, one for each model and number of dimensions, all within `maxBytes`; 0 bytes are none. Without `reuse`
 * nothing is looked up, and what is embedded is kept all the same.
 */
export class Caches {
  readonly #draft: Pick<NativeDraft, 'embeddings'>
  readonly #maxBytes: number
  readonly #reuse: boolean
  readonly #open = new Map<string, NativeEmbeddings>()

  constructor(draft: Pick<NativeDraft, 'embeddings'>, maxBytes: number, reuse: boolean) {
    this.#draft = draft
    this.#maxBytes = maxBytes
    this.#reuse = reuse
  }

  /** The cache of a model with so many dimensions. */
  of(model: string, dimensions: number): PaidFor | undefined {
    if (this.#maxBytes === 0) return undefined
    const key = `${dimensions} ${model}`
    const cache = this.#open.get(key) ?? this.#draft.embeddings(model, dimensions, this.#maxBytes)
    this.#open.set(key, cache)
    return paidFor(cache, this.#reuse)
  }

  /** Lets go of files, once what runs has ended. */
  close(): void {
    for (const cache of this.#open.values()) cache.close()
    this.#open.clear()
  }
}

function paidFor(cache: NativeEmbeddings, reuse: boolean): PaidFor {
  return {
    async lookup(texts) {
      if (!reuse) return []
      try {
        return await cache.lookup([...texts])
      } catch {
        return []
      }
    },
    async append(texts, vectors) {
      for (let at = 0; at < texts.length; at += AT_ONCE) {
        const some = vectors.slice(at, at + AT_ONCE)
        const packed = new Float32Array(some.reduce((sum, { length }) => sum + length, 0))
        let used = 0
        for (const vector of some) {
          packed.set(vector, used)
          used += vector.length
        }
        await cache.append(texts.slice(at, at + AT_ONCE), packed).catch(() => {})
      }
    },
  }
}
