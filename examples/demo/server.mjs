// The service: a worker thread that answers 200 queries a second and checks every answer, whatever happens to the index.
import { parentPort, workerData } from 'node:worker_threads'
import { checker } from './checker.mjs'
import { openIndex } from './cutover.mjs'
import { questions } from './queries.mjs'
import { fields } from './source.mjs'
import { readEntries } from './wordnet.mjs'

const { path, asked, perSecond } = workerData
const entries = readEntries()
const disagreement = checker(entries)
const index = await openIndex(path, { fields, mode: 'read-only' })

/** When each query was due (epoch ms), its kind, and how long after that its answer was there: a late start counts too. */
const samples = []
const wrong = []
const running = new Set()
let version
const stop = new AbortController()

async function ask(question, due) {
  try {
    const results = await index.search(question.query)
    samples.push({ due, kind: question.kind, ms: now() - due })
    const problem = disagreement(question, results)
    if (problem) wrong.push(problem)
    if (results.version !== version) parentPort.postMessage({ sees: (version = results.version) })
  } catch (error) {
    wrong.push(`${question.kind}: ${error.stack}`)
  }
}

const now = () => performance.timeOrigin + performance.now()
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

parentPort.on('message', () => stop.abort())
const mix = questions(entries, asked)
for (let due = now(); !stop.signal.aborted; due += 1000 / perSecond) {
  if (due > now()) await pause(due - now())
  const one = ask(mix.next().value, due).finally(() => running.delete(one))
  running.add(one)
}
await Promise.all(running)
await index.close()
parentPort.postMessage({ samples, wrong })
parentPort.close()
