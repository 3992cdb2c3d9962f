// `node bench/text.mjs FOLDER CODE [PEER ...]`: text search beside other packages, on entries and on source files.
//
// Every system gets the same rows and the same queries, one after another from one thread, taking turns query by query; the best ten,
// ids only. Percentiles are over queries. Builds are from JavaScript, on one build thread, durable where the system is. A ratio is Cutover's value ÷ the other's. Processor: all
// threads' time, which what else the machine does hardly changes; Cutover's build thread is idle in priority, its wall time does.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openIndex } from '../dist/index.js'
import { percentile } from '../examples/demo/figures.mjs'
import { code, entries, queries } from './corpora.mjs'
import { folder, npy } from './data.mjs'
import { bytesOf, peers } from './peers/text.mjs'

const data = folder()
const [file, ...named] = process.argv.slice(3)
if (!file || !existsSync(file)) {
  console.error('Usage: node bench/text.mjs FOLDER CODE [PEER ...]; CODE is a file of JSON lines.')
  process.exit(2)
}
const chosen = Object.entries(peers).filter(([name]) => named.length === 0 || named.includes(name))
const builds = 3
const kinds = ['or', 'and', 'phrase', 'prefix', 'fuzzy', 'filtered', 'highlights']
const scratch = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'cutover-bench-'))
const median = (numbers) => percentile(numbers, 0.5)
const milliseconds = (value) => value.toFixed(value < 10 ? 3 : 1)

async function cutover({ rows, analyzer, filter }, path) {
  const fields = /** @type {const} */ ({
    a: { type: 'text', analyzer },
    b: { type: 'text', analyzer },
    group: { type: 'keyword' },
  })
  const index = await openIndex(path, { fields, threads: { build: 1 } })
  await index.rebuild(rows)
  const ask = (text, rest) => index.searchSync({ text, select: false, ...rest })
  return {
    bytes: bytesOf(path),
    or: (words) => ask(words.join(' ')),
    and: (words) => ask({ query: words.join(' '), operator: 'and' }),
    phrase: (words) => ask({ query: words.join(' '), mode: 'phrase' }),
    prefix: ([start]) => ask({ query: start, mode: 'prefix' }),
    fuzzy: (words) => ask({ query: words.join(' '), fuzzy: 1 }),
    filtered: (words) => ask(words.join(' '), { where: { group: filter } }),
    highlights: (words) => ask(words.join(' '), { highlight: true }),
    plain: (words) => ask(words.join(' ')),
    close: () => index.close(),
  }
}

/** Builds each system, those that the bar compares several times in turn, and keeps the last of each. */
async function built(corpus) {
  const makers = Object.entries({ Cutover: cutover, ...Object.fromEntries(chosen) })
  const times = Object.fromEntries(makers.map(([name]) => [name, []]))
  const used = Object.fromEntries(makers.map(([name]) => [name, []]))
  const systems = {}
  for (let round = 0; round < builds; round++)
    for (const [name, make] of makers) {
      if (round > 0 && name !== 'Cutover' && name !== 'FTS5') continue
      await systems[name]?.close()
      const path = join(scratch, `${corpus.name}-${name.replaceAll('/', '-')}-${round}`)
      const [started, before] = [performance.now(), process.cpuUsage()]
      systems[name] = await make(corpus, path)
      times[name].push(performance.now() - started)
      const { user, system } = process.cpuUsage(before)
      used[name].push((user + system) / 1000)
    }
  console.log('build                   seconds    ratio   processor    ratio   index MB   ratio')
  for (const [name, { bytes }] of Object.entries(systems)) {
    const ratio = (median(times.Cutover) / median(times[name])).toFixed(2)
    const size = (systems.Cutover.bytes / bytes).toFixed(2)
    const took = (median(times[name]) / 1000).toFixed(2)
    const processor = (median(used[name]) / 1000).toFixed(2)
    const share = (median(used.Cutover) / median(used[name])).toFixed(2)
    console.log(
      `  ${name.padEnd(18)} ${took.padStart(10)}  ${ratio.padStart(7)}  ${processor.padStart(10)}  ${share.padStart(7)} ${(bytes / 1e6).toFixed(1).padStart(10)} ${size.padStart(7)}`,
    )
  }
  return systems
}

