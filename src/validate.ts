// Checks of what callers pass: every refusal is a TypeError or RangeError that names the option and shows the value.
import { inspect } from 'node:util'

/** The longest delay that Node's timers take, in milliseconds (24.8 days). */
export const MAX_DELAY_MS = 2 ** 31 - 1

/** A value as an error message shows it: one line, bounded. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 2, breakLength: Infinity, maxArrayLength: 8, maxStringLength: 100 })
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** The TypeError of `name must be <what>`. */
export const wrongType = (name: string, what: string, value: unknown): TypeError =>
  new TypeError(`${name} must be ${what}, got ${show(value)}`)

const outOfRange = (name: string, what: string, value: unknown): RangeError =>
  new RangeError(`${name} must be ${what}, got ${show(value)}`)

/** True for an object that is neither an array nor a function. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object none of whose own keys is unknown; a key that holds undefined is absent, but must be known. */
export function record(value: unknown, name: string, keys: ReadonlySet<string>): Record<string, unknown> {
  if (!isRecord(value)) throw wrongType(name, 'an object', value)
  for (const key of Object.keys(value)) {
    if (!keys.has(key))
      throw new TypeError(
        `${name} has no option ${show(key)} (it has ${[...keys].join(', ')}), got ${show(value[key])}`,
      )
  }
  return value
}

const none: Record<string, unknown> = Object.freeze({})

/** The options of a call: absent is empty. */
export const optionsOf = (value: unknown, keys: ReadonlySet<string>, name = 'options'): Record<string, unknown> =>
  value === undefined ? none : record(value, name, keys)

/** A well-formed string: a lone surrogate has no UTF-8. */
export function string(value: unknown, name: string): string {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value)
  if (!value.isWellFormed()) throw wrongType(name, 'a string without lone surrogates', value)
  return value
}

/** An array of well-formed strings. */
export function strings(value: unknown, name: string): string[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings', value)
  return Array.from(value, (item, at) => string(item, `${name}[${at}]`))
}

/** `true` or `false`. */
export function boolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value)
  return value
}

/** A finite number. */
export function finite(value: unknown, name: string): number {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value)
  if (!Number.isFinite(value)) throw outOfRange(name, 'a finite number', value)
  return value
}

/** A number from `min` to `max`, both included. */
export function between(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value)
  if (!(value >= min && value <= max)) throw outOfRange(name, `from ${min} to ${max}`, value)
  return value
}

/** An integer from `min` to `max`, both included. */
export function integer(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value)
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `an integer from ${min} to ${max}`, value)
  return value
}

/** Milliseconds from `min`; Infinity is no limit, and comes back as undefined. */
export function milliseconds(value: unknown, name: string, min: number): number | undefined {
  if (value === Infinity) return undefined
  if (typeof value !== 'number') throw wrongType(name, 'a number', value)
  if (!(value >= min && value <= MAX_DELAY_MS))
    throw outOfRange(name, `milliseconds from ${min} to ${MAX_DELAY_MS}, or Infinity`, value)
  return value
}

/** One of a few words. */
export function oneOf<const T extends string>(value: unknown, name: string, words: readonly T[]): T {
  if (typeof value !== 'string') throw wrongType(name, `one of ${words.map(show).join(', ')}`, value)
  if (!(words as readonly string[]).includes(value))
    throw outOfRange(name, `one of ${words.map(show).join(', ')}`, value)
  return value as T
}

/** A function. */
export function callback(value: unknown, name: string): (...args: unknown[]) => unknown {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value)
  return value as (...args: unknown[]) => unknown
}

/** The options of `record` that were given, each through its check. */
export function given<T>(value: unknown, check: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : check(value)
}

/** An AbortSignal, of any realm. */
export function signal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (value instanceof AbortSignal) return value
  const like = value as Partial<AbortSignal> | null
  const fits =
    typeof like === 'object' && typeof like?.aborted === 'boolean' && typeof like.addEventListener === 'function'
  if (!fits) throw wrongType('options.signal', 'an AbortSignal', value)
  return like as AbortSignal
}
