// The options of an import, and the schema that follows from them.
import type { OpenOptions, WriteOptions } from '../options.js'
import { checkFields } from '../schema.js'
import type { Fields, Metric, VectorField } from '../schema.js'
import { boolean, given, isRecord, oneOf, optionsOf, show } from '../validate.js'
import { REST } from './documents.js'
import { Refused } from './file.js'

/** How a directory is imported. */
export interface ImportOptions
  extends
    Omit<WriteOptions<Fields>, 'ifCurrent'>,
    Pick<OpenOptions<Fields>, 'allow' | 'integrity' | 'keep' | 'onCorrupt' | 'threads' | 'buildMemoryBytes'> {
  /** How far apart two vectors are. Default `cosine`; of a `hnsw_index.bin`, what `collection_meta.json` says, if anything. */
  metric?: Metric
  /**
   * Fields beside or instead of those that an import declares: of a `hnsw_index.bin`, `path` (keyword) and `embedding` (vector); else `content` (text), `path` (keyword), `embedding` (vector) and `rest`
   * (stored). A key of the documents that is named here becomes a field of its own; every other one is kept in `rest`.
   */
  fields?: Fields
  /** Two documents of a documents.json with one id end the import (default), or the last of them counts. */
  duplicates?: 'throw' | 'last'
  /** Import a `hnsw_index.bin` although `collection_meta.json` says that it is stale. Default false. */
  force?: boolean
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
const KNOWN = new Set([...OPEN, ...WRITE, 'metric', 'fields', 'duplicates', 'force'])

/** Options, each for the call that takes it. */
export interface Checked {
  readonly open: Omit<OpenOptions<Fields>, 'fields'>
  readonly write: WriteOptions<Fields>
  readonly duplicates: 'throw' | 'last'
  readonly force: boolean
  /** What to do about vectors without an id, and ids without a vector. */
  readonly unmatched: 'throw' | 'skip'
  /** As asked for, here or in the field's declaration. */
  readonly metric: Metric | undefined
  /** The schema for vectors of so many dimensions. CUTOVER_SOURCE when the caller declared others. */
  schema(dimensions: number, path: string): Fields
  /** The same for a graph that is taken over, whose own parameters are those of later builds. */
  graphSchema(
    graph: Required<Pick<VectorField, 'dimensions' | 'metric' | 'm' | 'efConstruction'>>,
    path: string,
  ): Fields
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
  const { embedding } = own
  const checkDimensions = (dimensions: number, path: string): void => {
    if (embedding?.type === 'vector' && embedding.dimensions !== dimensions)
      throw new Refused(
        `${path} has ${dimensions} dimensions, but options.fields.embedding declares ${show(embedding.dimensions)}`,
        { path, dimensions, declared: embedding.dimensions },
      )
  }
  return {
    open: pick(o, OPEN),
    write: pick(o, WRITE),
    force: given(o.force, (v) => boolean(v, 'options.force')) ?? false,
    unmatched: o.onInvalid === undefined || o.onInvalid === 'throw' ? 'throw' : 'skip',
    metric: embedding?.type === 'vector' ? (embedding.metric ?? 'cosine') : metric,
    duplicates: given(o.duplicates, (v) => oneOf(v, 'options.duplicates', ['throw', 'last'])) ?? 'throw',
    schema(dimensions, path) {
      checkDimensions(dimensions, path)
      return {
        content: { type: 'text' },
        path: { type: 'keyword' },
        embedding: { type: 'vector', dimensions, metric: metric ?? 'cosine' },
        [REST]: { type: 'stored' },
        ...own,
      }
    },
    graphSchema(graph, path) {
      checkDimensions(graph.dimensions, path)
      const m = Math.min(Math.max(graph.m, 4), 64)
      const efConstruction = Math.min(Math.max(graph.efConstruction, m), 2000)
      return { path: { type: 'keyword' }, embedding: { type: 'vector', ...graph, m, efConstruction }, ...own }
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
