// `node bench/thread.mjs FOLDER`: how long a rebuild holds the JavaScript thread: the time between turns of the event loop while it runs,
// less garbage collection and what the source itself takes, beside the same without a rebuild, which is the machine's own noise.
import { PerformanceObserver } from 'node:perf_hooks'
import { openTemporary } from '../dist/index.js'
import { ms, percentile, table } from '../examples/demo/figures.mjs'
import { documents, fields, folder, ndjson, npy } from './data.mjs'

const data = folder()
const entries = ndjson(data, 'documents.ndjson.gz').slice(0, 40_000)
const vectors = npy(data, 'document-vectors.f16.npy')

let notOurs = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) notOurs += entry.duration
}).observe({ entryTypes: ['gc'] })

/** The source; the time that it takes itself is not the rebuild's. */
function* timed() {
  const source = documents(entries, vectors)
  for (;;) {
    const from = performance.now()
    const { done, value } = source.next()
    notOurs += performance.now() - from
    if (done) return
    yield value
  }
}

/** Times between turns until the work is done. Garbage collection is reported a turn late, so it is taken off two turns together. */
async function turns(work) {
  const gaps = []
  let on = true
  const end = work().finally(() => (on = false))
  let [at, before] = [performance.now(), notOurs]
  while (on) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    const [now, seen] = [performance.now(), notOurs]
    gaps.push(Math.max(0, now - at - 1 - (seen - before)))
    ;[at, before] = [now, seen]
  }
  await end
  return gaps
}

const index = await openTemporary({ fields })
await index.rebuild(() => documents(entries.slice(0, 2000), vectors))
let reading
const during = await turns(async () => {
  const from = performance.now()
  await index.rebuild(timed, {
    gate: () => {
      reading = performance.now() - from
    },
  })
})
const idle = await turns(() => new Promise((resolve) => setTimeout(resolve, reading)))
await index.close()

const row = (name, gaps) => [
  name,
  `${ms(percentile(gaps, 0.5))} / ${ms(percentile(gaps, 0.99))} / ${ms(percentile(gaps, 0.999))} / ${ms(Math.max(...gaps))}`,
]
console.log(
  table([
    ['time between turns above 1 ms of waiting', 'p50 / p99 / p99.9 / longest'],
    row('during a rebuild of 40,000 entries', during),
    row('the same time without one', idle),
  ]),
)
