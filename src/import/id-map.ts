// Ids and the labels that an index of hnswlib's knows their vectors by, from wherever a directory has them, joined one to one.
import { TextDecoder } from 'node:util'
import { show } from '../validate.js'
import { Refused, SourceFile } from './file.js'
import { readMembers } from './json-array.js'
import { Named } from './named.js'

/** Bytes of an id_index.bin read at once; an entry has at most half of it. */
const CHUNK_BYTES = 256 * 1024
/** A count, and the lengths of an id and a path without bytes. */
const [COUNT_BYTES, LENGTH_BYTES] = [4, 2]

/** One id of a map. */
export interface Entry {
  readonly id: string
  readonly label: number
  /** Where a map knows it. */
  readonly path?: string
}

/** The label that a JSON key or value stands for. */
const labelOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^(?:0|[1-9]\d*)$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** The entries of an id_index.json: an object of labels by id, one member in memory at a time. */
export async function* readJsonIndex(path: string, signal?: AbortSignal): AsyncGenerator<Entry, undefined> {
  const file = await SourceFile.open(path, signal)
  try {
    for await (const [id, value] of readMembers(file)) {
      const label = typeof value === 'number' ? labelOf(value) : undefined
      if (label === undefined)
        throw file.refuse(`must have a whole number from 0 as the label of ${show(id)}, got ${show(value)}`, { id })
      yield { id, label }
    }
    return undefined
  } finally {
    await file.close()
  }
}

/** The entries of an id_mapping: an object of ids by label. */
export function* readMapping(mapping: Readonly<Record<string, unknown>>, path: string): Generator<Entry, undefined> {
  for (const [key, id] of Object.entries(mapping)) {
    const label = labelOf(key)
    if (label === undefined || typeof id !== 'string' || !id.isWellFormed())
      throw new Refused(`${path} must map whole numbers from 0 to ids, but maps ${show(key)} to ${show(id)}`, { path })
    yield { id, label }
  }
  return undefined
}

/**
 * The entries of an id_index.bin: a u32 count, then for labels 0, 1, … the u16 length and the bytes of an id, and the same of a path
 * (empty: none). All little-endian; the file ends with its last entry.
 */
export async function* readBinaryIndex(path: string, signal?: AbortSignal): AsyncGenerator<Entry, undefined> {
  const file = await SourceFile.open(path, signal)
  try {
    const reader = new Window(file)
    const count = (await reader.take(COUNT_BYTES)).readUInt32LE(0)
    // Nothing is allocated by this number; it is told of early all the same.
    if (count * 2 * LENGTH_BYTES > file.size - COUNT_BYTES)
      throw file.refuse(`has ${file.size} bytes, which cannot hold the ${count} entries that it counts`, { count })
    for (let label = 0; label < count; label++) {
      const id = await reader.text(`the id of entry ${label}`)
      const where = await reader.text(`the path of entry ${label}`)
      yield { id, label, ...(where === '' ? {} : { path: where }) }
    }
    if (reader.position !== file.size)
      throw file.refuse(`has ${file.size} bytes, and its ${count} entries end at ${reader.position}`, { count })
    await file.unchanged()
    return undefined
  } finally {
    await file.close()
  }
}

/** A file read from front to end in pieces. */
class Window {
  readonly #file: SourceFile
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #read = 0

  constructor(file: SourceFile) {
    this.#file = file
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#read - this.#chunk.length + this.#at
  }

  async take(bytes: number): Promise<Buffer> {
    if (this.#chunk.length - this.#at < bytes) {
      const rest = this.#chunk.subarray(this.#at)
      const next = Buffer.allocUnsafe(CHUNK_BYTES)
      const got = await this.#file.read(next, this.#read)
      this.#chunk = Buffer.concat([rest, next.subarray(0, got)])
      this.#at = 0
      this.#read += got
      if (this.#chunk.length < bytes) throw this.#file.refuse(`ends within an entry, at byte ${this.#read}`)
    }
    this.#at += bytes
    return this.#chunk.subarray(this.#at - bytes, this.#at)
  }

  async text(what: string): Promise<string> {
    const length = (await this.take(LENGTH_BYTES)).readUInt16LE(0)
    const bytes = await this.take(length)
    try {
      return this.#decoder.decode(bytes)
    } catch (cause) {
      throw this.#file.refuse(`has no UTF-8 in ${what}, which ends at byte ${this.position}`, {}, cause)
    }
  }
}

/** What a directory's maps say together. */
export class IdMap {
  /** Every id in memory, once. */
  readonly #byLabel = new Map<number, string>()
  readonly #byId = new Map<string, number>()
  readonly #paths = new Map<string, string>()
  readonly #problems: { what: string; named: Named }[] = []
  #first: string | undefined

  /** The id of a label. */
  id(label: number): string | undefined {
    return this.#byLabel.get(label)
  }

  /** The path of an id, where a map knows one. */
  path(id: string): string | undefined {
    return this.#paths.get(id)
  }

  /** Every id with its label. */
  entries(): Iterable<readonly [id: string, label: number]> {
    return this.#byId
  }

  get size(): number {
    return this.#byId.size
  }

  /** Takes in a map. Of the second one on, every entry must be one of the first, and every one of the first must come. */
  async add(source: string, entries: Iterable<Entry> | AsyncIterable<Entry>): Promise<void> {
    const first = this.#first
    this.#first ??= source
    const twice = this.#problem(`ids or labels that ${source} has twice`)
    const other = this.#problem(`ids that ${source} and ${first ?? ''} do not agree on`)
    const seen = first === undefined ? undefined : new Set<string>()
    for await (const { id, label, path } of entries) {
      if (seen === undefined) {
        if (this.#byId.has(id)) twice.add(id)
        else if (this.#byLabel.has(label)) twice.add(label)
        this.#byId.set(id, label)
        this.#byLabel.set(label, id)
      } else {
        if (seen.has(id)) twice.add(id)
        else if (this.#byId.get(id) !== label) other.add(id)
        seen.add(id)
      }
      if (path !== undefined) this.#paths.set(id, path)
    }
    if (seen) for (const id of this.#byId.keys()) if (!seen.has(id)) other.add(id)
  }

  /** @throws {CutoverError} CUTOVER_SOURCE that names and counts what keeps the maps from being one to one. */
  check(directory: string): void {
    refuse(directory, this.#problems)
  }

  #problem(what: string): Named {
    const named = new Named()
    this.#problems.push({ what, named })
    return named
  }
}

/** @throws {CutoverError} CUTOVER_SOURCE with the first ten of each problem and how many there are of it, if there is any. */
export function refuse(directory: string, problems: readonly { what: string; named: Named }[]): void {
  const found = problems.filter(({ named }) => named.count > 0)
  if (found.length === 0) return
  const told = found.map(({ what, named }) => `${named.count} ${what} (${named.named.map(show).join(', ')})`)
  throw new Refused(`${directory} has ${told.join('; ')}: ids and vectors must match one to one`, {
    directory,
    problems: found.map(({ what, named }) => ({ what, count: named.count, first: named.named })),
  })
}
