// Queries that are given as text and searched as vectors: which embedding takes them, and what follows when it fails.
import { Interrupt } from '../abort.js'
import { CutoverError } from '../errors.js'
import type { Prepared } from '../query.js'
import { finite, given, integer, isRecord, record, show, string, wrongType } from '../validate.js'
import type { Embedder, Embedders } from './options.js'
import { callEmbed, embeddingFailed } from './vectors.js'

const NEAR = new Set(['text', 'field', 'ef', 'maxDistance'])

/** A `near` of a query, checked. */
export interface Near {
  readonly text: string
  readonly field: string | undefined
  readonly ef: number | undefined
  readonly maxDistance: number | undefined
  /** Whether nobody asked for it by name: the query is a string. */
  readonly implied?: boolean
}

/** What the native layer says of a version. */
export interface Facts {
  readonly models: Readonly<Record<string, string>>
  /** Dimensions by field. */
  readonly vectors: Readonly<Record<string, number>>
}

/** A query that can cross, and why its vector leg was left out. */
export interface Embedded {
  readonly json: string
  readonly vector: Float32Array | null
  readonly degraded?: Error
}

/** Checks the form of a `near`. */
export function nearLeg(value: unknown, name: string): Near {
  if (typeof value === 'string')
    return { text: value.toWellFormed(), field: undefined, ef: undefined, maxDistance: undefined }
  if (!isRecord(value)) throw wrongType(name, 'a string or an object', value)
  const n = record(value, name, NEAR)
  if (typeof n.text !== 'string') throw wrongType(`${name}.text`, 'a string', n.text)
  return {
    text: n.text.toWellFormed(),
    field: given(n.field, (v) => string(v, `${name}.field`)),
    ef: given(n.ef, (v) => integer(v, `${name}.ef`, 1, 100_000)),
    maxDistance: given(n.maxDistance, (v) => finite(v, `${name}.maxDistance`)),
  }
}

/** What a string searches where embeddings are configured: the text, and what is near to it. A blank one is near to nothing. */
export function impliedNear(text: string): Near | undefined {
  return text.trim() === '' ? undefined : { ...nearLeg(text, 'query'), implied: true }
}

/**
 * Embeds what queries want to be near to, each distinct text once, and gives them their vector legs, in their order.
 *
 * Rejects with TypeError where no embedding can be meant, and CutoverError: CUTOVER_SCHEMA where the version's model is none of those
 * given, CUTOVER_EMBEDDING for a failure that the query does not allow.
 */
export async function embedQueries(
  queries: readonly Prepared[],
  embedders: Embedders | undefined,
  facts: Facts,
  interrupt: Interrupt,
): Promise<Embedded[]> {
  const plans = queries.map((query) => plan(query, embedders, facts))
  const texts = new Map<Embedder, Set<string>>()
  for (const { embedder, near } of plans) {
    if (!embedder || !near) continue
    const wanted = texts.get(embedder) ?? new Set<string>()
    texts.set(embedder, wanted.add(near.text))
  }
  const found = new Map<Embedder, ReadonlyMap<string, Float32Array | CutoverError>>()
  for (const [embedder, wanted] of texts)
    found.set(embedder, await vectorsFor(embedder, [...wanted], facts.vectors[embedder.field] ?? 0, interrupt))
  return plans.map(({ query, near, embedder, error, onFailure }) => {
    if (!near) return { json: query.request ? JSON.stringify(query.request) : query.json, vector: query.vector }
    const vector = error ?? (embedder && found.get(embedder)?.get(near.text))
    if (vector instanceof Float32Array) {
      const { ef, maxDistance } = near
      const leg = { field: embedder?.field, ef, maxDistance }
      return { json: JSON.stringify({ ...query.request, vector: leg }), vector }
    }
    const reason = vector ?? new CutoverError('CUTOVER_INTERNAL', 'the vector of a query was lost')
    if (onFailure === 'reject' || query.request?.text === undefined) throw reason
    return { json: JSON.stringify(query.request), vector: null, degraded: reason }
  })
}

