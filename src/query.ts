// Queries as the native layer takes them: JSON text, with the vector's components beside it.
import type { Near } from './embedding/near.js'
import { impliedNear, nearLeg } from './embedding/near.js'
import type { Rerank } from './embedding/rerank.js'
import { normaliseFilter } from './filter.js'
import {
  between,
  boolean,
  callback,
  finite,
  given,
  integer,
  isRecord,
  milliseconds,
  oneOf,
  optionsOf,
  record,
  show,
  signal,
  string,
  strings,
  wrongType,
} from './validate.js'

const QUERY = new Set([
  'text',
  'near',
  'vector',
  'where',
  'fusion',
  'rerank',
  'limit',
  'offset',
  'sort',
  'groupBy',
  'facets',
  'select',
  'highlight',
  'explain',
])
const TEXT = new Set(['query', 'fields', 'mode', 'operator', 'fuzzy', 'prefixLength', 'caseSensitive', 'slop'])
const MODES = ['words', 'syntax', 'phrase', 'prefix', 'regex'] as const
const VECTOR = new Set(['field', 'values', 'ef', 'maxDistance', 'exact'])
const CONVEX = new Set(['method', 'vectorWeight'])
const RRF = new Set(['method', 'k'])
const SORT = new Set(['field', 'order'])
const GROUP = new Set(['field', 'hits'])
const FACET = new Set(['limit', 'ignoreOwnFilter', 'ranges'])
const HIGHLIGHT = new Set(['fields', 'lines', 'fragments', 'pre', 'post', 'escape'])
const SEARCH = new Set(['signal', 'timeoutMs', 'version'])
const SNAPSHOT_SEARCH = new Set(['signal', 'timeoutMs'])

/** Hits that a query can reach. */
const MAX_HITS = 10_000
const DEFAULT_LIMIT = 10
const MAX_PREFIX_LENGTH = 64
const MAX_SLOP = 100
const MAX_SORT = 8
const MAX_GROUP_HITS = 100
const MAX_RANGES = 100

/** A query, ready to cross. The components may be the caller's own: the native layer copies them when it is called. */
export interface Prepared {
  readonly json: string
  readonly vector: Float32Array | null
  /** What has to be embedded first, and `request` without it. */
  readonly near?: Near
  readonly request?: Readonly<Record<string, unknown>>
  /** What orders the hits before they are cut to size: then the native layer gives all of them from the first. */
  readonly rerank?: { readonly by: Rerank; readonly offset: number }
}

/**
 * Checks a query's form; whether its fields exist, the schema of the version that is searched says. Where strings are `embedded`,
 * they search vectors too.
 *
 * @throws {TypeError | RangeError} naming the option and the value.
 */
export function prepareQuery(query: unknown, name = 'query', embedded = false): Prepared {
  if (typeof query === 'string') {
    const request = { text: words(query, name), limit: DEFAULT_LIMIT, offset: 0 }
    const near = embedded ? impliedNear(query) : undefined
    return near ? { json: '', vector: null, near, request } : { json: JSON.stringify(request), vector: null }
  }
  if (!isRecord(query)) throw wrongType(name, 'a string or an object', query)
  const q = record(query, name, QUERY)
  const vector = given(q.vector, (value) => vectorLeg(value, `${name}.vector`))
  const limit = given(q.limit, (v) => integer(v, `${name}.limit`, 0, MAX_HITS)) ?? DEFAULT_LIMIT
  const offset = given(q.offset, (v) => integer(v, `${name}.offset`, 0, MAX_HITS)) ?? 0
  if (offset + limit > MAX_HITS)
    throw new RangeError(`${name}.offset + ${name}.limit must be at most ${MAX_HITS}, got ${offset} + ${limit}`)
  const near = given(q.near, (value) => nearLeg(value, `${name}.near`))
  if (near && vector) throw new TypeError(`${name} has both near and vector: they are one leg`)
  const by = given(q.rerank, (value) => callback(value, `${name}.rerank`) as Rerank)
  const request = {
    text: given(q.text, (value) => textLeg(value, `${name}.text`)),
    vector: vector?.leg,
    where: given(q.where, (value) => normaliseFilter(value, `${name}.where`)),
    fusion: given(q.fusion, (value) => fusion(value, `${name}.fusion`)),
    limit: by ? offset + limit : limit,
    offset: by ? 0 : offset,
    sort: given(q.sort, (value) => sort(value, `${name}.sort`)),
    groupBy: given(q.groupBy, (value) => groupBy(value, `${name}.groupBy`)),
    facets: given(q.facets, (value) => facets(value, `${name}.facets`)),
    highlight: given(q.highlight, (value) => highlight(value, `${name}.highlight`)),
    explain: given(q.explain, (value) => boolean(value, `${name}.explain`)),
    select: given(q.select, (value) => (value === false ? false : strings(value, `${name}.select`))),
    rows: q.select === false || undefined,
  }
  return {
    json: near ? '' : JSON.stringify(request),
    vector: vector?.values ?? null,
    ...(near && { near, request }),
    ...(by && { rerank: { by, offset } }),
  }
}

