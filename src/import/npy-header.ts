// The header of a NumPy array file (.npy): magic, version, and a Python dictionary of which exactly three entries are understood.
// Nothing is evaluated, and what is not expected is refused by name.
import { show } from '../validate.js'

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
/** Bytes of the dictionary, as NumPy bounds it. */
const MAX_HEADER_BYTES = 10_000
/** Bytes that hold any header that is accepted. */
export const HEADER_BYTES = MAGIC.length + 2 + 4 + MAX_HEADER_BYTES
const MAX_DIMENSIONS = 4096

/** Number types that are read: little-endian floats of so many bytes. */
const TYPES = { '<f2': 2, '<f4': 4, '<f8': 8 } as const
/** Half, single and double precision. */
export type NumberType = keyof typeof TYPES

/** What an array file holds. */
export interface Header {
  readonly type: NumberType
  readonly rows: number
  readonly dimensions: number
  /** Where the first row begins; rows follow each other without gaps to the end of the file. */
  readonly begins: number
  readonly rowBytes: number
}

/** Why a file is refused. */
export class NotNpy extends Error {}

/**
 * Reads a header from the first bytes of a file of `size` bytes: all of it, or `HEADER_BYTES`.
 *
 * @throws {NotNpy} naming what is wrong.
 */
export function parseHeader(bytes: Buffer, size: number): Header {
  if (bytes.length < MAGIC.length + 2 || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new NotNpy('is no .npy file: it does not begin with \\x93NUMPY')
  const [major = 0, minor = 0] = bytes.subarray(MAGIC.length, MAGIC.length + 2)
  if (major < 1 || major > 3 || minor !== 0)
    throw new NotNpy(`is of .npy version ${major}.${minor}: 1.0, 2.0 and 3.0 are read`)
  const at = MAGIC.length + 2
  const width = major === 1 ? 2 : 4
  if (bytes.length < at + width) throw new NotNpy('ends within its header')
  const length = bytes.readUIntLE(at, width)
  if (length > MAX_HEADER_BYTES)
    throw new NotNpy(`has a header of ${length} bytes: at most ${MAX_HEADER_BYTES} are read`)
  const begins = at + width + length
  if (bytes.length < begins) throw new NotNpy(`ends within its header of ${length} bytes`)
  const { descr, order, shape } = new Dictionary(bytes.toString('latin1', at + width, begins)).read()
  const type = numberType(descr)
  const [rows, dimensions] = shapeOf(shape)
  if (order && rows > 1 && dimensions > 1)
    throw new NotNpy('is in Fortran order (columns first): save it with numpy.ascontiguousarray')
  const rowBytes = dimensions * TYPES[type]
  const expected = BigInt(begins) + BigInt(rows) * BigInt(rowBytes)
  if (expected !== BigInt(size))
    throw new NotNpy(`has ${size} bytes: ${rows} rows of ${dimensions} ${type} and the header are ${expected}`)
  return { type, rows, dimensions, begins, rowBytes }
}

function numberType(descr: string): NumberType {
  if (Object.hasOwn(TYPES, descr)) return descr as NumberType
  const what = descr.startsWith('>')
    ? 'big-endian'
    : descr.includes('O')
      ? 'Python objects, which only Python can read'
      : 'not float16, float32 or float64'
  throw new NotNpy(`has the dtype ${show(descr)}, which is ${what}: <f2, <f4 and <f8 are read`)
}

function shapeOf(shape: readonly number[]): [number, number] {
  const [rows, dimensions] = shape
  const shown = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  if (shape.length !== 2 || rows === undefined || dimensions === undefined)
    throw new NotNpy(`has the shape ${shown}: it must be (documents, dimensions)`)
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    throw new NotNpy(`has the shape ${shown}: dimensions must be from 1 to ${MAX_DIMENSIONS}`)
  return [rows, dimensions]
}

/** A reader of the one dictionary form that headers have. */
class Dictionary {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): { descr: string; order: boolean; shape: number[] } {
    const seen: { descr?: string; fortran_order?: boolean; shape?: number[] } = {}
    this.#take(/\{/y, 'a dictionary')
    while (!this.#skip(/\}/y)) {
      const key = this.#string('a key')
      if (key !== 'descr' && key !== 'fortran_order' && key !== 'shape')
        throw new NotNpy(`has a header with the unknown key ${show(key)}`)
      if (key in seen) throw new NotNpy(`has a header with two entries ${show(key)}`)
      this.#take(/:/y, 'a colon')
      if (key === 'descr') seen.descr = this.#descr()
      else if (key === 'fortran_order') seen.fortran_order = this.#take(/True|False/y, 'True or False') === 'True'
      else seen.shape = this.#tuple()
      if (this.#skip(/,/y)) continue
      this.#take(/\}/y, 'a comma or the end of the dictionary')
      break
    }
    this.#skip(/[ \n]*/y)
    if (this.#at < this.#text.length) throw this.#unexpected('nothing after the dictionary')
    const { descr, fortran_order: order, shape } = seen
    for (const key of ['descr', 'fortran_order', 'shape'])
      if (!(key in seen)) throw new NotNpy(`has a header without ${show(key)}`)
    return { descr: descr as string, order: order as boolean, shape: shape as number[] }
  }

  #descr(): string {
    if (this.#skip(/[[(]/y)) throw new NotNpy('has a structured dtype: <f2, <f4 and <f8 are read')
    return this.#string('a dtype')
  }

  #string(what: string): string {
    return this.#take(/'[^'"\\]*'|"[^'"\\]*"/y, what).slice(1, -1)
  }

  #tuple(): number[] {
    const numbers: number[] = []
    this.#take(/\(/y, 'a shape')
    while (!this.#skip(/\)/y)) {
      const digits = this.#take(/\d+/y, 'a whole number')
      const number = Number(digits)
      if (!Number.isSafeInteger(number))
        throw new NotNpy(`has a shape with the number ${show(digits)}, which no file holds`)
      numbers.push(number)
      if (this.#skip(/,/y)) continue
      this.#take(/\)/y, 'a comma or the end of the shape')
      break
    }
    return numbers
  }

  /** What stands here, after spaces; refused when it has another form. */
  #take(form: RegExp, what: string): string {
    const found = this.#skip(form)
    if (found === undefined) throw this.#unexpected(what)
    return found
  }

  #skip(form: RegExp): string | undefined {
    while (this.#text[this.#at] === ' ') this.#at++
    form.lastIndex = this.#at
    const found = form.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #unexpected(what: string): NotNpy {
    const found = this.#at < this.#text.length ? show(this.#text.slice(this.#at, this.#at + 20)) : 'its end'
    return new NotNpy(`has a header that cannot be read: expected ${what} at character ${this.#at}, found ${found}`)
  }
}