/** Whether a system has this kind of query; says so when it has it and fails. */
async function can(name, run, words) {
  try {
    await run?.(words)
    return run !== undefined
  } catch (error) {
    console.log(`${name} refuses: ${error.message}`)
    return false
  }
}

/** Milliseconds of each query, each system in turn: the fastest of three, so that what else the machine does counts less. */
async function timed(systems, asked) {
  const times = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  for (const words of asked)
    for (const [name, run] of Object.entries(systems)) {
      let fastest = Infinity
      for (let time = 0; time < 3; time++) {
        const started = performance.now()
        const answer = run(words)
        // Waiting for what is no promise would count a turn of the event loop.
        if (answer instanceof Promise) await answer
        fastest = Math.min(fastest, performance.now() - started)
      }
      times[name].push(fastest)
    }
  return times
}

function report(title, times) {
  console.log(title.padEnd(24), '  p50 ms    p99 ms   ratio p50    p99')
  const of = (name, share) => percentile(times[name], share)
  const [first] = Object.keys(times)
  for (const name of Object.keys(times)) {
    const ratios = [0.5, 0.99].map((share) => (of(first, share) / of(name, share)).toFixed(3))
    console.log(
      `  ${name.padEnd(18)} ${milliseconds(of(name, 0.5)).padStart(12)} ${milliseconds(of(name, 0.99)).padStart(9)}   ${ratios[0].padStart(9)} ${ratios[1].padStart(6)}`,
    )
  }
}

async function answers(corpus, systems) {
  for (const kind of kinds) {
    const asked = queries(corpus, kind)
    const able = []
    for (const [name, system] of Object.entries(systems))
      if (await can(name, system[kind], asked[0])) able.push([name, system[kind]])
    report(kind, await timed(Object.fromEntries(able), asked))
    const { plain } = systems.Cutover
    if (able[0]?.[0] === 'Cutover' && (kind === 'filtered' || kind === 'highlights'))
      report(`${kind} beside without`, await timed({ [kind]: systems.Cutover[kind], without: plain }, asked))
  }
}

/** A hybrid query beside its two legs, one run after the other. */
async function hybrid(corpus) {
  const vectors = npy(data, 'document-vectors.f16.npy')
  const asked = npy(data, 'query-vectors.f16.npy')
  const text = /** @type {const} */ ({ type: 'text', analyzer: corpus.analyzer })
  const fields = /** @type {const} */ ({ a: text, b: text, v: { type: 'vector', dimensions: 384 } })
  const index = await openIndex(join(scratch, 'hybrid'), { fields })
  await index.rebuild(function* () {
    for (const [at, { id, a, b }] of corpus.rows.entries()) yield { id, a, b, v: vectors.row(at) }
  })
  const query = Array.from({ length: corpus.asked }, (_, at) => ({ text: corpus.sentences[at], vector: asked.row(at) }))
  const select = /** @type {const} */ (false)
  const ways = {
    'hybrid, promise': (one) => index.search({ ...one, select }),
    'text, then vector': async ({ text: words, vector }) => {
      await index.search({ text: words, select })
      await index.search({ vector, select })
    },
    'hybrid, sync': (one) => index.searchSync({ ...one, select }),
    'text then vector, sync': ({ text: words, vector }) => {
      index.searchSync({ text: words, select })
      index.searchSync({ vector, select })
    },
  }
  report('hybrid', await timed(ways, query))
  await index.close()
}

try {
  for (const corpus of [entries(data), code(file)]) {
    console.log(
      `\n== ${corpus.name}: ${corpus.rows.length.toLocaleString('en')} rows, ${corpus.asked} queries of each kind`,
    )
    const systems = await built(corpus)
    await answers(corpus, systems)
    for (const { close } of Object.values(systems)) await close()
    if (corpus.sentences) await hybrid(corpus)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
