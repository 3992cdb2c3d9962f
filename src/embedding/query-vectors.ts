// The vectors of queries that were asked lately: people page through results, and ask the same again. At most 512, of texts of at
// most 4,096 characters: 24 MiB where both are as large as they can be. The one not asked for longest gives way.

const MOST = 512
const LONGEST = 4096

/** Vectors by text, of one model. */
export class QueryVectors {
  readonly #vectors = new Map<string, Float32Array>()

  /** The vector of a text that was asked lately, with `dimensions` components. */
  get(text: string, dimensions: number): Float32Array | undefined {
    const vector = this.#vectors.get(text)
    if (vector?.length !== dimensions) return undefined
    // A map keeps the order in which its keys came.
    this.#vectors.delete(text)
    this.#vectors.set(text, vector)
    return vector
  }

  /** Remembers a vector. */
  set(text: string, vector: Float32Array): void {
    if (text.length > LONGEST) return
    this.#vectors.delete(text)
    this.#vectors.set(text, vector)
    if (this.#vectors.size > MOST) this.#vectors.delete(this.#vectors.keys().next().value as string)
  }
}
