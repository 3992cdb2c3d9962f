// The options of opening and writing, and their checks.
import { totalmem } from 'node:os'
import { resolve } from 'node:path'
import { embeddersOf, modelsOf } from './embedding/options.js'
import type { Embedders } from './embedding/options.js'
import type { Embedding } from './embedding/types.js'
import type { CutoverError } from './errors.js'
import { NotJson, toJson } from './json.js'
import type { Fields, Input, Known, NamesOf, Unreserved, VectorField } from './schema.js'
import { checkFields } from './schema.js'
import type { Snapshot } from './snapshot.js'
import {
  boolean,
  callback,
  finite,
  given,
  integer,
  isRecord,
  milliseconds,
  oneOf,
  optionsOf,
  show,
  signal,
  string,
  wrongType,
} from './validate.js'

/** A call that can be given up. */
export interface Abortable {
  /** Rejects with `signal.reason`; each method says what has happened by then. */
  signal?: AbortSignal
}

/** How an index is opened. */
export interface OpenOptions<S extends Fields> extends Abortable {
  /** Needed to create an index; afterwards optional, and checked against the index if given. */
  fields?: S & Known<S> & Unreserved
  /** What makes the vectors of documents that come without one, and of `near` queries. Several of one field: the first is for new versions. */
  embeddings?: {
    readonly [K in NamesOf<S, VectorField>]?: Embedding<Input<S>> | readonly Embedding<Input<S>>[]
  }
  /**
   * Bytes that vectors already paid for may take in the index's `embeddings` directory, 0 or more: a rebuild that was killed, or finds
   * documents unchanged, takes them from there. The oldest give way. 0 keeps none. Default 2 GiB.
   */
  embeddingCacheBytes?: number
  /** `read-only` never creates, writes, locks for writing or prunes. Default `read-write`. */
  mode?: 'read-write' | 'read-only'
  /** `eventual` (default): queries never wait for a new version. `strict`: a query sees every publish that finished before it began. */
  freshness?: 'eventual' | 'strict'
  /**
   * What is checked of a version beyond sizes and structure. `background` (default): every digest, once per file and process, at idle
   * priority after opening. `digests`: all of them before the first answer. `sizes`: nothing more.
   */
  integrity?: 'sizes' | 'background' | 'digests'
  /**
   * Once damage is known: queries reject with CUTOVER_CORRUPT (`refuse`, the default), or are answered from the newest earlier version
   * that was published, was never withdrawn and verifies (`fall-back`), which `version` names.
   */
  onCorrupt?: 'refuse' | 'fall-back'
  /** What a publish leaves behind: versions, the current one included (default 3), none younger than `days`, within `maxBytes`. Versions in use stay. */
  keep?: { versions?: number; days?: number; maxBytes?: number }
  /** Accept what is refused by default. */
  allow?: readonly ('network-file-system' | 'writable-by-others')[]
  /** Threads of this index, each 1–256. Default: as many as the machine runs at once. */
  threads?: { search?: number; build?: number }
  /** Memory that one build may use, in bytes, at least 16 MiB; what exceeds it becomes further segments. Default: a quarter of the machine's, at most 2 GiB. */
  buildMemoryBytes?: number
}

/** What a rebuild is doing. */
export interface Progress {
  readonly phase: 'waiting' | 'reading' | 'building' | 'verifying' | 'publishing'
  /** Documents while reading, units of the phase's work afterwards. */
  readonly done: number
  readonly total?: number
  /** Milliseconds since the call. */
  readonly elapsedMs: number
}

/** The options of a call that waits for the writer lock. An abort is honoured while it waits. */
export interface WaitOptions extends Abortable {
  /** Milliseconds to wait for the writer lock; 0 fails at once with CUTOVER_LOCKED and who holds it. Default Infinity. */
  lockTimeoutMs?: number
}

/** The options of every call that makes another version current. */
export interface LockOptions extends WaitOptions {
  /** Refuse to publish (CUTOVER_CONFLICT) unless this version is still current. */
  ifCurrent?: string
}

