// Importing a directory of documents.json, embeddings.npy and manifest.json.
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { importDirectory, openIndex } from 'cutover'
import type { Fields, ImportOptions, SearchIndex } from 'cutover'
import { entries, npy, rows, rowsAs, write } from './support/import.js'
import { contents, deferred, directory, refused, rejection } from './support/index.js'

/** A directory to import and the place of an index. */
function places(t: ExecutionContext, files: Record<string, unknown> = {}): [string, string] {
  const root = directory(t)
  return [join(root, 'index'), write(join(root, 'from'), files)]
}

/** Imports, and opens what was made. */
async function imported(t: ExecutionContext, files: Record<string, unknown> = {}, options?: ImportOptions) {
  const [path, from] = places(t, files)
  const report = await importDirectory(path, from, options)
  const index: SearchIndex = await openIndex(path, { freshness: 'strict' })
  t.teardown(() => index.close())
  return { report, index, path, from }
}

/** Refused, and no version was published. */
async function refuses(t: ExecutionContext, files: Record<string, unknown>, options?: ImportOptions) {
  const [path, from] = places(t, files)
  const error = await refused(t, 'CUTOVER_SOURCE', importDirectory(path, from, options))
  if (existsSync(path)) {
    const index = await openIndex(path)
    t.deepEqual(await index.versions(), [])
    await index.close()
  }
  return error
}

test('a directory becomes a version that is searched by words and by distance', async (t) => {
  const { report, index } = await imported(t)
  t.like(report, { documents: 3, vectors: 3, dimensions: 3, notes: [], graph: undefined })
  t.deepEqual(report.idsFrom, { id: 1, chunkId: 1, position: 1 })
  t.like(report.version, { state: 'published', documents: 3 })
  t.deepEqual(report.version.attributes, { model: 'small', config: { chunk: 200 } })
  t.is(index.current?.id, report.version.id)

  t.deepEqual(await index.get('a'), {
    id: 'a',
    content: 'Atomic renames',
    path: 'a.md',
    embedding: new Float32Array([1, 0, 0]),
    rest: { title: 'A', lines: [1, 20] },
  })
  t.deepEqual(await index.get('b-1'), {
    id: 'b-1',
    content: 'Locks and leases',
    path: 'b.md',
    embedding: new Float32Array([0.5, 0.5, 0]),
  })
  t.deepEqual(
    (await index.search({ text: 'graphs' })).hits.map(({ id }) => id),
    ['c.md#2'],
  )
  t.is((await index.search({ vector: [1, 0.1, 0] })).hits[0]?.id, 'a')
  t.deepEqual(
    (await index.search({ where: { path: 'b.md' } })).hits.map(({ id }) => id),
    ['b-1'],
  )
})

for (const descr of ['<f2', '<f8'] as const)
  test(`vectors of ${descr} are the floats that they were`, async (t) => {
    const { index } = await imported(t, { 'embeddings.npy': rowsAs(descr, rows) })
    t.deepEqual((await index.get('c.md#2'))?.['embedding'], new Float32Array([0, 0.25, 1]))
  })

test('a key that is declared becomes a field of its own, the others stay together', async (t) => {
  const { index } = await imported(
    t,
    { 'documents.json': entries.map((entry) => ({ lang: 'de', __proto__x: 1, embedding: 'mine', rest: 2, ...entry })) },
    { metric: 'l2', fields: { lang: { type: 'keyword', facet: true }, content: { type: 'text', analyzer: 'simple' } } },
  )
  const { total, facets } = await index.search({ where: { lang: 'de' }, facets: { lang: {} } })
  t.is(total, 3)
  t.deepEqual(facets.lang, [{ value: 'de', count: 3 }])
  t.deepEqual((await index.get('b-1'))?.['rest'], { __proto__x: 1, embedding: 'mine', rest: 2 })
  t.is((await index.search({ vector: [1, 0, 0] })).hits[1]?.vector?.distance, 0.5)
})

test('a key named __proto__ is kept, and is nobody’s prototype', async (t) => {
  const { index } = await imported(t, {
    'documents.json': '[{"id":"a","__proto__":{"x":1}},{"id":"b"},{"id":"c"}]',
  })
  const rest = (await index.get('a'))?.['rest'] as object
  t.deepEqual(Object.keys(rest), ['__proto__'])
  t.is(Object.getPrototypeOf(rest), Object.prototype)
})

