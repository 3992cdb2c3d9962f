// `node bench/index.mjs FOLDER`: one index of all entries: build, size, open, memory, latencies idle and during a rebuild, swap.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { openIndex } from '../dist/index.js'
import { megabytes, ms, percentile, seconds, table } from '../examples/demo/figures.mjs'
import { documents, fields, folder, ndjson, npy } from './data.mjs'

const data = folder()
const perSecond = 200
const entries = ndjson(data, 'documents.ndjson.gz')
const vectors = npy(data, 'document-vectors.f16.npy')
const path = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'cutover-bench-'))
const now = () => performance.timeOrigin + performance.now()
const pause = (time) => new Promise((done) => setTimeout(done, time))
const median = (numbers) => percentile(numbers, 0.5)

async function rebuild(index) {
  const from = now()
  const info = await index.rebuild(() => documents(entries, vectors))
  return { info, from, to: now() }
}

const opened = () =>
  new Promise((done, fail) => {
    const child = fork(new URL('open.mjs', import.meta.url), [path, data], { execArgv: ['--expose-gc'] })
    let report
    child.on('message', (message) => (report = message))
    child.on('exit', (code) => (code === 0 ? done(report) : fail(new Error(`open.mjs ended with ${code}`))))
  })

const latencies = (samples, kind, from, to) => {
  const times = samples.filter((one) => one.kind === kind && one.due >= from && one.due < to).map((one) => one.ms)
  return `${ms(percentile(times, 0.5))} / ${ms(percentile(times, 0.99))}`
}

try {
  const index = await openIndex(path, { fields })
  const first = await rebuild(index)
  const opens = []
  for (let run = 0; run < 5; run++) opens.push(await opened())

  const worker = new Worker(new URL('load.mjs', import.meta.url), { workerData: { path, data, perSecond } })
  const report = new Promise((done, fail) => worker.once('message', done).once('error', fail))
  // The worker reads the queries and warms up.
  await pause(5000)
  const idle = now()
  await pause(20_000)
  const second = await rebuild(index)
  const after = now()
  await pause(5000)
  worker.postMessage('stop')
  const samples = await report
  const near = samples.filter(({ due }) => Math.abs(due - second.to) < 1000).map((one) => one.ms)

  const swaps = []
  for (let round = 0; round < 100; round++) {
    await index.rebuild(() => documents(entries.slice(0, 100), vectors))
    swaps.push((await index.status()).lastPublish)
  }
  await index.close()

  const swap = (key) => {
    const times = swaps.map((one) => one[key])
    return `${ms(percentile(times, 0.5))} / ${ms(percentile(times, 0.99))}`
  }
  console.log(
    table([
      ['entries', first.info.documents.toLocaleString('en')],
      ['build time, idle machine', seconds(first.to - first.from)],
      [`build time, under ${perSecond} queries a second`, seconds(second.to - second.from)],
      ['index size', megabytes(first.info.bytes)],
      ['open to first answer (median of 5)', ms(median(opens.map((one) => one.firstMs)))],
      ['resident memory added by open and one query', megabytes(median(opens.map((one) => one.openedBytes)))],
      ['resident memory added after 4,000 queries', megabytes(median(opens.map((one) => one.usedBytes)))],
      ...['text', 'vector', 'hybrid', 'filtered'].flatMap((kind) => [
        [`${kind}: p50 / p99 idle`, latencies(samples, kind, idle, second.from)],
        [`${kind}: p50 / p99 during a rebuild`, latencies(samples, kind, second.from, second.to)],
        [`${kind}: p50 / p99 after it`, latencies(samples, kind, after, Infinity)],
      ]),
      ['longest answer within a second of the swap', ms(Math.max(...near))],
      ['swap, visible: p50 / p99 of 100 publishes', swap('visibleMs')],
      ['swap, durable: p50 / p99 of 100 publishes', swap('durableMs')],
    ]),
  )
} finally {
  rmSync(path, { recursive: true, force: true })
}