/** How a version is written. An abort is honoured until the version gets its final name: nothing is left of the draft. Afterwards the call completes. */
export interface WriteOptions<S extends Fields> extends LockOptions {
  /** Version id; generated when absent. An id that was ever used is refused with CUTOVER_EXISTS. */
  version?: string
  /** False leaves a complete version in state `prepared`, for `activate`. Default true. */
  activate?: boolean
  /** JSON that stays with the version: a model's name, a commit, anything. */
  attributes?: Record<string, unknown>
  /** An invalid document ends the write (default), or is skipped and counted, and given to the function. A throw of the function ends the write with what it threw. */
  onInvalid?: 'throw' | 'skip' | ((error: CutoverError) => void)
  /** Called when a phase begins and at most every 100 ms within it. A throw ends the write with what it threw. */
  onProgress?(progress: Progress): void
  /** Checks on the finished draft before anyone sees it; a throw abandons it: CUTOVER_GATE, whose cause is what was thrown. */
  gate?(draft: Snapshot<S>): void | Promise<void>
}
/** How everything is replaced. */
export interface RebuildOptions<S extends Fields> extends WriteOptions<S> {
  /**
   * Files and directories that are copied in and kept with the version, by name (parts joined by `/`): the path of each. Read once the
   * writer lock is held, before the source. A snapshot's `artifact` gives their paths.
   */
  artifacts?: Readonly<Record<string, string>>
  /**
   * If another rebuild of this index in this process waits for the lock, with equal options, share its result instead: its source function
   * will be called after this call, so it reads nothing older. Only with a source function. Default false.
   */
  coalesce?: boolean
  /** Whether vectors of unchanged texts are taken from the cache of those already paid for; `counts.reused` says how many were. Default true. */
  reuse?: boolean
}

const OPEN = new Set([
  'fields',
  'embeddings',
  'embeddingCacheBytes',
  'mode',
  'freshness',
  'integrity',
  'onCorrupt',
  'keep',
  'allow',
  'threads',
  'buildMemoryBytes',
  'signal',
])
const KEEP = new Set(['versions', 'days', 'maxBytes'])
const THREADS = new Set(['search', 'build'])
const LOCK = new Set(['signal', 'lockTimeoutMs', 'ifCurrent'])
const WRITE = new Set([...LOCK, 'version', 'activate', 'attributes', 'onInvalid', 'onProgress', 'gate'])
const REBUILD = new Set([...WRITE, 'artifacts', 'coalesce', 'reuse'])
const SIGNAL = new Set(['signal'])

/** Options as the native layer takes them, and what stays here. */
export interface Checked {
  readonly json: string
  readonly signal: AbortSignal | undefined
}

/** The options of opening. */
export interface Opening extends Checked {
  readonly embedders: Embedders | undefined
}

/** Checks the options of opening. */
export function openOptions(value: unknown): Opening {
  const o = optionsOf(value, OPEN)
  if (o.fields !== undefined) checkFields(o.fields)
  const embedders = embeddersOf(o.embeddings, o.embeddingCacheBytes, o.fields)
  const mode = given(o.mode, (v) => oneOf(v, 'options.mode', ['read-write', 'read-only'])) ?? 'read-write'
  const keep = given(o.keep, keepOf)
  const threads = given(o.threads, (v) => {
    const t = optionsOf(v, THREADS, 'options.threads')
    return {
      search: given(t.search, (n) => integer(n, 'options.threads.search', 1, 256)),
      build: given(t.build, (n) => integer(n, 'options.threads.build', 1, 256)),
    }
  })
  const request = {
    create: mode === 'read-write' && o.fields !== undefined,
    mode,
    freshness: given(o.freshness, (v) => oneOf(v, 'options.freshness', ['eventual', 'strict'])) ?? 'eventual',
    integrity:
      given(o.integrity, (v) => oneOf(v, 'options.integrity', ['sizes', 'background', 'digests'])) ?? 'background',
    onCorrupt: given(o.onCorrupt, (v) => oneOf(v, 'options.onCorrupt', ['refuse', 'fall-back'])) ?? 'refuse',
    keep,
    allow: given(o.allow, allowed),
    threads,
    buildMemoryBytes:
      given(o.buildMemoryBytes, (n) =>
        integer(n, 'options.buildMemoryBytes', 16 * 1024 * 1024, Number.MAX_SAFE_INTEGER),
      ) ?? buildMemory(),
    fields: o.fields,
    models: modelsOf(embedders),
  }
  return { json: json(request, 'options'), signal: signal(o.signal), embedders }
}

/** A graph of other software's that is taken over instead of built. */
export interface AdoptedGraph {
  /** The vector field that it is for. */
  readonly field: string
  /** A file of hnswlib's. */
  readonly path: string
  /** Called with the label of each row, and 1 for each that is deleted: the rows that the source has documents for, in its order. */
  rows(labels: BigUint64Array, deleted: Uint8Array): Promise<Uint32Array>
}

/** The name of an option of imports that callers do not have. */
export const GRAPH = Symbol('cutover.graph')

