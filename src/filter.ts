// Filters as the native layer takes them: Dates as epoch milliseconds, nothing that JSON cannot carry.
import { boolean, finite, isRecord, record, show, string, strings, wrongType } from './validate.js'

/** Levels of `and`, `or` and `not`; the native layer stops there too. */
const MAX_DEPTH = 32
const MATCH = new Set(['in', 'notIn', 'prefix', 'glob', 'exists', 'gt', 'gte', 'lt', 'lte'])

/** An object that can have any key, `__proto__` too. */
type Plain = { [key: string]: unknown }
const plain = (): Plain => Object.create(null) as Plain

/**
 * Checks a filter's form; whether its fields exist and take such values, the schema of the version that is searched says.
 *
 * @throws {TypeError | RangeError} naming the place in the filter.
 */
export function normaliseFilter(filter: unknown, name = 'where', depth = 0): object {
  if (!isRecord(filter)) throw wrongType(name, 'an object', filter)
  if (depth > MAX_DEPTH) throw new RangeError(`${name} is nested deeper than ${MAX_DEPTH} levels, got ${show(filter)}`)
  const out = plain()
  for (const key of Object.keys(filter)) {
    const value = filter[key]
    const where = `${name}.${key}`
    if (value === undefined) continue
    if (key === 'and' || key === 'or') out[key] = each(value, where, depth)
    else if (key === 'not') out.not = normaliseFilter(value, where, depth + 1)
    else if (key === 'ids') out.ids = strings(value, where)
    else out[string(key, 'a name in a filter')] = match(value, where)
  }
  return out
}

function each(value: unknown, name: string, depth: number): object[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of filters', value)
  return Array.from(value, (filter, at) => normaliseFilter(filter, `${name}[${at}]`, depth + 1))
}

function match(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return scalars(value, name)
  if (!isRecord(value) || value instanceof Date) return scalar(value, name)
  const out = plain()
  record(value, name, MATCH)
  for (const key of Object.keys(value)) {
    const bound = value[key]
    const where = `${name}.${key}`
    if (bound === undefined) continue
    if (key === 'in' || key === 'notIn') out[key] = scalars(bound, where)
    else if (key === 'prefix') out.prefix = string(bound, where)
    else if (key === 'glob') out.glob = typeof bound === 'string' ? string(bound, where) : strings(bound, where)
    else if (key === 'exists') out.exists = boolean(bound, where)
    else out[key] = scalar(bound, where)
  }
  return out
}

function scalars(value: unknown, name: string): (string | number | boolean)[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array', value)
  return Array.from(value, (item, at) => scalar(item, `${name}[${at}]`))
}

function scalar(value: unknown, name: string): string | number | boolean {
  if (typeof value === 'string') return string(value, name)
  if (typeof value === 'number') return finite(value, name)
  if (typeof value === 'boolean') return value
  if (value instanceof Date) return finite(value.getTime(), `${name}, as a Date,`)
  throw wrongType(name, 'a string, number, boolean, Date, array or range', value)
}
