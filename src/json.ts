// JSON text of values that JSON can carry, and a refusal of everything else: `JSON.stringify` drops functions, turns NaN into
// null and Maps into {}, and writes lone surrogates that no UTF-8 reader accepts.

/** Why a value has no JSON: which one, where below the root (`[2].name`), and what JSON takes instead. */
export class NotJson extends Error {
  readonly path: string
  readonly value: unknown
  constructor(path: string, value: unknown, reason: string) {
    super(reason)
    this.path = path
    this.value = value
  }
}

/** Levels of arrays and objects; the reader on the other side stops at 128. */
const MAX_DEPTH = 100

/** What becomes of a Date: epoch milliseconds, or the ISO 8601 string that `JSON.stringify` makes of it. */
export type DateForm = 'milliseconds' | 'iso'

/**
 * The JSON text of a value. Own enumerable string keys are written, `__proto__` too; a property that is undefined is absent;
 * an object with `toJSON` is what that returns.
 *
 * @throws {NotJson} for what JSON cannot carry.
 */
export function toJson(value: unknown, dates: DateForm): string {
  return write(value, dates, [])
}

/** The JSON text of a string. */
export function stringJson(value: string, ancestors: readonly Step[] = []): string {
  if (!value.isWellFormed()) throw new NotJson(pathOf(ancestors), value, 'must not contain lone surrogates')
  return JSON.stringify(value)
}

interface Step {
  readonly container: object
  key: string
}

function write(value: unknown, dates: DateForm, ancestors: Step[]): string {
  switch (typeof value) {
    case 'string':
      return stringJson(value, ancestors)
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson(pathOf(ancestors), value, 'must be a finite number')
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : writeObject(value, dates, ancestors)
    default:
      throw new NotJson(
        pathOf(ancestors),
        value,
        `must not be ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`,
      )
  }
}

function writeObject(value: object, dates: DateForm, ancestors: Step[]): string {
  if (value instanceof Date) return writeDate(value, dates, ancestors)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    throw new NotJson(pathOf(ancestors), value, 'must not be binary data')
  if (value instanceof Map || value instanceof Set)
    throw new NotJson(pathOf(ancestors), value, 'must not be a Map or Set')
  if (ancestors.some((step) => step.container === value))
    throw new NotJson(pathOf(ancestors), value, 'must not contain itself')
  if (ancestors.length === MAX_DEPTH)
    throw new NotJson(pathOf(ancestors), value, `must not be nested deeper than ${MAX_DEPTH} levels`)
  const step: Step = { container: value, key: '' }
  ancestors.push(step)
  const replacement = replaced(value)
  const text =
    replacement !== value
      ? write(replacement, dates, ancestors)
      : Array.isArray(value)
        ? writeArray(value, dates, ancestors, step)
        : writeRecord(value as Record<string, unknown>, dates, ancestors, step)
  ancestors.pop()
  return text
}

function writeArray(value: readonly unknown[], dates: DateForm, ancestors: Step[], step: Step): string {
  let text = '['
  for (let at = 0; at < value.length; at++) {
    step.key = `[${at}]`
    if (at > 0) text += ','
    text += write(value[at], dates, ancestors)
  }
  return `${text}]`
}

function writeRecord(value: Record<string, unknown>, dates: DateForm, ancestors: Step[], step: Step): string {
  let text = '{'
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member === undefined) continue
    step.key = `.${key}`
    if (text.length > 1) text += ','
    text += `${stringJson(key, ancestors)}:${write(member, dates, ancestors)}`
  }
  return `${text}}`
}

function writeDate(value: Date, dates: DateForm, ancestors: readonly Step[]): string {
  const time = value.getTime()
  if (Number.isNaN(time)) throw new NotJson(pathOf(ancestors), value, 'must be a valid Date')
  return dates === 'milliseconds' ? String(time) : `"${value.toISOString()}"`
}

function replaced(value: object): unknown {
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? (toJSON as (this: object) => unknown).call(value) : value
}

const pathOf = (ancestors: readonly Step[]): string => ancestors.map((step) => step.key).join('')
