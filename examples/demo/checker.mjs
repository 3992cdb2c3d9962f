// Says what is wrong with an answer: it must agree with the source of the version that it names.
import { isDeepStrictEqual } from 'node:util'
import { documentOf } from './source.mjs'

/** @param {import('./wordnet.mjs').Entry[]} entries */
export function checker(entries) {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))

  /** The first disagreement in words, or undefined. @param {import('./queries.mjs').Question} question */
  return function disagreement({ kind, query, accepts }, { version, hits, total }) {
    const limit = query.limit ?? 10
    if (hits.length > limit || hits.length > total) return `${kind}: ${hits.length} hits of ${total}`
    if (hits.length < Math.min(limit, total) || (kind !== 'filtered' && kind !== 'text' && hits.length < limit))
      return `${kind}: only ${hits.length} hits, though ${total} documents match`
    for (const [at, { id, score, document }] of hits.entries()) {
      const entry = byId.get(id)
      const source = entry && documentOf(version, entry)
      if (!source) return `${kind}: version ${version} has no ${id}`
      if (!isDeepStrictEqual(document, source))
        return `${kind}: ${id} of version ${version} says ${JSON.stringify(document)}`
      if (accepts && !accepts(document)) return `${kind}: the filter does not allow ${id}`
      if (at > 0 && score > hits[at - 1].score) return `${kind}: ${id} is better than the hit before it`
    }
    return undefined
  }
}
