// The id maps and the metadata beside an index of hnswlib's.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { isCutoverError } from 'cutover'
import { readCollection } from '#dist/import/collection.js'
import { IdMap, readBinaryIndex, readJsonIndex, readMapping } from '#dist/import/id-map.js'
import { binaryIndex } from './support/import.js'
import { directory, refused } from './support/index.js'

function file(t: ExecutionContext, content: string | Uint8Array): string {
  const path = join(directory(t), 'file')
  writeFileSync(path, content)
  return path
}

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

test('an id_index.json is read one member at a time, whatever its ids are', async (t) => {
  const ids = ['a', '__proto__', 'constructor', '{"b": [', 'ü😀', '', '}', ',', '\\"']
  const path = file(t, ` {${ids.map((id, label) => `${JSON.stringify(id)} : ${label}`).join(',\n')}}\n`)
  t.deepEqual(
    await all(readJsonIndex(path)),
    ids.map((id, label) => ({ id, label })),
  )
  t.deepEqual(await all(readJsonIndex(file(t, '{}'))), [])
})

for (const [text, said] of [
  ['{"a": -1}', /whole number from 0 as the label of 'a', got -1/],
  ['{"a": 1.5}', /got 1.5/],
  ['{"a": 9007199254740993}', /whole number/],
  ['{"a": "1"}', /got '1'/],
  ['{"a": {"b": 1}}', /got \{ b: 1 \}/],
  ['{"a": 1,}', /it is empty/],
  ['{"a": 1', /ends before its JSON object does/],
  ['{"a": 1]', /has a \] that nothing opened/],
  ['{"a": 1} x', /goes on after/],
  ['[1]', /does not begin with a JSON object/],
  ['', /is empty where a JSON object should begin/],
  ['{"a" 1}', /has no JSON in element 0/],
  ['{a: 1}', /has no JSON in element 0/],
] as const)
  test(`an id_index.json ${text} is refused`, async (t) => {
    const path = file(t, text)
    const error = await refused(t, 'CUTOVER_SOURCE', all(readJsonIndex(path)))
    t.regex(error.message, said)
    t.true(error.message.startsWith(path))
  })

test('an id_index.bin is read in label order; an empty path is none', async (t) => {
  const long = 'x'.repeat(65_535)
  const entries = [
    ['a', 'a.md'],
    ['ü😀', ''],
    [long, long],
    ['\ufeffb', 'b'],
  ] as const
  t.deepEqual(await all(readBinaryIndex(file(t, binaryIndex(entries)))), [
    { id: 'a', label: 0, path: 'a.md' },
    { id: 'ü😀', label: 1 },
    { id: long, label: 2, path: long },
    { id: '\ufeffb', label: 3, path: 'b' },
  ])
  t.deepEqual(await all(readBinaryIndex(file(t, binaryIndex([])))), [])
})

test('an id_index.bin of any other length, count or encoding is refused', async (t) => {
  const good = binaryIndex([
    ['a', 'a.md'],
    ['b', ''],
  ])
  for (let length = 0; length < good.length; length++)
    await refused(t, 'CUTOVER_SOURCE', all(readBinaryIndex(file(t, good.subarray(0, length)))))
  const more = await refused(t, 'CUTOVER_SOURCE', all(readBinaryIndex(file(t, Buffer.concat([good, good])))))
  t.regex(more.message, /has 36 bytes, and its 2 entries end at 18/)
  const many = Buffer.from(good)
  many.writeUInt32LE(2 ** 32 - 1)
  t.regex(
    (await refused(t, 'CUTOVER_SOURCE', all(readBinaryIndex(file(t, many))))).message,
    /cannot hold the 4294967295/,
  )
  const raw = Buffer.from(good)
  raw[6] = 0xff
  t.regex(
    (await refused(t, 'CUTOVER_SOURCE', all(readBinaryIndex(file(t, raw))))).message,
    /no UTF-8 in the id of entry 0/,
  )
})

test('a damaged id_index.bin is read or refused, never anything else', async (t) => {
  const good = binaryIndex(Array.from({ length: 20 }, (_, n) => [`id-${n}`, `p/${n}`] as const))
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
    try {
      t.is((await all(readBinaryIndex(file(t, bad)))).length, 20)
    } catch (error) {
      t.true(isCutoverError(error, 'CUTOVER_SOURCE'), String(error))
    }
  }
})

