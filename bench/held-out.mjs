// What `data-w.mjs` and `data-third.mjs` share: some rows of a set are held out as queries, and their nearest are found by measuring all.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const heldOut = 1_000
const depth = 100

/**
 * Writes NAME.f32, NAME-queries.f32 and NAME-truth.i32 into the folder.
 *
 * The 1,000 rows whose number has the smallest hash are held out as queries; the others, in their order, are the base. The first two
 * files are rows of little-endian float32; the third has the base rows of each query's 100 nearest by cosine, nearest first, ties by
 * row, computed in float64.
 */
export function writeHeldOut(folder, name, { rows: count, dimensions, row }) {
  const order = Array.from({ length: count }, (_, at) => at).toSorted((one, other) => hash(one) - hash(other))
  const flat = (of) => {
    const numbers = new Float32Array(of.length * dimensions)
    for (const [at, number] of of.entries()) numbers.set(row(number), at * dimensions)
    return numbers
  }
  const queries = flat(order.slice(0, heldOut).toSorted((one, other) => one - other))
  const base = flat(order.slice(heldOut).toSorted((one, other) => one - other))
  writeFileSync(join(folder, `${name}.f32`), base)
  writeFileSync(join(folder, `${name}-queries.f32`), queries)
  const kept = (count - heldOut).toLocaleString('en')
  console.log(`${kept} vectors and ${heldOut.toLocaleString('en')} queries of ${dimensions}.`)
  writeFileSync(join(folder, `${name}-truth.i32`), exact(base, queries, dimensions))
  console.log(`The ${depth} nearest of each query.`)
}

/** The finaliser of MurmurHash3: every row gets another number, the same everywhere. */
function hash(row) {
  let bits = row
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
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
