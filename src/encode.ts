// Documents as the native layer takes them: one JSON object a line, vectors and long texts packed beside it. Refused here is what
// cannot be carried so; whether a document fits its schema is checked where it is read.
import { CutoverError } from './errors.js'
import { NotJson, stringJson, toJson } from './json.js'
import type { Shape } from './schema.js'
import { TextBuffer } from './text-buffer.js'
import { isRecord, show } from './validate.js'

/** Bytes that make a batch full: about a millisecond of encoding. */
const BATCH_BYTES = 128 * 1024
/** Room for a batch and a document of usual length behind it, in bytes. */
const ROOM = 2 * BATCH_BYTES
/** Characters from which a text goes beside its line: it is neither written as JSON nor read as such then. */
const LONG_TEXT = 256
/** A line that the native layer refuses and counts: it stands for a document that has no JSON. */
const REFUSED = '{}'
const LARGEST_FLOAT32 = 3.4028234663852886e38

/** What crosses to the native layer at once; good until more is added to its encoder. */
export interface Batch {
  /** UTF-8, one JSON object a line; a vector field holds its number of components, a text field with a long text that text's bytes. */
  readonly lines: Buffer
  /** Long texts in UTF-8, in the order of the lines and of their fields. */
  readonly texts: Buffer
  /** The components of the vectors, in the order of the lines and of their fields. */
  readonly vectors: Float32Array
}

/** An encoded document that is not in a batch yet: some of its vectors are still to come. */
export interface Held {
  /** Its JSON object without the closing brace. */
  readonly text: string
  /** The texts that go beside it. */
  readonly long: readonly string[]
  readonly floats: Float32Array
}

/** Collects encoded documents until a batch is full. Vectors are copied when added: their owner may reuse them at once. */
export class Encoder {
  readonly #shape: Shape
  readonly #lines = new TextBuffer(ROOM)
  readonly #texts = new TextBuffer(ROOM)
  /** The long texts of the document that is being encoded. */
  #long: string[] = []
  #floats = new Float32Array(0)
  #used = 0

  constructor(shape: Shape) {
    this.#shape = shape
  }

  /** Whether the batch should be taken before more is added. */
  get full(): boolean {
    return this.#lines.length + this.#texts.length + this.#used * Float32Array.BYTES_PER_ELEMENT >= BATCH_BYTES
  }

  /** Whether there is nothing to take. */
  get empty(): boolean {
    return this.#lines.length === 0
  }

  /**
   * Encodes a document, the `position`th (from 0) of its source. Nothing is kept of one that is refused.
   *
   * @throws {CutoverError} CUTOVER_DOCUMENT, naming id, field and value.
   */
  add(document: unknown, position: number): void {
    this.#push(this.#encode(document, position), this.#long)
  }

  /** Encodes as `add` does, and hands the result out instead of adding it. */
  hold(document: unknown, position: number): Held {
    const before = this.#used
    const text = this.#encode(document, position).slice(0, -1)
    const floats = this.#floats.slice(before, this.#used)
    this.#used = before
    return { text, long: this.#long, floats }
  }

  /** Adds what was held, with the vectors that it lacked, by field. */
  addHeld({ text, long, floats }: Held, vectors: readonly (readonly [field: string, vector: Float32Array])[]): void {
    let line = text
    this.#append(floats)
    for (const [name, vector] of vectors) {
      line += `,${stringJson(name)}:${vector.length}`
      this.#append(vector)
    }
    this.#push(`${line}}`, long)
  }

  /** Puts a line in a refused document's place, so that it is counted. */
  addRefused(): void {
    this.#push(REFUSED, [])
  }

  /** Takes the batch and begins another. */
  take(): Batch {
    const vectors = this.#floats.subarray(0, this.#used)
    const batch = { lines: this.#lines.take(), texts: this.#texts.take(), vectors }
    this.#floats = new Float32Array(0)
    this.#used = 0
    return batch
  }

  #push(line: string, long: readonly string[]): void {
    this.#lines.write(line)
    this.#lines.write('\n')
    for (const text of long) this.#texts.write(text)
  }

  /** The document's JSON. Its long texts are at hand then, and its vectors in the batch; those of one that is refused are not. */
  #encode(document: unknown, position: number): string {
    const before = this.#used
    this.#long = []
    try {
      return this.#object(document, position)
    } catch (error) {
      this.#used = before
      if (error instanceof CutoverError) throw error
      // A getter or a proxy of the document itself threw.
      throw refused(undefined, undefined, document, `must be readable (${String(error)})`, position, { cause: error })
    }
  }

