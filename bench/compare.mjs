// `node bench/compare.mjs FOLDER`: queries a second and recall@10 beside hnswlib-node, on the same vectors with the same parameters.
// Both build with m 16 and efConstruction 200; both are asked the same queries on one thread, taking turns, and medians are shown.
import hnswlib from 'hnswlib-node'
import { openTemporary } from '../dist/index.js'
import { percentile, seconds } from '../examples/demo/figures.mjs'
import { folder, npy } from './data.mjs'

const data = folder()
const m = 16
const efConstruction = 200
const rounds = 7
const vectors = npy(data, 'document-vectors.f16.npy')
const queries = npy(data, 'query-vectors.f16.npy')
const truth = npy(data, 'ground-truth-all-ids.npy')

function theirs() {
  const started = performance.now()
  const index = new hnswlib.HierarchicalNSW('cosine', vectors.columns)
  index.initIndex({ maxElements: vectors.rows, m, efConstruction, randomSeed: 100 })
  for (let row = 0; row < vectors.rows; row++) index.addPoint(Array.from(vectors.row(row)), row)
  console.log(`hnswlib-node built in ${seconds(performance.now() - started)} on one thread, in memory only.`)
  return index
}

async function ours() {
  const started = performance.now()
  const fields = { embedding: { type: 'vector', dimensions: vectors.columns, metric: 'cosine', m, efConstruction } }
  const index = await openTemporary({ fields })
  await index.rebuild(function* () {
    for (let row = 0; row < vectors.rows; row++) yield { id: String(row), embedding: vectors.row(row) }
  })
  console.log(`Cutover built in ${seconds(performance.now() - started)} on all cores, files synced.`)
  return index
}

const [hnsw, cutover] = [theirs(), await ours()]
const asked = Array.from({ length: truth.rows }, (_, at) => queries.row(at))
const plain = asked.map((query) => Array.from(query))

const systems = {
  'hnswlib-node searchKnn': (ef) => {
    hnsw.setEf(ef)
    return plain.map((query) => hnsw.searchKnn(query, 10).neighbors)
  },
  'Cutover searchSync': (ef) =>
    asked.map((values) =>
      cutover.searchSync({ vector: { values, ef }, select: false }).hits.map(({ id }) => Number(id)),
    ),
}

function recall(answers) {
  let found = 0
  for (const [at, ids] of answers.entries()) {
    const right = new Set(truth.row(at).subarray(0, 10))
    found += ids.filter((id) => right.has(id)).length
  }
  return found / (answers.length * 10)
}

console.log(
  `${vectors.rows.toLocaleString('en')} vectors of ${vectors.columns}, ${asked.length} queries, ${rounds} rounds\n`,
)
for (const ef of [10, 20, 40, 80, 160]) {
  const times = Object.fromEntries(Object.keys(systems).map((name) => [name, []]))
  const recalls = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(systems)) {
      const started = performance.now()
      const answers = run(ef)
      // The first round warms up.
      if (round > 0) times[name].push(performance.now() - started)
      recalls[name] = recall(answers)
    }
  }
  for (const name of Object.keys(systems)) {
    const perSecond = (asked.length * 1000) / percentile(times[name], 0.5)
    console.log(
      `ef ${String(ef).padStart(3)}  ${name.padEnd(22)}  ${perSecond.toFixed(0).padStart(6)} queries/s  recall@10 ${recalls[name].toFixed(4)}`,
    )
  }
}
await cutover.close()
