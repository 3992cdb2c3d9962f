// What a call of `embed` gave: checked, and copied, so that its maker may use its memory again.
import { CutoverError } from '../errors.js'
import { Turns } from '../turns.js'
import { show } from '../validate.js'
import type { Embedder } from './options.js'

/** Why one vector of many cannot be taken. */
export interface Refusal {
  readonly reason: string
  /** The value, as messages show it. */
  readonly shown: string
}

/** A vector, or why it is none. */
export type Given = Float32Array | Refusal

/** The error of an embedding as a whole. `facts` say what it was asked for. */
export function embeddingFailed(
  { field, model }: Embedder,
  what: string,
  facts: Readonly<Record<string, unknown>>,
  more: { cause?: unknown; retryable?: boolean } = {},
): CutoverError {
  return new CutoverError('CUTOVER_EMBEDDING', `the embedding model ${show(model)} of field ${show(field)} ${what}`, {
    detail: { field, model, ...facts },
    ...more,
  })
}

/** The error of one document's vector. */
export function documentFailed(
  { field, model }: Embedder,
  id: string,
  { reason, shown }: Refusal,
  more: { cause?: unknown } = {},
): CutoverError {
  return new CutoverError(
    'CUTOVER_EMBEDDING',
    `document ${show(id)}, field ${show(field)}: the embedding model ${show(model)} ${reason}, got ${shown}`,
    { detail: { id, field, model, reason, value: shown }, ...more },
  )
}

/**
 * Calls `embed` and checks the form of its answer.
 *
 * @throws {CutoverError} CUTOVER_EMBEDDING when it throws, or gives another number of vectors.
 */
export async function callEmbed(
  embedder: Embedder,
  texts: readonly string[],
  dimensions: number,
  options: { readonly signal: AbortSignal; readonly purpose: 'document' | 'query' },
  facts: Readonly<Record<string, unknown>>,
): Promise<Given[]> {
  let answer: unknown
  try {
    answer = await embedder.embed(texts, options)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw embeddingFailed(embedder, `failed: ${message}`, facts, { cause, retryable: true })
  }
  if (!Array.isArray(answer)) throw embeddingFailed(embedder, `must give an array, got ${show(answer)}`, facts)
  if (answer.length !== texts.length)
    throw embeddingFailed(embedder, `gave ${answer.length} vectors for ${texts.length} texts`, {
      ...facts,
      vectors: answer.length,
      texts: texts.length,
    })
  const turns = new Turns()
  const vectors: Given[] = []
  for (const vector of answer as unknown[]) {
    vectors.push(vectorOf(vector, dimensions))
    if (turns.due) await turns.take()
  }
  return vectors
}

function vectorOf(value: unknown, dimensions: number): Given {
  if (!(value instanceof Float32Array) && !Array.isArray(value))
    return { reason: 'must give a Float32Array or an array of numbers', shown: show(value) }
  if (value.length !== dimensions)
    return { reason: `must give ${dimensions} components`, shown: `${value.length}: ${show(value)}` }
  const vector = new Float32Array(dimensions)
  for (let at = 0; at < dimensions; at++) {
    const component: unknown = value[at]
    // What is finite as a double must stay so.
    if (typeof component !== 'number' || !Number.isFinite((vector[at] = component)) || !Number.isFinite(vector[at]))
      return { reason: `must give finite 32-bit floats, component ${at} is none`, shown: show(component) }
  }
  return vector
}
