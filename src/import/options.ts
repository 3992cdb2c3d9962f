// The options of an import, and the schema that follows from them.
import type { OpenOptions, WriteOptions } from '../options.js'
import { checkFields } from '../schema.js'
import type { Fields, Metric } from '../schema.js'
import { given, isRecord, oneOf, optionsOf, show } from '../validate.js'
import { REST } from './documents.js'
import { Refused } from './file.js'

/** How a directory is imported. */
export interface ImportOptions
  extends
    Omit<WriteOptions<Fields>, 'ifCurrent'>,
    Pick<OpenOptions<Fields>, 'allow' | 'integrity' | 'keep' | 'onCorrupt' | 'threads' | 'buildMemoryBytes'> {
  /** How far apart two vectors are. Default `cosine`. */
  metric?: Metric
  /**
   * Fields beside or instead of those that an import declares: `content` (text), `path` (keyword), `embedding` (vector) and `rest`
   * (stored). A key of the documents that is named here becomes a field of its own; every other one is kept in `rest`.
   */
  fields?: Fields
  /** Two documents with one id end the import (default), or the last of them counts. */
  duplicates?: 'throw' | 'last'
}

const OPEN = ['allow', 'integrity', 'keep', 'onCorrupt', 'threads', 'buildMemoryBytes'] as const
const WRITE = [
  'signal',
  'lockTimeoutMs',
  'version',
  'activate',
  'attributes',
  'onInvalid',
  'onProgress',
  'gate',
] as const
const KNOWN = new Set([...OPEN, ...WRITE, 'metric', 'fields', 'duplicates'])

/** Options, each for the call that takes it. */
export interface Checked {
  readonly open: Omit<OpenOptions<Fields>, 'fields'>
  readonly write: WriteOptions<Fields>
  readonly duplicates: 'throw' | 'last'
  /** The schema for vectors of so many dimensions. CUTOVER_SOURCE when the caller declared others. */
  schema(dimensions: number, path: string): Fields
}

/** Checks what no later call checks. */
export function importOptions(value: unknown): Checked {
  const o = optionsOf(value, KNOWN)
  const declared = given(o.fields, (fields): Fields => {
    checkFields(fields)
    return fields
  })
  const metric = given(o.metric, (v) => oneOf(v, 'options.metric', ['cosine', 'l2', 'inner-product']))
  const own = declared ?? {}
  for (const [name, what] of Object.entries(TAKEN))
    if (Object.hasOwn(own, name)) throw new RangeError(`options.fields.${name} cannot be declared: ${what}`)
  checkType(own, 'content', 'text')
  checkType(own, 'embedding', 'vector')
  if (metric !== undefined && own['embedding'] !== undefined)
    throw new TypeError(`options.metric is given in options.fields.embedding where that is given, got ${show(metric)}`)
  return {
    open: pick(o, OPEN),
    write: pick(o, WRITE),
    duplicates: given(o.duplicates, (v) => oneOf(v, 'options.duplicates', ['throw', 'last'])) ?? 'throw',
    schema(dimensions, path) {
      const { embedding } = own
      if (embedding?.type === 'vector' && embedding.dimensions !== dimensions)
        throw new Refused(
          `${path} has ${dimensions} dimensions, but options.fields.embedding declares ${show(embedding.dimensions)}`,
          { path, dimensions, declared: embedding.dimensions },
        )
      return {
        content: { type: 'text' },
        path: { type: 'keyword' },
        embedding: { type: 'vector', dimensions, metric: metric ?? 'cosine' },
        [REST]: { type: 'stored' },
        ...own,
      }
    },
  }
}

const TAKEN = {
  [REST]: 'it holds what has no field',
  text: 'it becomes the field content',
}

function checkType(fields: Fields, name: string, type: string): void {
  const field: unknown = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (isRecord(field) && field['type'] !== type)
    throw new RangeError(`options.fields.${name}.type must be '${type}', got ${show(field['type'])}`)
}

function pick<K extends string>(o: Record<string, unknown>, names: readonly K[]): Record<K, never> {
  return Object.fromEntries(names.filter((name) => o[name] !== undefined).map((name) => [name, o[name]])) as Record<
    K,
    never
  >
}
