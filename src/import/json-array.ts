// The elements of a large JSON array, or the members of a large object, one after another, in bounded memory: a splitter finds where
// each ends, `JSON.parse` decides what it is, so that together they accept exactly the arrays and objects that JSON has.
import { TextDecoder } from 'node:util'
import { SourceFile } from './file.js'

/** Bytes of one element; the store takes no larger document. */
const MAX_ELEMENT_BYTES = 16 * 1024 * 1024
/** Levels of arrays and objects inside an element; the store takes fewer. */
const MAX_DEPTH = 128
/** Bytes read at once. */
const CHUNK_BYTES = 64 * 1024

const BOM = [0xef, 0xbb, 0xbf]
const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, BEGIN, END] = [0x22, 0x5c, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d]
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** What the splitter cannot go on from, and the byte it stands at. */
export class Malformed extends Error {
  readonly offset: number
  constructor(reason: string, offset: number) {
    super(reason)
    this.offset = offset
  }
}

/** An element's bytes and where they begin. */
export interface Element {
  readonly bytes: Buffer
  readonly offset: number
}

/** What a file holds: its brackets, and what it is called. */
const FORMS = {
  array: { begin: OPEN, end: CLOSE, other: '}', name: 'array' },
  object: { begin: BEGIN, end: END, other: ']', name: 'object' },
} as const

/**
 * Splits a top-level array, or an object. It looks at brackets, commas and strings only; UTF-8 keeps the bytes of longer characters apart from
 * those. A file of another form is refused at its first byte that fits no array, an element of another form by `JSON.parse`.
 */
export class Splitter {
  #state: 'before' | 'inside' | 'after' = 'before'
  #offset = 0
  #bom = 0
  #depth = 0
  #inString = false
  #escaped = false
  #count = 0
  /** The beginning of an element that the last chunk did not end, and where it stands. */
  #pieces: Buffer[] = []
  #held = 0
  #begins = 0
  readonly #form: (typeof FORMS)[keyof typeof FORMS]

  constructor(form: keyof typeof FORMS = 'array') {
    this.#form = FORMS[form]
  }

  /** The elements that end in this chunk. The chunk may be reused afterwards. */
  push(chunk: Buffer): Element[] {
    const elements: Element[] = []
    const { end, other } = this.#form
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (byte === BACKSLASH) this.#escaped = true
        else if (byte === QUOTE) this.#inString = false
      } else if (this.#state === 'inside') {
        if (byte === QUOTE) this.#inString = true
        else if (byte === BEGIN || byte === OPEN) this.#deeper(at)
        else if (this.#depth > 0) {
          if (byte === END || byte === CLOSE) this.#depth--
        } else if (byte === COMMA || byte === end) {
          this.#end(chunk.subarray(from, at), byte === end, elements)
          from = at + 1
          this.#begins = this.#offset + from
        } else if (byte === END || byte === CLOSE)
          throw new Malformed(`has a ${other} that nothing opened`, this.#offset + at)
      } else if (!isSpace(byte)) {
        this.#outside(byte, at)
        from = at + 1
        this.#begins = this.#offset + from
      }
    }
    if (this.#state === 'inside') this.#hold(Buffer.from(chunk.subarray(from)))
    this.#offset += chunk.length
    return elements
  }

  /** Says that there is no further chunk. */
  end(): void {
    const { name } = this.#form
    if (this.#state === 'before') throw new Malformed(`is empty where a JSON ${name} should begin`, this.#offset)
    if (this.#state === 'inside') throw new Malformed(`ends before its JSON ${name} does`, this.#offset)
  }

  #outside(byte: number, at: number): void {
    const { begin, name } = this.#form
    if (this.#state === 'after') throw new Malformed(`goes on after the end of its JSON ${name}`, this.#offset + at)
    if (byte === begin && this.#bom % BOM.length === 0) this.#state = 'inside'
    else if (this.#offset + at === this.#bom && byte === BOM[this.#bom]) this.#bom++
    else throw new Malformed(`does not begin with a JSON ${name} in UTF-8`, this.#offset + at)
  }

  #deeper(at: number): void {
    if (++this.#depth > MAX_DEPTH) throw new Malformed(`is nested deeper than ${MAX_DEPTH} levels`, this.#offset + at)
  }

  #hold(piece: Buffer): void {
    this.#held += piece.length
    if (this.#held > MAX_ELEMENT_BYTES)
      throw new Malformed(`has an element of more than ${MAX_ELEMENT_BYTES} bytes`, this.#begins)
    this.#pieces.push(piece)
  }

  #end(rest: Buffer, last: boolean, elements: Element[]): void {
    this.#hold(rest)
    // The chunk's own memory is reused: what is handed on is a copy in either case.
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#held = 0
    if (last) this.#state = 'after'
    if (last && this.#count === 0 && bytes.every(isSpace)) return
    this.#count++
    elements.push({ bytes, offset: this.#begins })
  }
}

/** Gives the elements of the array in a file, in order. CUTOVER_SOURCE names the byte where the file is no JSON array. */
export function readArray(file: SourceFile): AsyncGenerator<unknown, undefined> {
  return pieces(file, 'array', (text) => JSON.parse(text) as unknown)
}

/**
 * Gives the members of the object in a file, in order; a key that comes twice is given twice. CUTOVER_SOURCE names the byte where the
 * file is no JSON object.
 */
export function readMembers(file: SourceFile): AsyncGenerator<readonly [key: string, value: unknown], undefined> {
  return pieces(file, 'object', (text) => {
    // Braces around one member make an object; around more than one there would have been a comma to split at.
    const [member] = Object.entries(JSON.parse(`{${text}}`) as object)
    if (member === undefined) throw new SyntaxError('it is empty')
    return member
  })
}

async function* pieces<T>(
  file: SourceFile,
  form: keyof typeof FORMS,
  parse: (text: string) => T,
): AsyncGenerator<T, undefined> {
  const splitter = new Splitter(form)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let position = 0
  for (let at = 0; ;) {
    const read = await file.read(chunk, at)
    at += read
    for (const element of split(file, () => splitter.push(chunk.subarray(0, read)))) {
      yield parsed(file, element, position, (bytes) => parse(decoder.decode(bytes)))
      position++
    }
    if (read < chunk.length) break
  }
  split(file, () => splitter.end())
  await file.unchanged()
  return undefined
}

function split<T>(file: SourceFile, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw file.refuse(`${error.message} (byte ${error.offset})`, { offset: error.offset })
  }
}

function parsed<T>(file: SourceFile, { bytes, offset }: Element, position: number, parse: (bytes: Buffer) => T): T {
  try {
    return parse(bytes)
  } catch (cause) {
    const reason = bytes.every(isSpace) ? 'it is empty' : (cause as Error).message
    const where = `element ${position} (from 0), which begins at byte ${offset}`
    throw file.refuse(`has no JSON in ${where}: ${reason}`, { offset, position }, cause)
  }
}

/** The JSON value of a small file. */
export async function readJson(path: string, maxBytes: number): Promise<unknown> {
  const file = await SourceFile.open(path)
  try {
    if (file.size > maxBytes) throw file.refuse(`has ${file.size} bytes: at most ${maxBytes} are read`)
    const bytes = Buffer.alloc(file.size)
    const read = await file.read(bytes, 0)
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, read)))
    } catch (cause) {
      throw file.refuse(`is not JSON: ${(cause as Error).message}`, {}, cause)
    }
  } finally {
    await file.close()
  }
}
