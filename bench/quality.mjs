// `node bench/quality.mjs FOLDER`: nDCG@10, recall@10 and MRR@10 of text, vectors and both, beside the bars and the reference figures.
//
// Lemmas and gloss are two text fields with { language: 'english' }; each of the 3,000 queries has one relevant entry. An index for
// each choice of stop words and boost, as a user would declare it; every query runs with its defaults.
import { openTemporary } from '../dist/index.js'
import { folder, ndjson, npy } from './data.mjs'

const data = folder()
const entries = ndjson(data, 'documents.ndjson.gz')
const vectors = npy(data, 'document-vectors.f16.npy')
const queries = ndjson(data, 'queries.ndjson')
const asked = npy(data, 'query-vectors.f16.npy')
const depth = 10
const together = 200

/** What a plain implementation reaches on the same data: see the data's own description. */
const reference = [
  ['text, one field, stemmed', [0.2396, 0.3867, 0.1942]],
  ['text, sum of two fields, lemmas × 3', [0.2854, 0.4783, 0.2261]],
  ['vector, exact', [0.1974, 0.317, 0.1605]],
  ['RRF, k 60, one field', [0.2595, 0.423, 0.2093]],
  ['convex .4, one field', [0.2772, 0.448, 0.2245]],
  ['RRF, k 60, lemmas × 3', [0.3105, 0.515, 0.2474]],
  ['convex .4, lemmas × 3', [0.3276, 0.5313, 0.2644]],
]
const kinds = {
  text: (at) => ({ text: queries[at].text }),
  vector: (at) => ({ vector: asked.row(at) }),
  rrf: (at) => ({ text: queries[at].text, vector: asked.row(at), fusion: { method: 'rrf' } }),
  convex: (at) => ({ text: queries[at].text, vector: asked.row(at) }),
}
/** The least nDCG@10 of a kind, by stop words dropped and boost. */
const bars = {
  'false 1': { text: 0.235, vector: 0.195, convex: 0.285 },
  'true 1': { text: 0.25, vector: 0.195, convex: 0.285 },
  'false 3': { text: 0.335, vector: 0.195, convex: 0.36 },
  'true 3': { text: 0.335, vector: 0.195, convex: 0.36 },
}

const line = (name, [ndcg, recall, mrr], bar) =>
  `  ${name.padEnd(36)}  ${ndcg.toFixed(4)}   ${recall.toFixed(4)}     ${mrr.toFixed(4)}${bar ? `   ≥ ${bar} ${ndcg >= bar ? 'holds' : 'MISSED'}` : ''}`

async function measure(index, query) {
  const sums = [0, 0, 0]
  for (let from = 0; from < queries.length; from += together) {
    const length = Math.min(together, queries.length - from)
    const batch = Array.from({ length }, (_, at) => ({ ...query(from + at), limit: depth, select: false }))
    for (const [at, { hits }] of (await index.searchBatch(batch)).entries()) {
      const rank = 1 + hits.findIndex(({ id }) => id === queries[from + at].relevant[0])
      if (rank > 0) for (const [which, gain] of [1 / Math.log2(1 + rank), 1, 1 / rank].entries()) sums[which] += gain
    }
  }
  return sums.map((sum) => sum / queries.length)
}

console.log(`  ${''.padEnd(36)}  nDCG@10  recall@10  MRR@10\nreference`)
for (const [name, figures] of reference) console.log(line(name, figures))
for (const boost of [1, 3])
  for (const stopWords of [false, true]) {
    const analyzer = /** @type {const} */ ({ language: 'english', stopWords })
    const fields = /** @type {const} */ ({
      lemmas: { type: 'text', analyzer, boost },
      gloss: { type: 'text', analyzer },
      embedding: { type: 'vector', dimensions: 384, metric: 'cosine' },
    })
    const index = await openTemporary({ fields })
    await index.rebuild(function* () {
      for (const [at, { id, lemmas, gloss }] of entries.entries())
        yield { id, lemmas: lemmas.join(', '), gloss, embedding: vectors.row(at) }
    })
    console.log(`lemmas × ${boost}, stop words ${stopWords ? 'dropped' : 'kept'}`)
    for (const [kind, query] of Object.entries(kinds))
      console.log(line(kind, await measure(index, query), bars[`${stopWords} ${boost}`][kind]))
    await index.close()
  }
