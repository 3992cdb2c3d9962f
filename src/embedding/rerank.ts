// A caller's order of the hits: asked for, checked, and cut to what the query wanted.
import type { Interrupt } from '../abort.js'
import type { Hit, Results } from '../query-types.js'
import type { Fields } from '../schema.js'
import { isRecord, show, wrongType } from '../validate.js'

/** A query's `rerank`. */
export type Rerank = (hits: Hit<Fields>[]) => unknown

/**
 * Results whose hits, the first `offset + limit` of all, are in the order that `by` gives, without the first `offset`.
 *
 * Rejects with what `by` throws, and with TypeError or RangeError when its answer is not made of the hits that it got.
 */
export async function reranked(
  results: Results<Fields>,
  { by, offset }: { readonly by: Rerank; readonly offset: number },
  interrupt: Interrupt,
): Promise<Results<Fields>> {
  const known = new Map(results.hits.map((hit) => [hit.id, hit]))
  // The array is the caller's to sort in place; what it is compared with is ours.
  const answer = await interrupt.race(Promise.resolve(by([...results.hits])))
  if (!Array.isArray(answer)) throw wrongType('rerank must give an array of hits: it', 'an array', answer)
  const hits = Array.from(answer as unknown[], (value, at) => {
    if (!isRecord(value)) throw wrongType(`rerank()[${at}]`, 'a hit', value)
    const hit = known.get(value.id as string)
    if (!hit)
      throw new RangeError(`rerank()[${at}] must be one of the hits that it got, each once, got ${show(value.id)}`)
    known.delete(hit.id)
    const { score } = value
    if (typeof score !== 'number' || !Number.isFinite(score))
      throw wrongType(`rerank()[${at}].score`, 'a finite number', score)
    return { ...hit, score }
  })
  return { ...results, hits: hits.slice(offset) }
}
