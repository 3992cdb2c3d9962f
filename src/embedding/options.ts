// Checks of the `embeddings` that an index is opened with.
import {
  callback,
  given,
  integer,
  isRecord,
  milliseconds,
  oneOf,
  record,
  show,
  string,
  wrongType,
} from '../validate.js'
import { QueryVectors } from './query-vectors.js'
import type { EmbedOptions } from './types.js'

const EMBEDDING = new Set(['model', 'from', 'embed', 'batchSize', 'concurrency', 'timeoutMs', 'onFailure'])
const LONGEST_NAME = 256

/** One embedding of one field, checked. */
export interface Embedder {
  readonly field: string
  readonly model: string
  readonly from: (document: unknown) => unknown
  readonly embed: (texts: readonly string[], options: EmbedOptions) => unknown
  readonly batchSize: number
  readonly concurrency: number
  /** Undefined: no limit. */
  readonly timeoutMs: number | undefined
  readonly onFailure: 'text' | 'reject'
  /** Vectors of queries that were asked lately. */
  readonly queries: QueryVectors
}

/** The embeddings of an index. */
export interface Embedders {
  /** Those of each field, the one for new versions first. */
  readonly byField: ReadonlyMap<string, readonly [Embedder, ...Embedder[]]>
  /** Bytes of vectors already paid for that are kept; 0 for none. */
  readonly cacheBytes: number
}

/** Bytes that the cache may take on disk, unless it is said. */
const CACHE_BYTES = 2 * 1024 ** 3

/**
 * Checks `options.embeddings` and `options.embeddingCacheBytes`; `fields` are those declared, if any.
 *
 * @throws {TypeError | RangeError} naming the option and the value.
 */
export function embeddersOf(value: unknown, cache: unknown, fields: unknown): Embedders | undefined {
  const cacheBytes =
    given(cache, (v) => integer(v, 'options.embeddingCacheBytes', 0, Number.MAX_SAFE_INTEGER)) ?? CACHE_BYTES
  if (value === undefined) return undefined
  if (!isRecord(value)) throw wrongType('options.embeddings', 'an object of embeddings by field', value)
  const embedders = new Map<string, readonly [Embedder, ...Embedder[]]>()
  for (const field of Object.keys(value)) {
    const several: unknown = value[field]
    if (several === undefined) continue
    const name = `options.embeddings.${field}`
    if (isRecord(fields)) {
      const declared = fields[field]
      if (!isRecord(declared) || declared.type !== 'vector')
        throw new TypeError(`${name}: options.fields has no vector field of this name`)
    }
    const [first, ...others] = Array.isArray(several)
      ? Array.from(several, (one: unknown, at) => embedderOf(one, field, `${name}[${at}]`))
      : [embedderOf(several, field, name)]
    if (!first) throw new RangeError(`${name} must have at least one embedding, got ${show(several)}`)
    const all = [first, ...others] as const
    const twice = all.find(({ model }, at) => all.findIndex((other) => other.model === model) !== at)
    if (twice) throw new RangeError(`${name} has the model ${show(twice.model)} twice`)
    embedders.set(field, all)
  }
  return embedders.size > 0 ? { byField: embedders, cacheBytes } : undefined
}

/** The names of the models, as the native layer takes them. */
export const modelsOf = (embedders: Embedders | undefined): Record<string, string[]> =>
  Object.fromEntries([...(embedders?.byField ?? [])].map(([field, all]) => [field, all.map(({ model }) => model)]))

function embedderOf(value: unknown, field: string, name: string): Embedder {
  // Methods of a class are taken too, and called as such.
  const e = record(value, name, EMBEDDING)
  const model = string(e.model, `${name}.model`)
  if (model === '' || model.length > LONGEST_NAME)
    throw new RangeError(`${name}.model must have 1 to ${LONGEST_NAME} characters, got ${show(model)}`)
  const from = callback(e.from, `${name}.from`)
  const embed = callback(e.embed, `${name}.embed`)
  const timeoutMs =
    e.timeoutMs === undefined ? 10_000 : milliseconds(e.timeoutMs, `${name}.timeoutMs`, Number.MIN_VALUE)
  return {
    field,
    model,
    from: (document) => from.call(value, document),
    embed: (texts, options) => embed.call(value, texts, options),
    batchSize: given(e.batchSize, (v) => integer(v, `${name}.batchSize`, 1, 4096)) ?? 64,
    concurrency: given(e.concurrency, (v) => integer(v, `${name}.concurrency`, 1, 64)) ?? 4,
    timeoutMs,
    onFailure: given(e.onFailure, (v) => oneOf(v, `${name}.onFailure`, ['text', 'reject'])) ?? 'text',
    queries: new QueryVectors(),
  }
}
