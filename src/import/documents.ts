// The documents of a directory to import, as documents of an index: which key becomes which field.
import type { Fields } from '../schema.js'
import { isRecord } from '../validate.js'
import { NAMED } from './named.js'

/** The field that holds what no other field does. */
export const REST = 'rest'

/** Where the ids of imported documents came from: how many from each. */
export interface IdsFrom {
  readonly id: number
  readonly chunkId: number
  /** Documents without either: their id is the path, `#` and the position in the file, from 0. */
  readonly position: number
}

/** Makes documents of what stands in documents.json. */
export class Mapper {
  readonly #fields: Fields
  readonly #from = { id: 0, chunkId: 0, position: 0 }

  constructor(fields: Fields) {
    this.#fields = fields
  }

  get idsFrom(): IdsFrom {
    return { ...this.#from }
  }

  /** The `position`th document (from 0) with its vector. What is no document stays as it is, and is refused where documents are checked. */
  map(value: unknown, position: number, embedding: unknown): unknown {
    if (!isRecord(value)) return value
    const { id, used } = this.#id(value, position)
    const content = value['content'] ?? value['text']
    const text = value['content'] === undefined || value['content'] === null ? 'text' : 'content'
    const document: Record<string, unknown> = { id, content, embedding }
    const rest: [string, unknown][] = []
    for (const [name, member] of Object.entries(value)) {
      if (name === used || name === text) continue
      if (name !== 'content' && name !== 'embedding' && name !== REST && Object.hasOwn(this.#fields, name))
        document[name] = member
      else rest.push([name, member])
    }
    // From entries, since an assignment to `__proto__` would be no key.
    if (rest.length > 0) document[REST] = Object.fromEntries(rest)
    return document
  }

  /** A document's id, and the key that it was taken from. Whole numbers are written out. */
  #id(value: Record<string, unknown>, position: number): { id: unknown; used?: string } {
    for (const [key, count] of [
      ['id', 'id'],
      ['chunk_id', 'chunkId'],
    ] as const) {
      const id = value[key]
      if (id === undefined || id === null) continue
      this.#from[count]++
      return { id: Number.isSafeInteger(id) ? String(id) : id, used: key }
    }
    this.#from.position++
    const path = typeof value['path'] === 'string' ? value['path'] : ''
    return { id: `${path}#${position}` }
  }
}

/** Which ids came more than once. Every id is held in memory; there may be 16,777,216 of them. */
export class Duplicates {
  readonly #first = new Map<string, number>()
  readonly #found: { id: string; positions: [number, number] }[] = []
  #count = 0

  /** Takes note of the document at a position. */
  see(document: unknown, position: number): void {
    const id = isRecord(document) ? document['id'] : undefined
    if (typeof id !== 'string') return
    const before = this.#first.get(id)
    if (before === undefined) this.#first.set(id, position)
    else if (this.#count++ < NAMED) this.#found.push({ id, positions: [before, position] })
  }

  get count(): number {
    return this.#count
  }

  /** The first of them, with the positions of two documents that have the same id. */
  get found(): readonly { readonly id: string; readonly positions: readonly [number, number] }[] {
    return this.#found
  }
}
