// The texts of one field on their way to vectors: first those already paid for are looked up, the others are embedded in batches, so
// many calls at once. Whoever adds texts bounds their number.
import type { Interrupt } from '../abort.js'
import type { Embedder } from './options.js'
import { callEmbed, documentFailed } from './vectors.js'
import type { Given } from './vectors.js'

/** Texts of one look into the cache. */
const LOOKUP = 64

/** Vectors that were paid for, by text. Neither call ever fails: a cache that cannot be used knows nothing. */
export interface PaidFor {
  lookup(texts: readonly string[]): Promise<readonly (Float32Array | null)[]>
  append(texts: readonly string[], vectors: readonly Float32Array[]): Promise<void>
}

/** A text, whose it is, and who waits for its vector. */
export interface Wanted {
  readonly text: string
  readonly id: string
  readonly settle: (answer: Float32Array | Error) => void
}

/** What becomes of the texts of one field. */
export class Calls {
  readonly #embedder: Embedder
  readonly #dimensions: number
  readonly #paidFor: PaidFor | undefined
  readonly #interrupt: Interrupt
  readonly #changed: () => void
  #new: Wanted[] = []
  #missing: Wanted[] = []
  #looking = 0
  #running = 0
  #reused = 0

  /** A failed call fires `interrupt`; `changed` is called when something has come back. */
  constructor(
    embedder: Embedder,
    dimensions: number,
    paidFor: PaidFor | undefined,
    interrupt: Interrupt,
    changed: () => void,
  ) {
    this.#embedder = embedder
    this.#dimensions = dimensions
    this.#paidFor = paidFor
    this.#interrupt = interrupt
    this.#changed = changed
  }

  get embedder(): Embedder {
    return this.#embedder
  }

  /** Vectors that came from the cache. */
  get reused(): number {
    return this.#reused
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#looking + this.#running === 0
  }

  add(wanted: Wanted): void {
    if (this.#paidFor) this.#new.push(wanted)
    else this.#missing.push(wanted)
    this.pump(false)
  }

  /** Begins what can begin; with `all`, batches that are not full too. */
  pump(all: boolean): void {
    if (this.#interrupt.fired) return
    const least = all ? 1 : LOOKUP
    while (this.#new.length >= least) void this.#look(this.#new.splice(0, LOOKUP))
    const { batchSize, concurrency } = this.#embedder
    // What is being looked up may fill the last batch.
    const last = all && this.#looking === 0
    while (this.#running < concurrency && this.#missing.length >= (last ? 1 : batchSize))
      void this.#call(this.#missing.splice(0, batchSize))
  }

  async #look(batch: readonly Wanted[]): Promise<void> {
    this.#looking++
    const found = (await this.#paidFor?.lookup(batch.map(({ text }) => text))) ?? []
    this.#looking--
    batch.forEach((wanted, at) => {
      const vector = found[at]
      if (vector) {
        this.#reused++
        wanted.settle(vector)
      } else this.#missing.push(wanted)
    })
    this.pump(false)
    this.#changed()
  }

  async #call(batch: readonly Wanted[]): Promise<void> {
    this.#running++
    try {
      const texts = batch.map(({ text }) => text)
      const ids = { first: batch[0]?.id, last: batch.at(-1)?.id }
      const options = { signal: this.#interrupt.signal, purpose: 'document' } as const
      const answers = await callEmbed(this.#embedder, texts, this.#dimensions, options, { documents: ids })
      if (this.#interrupt.fired) return
      // Kept before anyone is served: what is paid for outlives this process from here on.
      await this.#keep(texts, answers)
      answers.forEach((answer, at) => {
        const wanted = batch[at]
        wanted?.settle(answer instanceof Float32Array ? answer : documentFailed(this.#embedder, wanted.id, answer))
      })
    } catch (error) {
      this.#interrupt.fire(error)
    } finally {
      this.#running--
      this.pump(false)
      this.#changed()
    }
  }

  async #keep(texts: readonly string[], answers: readonly Given[]): Promise<void> {
    if (!this.#paidFor) return
    const good = answers.flatMap((answer, at) =>
      answer instanceof Float32Array ? [{ text: texts[at] ?? '', vector: answer }] : [],
    )
    await this.#paidFor.append(
      good.map(({ text }) => text),
      good.map(({ vector }) => vector),
    )
  }
}
