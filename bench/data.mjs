// Reads the data folder that the benchmarks are given: documents and queries as (gzipped) NDJSON, arrays as .npy.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The folder named on the command line; ends the program with one sentence when it is not there. */
export function folder() {
  const path = process.argv[2]
  if (path && existsSync(join(path, 'documents.ndjson.gz'))) return path
  console.error(`Usage: node ${process.argv[1]} FOLDER, with documents.ndjson.gz and document-vectors.f16.npy in it.`)
  process.exit(2)
}

/** The objects of a file of JSON lines. */
export function ndjson(...path) {
  const bytes = readFileSync(join(...path))
  const text = (path.at(-1).endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line)))
}

/** An array file of version 1.0, little-endian: rows of float32 (float16 is widened) or int32. */
export function npy(...path) {
  const bytes = readFileSync(join(...path))
  const start = 10 + bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, start)
  const [rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header).slice(1).map(Number)
  const content = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length)
  const data = header.includes("'<i4'")
    ? new Int32Array(content)
    : header.includes("'<f2'")
      ? widen(content)
      : new Float32Array(content)
  return { rows, columns, row: (at) => data.subarray(at * columns, (at + 1) * columns) }
}

/** Rows of so many columns, in a file of nothing but numbers. */
function raw(Kind, columns, ...path) {
  const bytes = readFileSync(join(...path))
  const data = new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  return { rows: data.length / columns, columns, row: (at) => data.subarray(at * columns, (at + 1) * columns) }
}

/** Vectors, 1,000 queries and the rows of each one's nearest: data W where data-w.mjs made it, else those of the data folder. */
export function vectorData(path) {
  if (path && existsSync(join(path, 'w.f32')))
    return {
      name: 'W',
      base: raw(Float32Array, 100, path, 'w.f32'),
      queries: raw(Float32Array, 100, path, 'w-queries.f32'),
      truth: raw(Int32Array, 100, path, 'w-truth.i32'),
    }
  if (path && existsSync(join(path, 'ground-truth-all-ids.npy')))
    return {
      name: 'M',
      base: npy(path, 'document-vectors.f16.npy'),
      queries: npy(path, 'query-vectors.f16.npy'),
      truth: npy(path, 'ground-truth-all-ids.npy'),
    }
  console.error(`Usage: node ${process.argv[1]} FOLDER, with w.f32 (see data-w.mjs) or document-vectors.f16.npy in it.`)
  process.exit(2)
}

/** float16 to float32, by a table of all 65,536 values. */
function widen(content) {
  const table = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    const size =
      exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? Number.NaN : (1 + fraction / 1024) * 2 ** (exponent - 15)
    return bits & 0x8000 ? -size : size
  })
  const half = new Uint16Array(content)
  const data = new Float32Array(half.length)
  for (let at = 0; at < half.length; at++) data[at] = table[half[at]]
  return data
}

export const fields = /** @type {const} */ ({
  lemmas: { type: 'text', boost: 3 },
  gloss: { type: 'text' },
  pos: { type: 'keyword', facet: true },
  domain: { type: 'keyword', facet: true },
  depth: { type: 'integer' },
  embedding: { type: 'vector', dimensions: 384, metric: 'cosine' },
})

/** The documents as a rebuild takes them. */
export function* documents(entries, vectors) {
  for (const [at, { id, lemmas, gloss, pos, domain, depth }] of entries.entries())
    yield { id, lemmas: lemmas.join(', '), gloss, pos, domain, depth, embedding: vectors.row(at) }
}

export const generatedFields = /** @type {const} */ ({
  text: { type: 'text' },
  topic: { type: 'keyword' },
  embedding: { type: 'vector', dimensions: 64 },
})

/** So many documents that need no data folder, the same for the same seed (xorshift32). */
export function* generated(count, seed) {
  let state = 0x9e3779b9 ^ (seed * 0x85ebca6b)
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  // Few words are frequent and many are rare.
  const word = () => `w${Math.floor(20_000 * next() ** 3)}`
  for (let at = 0; at < count; at++)
    yield {
      id: `d${at}`,
      text: Array.from({ length: 40 }, word).join(' '),
      topic: `t${at % 50}`,
      embedding: Float32Array.from({ length: 64 }, () => next() - 0.5),
    }
}
