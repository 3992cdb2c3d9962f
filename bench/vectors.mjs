// `node bench/vectors.mjs FOLDER KEEP [PEER ...]`: vector search from JavaScript at equal recall@10, beside other packages.
//
// FOLDER has data W or M; KEEP is a folder for what the peers built, which takes minutes. All are asked the same queries one after
// another from one thread, taking turns (LanceDB, which answers with promises and takes long, a fifth of them); the candidate list is
// the least that reaches the recall. Then: what a promise costs beside a synchronous call, and a batch on two cores beside one.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openIndex } from '../dist/index.js'
import { percentile, seconds } from '../examples/demo/figures.mjs'
import { vectorData } from './data.mjs'
import { peers } from './peers/vectors.mjs'

const [path, keep, ...named] = process.argv.slice(2)
const data = vectorData(path)
if (!keep) {
  console.error('Usage: node bench/vectors.mjs FOLDER KEEP [PEER ...]')
  process.exit(2)
}
mkdirSync(keep, { recursive: true })
const rounds = 5
const targets = [0.95, 0.99]
/** Larger lists are not tried: what has not reached the recall by then stays without a figure. */
const longest = 4_000
const count = data.truth.rows
const queries = Array.from({ length: count }, (_, at) => {
  const values = data.queries.row(at)
  return { values, plain: Array.from(values) }
})
const median = (numbers) => percentile(numbers, 0.5)
const round = (value, digits) => (value === undefined ? '–' : value.toFixed(digits))

const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'cutover-bench-'))
const fields = {
  embedding: { type: 'vector', dimensions: data.base.columns, metric: 'cosine', m: 16, efConstruction: 200 },
}

async function build() {
  const started = performance.now()
  const index = await openIndex(folder, { fields })
  await index.rebuild(function* () {
    for (let row = 0; row < data.base.rows; row++) yield { id: String(row), embedding: data.base.row(row) }
  })
  console.log(`Cutover: built on two threads and published in ${seconds(performance.now() - started)}`)
  return index
}

const query = (at, ef) => ({ vector: { values: queries[at].values, ef }, select: /** @type {const} */ (false) })

async function meanRecall({ ask, asked = count }, ef) {
  let found = 0
  for (let at = 0; at < asked; at++) {
    const right = new Set(data.truth.row(at).subarray(0, 10))
    for (const row of await ask(queries[at], ef)) if (right.has(row)) found++
  }
  return found / (asked * 10)
}

/** The least ef from 10 on that reaches the recall. */
async function leastEf(system, target) {
  let [low, high] = [9, 10]
  let recall = await meanRecall(system, high)
  while (recall < target) {
    if (high * 2 > longest) return
    ;[low, high] = [high, high * 2]
    recall = await meanRecall(system, high)
  }
  while (high - low > Math.max(1, high * 0.01)) {
    const middle = (low + high) >> 1
    const at = await meanRecall(system, middle)
    if (at >= target) [high, recall] = [middle, at]
    else low = middle
  }
  return { ef: high, recall }
}

async function turn({ ask, asked = count, asynchronous }, ef) {
  const started = performance.now()
  if (asynchronous) for (let at = 0; at < asked; at++) await ask(queries[at], ef)
  else for (let at = 0; at < asked; at++) ask(queries[at], ef)
  return (asked * 1000) / (performance.now() - started)
}

async function atRecall(target, systems) {
  const found = {}
  for (const [name, system] of Object.entries(systems)) found[name] = await leastEf(system, target)
  const speeds = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  for (let at = 0; at <= rounds; at++)
    for (const [name, system] of Object.entries(systems)) {
      if (!found[name]) continue
      const speed = await turn(system, found[name].ef)
      // The first round warms up.
      if (at > 0) speeds[name].push(speed)
    }
  console.log(`\nrecall@10 ${target}       ef  recall  queries/s  Cutover ÷ it`)
  for (const name of Object.keys(systems)) {
    const speed = found[name] && median(speeds[name])
    const ratio = speed && median(speeds[name].map((one, at) => speeds.Cutover[at] / one))
    console.log(
      `${name.padEnd(16)} ${String(found[name]?.ef ?? '–').padStart(5)}  ${round(found[name]?.recall, 4)}  ${round(speed, 0).padStart(9)}  ${round(ratio, 2)}`,
    )
  }
  return found.Cutover.ef
}

async function promises(index, ef) {
  const times = { sync: [], promise: [] }
  for (let at = -100; at < 3 * count; at++) {
    const asked = query((at + count) % count, ef)
    let started = performance.now()
    index.searchSync(asked)
    if (at >= 0) times.sync.push(performance.now() - started)
    started = performance.now()
    await index.search(asked)
    if (at >= 0) times.promise.push(performance.now() - started)
  }
  const [sync, promise] = [median(times.sync), median(times.promise)].map((time) => time * 1000)
  console.log(`\nsearchSync p50 ${sync.toFixed(0)} µs, search p50 ${promise.toFixed(0)} µs`)
  console.log(`search − searchSync, p50: ${(promise - sync).toFixed(0)} µs`)
}

/** Queries a second of batches on so many threads, and of synchronous calls, taking turns. */
async function batches(ef) {
  const [one, two] = await Promise.all([1, 2].map((search) => openIndex(folder, { threads: { search } })))
  const asked = Array.from({ length: count }, (_, at) => query(at, ef))
  const ways = {
    'searchSync, one after another': () => asked.forEach((each) => one.searchSync(each)),
    'searchBatch, 1 thread': () => one.searchBatch(asked),
    'searchBatch, 2 threads': () => two.searchBatch(asked),
  }
  const speeds = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let at = 0; at <= rounds; at++)
    for (const [name, run] of Object.entries(ways)) {
      const started = performance.now()
      await run()
      if (at > 0) speeds[name].push((count * 1000) / (performance.now() - started))
    }
  const [sync, single, double] = Object.values(speeds)
  console.log()
  for (const [name, values] of Object.entries(speeds))
    console.log(`${name.padEnd(30)} ${median(values).toFixed(0).padStart(7)} queries/s`)
  const ratio = (of) => median(double.map((speed, at) => speed / of[at])).toFixed(2)
  console.log(`batch on two cores ÷ batch on one: ${ratio(single)}; ÷ searchSync: ${ratio(sync)}`)
  await Promise.all([one.close(), two.close()])
}

try {
  const index = await build()
  const cutover = (asked, ef) =>
    index
      .searchSync({ vector: { values: asked.values, ef }, select: /** @type {const} */ (false) })
      .hits.map(({ id }) => Number(id))
  const systems = { Cutover: { ask: cutover } }
  for (const [name, make] of Object.entries(peers))
    if (named.length === 0 || named.includes(name))
      systems[name] = {
        ask: await make(data, keep),
        ...(name === '@lancedb/lancedb' && { asynchronous: true, asked: 200 }),
      }
  console.log(
    `\n${data.name}: ${data.base.rows.toLocaleString('en')} vectors of ${data.base.columns}, ${count} queries`,
  )
  const efs = []
  for (const target of targets) efs.push(await atRecall(target, systems))
  await promises(index, efs[0])
  await batches(efs[0])
  await index.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