/** The options of a rebuild that stay on this side. */
export interface Write {
  readonly json: string
  readonly signal: AbortSignal | undefined
  readonly onInvalid: 'throw' | 'skip' | ((error: CutoverError) => void)
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly gate: ((draft: Snapshot<Fields>) => unknown) | undefined
  readonly artifacts: readonly (readonly [name: string, path: string])[]
  readonly coalesce: boolean
  readonly graph: AdoptedGraph | undefined
  readonly reuse: boolean
}

/** Checks the options of a write. */
export function writeOptions(value: unknown, operation: string): Write {
  const o = optionsOf(value, operation === 'rebuild' ? REBUILD : WRITE)
  const onInvalid = given(o.onInvalid, (v) =>
    typeof v === 'function' ? (v as (error: CutoverError) => void) : oneOf(v, 'options.onInvalid', ['throw', 'skip']),
  )
  const request = {
    operation,
    ...lock(o),
    version: given(o.version, (v) => string(v, 'options.version')),
    activate: given(o.activate, (v) => boolean(v, 'options.activate')) ?? true,
    attributes: given(o.attributes, (v) => {
      if (!isRecord(v)) throw wrongType('options.attributes', 'an object', v)
      return v
    }),
    onInvalid: onInvalid === undefined || onInvalid === 'throw' ? 'throw' : 'skip',
  }
  return {
    json: json(request, 'options'),
    signal: signal(o.signal),
    onInvalid: onInvalid ?? 'throw',
    onProgress: given(o.onProgress, (v) => callback(v, 'options.onProgress') as (progress: Progress) => void),
    gate: given(o.gate, (v) => callback(v, 'options.gate') as (draft: Snapshot<Fields>) => unknown),
    artifacts: given(o.artifacts, artifactsOf) ?? [],
    coalesce: given(o.coalesce, (v) => boolean(v, 'options.coalesce')) ?? false,
    graph: (o as { readonly [GRAPH]?: AdoptedGraph })[GRAPH],
    reuse: given(o.reuse, (v) => boolean(v, 'options.reuse')) ?? true,
  }
}

/** Names and paths; relative ones mean what they mean now, whatever the working directory becomes. */
function artifactsOf(value: unknown): [string, string][] {
  if (!isRecord(value)) throw wrongType('options.artifacts', 'an object of paths', value)
  return Object.entries(value).map(([name, path]) => [name, resolve(string(path, `options.artifacts[${show(name)}]`))])
}

/** Checks the options of `activate` and `rollback`. */
export function lockOptions(value: unknown): Checked {
  const o = optionsOf(value, LOCK)
  return { json: json(lock(o), 'options'), signal: signal(o.signal) }
}

/** Checks options that hold nothing but a signal. */
export const abortable = (value: unknown): AbortSignal | undefined => signal(optionsOf(value, SIGNAL).signal)

/** A quarter of what this process may use, at most 2 GiB. */
function buildMemory(): number {
  const limit = process.constrainedMemory()
  // Without a limit some systems tell 0, others a number larger than the machine.
  const available = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return Math.min(Math.floor(available / 4), 2 ** 31)
}

/** Checks how the writer lock is waited for, and what must be current then. */
export function lock(o: Record<string, unknown>) {
  return {
    lockTimeoutMs: given(o.lockTimeoutMs, (v) => milliseconds(v, 'options.lockTimeoutMs', 0)),
    ifCurrent: given(o.ifCurrent, (v) => string(v, 'options.ifCurrent')),
  }
}

/** Checks what a publish, or a prune, leaves behind. */
export function keepOf(value: unknown) {
  const k = optionsOf(value, KEEP, 'options.keep')
  return {
    versions: given(k.versions, (n) => integer(n, 'options.keep.versions', 1, 1e6)),
    days: given(k.days, (n) => atLeast(n, 'options.keep.days', 0)),
    maxBytes: given(k.maxBytes, (n) => integer(n, 'options.keep.maxBytes', 0, Number.MAX_SAFE_INTEGER)),
  }
}

/** Checks what is accepted although it is refused by default. */
export function allowed(value: unknown): string[] {
  if (!Array.isArray(value)) throw wrongType('options.allow', 'an array', value)
  return Array.from(value, (item, at) =>
    oneOf(item, `options.allow[${at}]`, ['network-file-system', 'writable-by-others']),
  )
}

function atLeast(value: unknown, name: string, min: number): number {
  const number = finite(value, name)
  if (number < min) throw new RangeError(`${name} must be at least ${min}, got ${show(value)}`)
  return number
}

/** Options as the native layer takes them. @throws {TypeError} for what has no JSON. */
export function json(value: object, name: string): string {
  try {
    return toJson(value, 'iso')
  } catch (error) {
    if (error instanceof NotJson)
      throw new TypeError(`${name}${error.path} ${error.message}, got ${show(error.value)}`, { cause: error })
    throw error
  }
}
