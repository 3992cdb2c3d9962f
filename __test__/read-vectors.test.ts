// Files of vectors: .npy, raw float32 and Parquet, as sources of documents.
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { isCutoverError, openIndex, readVectors } from 'cutover'
import type { ReadVectorsOptions, VectorRow } from 'cutover'
import { rowsAs } from './support/import.js'
import { directory, refused } from './support/index.js'

const seed = Number(process.env['CUTOVER_SEED'] ?? Date.now() % 2 ** 32)

/** A file that pyarrow 25 wrote. */
const fixture = (name: string): string => fileURLToPath(new URL(`../../__test__/data/${name}`, import.meta.url))

function file(t: ExecutionContext, name: string, content: Uint8Array): string {
  const path = join(directory(t), name)
  writeFileSync(path, content)
  return path
}

async function all(path: string, options?: ReadVectorsOptions): Promise<VectorRow[]> {
  const rows: VectorRow[] = []
  for await (const row of readVectors(path, options)) rows.push(row)
  return rows
}

const vectors = Array.from({ length: 7 }, (_, n) => [n + 0.5, n === 0 ? 0 : -n, 0.25])
const floats = vectors.map((vector) => new Float32Array(vector))
const raw = Buffer.from(new Float32Array(vectors.flat()).buffer)

test('raw float32 numbers are vectors of the dimensions given', async (t) => {
  const path = file(t, 'vectors.f32', raw)
  const rows = await all(path, { dimensions: 3 })
  t.deepEqual(
    rows.map(({ vector }) => vector),
    floats,
  )
  t.deepEqual(
    rows.map(({ row }) => row),
    [0, 1, 2, 3, 4, 5, 6],
  )
  t.deepEqual(await all(file(t, 'none', Buffer.alloc(0)), { dimensions: 3 }), [])
})

test('raw numbers of many blocks come in order', async (t) => {
  const numbers = Float32Array.from({ length: 200_000 }, (_, n) => n)
  const rows = await all(file(t, 'vectors', Buffer.from(numbers.buffer)), { dimensions: 500 })
  t.is(rows.length, 400)
  t.true(rows.every(({ vector }, row) => vector[0] === row * 500 && vector[499] === row * 500 + 499))
})

for (const descr of ['<f2', '<f4', '<f8'] as const)
  test(`the rows of a .npy file of ${descr} are vectors`, async (t) => {
    const path = file(t, 'vectors.npy', rowsAs(descr, vectors))
    t.deepEqual(
      (await all(path)).map(({ vector }) => new Float32Array(vector)),
      floats,
    )
    const error = await refused(t, 'CUTOVER_SOURCE', all(path, { dimensions: 4 }))
    t.true(error.message.endsWith('vectors.npy has 3 dimensions instead of 4'))
  })

test('a column of a Parquet file is vectors, with the columns asked for beside', async (t) => {
  const rows = await all(fixture('snappy.parquet'), { columns: ['id', 'n'] })
  t.deepEqual(
    rows.map(({ vector }) => new Float32Array(vector)),
    floats,
  )
  t.deepEqual(rows[4], { row: 4, vector: rows[4]?.vector, values: { id: 'd4', n: 4n } } as VectorRow)
  t.deepEqual((await all(fixture('snappy.parquet')))[6]?.values, {})
})

test('a Parquet file with Zstandard is read; of two columns one must be named', async (t) => {
  const path = fixture('zstd-two-columns.parquet')
  t.deepEqual(
    (await all(path, { column: 'embedding' })).map(({ vector }) => vector),
    vectors.map((vector) => vector.map((x) => x)),
  )
  t.deepEqual((await all(path, { column: 'other', columns: ['other'] }))[1]?.values, { other: [1.5, -1, 0.25] })
  t.regex(
    (await refused(t, 'CUTOVER_SOURCE', all(path))).message,
    /options\.column must name it: it has \[ 'embedding', 'other' \]/,
  )
  t.regex((await refused(t, 'CUTOVER_SOURCE', all(path, { column: 'x' }))).message, /has no column 'x'/)
})

