// `node bench/thread.mjs FOLDER`: how long a rebuild holds the JavaScript thread: the time between turns of the event loop while it runs,
// less garbage collection and what the source itself takes, beside the same without a rebuild, which is the machine's own noise.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { openTemporary } from '../dist/index.js'
import { ms, percentile, table } from '../examples/demo/figures.mjs'
import { documents, fields, folder, ndjson, npy } from './data.mjs'

const data = folder()
const entries = ndjson(data, 'documents.ndjson.gz').slice(0, 40_000)
const vectors = npy(data, 'document-vectors.f16.npy')

/** When the collector ran. It is reported some turns later, so it is taken off by its times once everything is over. */
const collections = []
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) collections.push([startTime, startTime + duration])
}).observe({ entryTypes: ['gc'] })

let source = 0
/** The source; the time that it takes itself is not the rebuild's. */
function* timed() {
  const entriesLeft = documents(entries, vectors)
  for (;;) {
    const from = performance.now()
    const { done, value } = entriesLeft.next()
    source += performance.now() - from
    if (done) return
    yield value
  }
}

/** Times between turns until the work is done, in milliseconds, less the millisecond that each of them waits. */
async function turns(work) {
  const seen = []
  const over = new AbortController()
  const end = work().finally(() => over.abort())
  let [at, before] = [performance.now(), source]
  while (!over.signal.aborted) {
    await sleep(1)
    const now = performance.now()
    seen.push([at, now, source - before])
    ;[at, before] = [now, source]
  }
  await end
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  return seen.map(([from, to, own]) => Math.max(0, to - from - 1 - own - collected(from, to)))
}

function collected(from, to) {
  return collections.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0)
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
const idle = await turns(() => sleep(reading))
await index.close()

const row = (name, gaps) => [
  name,
  `${ms(percentile(gaps, 0.5))} / ${ms(percentile(gaps, 0.99))} / ${ms(percentile(gaps, 0.999))} / ${ms(Math.max(...gaps))}`,
  String(gaps.filter((gap) => gap > 2).length),
]
console.log(
  table([
    ['time between turns above 1 ms of waiting', 'p50 / p99 / p99.9 / longest', 'above 2 ms'],
    row('during a rebuild of 40,000 entries', during),
    row('the same time without one', idle),
  ]),
)
