// collection_meta.json: what the program that wrote an index of hnswlib's says about it.
import type { Metric } from '../schema.js'
import { isRecord, show } from '../validate.js'
import { Refused } from './file.js'
import { readJson } from './json-array.js'

/** The mapping of some five million ids. */
const MAX_BYTES = 256 * 1024 * 1024

/** hnswlib's names of its spaces, and ours. */
const SPACES: Readonly<Record<string, Metric>> = {
  cosine: 'cosine',
  l2: 'l2',
  ip: 'inner-product',
  'inner-product': 'inner-product',
}

/** What a collection_meta.json says; what it does not say is undefined. */
export interface Collection {
  readonly path: string
  /** `vector_size` or `vector_dim`. */
  readonly dimensions: number | undefined
  /** `hnsw_index.vector_count`. */
  readonly vectors: number | undefined
  /** `hnsw_index.space`. */
  readonly metric: Metric | undefined
  /** `hnsw_index.M`. */
  readonly m: number | undefined
  /** `hnsw_index.id_mapping`: label to id. */
  readonly mapping: Readonly<Record<string, unknown>> | undefined
  /** `hnsw_index.is_stale`. */
  readonly stale: boolean
  /** `model` and `config`, when there. */
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Reads a collection_meta.json. CUTOVER_SOURCE names a member that is not what it should be. */
export async function readCollection(path: string): Promise<Collection> {
  const value = await readJson(path, MAX_BYTES)
  const meta = new Members(path, '', value)
  const index = new Members(path, 'hnsw_index.', meta.value('hnsw_index') ?? {})
  const [size, dim] = [meta.count('vector_size'), meta.count('vector_dim')]
  if (size !== undefined && dim !== undefined && size !== dim)
    throw new Refused(`${path} says vector_size ${size} and vector_dim ${dim}`, {
      path,
      vector_size: size,
      vector_dim: dim,
    })
  const mapping = index.value('id_mapping')
  if (mapping !== undefined && !isRecord(mapping)) throw index.wrong('id_mapping', 'an object', mapping)
  const stale = index.value('is_stale') ?? false
  if (typeof stale !== 'boolean') throw index.wrong('is_stale', 'true or false', stale)
  const attributes = { model: meta.value('model'), config: meta.value('config') }
  return {
    path,
    dimensions: size ?? dim,
    vectors: index.count('vector_count'),
    metric: metricOf(index),
    m: index.count('M'),
    mapping,
    stale,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, member]) => member !== undefined)),
  }
}

function metricOf(index: Members): Metric | undefined {
  const space = index.value('space')
  if (space === undefined) return undefined
  if (typeof space !== 'string' || !Object.hasOwn(SPACES, space))
    throw index.wrong('space', `one of ${Object.keys(SPACES).map(show).join(', ')}`, space)
  return SPACES[space]
}

/** An object's members; null is no value. */
class Members {
  readonly #path: string
  readonly #prefix: string
  readonly #object: Record<string, unknown>

  constructor(path: string, prefix: string, value: unknown) {
    this.#path = path
    this.#prefix = prefix
    if (!isRecord(value))
      throw new Refused(`${path} has no JSON object${prefix && ` as ${prefix.slice(0, -1)}`}`, { path })
    this.#object = value
  }

  value(name: string): unknown {
    return (Object.hasOwn(this.#object, name) ? this.#object[name] : undefined) ?? undefined
  }

  count(name: string): number | undefined {
    const value = this.value(name)
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value
    throw this.wrong(name, 'a whole number from 0', value)
  }

  wrong(name: string, what: string, value: unknown): Refused {
    return new Refused(`${this.#path} must have ${what} as ${this.#prefix}${name}, got ${show(value)}`, {
      path: this.#path,
      member: `${this.#prefix}${name}`,
    })
  }
}
