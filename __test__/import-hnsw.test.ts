// Importing a directory of hnsw_index.bin, collection_meta.json and an id map.
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { importDirectory, isCutoverError, openIndex } from 'cutover'
import type { ImportOptions, SearchIndex } from 'cutover'
import { binaryIndex } from './support/import.js'
import { directory, refused } from './support/index.js'

/** 60 vectors of 3 dimensions, M 4, l2; labels 5, 8, …, 182, of which 5, 8, 29 and 122 are deleted. By Python's hnswlib 0.8. */
const L2 = fixture('python-0.8.0-l2.bin')
/** 50 vectors of 5 dimensions, M 2, cosine; labels 0–49. By Python's hnswlib 0.8. */
const COSINE = fixture('python-0.8.0-cosine.bin')
/** 40 vectors of 4 dimensions, M 6, cosine; labels 0–39, of which 7 and 30 are deleted. By hnswlib-node 3. */
const NODE = fixture('node-3.0.0-cosine.bin')

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../crates/vectors/tests/data/hnswlib/${name}`, import.meta.url))
}

const deleted = new Set([5, 8, 29, 122])
const labels = Array.from({ length: 60 }, (_, row) => 3 * row + 5)
const live = labels.filter((label) => !deleted.has(label))
const ids = (of: readonly number[]): Record<string, number> =>
  Object.fromEntries(of.map((label) => [`id-${label}`, label]))
const collection = (index: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  vector_size: 3,
  hnsw_index: { vector_count: 60, space: 'l2', M: 4, ...index },
  ...more,
})

/** Writes a directory; a file that is null is left out. */
function write(t: ExecutionContext, graph: string | Uint8Array, files: Record<string, unknown> = {}): [string, string] {
  const root = directory(t)
  const from = join(root, 'from')
  mkdirSync(from)
  if (typeof graph === 'string') copyFileSync(graph, join(from, 'hnsw_index.bin'))
  else writeFileSync(join(from, 'hnsw_index.bin'), graph)
  const all: Record<string, unknown> = { 'collection_meta.json': collection(), 'id_index.json': ids(live), ...files }
  for (const [name, content] of Object.entries(all)) {
    if (content === null) continue
    writeFileSync(join(from, name), content instanceof Uint8Array ? content : JSON.stringify(content))
  }
  return [join(root, 'index'), from]
}

async function imported(
  t: ExecutionContext,
  graph: string | Uint8Array,
  files: Record<string, unknown> = {},
  options?: ImportOptions,
) {
  const [path, from] = write(t, graph, files)
  const report = await importDirectory(path, from, options)
  const index: SearchIndex = await openIndex(path, { freshness: 'strict' })
  t.teardown(() => index.close())
  return { report, index, path, from }
}

/** Refused, and no version was published. */
async function refuses(
  t: ExecutionContext,
  files: Record<string, unknown>,
  options?: ImportOptions,
  graph: string | Uint8Array = L2,
) {
  const [path, from] = write(t, graph, files)
  const error = await refused(t, 'CUTOVER_SOURCE', importDirectory(path, from, options))
  if (existsSync(path)) {
    const index = await openIndex(path)
    t.deepEqual(await index.versions(), [])
    await index.close()
  }
  return error
}

/** The vector of a row of L2. */
function vectorOf(row: number): Float32Array {
  const bytes = readFileSync(L2)
  return Float32Array.from([0, 4, 8], (at) => bytes.readFloatLE(96 + 56 * row + 36 + at))
}

test('an index of hnswlib’s becomes a version: its vectors under their ids, without those that it had deleted', async (t) => {
  const { report, index, path } = await imported(t, L2)
  t.like(report, { documents: 56, vectors: 60, dimensions: 3, graph: undefined, notes: [] })
  t.deepEqual(report.labels, { rows: 60, deleted: 4, withoutId: 0, withoutVector: 0 })
  t.like(report.version, { state: 'published', documents: 56 })
  const manifest = readFileSync(join(path, 'versions', report.version.id, 'manifest.json'), 'utf8')
  const { schema } = (JSON.parse(manifest) as { content: { schema: Record<string, object> } }).content
  t.like(schema['embedding'], { type: 'vector', dimensions: 3, metric: 'l2', m: 4, efConstruction: 40 })
  for (const [row, label] of labels.entries()) {
    const document = await index.get(`id-${label}`)
    if (deleted.has(label)) t.is(document, undefined)
    else t.deepEqual(document, { id: `id-${label}`, embedding: vectorOf(row) })
  }
  for (const row of [2, 17, 59]) {
    const { hits } = await index.search({ vector: vectorOf(row), limit: 3 })
    t.is(hits[0]?.id, `id-${labels[row]}`)
    t.is(hits[0]?.vector?.distance, 0)
  }
  t.true((await index.verify({ depth: 'contents' })).ok)
})

test('ids and paths come from an id_index.bin, in label order', async (t) => {
  const entries = Array.from({ length: 50 }, (_, n) => [`ü${n}`, n % 2 === 0 ? `src/${n}.ts` : ''] as const)
  const files = {
    'collection_meta.json': { vector_dim: 5, model: 'm', hnsw_index: {} },
    'id_index.json': null,
    'id_index.bin': binaryIndex(entries),
  }
  const { report, index } = await imported(t, COSINE, files)
  t.is(report.documents, 50)
  t.deepEqual(report.version.attributes, { model: 'm' })
  t.is((await index.get('ü4'))?.['path'], 'src/4.ts')
  t.is((await index.get('ü5'))?.['path'], undefined)
  t.deepEqual(
    (await index.search({ where: { path: 'src/10.ts' } })).hits.map(({ id }) => id),
    ['ü10'],
  )
  const vector = (await index.get('ü7'))?.['embedding'] as Float32Array
  t.true(Math.abs(Math.hypot(...vector) - 1) < 1e-5)
  t.is((await index.search({ vector, limit: 1 })).hits[0]?.id, 'ü7')
})

test('ids come from the mapping in the metadata; a file of hnswlib-node is read through a link', async (t) => {
  const mapping = Object.fromEntries(Array.from({ length: 40 }, (_, label) => [label, `n${label}`]))
  const files = {
    'collection_meta.json': { vector_size: 4, hnsw_index: { vector_count: 38, id_mapping: mapping } },
    'id_index.json': null,
  }
  const [path, from] = write(t, NODE, files)
  const linked = join(directory(t), 'linked')
  mkdirSync(linked)
  symlinkSync(NODE, join(linked, 'hnsw_index.bin'))
  copyFileSync(join(from, 'collection_meta.json'), join(linked, 'collection_meta.json'))
  const report = await importDirectory(path, linked)
  t.deepEqual(report.labels, { rows: 40, deleted: 2, withoutId: 0, withoutVector: 0 })
  const index = await openIndex(path)
  t.teardown(() => index.close())
  t.deepEqual(await index.getMany(['n7', 'n30']), [undefined, undefined] as never)
  t.is(await index.count(), 38)
})

test('what has no partner is named and counted', async (t) => {
  const rest = ids(live.filter((label) => label !== 11 && label !== 14))
  const error = await refuses(t, { 'id_index.json': { ...rest, ghost: 6, deleted: 29 } })
  t.regex(
    error.message,
    /2 vectors whose labels have no id \(11n, 14n\); 1 ids whose labels have no vector \('ghost'\)/,
  )
  t.like(error.detail, {
    problems: [
      { count: 2, first: [11n, 14n] },
      { count: 1, first: ['ghost'] },
    ],
  })
})

test('what has no partner is left out with onInvalid, and counted', async (t) => {
  const files = { 'id_index.json': { 'id-11': 11, 'id-14': 14, ghost: 6 } }
  const { report, index } = await imported(t, L2, files, { onInvalid: 'skip' })
  t.deepEqual(report.labels, { rows: 60, deleted: 4, withoutId: 54, withoutVector: 1 })
  t.is(report.documents, 2)
  t.deepEqual((await index.get('id-14'))?.['embedding'], vectorOf(3))
  t.is((await index.search({ vector: vectorOf(2) })).total, 2)
  t.true((await index.verify({ depth: 'contents' })).ok)
})

test('two maps that disagree are refused, with onInvalid too', async (t) => {
  const mapping = Object.fromEntries(live.map((label) => [label, `id-${label}`]))
  const files = { 'collection_meta.json': collection({ id_mapping: { ...mapping, 11: 'id-14', 14: 'id-11' } }) }
  for (const onInvalid of ['throw', 'skip'] as const) {
    const error = await refuses(t, files, { onInvalid })
    t.regex(error.message, /2 ids that id_index\.json and hnsw_index\.id_mapping do not agree on \('id-11', 'id-14'\)/)
  }
})

for (const [what, files, said] of [
  [
    'vector_size',
    { 'collection_meta.json': collection({}, { vector_size: 4 }) },
    /says dimensions 4, and .*hnsw_index\.bin has 3/,
  ],
  ['M', { 'collection_meta.json': collection({ M: 16 }) }, /says hnsw_index\.M 16, and .* has 4/],
  [
    'vector_count',
    { 'collection_meta.json': collection({ vector_count: 59 }) },
    /vector_count 59, and .* has 60 vectors, 4 of them deleted/,
  ],
  ['no ids', { 'id_index.json': null }, /has no ids: neither id_index\.json nor id_index\.bin/],
  ['documents.json too', { 'documents.json': [] }, /has both .*hnsw_index\.bin and .*documents\.json/],
] as const)
  test(`a directory that disagrees with itself is refused: ${what}`, async (t) => {
    t.regex((await refuses(t, files)).message, said)
  })

test('a stale index is refused unless it is forced', async (t) => {
  const files = { 'collection_meta.json': collection({ is_stale: true }) }
  t.regex((await refuses(t, files)).message, /is stale: options\.force imports it all the same/)
  t.is((await imported(t, L2, files, { force: true })).report.documents, 56)
})

test('the metric is the metadata’s; another is refused', async (t) => {
  const error = await refuses(t, {}, { metric: 'cosine' })
  t.regex(error.message, /says hnsw_index\.space 'l2', but the metric asked for is 'cosine'/)
  const files = { 'collection_meta.json': collection({ space: undefined }) }
  const { index } = await imported(t, L2, files, { metric: 'l2' })
  const { hits } = await index.search({ vector: [9, 0, 0], limit: 1 })
  t.true((hits[0]?.vector?.distance ?? 0) > 2, 'no cosine distance is above 2')
})

test('a missing file is named', async (t) => {
  const [path, from] = write(t, L2, { 'collection_meta.json': null })
  t.regex((await refused(t, 'CUTOVER_NOT_FOUND', importDirectory(path, from))).message, /no .*collection_meta\.json/)
})

test('a vector that is none is refused by id, or skipped and counted', async (t) => {
  const bytes = readFileSync(L2)
  bytes.writeFloatLE(Number.NaN, 96 + 56 * 4 + 36)
  const [path, from] = write(t, bytes)
  const error = await refused(t, 'CUTOVER_DOCUMENT', importDirectory(path, from))
  t.like(error.detail, { id: 'id-17', field: 'embedding' })
  const told: string[] = []
  const { version } = await importDirectory(path, from, { onInvalid: (e) => told.push(String(e.detail['id'])) })
  t.is(version.documents, 55)
  t.is(version.counts.skipped, 1)
  t.deepEqual(told, ['id-17'])
})

test('an id that is none is skipped with its row, and no other row takes its place', async (t) => {
  const map = ids(live)
  delete map['id-17']
  const files = { 'id_index.json': { ...map, ['x'.repeat(600)]: 17 } }
  const { report, index } = await imported(t, L2, files, { onInvalid: 'skip' })
  t.is(report.version.documents, 55)
  t.is(report.version.counts.skipped, 1)
  t.deepEqual((await index.get('id-20'))?.['embedding'], vectorOf(5))
  t.true((await index.verify({ depth: 'contents' })).ok)
})

test('an index without elements is a version without documents', async (t) => {
  const empty = readFileSync(L2).subarray(0, 96)
  empty.writeBigUInt64LE(0n, 16)
  empty.fill(0xff, 48, 56)
  const files = { 'collection_meta.json': collection({ vector_count: 0 }), 'id_index.json': {} }
  const { report, index } = await imported(t, empty, files)
  t.is(report.documents, 0)
  t.deepEqual((await index.search({ vector: [1, 0, 0] })).hits, [])
})

test('each lie in the file is refused before anything is built', async (t) => {
  const good = readFileSync(L2)
  for (const [at, value, said] of [
    [16, 61, /hnsw_index\.bin: it ends before/],
    [72, 5, /has 5/],
    [100, 60, /element 0 links to 60/],
    [144, 8, /two elements have the label 8/],
  ] as const) {
    const bad = Buffer.from(good)
    bad[at] = value
    t.regex((await refuses(t, {}, {}, bad)).message, said)
  }
  t.regex((await refuses(t, {}, {}, good.subarray(0, 50))).message, /has 50 bytes/)
})

test('an import can be given up', async (t) => {
  const [path, from] = write(t, L2)
  const reason = new Error('enough')
  t.is(await t.throwsAsync(importDirectory(path, from, { signal: AbortSignal.abort(reason) })), reason)
  const controller = new AbortController()
  const going = importDirectory(path, from, { signal: controller.signal, onProgress: () => controller.abort(reason) })
  t.is(await t.throwsAsync(going), reason)
})

test('damaged directories are imported whole, or refused', async (t) => {
  const good = readFileSync(L2)
  for (let round = 0; round < 30; round++) {
    const bad = Buffer.from(good)
    const at = (round * 7919) % bad.length
    bad[at] = (bad[at] ?? 0) ^ (1 << (round % 8))
    const [path, from] = write(t, bad)
    try {
      t.true((await importDirectory(path, from)).documents > 0)
    } catch (error) {
      t.true(isCutoverError(error, 'CUTOVER_SOURCE') || isCutoverError(error, 'CUTOVER_DOCUMENT'), String(error))
    }
  }
})
