// Searches that take more than one step: text to be embedded before, an order to be asked for after. All of a call is answered by one
// version, whose own model embeds.
import { interruptible } from '../abort.js'
import type { Interrupt } from '../abort.js'
import { answered } from '../answers.js'
import { native } from '../errors.js'
import type { CancelToken, NativeAnswers } from '../native.js'
import type { Results } from '../query-types.js'
import type { Limits, Prepared } from '../query.js'
import { readResults } from '../results.js'
import type { Fields } from '../schema.js'
import { embedQueries } from './near.js'
import type { Embedded, Facts } from './near.js'
import type { Embedders } from './options.js'
import { reranked } from './rerank.js'

/** A version held for a search. */
export interface HeldVersion {
  search(answers: NativeAnswers, call: number, query: string, vector: Float32Array | null, cancel?: CancelToken): void
  embeddingFacts(): string
}

/** Holds a version, or the one that answers now, until it is let go. */
export type Hold = (version: string | null) => Promise<{ readonly version: HeldVersion; readonly release: () => void }>

/** Whether queries have steps besides the native layer's. */
export const hasSteps = (queries: readonly Prepared[]): boolean => queries.some(({ near, rerank }) => near ?? rerank)

/** The results of the queries, in their order. */
export function searchInSteps(
  queries: readonly Prepared[],
  { signal, timeoutMs, version }: Limits,
  embedders: Embedders | undefined,
  hold: Hold,
): Promise<Results<Fields>[]> {
  return interruptible(signal, timeoutMs, async (interrupt) => {
    const held = await hold(version)
    try {
      const facts = JSON.parse(held.version.embeddingFacts()) as Facts
      const embedded = await embedQueries(queries, embedders, facts, interrupt)
      interrupt.check()
      const answers = await Promise.all(embedded.map((query) => answer(held.version, query, interrupt)))
      const results: Results<Fields>[] = []
      // One after another: an order that is asked for is the caller's code, and one thread runs it anyway.
      for (const [at, found] of answers.entries()) {
        const rerank = queries[at]?.rerank
        results.push(rerank ? await reranked(found, rerank, interrupt) : found)
      }
      return results
    } finally {
      held.release()
    }
  })
}

async function answer(version: HeldVersion, query: Embedded, interrupt: Interrupt): Promise<Results<Fields>> {
  const { json, vector } = query
  const { token } = interrupt
  const found = readResults(
    await native(() => answered((answers, call) => version.search(answers, call, json, vector, token))),
  )
  return query.degraded ? { ...found, degraded: { leg: 'vector', reason: query.degraded } } : found
}