/** No input makes a words query fail: what has no UTF-8 is replaced, as a decoder would. */
function words(text: unknown, name: string): { query: string } {
  if (typeof text !== 'string') throw wrongType(name, 'a string', text)
  return { query: text.toWellFormed() }
}

function textLeg(value: unknown, name: string): object {
  if (typeof value === 'string') return words(value, name)
  if (!isRecord(value)) throw wrongType(name, 'a string or an object', value)
  const t = record(value, name, TEXT)
  const mode = given(t.mode, (v) => oneOf(v, `${name}.mode`, MODES))
  const fuzzy = given(t.fuzzy, (v) => edits(v, `${name}.fuzzy`))
  if (mode === 'regex' && fuzzy)
    throw new TypeError(
      `${name}.fuzzy does not go with the mode 'regex', which says itself what may differ, got ${show(fuzzy)}`,
    )
  return {
    ...words(t.query, `${name}.query`),
    fields: given(t.fields, (v) => weights(v, `${name}.fields`)),
    mode,
    operator: given(t.operator, (v) => oneOf(v, `${name}.operator`, ['or', 'and'])),
    fuzzy,
    prefixLength: given(t.prefixLength, (v) => integer(v, `${name}.prefixLength`, 0, MAX_PREFIX_LENGTH)),
    caseSensitive: given(t.caseSensitive, (v) => boolean(v, `${name}.caseSensitive`)),
    slop: given(t.slop, (v) => integer(v, `${name}.slop`, 0, MAX_SLOP)),
  }
}

function edits(value: unknown, name: string): number | 'auto' {
  return value === 'auto' ? 'auto' : integer(value, name, 0, 2)
}

function weights(value: unknown, name: string): [string, number | null][] {
  if (Array.isArray(value)) return strings(value, name).map((field) => [field, null])
  if (!isRecord(value)) throw wrongType(name, 'an array of names, or an object of weights', value)
  return Object.keys(value)
    .filter((field) => value[field] !== undefined)
    .map((field) => [string(field, name), between(value[field], `${name}.${field}`, Number.MIN_VALUE, 1000)])
}

function vectorLeg(value: unknown, name: string): { leg: object; values: Float32Array } {
  if (value instanceof Float32Array || Array.isArray(value)) return { leg: {}, values: components(value, name) }
  if (!isRecord(value)) throw wrongType(name, 'a Float32Array, an array of numbers or an object', value)
  const v = record(value, name, VECTOR)
  const leg = {
    field: given(v.field, (f) => string(f, `${name}.field`)),
    ef: given(v.ef, (n) => integer(n, `${name}.ef`, 1, 100_000)),
    maxDistance: given(v.maxDistance, (n) => finite(n, `${name}.maxDistance`)),
    exact: given(v.exact, (b) => boolean(b, `${name}.exact`)),
  }
  return { leg, values: components(v.values, `${name}.values`) }
}

function components(value: unknown, name: string): Float32Array {
  if (value instanceof Float32Array && ArrayBuffer.isView(value)) return value
  if (!Array.isArray(value)) throw wrongType(name, 'a Float32Array or an array of numbers', value)
  const out = new Float32Array(value.length)
  for (let at = 0; at < value.length; at++) {
    const component: unknown = value[at]
    if (typeof component !== 'number') throw wrongType(`${name}[${at}]`, 'a number', component)
    out[at] = component
  }
  return out
}