test('two maps must say the same; what they do not agree on is named and counted', async (t) => {
  const map = new IdMap()
  await map.add('id_index.json', [
    { id: 'a', label: 0 },
    { id: 'b', label: 1 },
    { id: 'c', label: 2 },
  ])
  await map.add('id_mapping', readMapping({ 0: 'a', 1: 'c', 3: 'd' }, 'meta'))
  const error = await refused(t, 'CUTOVER_SOURCE', (async () => map.check('/dir'))())
  t.regex(error.message, /\/dir has 3 ids that id_mapping and id_index\.json do not agree on \('c', 'd', 'b'\)/)
  t.like(error.detail, { problems: [{ count: 3, first: ['c', 'd', 'b'] }] })
})

test('an id or a label that comes twice is named and counted', async (t) => {
  const map = new IdMap()
  await map.add('id_index.json', [
    { id: 'a', label: 0 },
    { id: 'a', label: 1 },
    { id: 'b', label: 0 },
  ])
  const error = await refused(t, 'CUTOVER_SOURCE', (async () => map.check('/dir'))())
  t.regex(error.message, /2 ids or labels that id_index\.json has twice \('a', 0\)/)
})

test('maps that agree are one map, with the paths that any of them knows', async (t) => {
  const map = new IdMap()
  await map.add('id_mapping', readMapping({ 0: 'a', 1: 'b' }, 'meta'))
  await map.add('id_index.bin', [
    { id: 'a', label: 0, path: 'a.md' },
    { id: 'b', label: 1 },
  ])
  map.check('/dir')
  t.deepEqual(
    [map.id(0), map.id(1), map.id(2), map.path('a'), map.path('b'), map.size],
    ['a', 'b', undefined, 'a.md', undefined, 2],
  )
})

test('a mapping of anything but labels to ids is refused', (t) => {
  for (const mapping of [{ x: 'a' }, { '01': 'a' }, { '-1': 'a' }, { 0: 1 }, { 0: null }, { 0: '\ud800' }])
    t.throws(() => [...readMapping(mapping, 'meta')], { message: /must map whole numbers from 0 to ids/ })
})

test('a collection_meta.json is read member by member', async (t) => {
  const meta = {
    vector_size: 384,
    vector_dim: 384,
    model: 'small',
    hnsw_index: { vector_count: 7, space: 'ip', M: 16, id_mapping: { 0: 'a' }, is_stale: true, other: 1 },
  }
  t.like(await readCollection(file(t, JSON.stringify(meta))), {
    dimensions: 384,
    vectors: 7,
    metric: 'inner-product',
    m: 16,
    mapping: { 0: 'a' },
    stale: true,
    attributes: { model: 'small' },
  })
  t.like(await readCollection(file(t, '{"hnsw_index": null}')), {
    dimensions: undefined,
    metric: undefined,
    stale: false,
  })
})

for (const [meta, said] of [
  ['[]', /has no JSON object$/],
  ['{"hnsw_index": 1}', /has no JSON object as hnsw_index$/],
  ['{"vector_size": 3, "vector_dim": 4}', /says vector_size 3 and vector_dim 4/],
  ['{"vector_size": "3"}', /a whole number from 0 as vector_size, got '3'/],
  ['{"hnsw_index": {"space": "hamming"}}', /as hnsw_index.space, got 'hamming'/],
  ['{"hnsw_index": {"space": "__proto__"}}', /as hnsw_index.space/],
  ['{"hnsw_index": {"is_stale": "no"}}', /true or false as hnsw_index.is_stale, got 'no'/],
  ['{"hnsw_index": {"id_mapping": []}}', /an object as hnsw_index.id_mapping/],
  ['{"hnsw_index": {"vector_count": -1}}', /as hnsw_index.vector_count, got -1/],
] as const)
  test(`a collection_meta.json ${meta} is refused`, async (t) => {
    t.regex((await refused(t, 'CUTOVER_SOURCE', readCollection(file(t, meta)))).message, said)
  })