test('the text is the content, or the text where there is no content; what is not used is kept', async (t) => {
  const documents = [
    { id: 'both', content: 'one', text: 'two', chunk_id: 'x' },
    { id: 7, content: null, text: 'three' },
    { id: 'neither' },
  ]
  const { index } = await imported(t, { 'documents.json': documents })
  const [both, numbered, neither] = await index.getMany(['both', '7', 'neither'])
  t.like(both, { content: 'one', rest: { text: 'two', chunk_id: 'x' } })
  t.is(numbered?.['content'], 'three')
  t.is(neither?.['content'], undefined)
})

test('fts.sqlite3 is not read, and the report says so', async (t) => {
  const { report } = await imported(t, { 'fts.sqlite3': 'not even SQLite' })
  t.is(report.notes.length, 1)
  t.regex(report.notes[0] ?? '', /fts\.sqlite3 was not read: the text was indexed anew/)
})

test('a graph is kept with the version; one that does not hold together ends the import', async (t) => {
  const nodes = [{ id: 'a' }, { id: 'b' }]
  const edges = [{ source: 'a', target: 'b' }]
  const { report, index } = await imported(t, { 'nodes.json': nodes, 'edges.json': edges })
  t.deepEqual(report.graph, { nodes: 2, edges: 1 })
  const snapshot = await index.snapshot()
  t.deepEqual(JSON.parse(readFileSync(snapshot.artifact('nodes.json'), 'utf8')), nodes)
  t.deepEqual(JSON.parse(readFileSync(snapshot.artifact('edges.json'), 'utf8')), edges)
  await snapshot.close()
  const alone = await imported(t, { 'nodes.json': nodes })
  t.deepEqual(alone.report.graph, { nodes: 2, edges: 0 })

  const [path, from] = places(t, { 'nodes.json': nodes, 'edges.json': [{ source: 'a', target: 'c' }] })
  const error = await refused(t, 'CUTOVER_GATE', importDirectory(path, from))
  t.deepEqual(error.detail['dangling'], [{ edge: 0, target: 'c' }])
  t.is(
    (await refuses(t, { 'edges.json': [] })).message.replace(/.*from./, ''),
    'edges.json has no nodes.json beside it',
  )
})

test('counts that disagree are all named in one error, and nothing is published', async (t) => {
  const cases: [Record<string, unknown>, object][] = [
    [{ 'manifest.json': { count: 4 } }, { documents: 3, vectors: 3, manifest: 4 }],
    [{ 'documents.json': entries.slice(1) }, { documents: 2, vectors: 3, manifest: 3 }],
    [{ 'documents.json': [...entries, ...entries] }, { documents: 6, vectors: 3, manifest: 3 }],
    [{ 'embeddings.npy': rowsAs('<f4', rows.slice(1)) }, { documents: 3, vectors: 2, manifest: 3 }],
    [
      { 'documents.json': [], 'manifest.json': { count: 2 } },
      { documents: 0, vectors: 3, manifest: 2 },
    ],
  ]
  for (const [files, counts] of cases) {
    const error = await refuses(t, files)
    t.like(error.detail, counts)
    for (const count of Object.values(counts)) t.true(error.message.includes(String(count)), error.message)
  }
})

test('ids that come twice are named with their positions, unless the last one is to count', async (t) => {
  const documents = ['x', 'y', 'x'].map((id, n) => ({ id, content: `text ${n}` }))
  const error = await refuses(t, { 'documents.json': documents })
  t.deepEqual(error.detail['duplicates'], [{ id: 'x', positions: [0, 2] }])
  t.regex(error.message, /documents\.json has 1 .*'x' \(0 and 2\)/)

  const { index, report } = await imported(t, { 'documents.json': documents }, { duplicates: 'last' })
  t.is((await index.get('x'))?.['content'], 'text 2')
  t.is(report.version.documents, 2)
  t.is(report.version.counts.duplicates, 1)
})

test('a vector that cosine cannot take is refused by its document, or skipped on request', async (t) => {
  const files = {
    'embeddings.npy': rowsAs('<f4', [
      [1, 0, 0],
      [0, 0, 0],
      [0, Number.NaN, 0],
    ]),
  }
  const [path, from] = places(t, files)
  const error = await refused(t, 'CUTOVER_DOCUMENT', importDirectory(path, from))
  t.is(error.detail['id'], 'b-1')

  const told: unknown[] = []
  const report = await importDirectory(path, from, { onInvalid: ({ detail }) => void told.push(detail['id']) })
  t.deepEqual(told, ['b-1', 'c.md#2'])
  t.like(report.version, { documents: 1, counts: { skipped: 2 } })
})

