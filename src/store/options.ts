// The options of a store, and their checks.
import { pathOf, progressOf } from '../lifecycle.js'
import { allowed, json, keepOf, lock } from '../options.js'
import type { Progress } from '../options.js'
import {
  boolean,
  callback,
  given,
  isRecord,
  oneOf,
  optionsOf,
  show,
  signal,
  string,
  strings,
  wrongType,
} from '../validate.js'

const OPEN = new Set(['mode', 'keep', 'allow', 'integrity', 'required'])
const WRITE = new Set([
  'signal',
  'lockTimeoutMs',
  'ifCurrent',
  'version',
  'activate',
  'attributes',
  'onProgress',
  'gate',
])
const REBUILD = new Set([...WRITE, 'coalesce'])

/** The options of opening, as the native layer takes them, and what stays here. */
export interface Opening {
  readonly json: string
  readonly required: readonly string[]
}

/** Checks the options of opening. */
export function storeOptions(value: unknown): Opening {
  const o = optionsOf(value, OPEN)
  const request = {
    mode: given(o.mode, (v) => oneOf(v, 'options.mode', ['read-write', 'read-only'])) ?? 'read-write',
    keep: given(o.keep, keepOf),
    allow: given(o.allow, allowed),
    integrity:
      given(o.integrity, (v) => oneOf(v, 'options.integrity', ['sizes', 'background', 'digests'])) ?? 'background',
  }
  return { json: json(request, 'options'), required: given(o.required, (v) => strings(v, 'options.required')) ?? [] }
}

/** The options of a write that stay on this side. */
export interface StoreWrite {
  readonly json: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly gate: ((directory: string) => unknown) | undefined
  readonly coalesce: boolean
}

/** Checks the options of a write. */
export function storeWriteOptions(value: unknown, operation: string): StoreWrite {
  const o = optionsOf(value, operation === 'rebuild' ? REBUILD : WRITE)
  const request = {
    operation,
    ...lock(o),
    version: given(o.version, (v) => string(v, 'options.version')),
    activate: given(o.activate, (v) => boolean(v, 'options.activate')) ?? true,
    attributes: given(o.attributes, (v) => {
      if (!isRecord(v)) throw wrongType('options.attributes', 'an object', v)
      return v
    }),
  }
  return {
    json: json(request, 'options'),
    signal: signal(o.signal),
    onProgress: progressOf(o.onProgress),
    gate: given(o.gate, (v) => callback(v, 'options.gate')),
    coalesce: given(o.coalesce, (v) => boolean(v, 'options.coalesce')) ?? false,
  }
}

/** Checks names and the paths they stand for. */
export function artifactsOf(value: unknown): [name: string, from: string][] {
  if (!isRecord(value)) throw wrongType('artifacts', 'an object of names and paths', value)
  const artifacts = Object.entries(value)
  if (artifacts.length === 0) throw new RangeError(`artifacts must name at least one, got ${show(value)}`)
  return artifacts.map(([name, from]) => [string(name, 'artifacts'), pathOf(from, `artifacts[${show(name)}]`)])
}
