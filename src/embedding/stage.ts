// Documents that wait for their vectors, in the order of their source. What is held of a document is its encoded form: its owner may
// use the object again. Many are held so that calls of `embed` are full; at most some batches of them, and 32 Mi characters.
import type { Interrupt } from '../abort.js'
import type { Encoder, Held } from '../encode.js'
import type { CutoverError } from '../errors.js'
import type { Write } from '../options.js'
import type { Shape } from '../schema.js'
import { show } from '../validate.js'
import { Calls } from './calls.js'
import type { Embedder, Embedders } from './options.js'
import type { Caches } from './paid-for.js'
import { documentFailed } from './vectors.js'

/** Documents that may wait, at least. */
const LEAST_LINE = 256
/** Characters that may wait: one document more than fits. */
const MOST_CHARACTERS = 32 * 1024 * 1024

interface Waiting {
  /** Undefined for a document that was refused: its place is kept, so that it is counted. */
  held: Held | undefined
  readonly vectors: (readonly [field: string, vector: Float32Array])[]
  missing: number
  readonly characters: number
}

/** Gives documents the vectors that they lack. */
export class Stage {
  readonly #fields: readonly Calls[]
  readonly #onInvalid: Write['onInvalid']
  readonly #interrupt: Interrupt
  readonly #most: number
  #line: Waiting[] = []
  /** The first of the line. */
  #first = 0
  #characters = 0
  #ended = false
  #wake: (() => void) | undefined

  /** The first embedding of each field that the schema has; the native layer has refused others. */
  constructor(
    embedders: Embedders,
    shape: Shape,
    caches: Pick<Caches, 'of'>,
    interrupt: Interrupt,
    onInvalid: Write['onInvalid'],
  ) {
    const changed = (): void => this.#wake?.()
    this.#fields = [...embedders.byField].map(([field, [embedder]]) => {
      const dimensions = shape.dimensions.get(field) ?? 0
      return new Calls(embedder, dimensions, caches.of(embedder.model, dimensions), interrupt, changed)
    })
    const batches = this.#fields.map(({ embedder }) => embedder.batchSize * (embedder.concurrency + 1))
    this.#most = Math.max(LEAST_LINE, ...batches)
    this.#interrupt = interrupt
    this.#onInvalid = onInvalid
  }

  /** Vectors that were not computed again. */
  get reused(): number {
    return this.#fields.reduce((sum, { reused }) => sum + reused, 0)
  }

  /** Whether the first document has all its vectors. */
  get ready(): boolean {
    return this.#line[this.#first]?.missing === 0
  }

  /** Whether documents must be handed on before more are added; after the last one, whether any wait. */
  get full(): boolean {
    const waiting = this.#line.length - this.#first
    return waiting >= (this.#ended ? 1 : this.#most) || this.#characters >= MOST_CHARACTERS
  }

  /**
   * Takes a document, the `position`th of its source.
   *
   * @throws {CutoverError} CUTOVER_DOCUMENT and CUTOVER_EMBEDDING, unless invalid documents are skipped; what `onInvalid` throws.
   */
  add(encoder: Encoder, document: unknown, position: number): void {
    let held: Held | undefined
    const wanted: (readonly [Calls, string])[] = []
    try {
      held = encoder.hold(document, position)
      for (const calls of this.#fields) {
        const text = textOf(calls.embedder, document as Record<string, unknown>)
        if (text !== undefined) wanted.push([calls, text])
      }
    } catch (error) {
      held = undefined
      wanted.length = 0
      this.#refuse(error)
    }
    const texts = [held?.text ?? '', ...(held?.long ?? []), ...wanted.map(([, text]) => text)]
    const characters = texts.reduce((sum, text) => sum + text.length, 0)
    const waiting: Waiting = { held, vectors: [], missing: wanted.length, characters }
    this.#line.push(waiting)
    this.#characters += characters
    const { id } = held ? (document as { id: string }) : { id: '' }
    for (const [calls, text] of wanted)
      calls.add({ text, id, settle: (answer) => this.#settle(waiting, calls.embedder.field, answer) })
  }

  /** Hands the first document, which is ready, to the encoder. */
  hand(encoder: Encoder): void {
    const waiting = this.#line[this.#first]
    if (!waiting) return
    if (waiting.held) encoder.addHeld(waiting.held, waiting.vectors)
    else encoder.addRefused()
    this.#characters -= waiting.characters
    // Half of the array empty: as many moves as there were documents, over all.
    if (++this.#first * 2 >= this.#line.length) {
      this.#line = this.#line.slice(this.#first)
      this.#first = 0
    }
  }

  /** Says that no more documents come. */
  end(): void {
    this.#ended = true
  }

  /** Begins batches that are not full where nothing else would come of waiting. */
  urge(): void {
    for (const calls of this.#fields) calls.pump(this.#ended || calls.idle)
  }

  /** Resolves when something has come back. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #settle(waiting: Waiting, field: string, answer: Float32Array | Error): void {
    waiting.missing--
    if (answer instanceof Float32Array) {
      waiting.vectors.push([field, answer])
      return
    }
    waiting.held = undefined
    try {
      this.#refuse(answer)
    } catch (error) {
      this.#interrupt.fire(error)
    }
  }

  #refuse(error: unknown): void {
    if (this.#onInvalid === 'throw') throw error
    if (typeof this.#onInvalid === 'function') this.#onInvalid(error as CutoverError)
  }
}

/** The text of a document that has no vector of its own; what is not well-formed is made so, as a decoder would. */
function textOf(embedder: Embedder, document: Record<string, unknown>): string | undefined {
  const own = document[embedder.field]
  if (own !== undefined && own !== null) return undefined
  const id = document.id as string
  let text: unknown
  try {
    text = embedder.from(document)
  } catch (cause) {
    throw documentFailed(embedder, id, { reason: 'failed to take its text', shown: String(cause) }, { cause })
  }
  if (text === undefined) return undefined
  if (typeof text !== 'string')
    throw documentFailed(embedder, id, { reason: 'must take a string or undefined for its text', shown: show(text) })
  return text.toWellFormed()
}