interface Plan {
  readonly query: Prepared
  /** Undefined when there is nothing to be near to. */
  readonly near: Near | undefined
  readonly embedder?: Embedder
  readonly error?: CutoverError
  readonly onFailure: 'text' | 'reject'
}

function plan(query: Prepared, embedders: Embedders | undefined, facts: Facts): Plan {
  const { near } = query
  if (!near) return { query, near, onFailure: 'reject' }
  const field = near.field ?? embedders?.byField.keys().next().value
  const several = field === undefined ? undefined : embedders?.byField.get(field)
  if (field === undefined || !several)
    throw new TypeError(
      field === undefined
        ? `near needs options.embeddings of openIndex, got ${show(near.text)}`
        : `near.field must be a field of options.embeddings, got ${show(field)}`,
    )
  const { onFailure } = several[0]
  if (!Object.hasOwn(facts.vectors, field)) {
    if (near.implied) return { query, near: undefined, onFailure }
    throw new TypeError(`near.field: the version has no vector field ${show(field)}`)
  }
  const model = Object.hasOwn(facts.models, field) ? facts.models[field] : undefined
  // A version that names no model holds what its writer brought: that is taken for the first one's.
  const embedder = model === undefined ? several[0] : several.find((one) => one.model === model)
  if (embedder) return { query, near, embedder, onFailure: embedder.onFailure }
  const models = several.map((one) => show(one.model)).join(', ')
  const error = new CutoverError(
    'CUTOVER_SCHEMA',
    `the vectors of field ${show(field)} are of the model ${show(model)}, and only ${models} was given for it`,
    { detail: { field, model } },
  )
  return { query, near, error, onFailure: near.implied ? onFailure : 'reject' }
}

/** The vectors of texts, or why there is none of them. */
async function vectorsFor(
  embedder: Embedder,
  texts: readonly string[],
  dimensions: number,
  interrupt: Interrupt,
): Promise<ReadonlyMap<string, Float32Array | CutoverError>> {
  const found = new Map<string, Float32Array | CutoverError>()
  const missing: string[] = []
  for (const text of texts) {
    const vector = embedder.queries.get(text, dimensions)
    if (vector) found.set(text, vector)
    else missing.push(text)
  }
  const batches: string[][] = []
  for (let at = 0; at < missing.length; at += embedder.batchSize)
    batches.push(missing.slice(at, at + embedder.batchSize))
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch; batch = batches.shift())
      for (const [text, vector] of await embedBatch(embedder, batch, dimensions, interrupt)) found.set(text, vector)
  }
  await Promise.all(Array.from({ length: Math.min(embedder.concurrency, batches.length) }, work))
  return found
}

async function embedBatch(
  embedder: Embedder,
  texts: readonly string[],
  dimensions: number,
  outer: Interrupt,
): Promise<[string, Float32Array | CutoverError][]> {
  const { timeoutMs } = embedder
  const call = new Interrupt(outer.signal)
  const late = (): void =>
    call.fire(embeddingFailed(embedder, `did not answer within ${timeoutMs} ms`, { timeoutMs }, { retryable: true }))
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
  try {
    const options = { signal: call.signal, purpose: 'query' } as const
    const answers = await call.race(callEmbed(embedder, texts, dimensions, options, {}))
    return texts.map((text, at) => {
      const answer = answers[at]
      if (answer instanceof Float32Array) {
        embedder.queries.set(text, answer)
        return [text, answer]
      }
      const { reason = 'gave nothing', shown = 'nothing' } = answer ?? {}
      return [text, embeddingFailed(embedder, `${reason}, got ${shown}`, { text: show(text) })]
    })
  } catch (error) {
    outer.check()
    return texts.map((text) => [text, error as CutoverError])
  } finally {
    clearTimeout(timer)
    call.dispose()
  }
}