  #object(document: unknown, position: number): string {
    if (!isRecord(document)) throw refused(undefined, undefined, document, 'must be an object', position)
    const { id } = document
    if (typeof id !== 'string') throw refused(undefined, 'id', id, 'must be a string', position)
    let text = `{"id":${field(id, 'id', id, position, () => stringJson(id))}`
    for (const name of Object.keys(document)) {
      const value = document[name]
      if (name === 'id' || value === undefined || value === null) continue
      const json = field(id, name, value, position, () => this.#value(name, value))
      text += `,${field(id, name, name, position, () => stringJson(name))}:${json}`
    }
    return `${text}}`
  }

  #value(name: string, value: unknown): string {
    const type = this.#shape.types.get(name)
    if (type === 'vector') return String(this.#vector(value))
    if (type === 'text') return this.#text(value)
    return toJson(value, type === 'stored' ? 'iso' : 'milliseconds')
  }

  #text(value: unknown): string {
    if (typeof value === 'string' && value.length >= LONG_TEXT && value.isWellFormed()) {
      this.#long.push(value)
      return String(Buffer.byteLength(value))
    }
    const json = toJson(value, 'milliseconds')
    // A number would be taken for the length of a text.
    if (!json.startsWith('"')) throw new NotJson('', value, 'must be a string')
    return json
  }

  /** Copies a vector into the batch; its number of components. */
  #vector(value: unknown): number {
    if (value instanceof Float32Array) {
      this.#append(value)
    } else if (Array.isArray(value)) {
      this.#reserve(value.length)
      for (let at = 0; at < value.length; at++) this.#floats[this.#used + at] = component(value[at], at)
      this.#used += value.length
    } else {
      throw new NotJson('', value, 'must be a Float32Array or an array of numbers')
    }
    return value.length
  }

  #append(vector: Float32Array): void {
    this.#reserve(vector.length)
    this.#floats.set(vector, this.#used)
    this.#used += vector.length
  }

  #reserve(count: number): void {
    const needed = this.#used + count
    if (needed <= this.#floats.length) return
    const larger = new Float32Array(Math.max(needed, this.#floats.length * 2, 4096))
    larger.set(this.#floats.subarray(0, this.#used))
    this.#floats = larger
  }
}

function component(value: unknown, at: number): number {
  if (typeof value !== 'number') throw new NotJson(`[${at}]`, value, 'must be a number')
  // What is finite must stay so: 1e300 would arrive as Infinity, which nobody wrote.
  if (Number.isFinite(value) && Math.abs(value) > LARGEST_FLOAT32)
    throw new NotJson(`[${at}]`, value, 'must fit a 32-bit float')
  return value
}

/** Runs `encode`, and blames the field for what it cannot carry. */
function field(id: string, name: string, value: unknown, position: number, encode: () => string): string {
  try {
    return encode()
  } catch (error) {
    if (error instanceof NotJson) throw refused(id, name, error.value, error.message, position, { path: error.path })
    // A getter, a proxy or a toJSON below the document threw.
    throw refused(id, name, value, `must be readable (${String(error)})`, position, { cause: error })
  }
}

function refused(
  id: string | undefined,
  name: string | undefined,
  value: unknown,
  reason: string,
  position: number,
  more: { path?: string; cause?: unknown } = {},
): CutoverError {
  const who = id === undefined ? `document ${position} of the source (from 0)` : `document ${show(id)}`
  const where = name === undefined ? '' : `, field ${show(name + (more.path ?? ''))}`
  const shown = show(value)
  return new CutoverError('CUTOVER_DOCUMENT', `${who}${where}: ${reason}, got ${shown}`, {
    detail: { id: id ?? '', field: name, value: shown, reason, position },
    ...('cause' in more ? { cause: more.cause } : {}),
  })
}