function fusion(value: unknown, name: string): object {
  if (!isRecord(value)) throw wrongType(name, 'an object', value)
  const method = oneOf(value.method, `${name}.method`, ['convex', 'rrf'])
  const f = record(value, name, method === 'convex' ? CONVEX : RRF)
  return method === 'convex'
    ? { method, vectorWeight: given(f.vectorWeight, (v) => between(v, `${name}.vectorWeight`, 0, 1)) }
    : { method, k: given(f.k, (v) => between(v, `${name}.k`, 1, 1e9)) }
}

function sort(value: unknown, name: string): object[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of fields', value)
  if (value.length > MAX_SORT) throw new RangeError(`${name} must name at most ${MAX_SORT} fields, got ${value.length}`)
  return Array.from(value, (item, at) => {
    const by = record(item, `${name}[${at}]`, SORT)
    return {
      field: string(by.field, `${name}[${at}].field`),
      order: given(by.order, (order) => oneOf(order, `${name}[${at}].order`, ['asc', 'desc'])),
    }
  })
}

function groupBy(value: unknown, name: string): object {
  const by = record(value, name, GROUP)
  return {
    field: string(by.field, `${name}.field`),
    hits: given(by.hits, (hits) => integer(hits, `${name}.hits`, 1, MAX_GROUP_HITS)),
  }
}

function facets(value: unknown, name: string): object {
  if (!isRecord(value)) throw wrongType(name, 'an object of field names', value)
  const out = Object.create(null) as Record<string, object>
  for (const field of Object.keys(value)) {
    if (value[field] === undefined) continue
    const where = `${name}.${field}`
    const f = record(value[field], where, FACET)
    out[string(field, name)] = {
      limit: given(f.limit, (v) => integer(v, `${where}.limit`, 1, MAX_HITS)) ?? 10,
      ignoreOwnFilter: given(f.ignoreOwnFilter, (v) => boolean(v, `${where}.ignoreOwnFilter`)),
      ranges: given(f.ranges, (v) => ranges(v, `${where}.ranges`)),
    }
  }
  return out
}

function highlight(value: unknown, name: string): object | undefined {
  if (typeof value === 'boolean') return value ? {} : undefined
  if (!isRecord(value)) throw wrongType(name, 'a boolean or an object', value)
  const h = record(value, name, HIGHLIGHT)
  return {
    fields: given(h.fields, (v) => strings(v, `${name}.fields`)),
    lines: given(h.lines, (v) => integer(v, `${name}.lines`, 0, 100)),
    fragments: given(h.fragments, (v) => integer(v, `${name}.fragments`, 1, 100)),
    pre: given(h.pre, (v) => string(v, `${name}.pre`)),
    post: given(h.post, (v) => string(v, `${name}.post`)),
    escape: given(h.escape, (v) => oneOf(v, `${name}.escape`, ['html'])),
  }
}

/** Infinity is no bound, which JSON writes as null. */
function ranges(value: unknown, name: string): (number | null)[][] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of [from, to]', value)
  if (value.length === 0 || value.length > MAX_RANGES)
    throw new RangeError(`${name} must have 1 to ${MAX_RANGES} entries, got ${value.length}`)
  return Array.from(value, (range: unknown, at) => {
    if (!Array.isArray(range) || range.length !== 2) throw wrongType(`${name}[${at}]`, '[from, to]', range)
    return [bound(range[0], `${name}[${at}][0]`, -Infinity), bound(range[1], `${name}[${at}][1]`, Infinity)]
  })
}

function bound(value: unknown, name: string, open: number): number | null {
  if (value === open) return null
  return finite(value instanceof Date ? value.getTime() : value, name)
}

/** The limits of one search. */
export interface Limits {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
  readonly version: string | null
}
const NO_LIMITS: Limits = { signal: undefined, timeoutMs: undefined, version: null }

/** Checks the options of a search. */
export function searchLimits(value: unknown, where: 'index' | 'snapshot'): Limits {
  if (value === undefined) return NO_LIMITS
  const o = optionsOf(value, where === 'index' ? SEARCH : SNAPSHOT_SEARCH)
  const timeoutMs = given(o.timeoutMs, (v) => milliseconds(v, 'options.timeoutMs', 0))
  if (timeoutMs === 0) throw new RangeError(`options.timeoutMs must be above 0, got ${show(o.timeoutMs)}`)
  return {
    signal: signal(o.signal),
    timeoutMs,
    version: given(o.version, (v) => string(v, 'options.version')) ?? null,
  }
}
