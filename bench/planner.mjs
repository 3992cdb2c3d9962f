// `node bench/planner.mjs FOLDER`: what a filtered vector query chooses to do, its recall@10 and its time, by how much the filter allows.
//
// Twenty queries are anchors: every document has its rank by distance from each, so that a range of that rank is a filter that allows
// the nearest (asked with the other anchors: one cluster) or the farthest (asked with the anchor: far from the query). A number
// drawn at random gives filters that know nothing of distances.
import { openTemporary } from '../dist/index.js'
import { percentile } from '../examples/demo/figures.mjs'
import { vectorData } from './data.mjs'

const data = vectorData(process.argv[2])
const anchors = 20
const shares = [0.5, 0.1, 0.01, 0.001, 0.0001]
const { rows, columns } = data.base
const median = (numbers) => percentile(numbers, 0.5)

const unit = (vector) => {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
  return vector.map((x) => x / length)
}
/** Cosine similarities of all rows, to find the truth with; in float64. */
function similarities(query) {
  const asked = Float64Array.from(unit(query))
  return Float64Array.from({ length: rows }, (_, at) => {
    const row = data.base.row(at)
    let [dot, norm] = [0, 0]
    for (let column = 0; column < columns; column++) {
      dot += row[column] * asked[column]
      norm += row[column] * row[column]
    }
    return dot / Math.sqrt(norm)
  })
}
/** Rows by similarity, nearest first, and each row's place among them. */
function ranked(query) {
  const scores = similarities(query)
  const order = Uint32Array.from({ length: rows }, (_, at) => at).toSorted((one, other) => scores[other] - scores[one])
  const rank = new Uint32Array(rows)
  for (const [place, row] of order.entries()) rank[row] = place
  return { order, rank }
}

/** A permutation of the rows (Fisher and Yates, xorshift32). */
function shuffled() {
  const all = Uint32Array.from({ length: rows }, (_, at) => at)
  let state = 0x9e3779b9
  for (let at = rows - 1; at > 0; at--) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    const other = (state >>> 0) % (at + 1)
    ;[all[at], all[other]] = [all[other], all[at]]
  }
  return all
}

const queries = Array.from({ length: anchors }, (_, at) => data.queries.row(at * 7))
const places = queries.map(ranked)
const random = shuffled()
const names = queries.map((_, at) => `rank${at}`)
const integer = /** @type {const} */ ({ type: 'integer' })
const index = await openTemporary({
  fields: {
    random: integer,
    ...Object.fromEntries(names.map((name) => [name, integer])),
    embedding: { type: 'vector', dimensions: columns, metric: 'cosine' },
  },
})
await index.rebuild(function* () {
  for (let row = 0; row < rows; row++)
    yield {
      id: String(row),
      random: random[row],
      ...Object.fromEntries(names.map((name, at) => [name, places[at].rank[row]])),
      embedding: data.base.row(row),
    }
})

/** For each kind of filter: which queries are asked, under which condition, and which rows that allows. */
const kinds = {
  random: (count) =>
    queries.map((_, at) => ({ at, where: { random: { lt: count } }, allows: (row) => random[row] < count })),
  cluster: (count) =>
    queries.map((_, at) => {
      const centre = (at + 1) % anchors
      return { at, where: { [names[centre]]: { lt: count } }, allows: (row) => places[centre].rank[row] < count }
    }),
  far: (count) =>
    queries.map((_, at) => {
      const from = rows - count
      return { at, where: { [names[at]]: { gte: from } }, allows: (row) => places[at].rank[row] >= from }
    }),
}

const timed = (query) => {
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now()
    index.searchSync(query)
    return performance.now() - started
  })
  return Math.min(...times)
}

const select = /** @type {const} */ (false)
const plain = median(queries.map((vector) => timed({ vector, select })))
console.log(
  `${data.name}: ${rows.toLocaleString('en')} vectors; unfiltered ${(plain * 1000).toFixed(0)} µs, default ef\n`,
)
console.log('filter     allowed  recall@10  least   p50 µs  ÷ unfiltered  chosen')
for (const share of shares) {
  const count = Math.max(1, Math.round(rows * share))
  for (const [kind, make] of Object.entries(kinds)) {
    const [recalls, times, chosen] = [[], [], new Map()]
    for (const { at, where, allows } of make(count)) {
      const query = { vector: queries[at], where, select }
      const { hits, explanation } = index.searchSync({ ...query, explain: true })
      for (const { strategy } of explanation.vector ?? []) chosen.set(strategy, (chosen.get(strategy) ?? 0) + 1)
      const right = new Set()
      for (const row of places[at].order) if (right.size < 10 && allows(row)) right.add(String(row))
      if (hits.length !== right.size) console.log(`  ${hits.length} hits where ${right.size} are allowed`)
      recalls.push(hits.filter(({ id }) => right.has(id)).length / right.size)
      times.push(timed(query))
    }
    const mean = recalls.reduce((sum, one) => sum + one, 0) / recalls.length
    const took = median(times)
    console.log(
      `${kind.padEnd(9)} ${String(count).padStart(8)}  ${mean.toFixed(4)}     ${Math.min(...recalls).toFixed(1)} ${(took * 1000).toFixed(0).padStart(9)}  ${(took / plain).toFixed(2).padStart(12)}  ${[...chosen].map(([way, often]) => `${way} ${often}`).join(', ') || '–'}`,
    )
  }
}
await index.close()
