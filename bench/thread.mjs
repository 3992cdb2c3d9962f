// `node bench/thread.mjs FOLDER`: how long a rebuild holds the JavaScript thread. For each turn of the event loop, while a rebuild runs and
// without one: how long the thread was held: the smaller of the loop's active time and the thread's time on a CPU (Linux counts it), less
// garbage collection and the source itself. What passes beyond that is the machine's: run queue, timers, host.
import { readFileSync } from 'node:fs'
import { PerformanceObserver, performance } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { openTemporary } from '../dist/index.js'
import { ms, table } from '../examples/demo/figures.mjs'
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
  const left = documents(entries, vectors)
  for (;;) {
    const from = performance.now()
    const { done, value } = left.next()
    source += performance.now() - from
    if (done) return
    yield value
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))

/** Milliseconds so far: of the clock, of the loop's activity, of this thread on a CPU, of the source. */
function clocks() {
  // The kernel brings a thread's time up to date when it leaves the CPU, and otherwise by ticks of some milliseconds only.
  Atomics.wait(never, 0, 0, 0.01)
  const cpu = Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6
  return { at: performance.now(), active: performance.eventLoopUtilization().active, cpu, source }
}

/** Turns that were held for less than this are only counted. */
const WORTH_TELLING = 0.25

/** The turns of the loop until the work is done, each by itself: how many there were, and of the longer ones how long the thread was held. */
async function turns(work) {
  const long = []
  let count = 0
  const over = new AbortController()
  const end = work().finally(() => over.abort())
  let before = clocks()
  while (!over.signal.aborted) {
    await nextTurn()
    const now = clocks()
    if (Math.min(now.active - before.active, now.cpu - before.cpu) > WORTH_TELLING) long.push([before, now])
    count++
    before = now
  }
  await end
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  const held = long.map(([from, to]) => {
    const notOurs = to.source - from.source + collected(from.at, to.at)
    return Math.max(0, Math.min(to.active - from.active, to.cpu - from.cpu) - notOurs)
  })
  return { count, held: held.toSorted((a, b) => b - a) }
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

const row = (name, { count, held }) => [
  name,
  count.toLocaleString('en'),
  ...[0.5, 1, 2].map((limit) => String(held.filter((time) => time > limit).length)),
  held.slice(0, 5).map(ms).join(', '),
]
console.log(
  table([
    ['turns of the event loop', 'in all', 'held > 0.5 ms', '> 1 ms', '> 2 ms', 'longest'],
    row('during a rebuild of 40,000 entries', during),
    row('the same time without one', idle),
  ]),
)
