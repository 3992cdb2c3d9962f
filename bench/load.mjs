// A worker that asks the four kinds of query at a steady rate and reports how long each took from the moment it was due.
import { parentPort, workerData } from 'node:worker_threads'
import { openIndex } from '../dist/index.js'
import { fields, ndjson, npy } from './data.mjs'

const { path, data, perSecond } = workerData
const texts = ndjson(data, 'queries.ndjson')
const vectors = npy(data, 'query-vectors.f16.npy')
const index = await openIndex(path, { fields, mode: 'read-only' })

const kinds = {
  text: (at) => ({ text: texts[at].text }),
  vector: (at) => ({ vector: vectors.row(at) }),
  hybrid: (at) => ({ text: texts[at].text, vector: vectors.row(at) }),
  filtered: (at) => ({ vector: vectors.row(at), where: { domain: texts[at].domain } }),
}
const names = Object.keys(kinds)
const samples = []
const running = new Set()
const stop = new AbortController()
const now = () => performance.timeOrigin + performance.now()
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

async function ask(kind, query, due) {
  await index.search(query)
  samples.push({ kind, due, ms: now() - due })
}

parentPort.on('message', () => stop.abort())
let count = 0
for (let due = now(); !stop.signal.aborted; due += 1000 / perSecond, count++) {
  if (due > now()) await pause(due - now())
  const kind = names[count % names.length]
  const one = ask(kind, kinds[kind](Math.floor(count / names.length) % texts.length), due).finally(() =>
    running.delete(one),
  )
  running.add(one)
}
await Promise.all(running)
await index.close()
parentPort.postMessage(samples)
parentPort.close()
