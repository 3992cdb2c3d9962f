// Reads a source of documents: any iterable or async iterable but a string, closed when the reading stops early.
import type { Interrupt } from './abort.js'
import { CutoverError } from './errors.js'
import { wrongType } from './validate.js'

type Iterating = Iterator<unknown> | AsyncIterator<unknown>

const SOURCE = 'an iterable or async iterable of documents'

/** @throws {TypeError} for what cannot be a source nor a function that gives one. */
export function checkSource(value: unknown): void {
  if (typeof value !== 'function') methodOf(value, `${SOURCE}, or a function that gives one`)
}

function methodOf(value: unknown, what: string): () => Iterating {
  if (typeof value === 'object' && value !== null) {
    const source = value as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown }
    const method = source[Symbol.asyncIterator] ?? source[Symbol.iterator]
    if (typeof method === 'function') return () => (method as (this: object) => Iterating).call(source)
  }
  throw wrongType('documents', what, value)
}

/** A source being read. What it throws becomes CUTOVER_SOURCE, unless the call was stopped: then the reason counts. */
export class SourceReader {
  readonly #iterator: Iterating
  readonly #interrupt: Interrupt
  #read = 0
  /** Whether the iterator has ended, failed, or is still busy: closing it is then not ours, or could wait for ever. */
  #done = false

  private constructor(iterator: Iterating, interrupt: Interrupt) {
    this.#iterator = iterator
    this.#interrupt = interrupt
  }

  /** Opens a source, or what a function gives as one. */
  static async open(value: unknown, interrupt: Interrupt): Promise<SourceReader> {
    const source = typeof value === 'function' ? await guarded(interrupt, 0, () => (value as () => unknown)()) : value
    const method = methodOf(source, typeof value === 'function' ? `a function that gives ${SOURCE}` : SOURCE)
    try {
      return new SourceReader(method(), interrupt)
    } catch (error) {
      throw failed(error, 0)
    }
  }

  /** Documents read so far. */
  get read(): number {
    return this.#read
  }

  /** The next document. A synchronous source answers without a promise: a promise for each document would double its cost. */
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    this.#done = true
    let step: IteratorResult<unknown> | Promise<IteratorResult<unknown>>
    try {
      step = this.#iterator.next()
    } catch (error) {
      this.#interrupt.check()
      throw failed(error, this.#read)
    }
    return step instanceof Promise || typeof (step as { then?: unknown }).then === 'function'
      ? this.#later(step as Promise<IteratorResult<unknown>>)
      : this.#took(step as IteratorResult<unknown>)
  }

  /** Closes a source that has not ended; what it says to that changes nothing. */
  async close(): Promise<void> {
    try {
      const closing = this.#iterator.return?.()
      if (this.#done) {
        // It ended by itself, or is busy with a `next` that may never answer: nobody waits for it.
        if (closing instanceof Promise) closing.catch(() => {})
      } else {
        await this.#interrupt.race(Promise.resolve(closing))
      }
    } catch {
      // The failure that stopped the reading is the one to tell.
    }
  }

  async #later(step: Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    return this.#took(await guarded(this.#interrupt, this.#read, () => step))
  }

  #took(step: IteratorResult<unknown>): IteratorResult<unknown> {
    if (typeof step !== 'object' || step === null)
      throw failed(new TypeError('an iterator gave something else than an object'), this.#read)
    this.#done = step.done === true
    if (!this.#done) this.#read++
    return step
  }
}

async function guarded<T>(interrupt: Interrupt, read: number, give: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await interrupt.race(Promise.resolve(give()))
  } catch (error) {
    interrupt.check()
    throw failed(error, read)
  }
}

function failed(cause: unknown, read: number): CutoverError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new CutoverError('CUTOVER_SOURCE', `the source failed after ${read} documents: ${message}`, {
    cause,
    detail: { documents: read },
  })
}
