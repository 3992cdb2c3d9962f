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