test('a row of a Parquet file without a vector is named', async (t) => {
  const error = await refused(t, 'CUTOVER_SOURCE', all(fixture('null.parquet')))
  t.regex(error.message, /must have numbers in column 'embedding' of row 3 \(from 0\), got null/)
})

test('what is no such file is refused by name', async (t) => {
  t.regex(
    (await refused(t, 'CUTOVER_SOURCE', all(file(t, 'a', raw.subarray(1)), { dimensions: 3 }))).message,
    /has 83 bytes/,
  )
  t.regex((await refused(t, 'CUTOVER_SOURCE', all(file(t, 'a.parquet', raw)))).message, /cannot be read as Parquet/)
  t.regex(
    (await refused(t, 'CUTOVER_SOURCE', all(file(t, 'empty.parquet', Buffer.alloc(0))))).message,
    /cannot be read as Parquet/,
  )
  await refused(t, 'CUTOVER_SOURCE', all(file(t, 'a.npy', raw)))
  await refused(t, 'CUTOVER_NOT_FOUND', all(join(directory(t), 'missing.npy')))
})

test('without hyparquet a Parquet file is refused, and the package is named', (t) => {
  const root = directory(t)
  cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(root, 'dist'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  const script = `import { readVectors } from './dist/import/vectors.js'
    await readVectors(${JSON.stringify(fixture('snappy.parquet'))}).next().catch((error) => console.log(error.code, error.message))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' })
  t.regex(said, /^CUTOVER_SOURCE .*snappy\.parquet is a Parquet file: install the package hyparquet to read it/)
})

test('wrong options are refused when it is called', (t) => {
  t.throws(() => readVectors('a'), { instanceOf: TypeError, message: /options\.dimensions is needed/ })
  t.throws(() => readVectors('a', { dimensions: 0 }), { instanceOf: RangeError })
  t.throws(() => readVectors('a.npy', { column: 'x' }), { instanceOf: TypeError, message: /are for Parquet/ })
  t.throws(() => readVectors('a.npy', { format: 'csv' as 'npy' }), { instanceOf: RangeError })
  t.throws(() => readVectors('', {}), { instanceOf: RangeError })
})

test('an abort ends the reading with its reason', async (t) => {
  const reason = new Error('enough')
  t.is(await t.throwsAsync(all(fixture('snappy.parquet'), { signal: AbortSignal.abort(reason) })), reason)
})

test('a file of vectors is a source of documents', async (t) => {
  const fields = { embedding: { type: 'vector', dimensions: 3, metric: 'l2' } } as const
  const index = await openIndex(join(directory(t), 'index'), { fields })
  t.teardown(() => index.close())
  await index.rebuild(async function* () {
    for await (const { vector, values } of readVectors(fixture('snappy.parquet'), { columns: ['id'] }))
      yield { id: values['id'] as string, embedding: vector }
  })
  t.is((await index.search({ vector: floats[5] as Float32Array, limit: 1 })).hits[0]?.id, 'd5')
})

// Of the first seed, one file has a negative count in its schema, which a reader once did not get past.
for (const from of [467_221, seed])
  test(`damaged files are read or refused (seed ${from})`, async (t) => {
    let state = from
    const pick = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    const path = join(directory(t), 'x.parquet')
    for (let round = 0; round < 400; round++) {
      const bytes = readFileSync(fixture(['snappy.parquet', 'zstd-two-columns.parquet'][round % 2] as string))
      for (let flips = 1 + pick(3); flips > 0; flips--) {
        const at = pick(bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
      }
      writeFileSync(path, bytes)
      try {
        await all(path, { column: 'embedding' })
      } catch (error) {
        if (!isCutoverError(error, 'CUTOVER_SOURCE')) throw error
      }
    }
    t.pass()
  })