test('a float64 that no float32 holds is refused by its document', async (t) => {
  const [path, from] = places(t, {
    'embeddings.npy': rowsAs('<f8', [
      [1, 0, 0],
      [1e300, 0, 0],
      [0, 1, 0],
    ]),
  })
  const error = await refused(t, 'CUTOVER_DOCUMENT', importDirectory(path, from))
  t.like(error.detail, { id: 'b-1', field: 'embedding', value: '1e+300' })
})

test('documents that are none are refused as those of any source are', async (t) => {
  for (const [document, reason] of [
    ['text', /must be an object/],
    [{ id: {}, content: 'x' }, /must be a string/],
    [{ id: 1.5 }, /must be a string/],
    [{ id: 'a', content: ['x'] }, /content/],
    [{ id: 'a', path: 7 }, /path/],
    [{ id: '' }, /1 to 512 bytes/],
  ] as const) {
    const [path, from] = places(t, { 'documents.json': [document, { id: 'y' }, { id: 'z' }] })
    t.regex((await refused(t, 'CUTOVER_DOCUMENT', importDirectory(path, from))).message, reason)
    t.is((await importDirectory(path, from, { onInvalid: 'skip' })).version.counts.skipped, 1)
  }
})

test('a file that is missing or no file is named', async (t) => {
  for (const name of ['documents.json', 'embeddings.npy', 'manifest.json']) {
    const [path, from] = places(t, { [name]: null })
    const missing = await refused(t, 'CUTOVER_NOT_FOUND', importDirectory(path, from))
    t.is(missing.detail['path'], join(from, name))
    mkdirSync(join(from, name))
    const other = await refused(t, 'CUTOVER_SOURCE', importDirectory(path, from))
    t.regex(other.message, new RegExp(`${name} is not a regular file`))
    t.false(existsSync(path))
  }
  const [path, from] = places(t)
  await refused(t, 'CUTOVER_NOT_FOUND', importDirectory(path, join(from, 'nowhere')))
  await refused(t, 'CUTOVER_NOT_FOUND', importDirectory(path, join(from, 'manifest.json')))
})

test('a pipe is refused at once, a link to a file is read', async (t) => {
  if (process.platform === 'win32') {
    t.pass('no pipes among files here')
    return
  }
  const [path, from] = places(t, { 'documents.json': null })
  execFileSync('mkfifo', [join(from, 'documents.json')])
  const error = await refused(t, 'CUTOVER_SOURCE', importDirectory(path, from))
  t.regex(error.message, /documents\.json is not a regular file/)

  const [linked, links] = places(t, { 'embeddings.npy': null })
  symlinkSync(join(places(t)[1], 'embeddings.npy'), join(links, 'embeddings.npy'))
  t.is((await importDirectory(linked, links)).documents, 3)
})

test('a manifest without a count is refused, and what it says beside is not needed', async (t) => {
  for (const manifest of ['[]', 'null', '{', '{}', '{"count":"3"}', '{"count":-1}', '{"count":1.5}', '\xff'])
    t.regex((await refuses(t, { 'manifest.json': manifest })).message, /manifest\.json/)
  const { report } = await imported(t, { 'manifest.json': { count: 3 } })
  t.deepEqual(report.version.attributes, {})
})

test('the options reach the write: version, attributes, state, progress and gate', async (t) => {
  const phases = new Set<string>()
  const { report, path } = await imported(
    t,
    {},
    {
      version: 'imported-1',
      attributes: { model: 'mine', by: 'me' },
      onProgress: ({ phase }) => void phases.add(phase),
      gate: async (draft) => void t.is((await draft.search({ text: 'graphs' })).total, 1),
    },
  )
  t.like(report.version, { id: 'imported-1', state: 'published' })
  t.deepEqual(report.version.attributes, { model: 'mine', config: { chunk: 200 }, by: 'me' })
  t.true(phases.has('reading') && phases.has('publishing'))

  const from = write(join(directory(t), 'from'))
  const prepared = await importDirectory(path, from, { activate: false })
  t.is(prepared.version.state, 'prepared')
  const gated = await refused(
    t,
    'CUTOVER_GATE',
    importDirectory(path, from, { gate: () => Promise.reject(new Error('no')) }),
  )
  t.regex(gated.message, /no$/)
})

/** Options with fields that no type allows. */
const fields = (more: object): ImportOptions => ({ fields: more as Fields })

