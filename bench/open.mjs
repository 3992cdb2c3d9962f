// In a process of its own: the time from opening the index to the first answer, and the resident memory then and after 1,000 queries of each kind.
import { openIndex } from '../dist/index.js'
import { ndjson, npy } from './data.mjs'

const [path, data] = process.argv.slice(2)
const texts = ndjson(data, 'queries.ndjson')
const vectors = npy(data, 'query-vectors.f16.npy')
globalThis.gc?.()
const before = process.memoryUsage.rss()

const started = performance.now()
const index = await openIndex(path, { mode: 'read-only' })
await index.search({ text: texts[0].text, vector: vectors.row(0) })
const firstMs = performance.now() - started
const opened = process.memoryUsage.rss()

for (let at = 0; at < 1000; at++) {
  const vector = vectors.row(at)
  const { text, domain } = texts[at]
  for (const query of [{ text }, { vector }, { text, vector }, { vector, where: { domain } }]) await index.search(query)
}
const used = process.memoryUsage.rss()
await index.close()
process.send({ firstMs, openedBytes: opened - before, usedBytes: used - before })