test('options that are none are refused by name, and nothing is made', async (t) => {
  const [path, from] = places(t)
  for (const [options, message] of [
    [{ metrics: 'l2' }, /no option 'metrics'/],
    [{ metric: 'euclid' }, /options\.metric must be one of/],
    [{ duplicates: 'first' }, /options\.duplicates must be one of/],
    [fields({ rest: { type: 'stored' } }), /options\.fields\.rest cannot be declared/],
    [fields({ text: { type: 'text' } }), /options\.fields\.text cannot be declared/],
    [fields({ content: { type: 'keyword' } }), /options\.fields\.content\.type must be 'text'/],
    [fields({ embedding: { type: 'stored' } }), /options\.fields\.embedding\.type must be 'vector'/],
    [{ metric: 'l2', ...fields({ embedding: { type: 'vector', dimensions: 3 } }) }, /options\.metric is given in/],
    [{ version: 7 }, /options\.version must be a string/],
    [{ onInvalid: 'never' }, /options\.onInvalid must be one of/],
    [{ integrity: 'none' }, /options\.integrity must be one of/],
    [{ onCorrupt: 'ignore' }, /options\.onCorrupt must be one of/],
  ] as [never, RegExp][]) {
    const error = await rejection(importDirectory(path, from, options))
    t.true(error instanceof TypeError || error instanceof RangeError, String(error))
    t.regex((error as Error).message, message)
  }
  await t.throwsAsync(importDirectory(path, ''), { instanceOf: RangeError })
  await t.throwsAsync(importDirectory('', from), { instanceOf: RangeError })
  t.false(existsSync(path))

  const other = await refused(
    t,
    'CUTOVER_SOURCE',
    importDirectory(path, from, fields({ embedding: { type: 'vector', dimensions: 4 } })),
  )
  t.like(other.detail, { dimensions: 3, declared: 4 })
})

test('an abort rejects with its reason, and leaves what there was', async (t) => {
  const { path, from } = await imported(t)
  const before = contents(path)
  const reason = { my: 'reason' }
  t.is(await rejection(importDirectory(path, from, { signal: AbortSignal.abort(reason) })), reason)
  const controller = new AbortController()
  const error = await rejection(
    importDirectory(path, from, {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'reading' && controller.abort(reason),
    }),
  )
  t.is(error, reason)
  t.deepEqual(contents(path), before)
})

test('the directory is read once the writer lock is held: what changed meanwhile is noticed', async (t) => {
  const { path, from, index } = await imported(t)
  const writer: SearchIndex = index
  const during = async (change: () => void): Promise<unknown> => {
    const [held, release, waiting] = [deferred(), deferred(), deferred()]
    const first = writer.rebuild(async function* () {
      held.resolve()
      await release.promise
      yield* []
    })
    await held.promise
    const second = rejection(
      importDirectory(path, from, { onProgress: ({ phase }) => phase === 'waiting' && waiting.resolve() }),
    )
    await waiting.promise
    change()
    release.resolve()
    await first
    return second
  }
  t.is(await during(() => write(from, { 'documents.json': entries.toReversed() })), undefined)
  t.is((await index.get('c.md#0'))?.['content'], 'Walks on graphs')
  for (const files of [
    { 'manifest.json': { count: 3, model: 'large' } },
    { 'embeddings.npy': npy(Buffer.alloc(24), { shape: '(3, 2)' }) },
  ]) {
    const error = await during(() => write(from, files))
    t.regex(String(error), /was changed while the writer lock was waited for/)
    write(from)
  }
})

for (const name of ['documents.json', 'embeddings.npy'])
  test(`${name} is refused when it grows or is written again while it is read`, async (t) => {
    for (const change of [
      (file: string) => appendFileSync(file, ' '),
      // Of the same size as before.
      (file: string) => utimesSync(file, new Date(0), new Date(0)),
    ]) {
      const [path, from] = places(t, { 'documents.json': ['none', ...entries.slice(1)] })
      // What is no document is told of while the files are open.
      const onInvalid = () => change(join(from, name))
      const error = await refused(t, 'CUTOVER_SOURCE', importDirectory(path, from, { onInvalid }))
      t.is(error.message, `${join(from, name)} was changed while it was read`)
    }
  })

test('an index of another schema gets the imported one', async (t) => {
  const [path, from] = places(t)
  const old = await openIndex(path, { fields: { title: { type: 'text' } } })
  await old.rebuild([{ id: 'x', title: 'y' }])
  await old.close()
  await importDirectory(path, from)
  const index: SearchIndex = await openIndex(path)
  t.is((await index.search({ text: 'graphs' })).total, 1)
  await index.close()
})
