// Whatever is refused is named — field, document, value, path — and nothing has changed.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'ava'
import { isCutoverError, openIndex, openTemporary } from 'cutover'
import type { ErrorCode } from 'cutover'
import { books, contents, directory, fields, filled, library, refused } from './support/index.js'
import type { Book } from './support/index.js'

const documents: [string, unknown, string, string, RegExp][] = [
  ['wrong dimensions', { id: 'bad', title: 'A', embedding: [1, 2] }, 'bad', 'embedding', /3.*2|2.*3/],
  ['a vector of no component', { id: 'bad', title: 'A', embedding: [] }, 'bad', 'embedding', /3/],
  [
    'NaN in a vector',
    { id: 'bad', title: 'A', embedding: new Float32Array([1, Number.NaN, 3]) },
    'bad',
    'embedding',
    /NaN/,
  ],
  ['an infinite component', { id: 'bad', title: 'A', embedding: [1, 2, -Infinity] }, 'bad', 'embedding', /inf/i],
  ['a zero vector with cosine', { id: 'bad', title: 'A', embedding: [0, 0, 0] }, 'bad', 'embedding', /zero/i],
  ['an empty id', { id: '', title: 'A' }, '', 'id', /1 to 512 bytes/],
  ['an id of 513 bytes', { id: 'é'.repeat(256) + 'x', title: 'A' }, '', 'id', /1 to 512 bytes/],
  ['no id', { title: 'A' }, '', 'id', /string/],
  ['an unknown field', { id: 'bad', title: 'A', author: 'B' }, 'bad', 'author', /author.*schema|schema.*author/],
  ['a field named __proto__', JSON.parse('{"id":"bad","title":"A","__proto__":1}'), 'bad', '__proto__', /__proto__/],
  ['a missing required field', { id: 'bad' }, 'bad', 'title', /required/],
  ['a required field that is null', { id: 'bad', title: null }, 'bad', 'title', /required/],
  ['a number as text', { id: 'bad', title: 7 }, 'bad', 'title', /string.*7/],
  ['a number as keyword', { id: 'bad', title: 'A', kind: 7 }, 'bad', 'kind', /string.*7/],
  ['one value where many are declared', { id: 'bad', title: 'A', tags: 'x' }, 'bad', 'tags', /array.*x/],
  ['many values where one is declared', { id: 'bad', title: 'A', kind: ['x'] }, 'bad', 'kind', /string.*x/],
  ['a string as number', { id: 'bad', title: 'A', price: '7' }, 'bad', 'price', /number.*7/],
  ['NaN as number', { id: 'bad', title: 'A', price: Number.NaN }, 'bad', 'price', /NaN/],
  ['a fraction as integer', { id: 'bad', title: 'A', pages: 1.5 }, 'bad', 'pages', /integer.*1\.5/],
  ['an integer beyond 2^53', { id: 'bad', title: 'A', pages: 1e300 }, 'bad', 'pages', /integer.*1e\+?300/],
  ['a string as boolean', { id: 'bad', title: 'A', sold: 'yes' }, 'bad', 'sold', /true or false.*yes/],
  ['a date that is none', { id: 'bad', title: 'A', made: 'yesterday' }, 'bad', 'made', /date.*yesterday/],
  ['an object as keyword', { id: 'bad', title: 'A', kind: { x: 1 } }, 'bad', 'kind', /string/],
  ['a function in a stored field', { id: 'bad', title: 'A', extra: { f() {} } }, 'bad', 'extra', /function/],
  ['a vector in a text field', { id: 'bad', title: new Float32Array(3) }, 'bad', 'title', /binary/],
  ['a keyword of more than 65,000 bytes', { id: 'bad', title: 'A', kind: 'é'.repeat(32_501) }, 'bad', 'kind', /65000/],
]
for (const [what, document, id, field, message] of documents)
  test(`${what} is refused by document, field and value, and nothing has changed`, async (t) => {
    const index = await filled(t)
    const before = contents(index.path)
    const error = await refused(t, 'CUTOVER_DOCUMENT', index.rebuild([books[0], document, books[1]] as Book[]))
    t.like(error.detail, { id, field })
    t.is(typeof error.detail.value, 'string')
    t.regex(error.message, message)
    t.false(error.retryable)
    t.deepEqual(contents(index.path), before)
    t.is((await index.search({})).total, books.length)
  })

test('a source that throws half-way is CUTOVER_SOURCE, and nothing has changed', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  const cause = new Error('the database went away')
  const error = await refused(
    t,
    'CUTOVER_SOURCE',
    index.rebuild(function* () {
      yield* books
      throw cause
    }),
  )
  t.is(error.cause, cause)
  t.deepEqual(contents(index.path), before)
})

test('a string is no source, nor is anything else that is none: TypeError, and nothing has changed', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  for (const source of ['books.json', 7, null, undefined, {}, () => 'books.json', async () => 7])
    await t.throwsAsync(index.rebuild(source as never), { instanceOf: TypeError, message: /documents must be/ })
  t.deepEqual(contents(index.path), before)
})

test('a limit above its bound is a RangeError with the value', async (t) => {
  const index = await filled(t)
  await t.throwsAsync(index.search({ limit: 10_001 }), { instanceOf: RangeError, message: /10001/ })
  await t.throwsAsync(index.search({ offset: 1, limit: 10_000 }), { instanceOf: RangeError, message: /1 \+ 10000/ })
})

test('every method refuses wrong arguments by rejecting, never by throwing', async (t) => {
  const index = await filled(t)
  const calls: (() => Promise<unknown>)[] = [
    () => index.search(7 as never),
    () => index.search('a', { timeout: 1 } as never),
    () => index.searchBatch(7 as never),
    () => index.get(7 as never),
    () => index.get('\uD800'),
    () => index.getMany('ab' as never),
    () => index.getMany([7] as never),
    () => index.count('x' as never),
    () => index.documents({ were: {} } as never).next(),
    () => index.documents({ select: 'title' } as never).next(),
    () => index.snapshot({ version: 7 } as never),
    () => index.rebuild(books, { actviate: true } as never),
    () => index.activate(7 as never),
    () => index.activate('v', { gate() {} } as never),
    () => index.rollback(7 as never),
    () => index.ready({ signal: 7 } as never),
    () => openIndex(7 as never),
    () => openIndex(''),
    () => openIndex('/x', { fields: 'x' as never }),
    () => openTemporary({} as never),
  ]
  for (const call of calls) {
    const error = await t.throwsAsync(call(), undefined, String(call))
    t.true(error instanceof TypeError || error instanceof RangeError, `${String(call)}: ${String(error)}`)
  }
})

test('a schema out of bounds is refused by field, option and value, and no directory is made', async (t) => {
  const path = join(directory(t), 'new')
  const wrong: [object, RegExp][] = [
    [{ e: { type: 'vector', dimensions: 0 } }, /fields\.e\.dimensions must be an integer from 1 to 4096, got 0/],
    [{ e: { type: 'vector', dimensions: 4097 } }, /dimensions.*4097/],
    [{ e: { type: 'vector', dimensions: 3, m: 3 } }, /fields\.e\.m.*got 3/],
    [{ e: { type: 'vector', dimensions: 3, codes: 'int4' } }, /fields\.e.*int8.*int4/],
    [{ e: { type: 'vector', dimensions: 3, precision: 'float64' } }, /fields\.e.*float32.*float64/],
    [{ e: { type: 'vector', dimensions: 3, m: 20, efConstruction: 10 } }, /efConstruction.*got 10/],
    [{ t: { type: 'text', boost: 0 } }, /boost.*got 0/],
    [{ t: { type: 'txt' } }, /txt/],
    [{ t: { type: 'text', analyser: 'x' } }, /analyser/],
    [{ '1t': { type: 'text' } }, /1t/],
    [{ not: { type: 'text' } }, /not/],
    [{ ['x'.repeat(65)]: { type: 'text' } }, /xxx/],
    [{}, /1 to 256/],
    [Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`f${n}`, { type: 'text' }])), /257/],
  ]
  for (const [schema, message] of wrong) {
    const error = await t.throwsAsync(openIndex(path, { fields: schema as never }), { message })
    t.true(error instanceof TypeError || error instanceof RangeError, String(error))
  }
  t.throws(() => readFileSync(path), { code: 'ENOENT' })
})

test('a directory that is not an index is left as it is', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'mine.txt'), 'mine')
  const error = await refused(t, 'CUTOVER_NOT_FOUND', openIndex(path, { fields }))
  t.is(error.detail.path, path)
  await refused(t, 'CUTOVER_NOT_FOUND', openIndex(path))
  t.deepEqual(Object.keys(contents(path)), ['mine.txt'])
})

test('where there is nothing, an index is opened with fields only', async (t) => {
  const path = join(directory(t), 'none')
  await refused(t, 'CUTOVER_NOT_FOUND', openIndex(path))
  await refused(t, 'CUTOVER_NOT_FOUND', openIndex(path, { fields, mode: 'read-only' }))
  t.throws(() => readFileSync(path), { code: 'ENOENT' })
})

test('a path that is a file is refused by its name', async (t) => {
  const path = join(directory(t), 'file')
  writeFileSync(path, 'mine')
  const error = await refused(t, 'CUTOVER_IO', openIndex(path, { fields }))
  t.is(error.detail.path, path)
  t.is(readFileSync(path, 'utf8'), 'mine')
})

test('a newer format is refused by its number, and the index is left as it is', async (t) => {
  const index = await filled(t)
  const manifest = join(index.path, 'versions', index.current?.id ?? '', 'manifest.json')
  await index.close()
  const newer = readFileSync(manifest, 'utf8').replace(/"format":\s*\d+/, '"format":987')
  chmodSync(manifest, 0o644)
  writeFileSync(manifest, newer)
  const before = contents(index.path)
  const reading = async (): Promise<void> => {
    const again = await openIndex(index.path, { fields })
    t.teardown(() => again.close())
    await again.search('a')
  }
  const error = await refused(t, 'CUTOVER_FORMAT_TOO_NEW', reading())
  t.regex(error.message, /987/)
  t.is(error.detail.found, 987)
  t.deepEqual(contents(index.path), before)
})

test('an index opened read-only is written by nobody', async (t) => {
  const index = await filled(t)
  const other = index.current?.id ?? ''
  await index.rebuild(books)
  const before = contents(index.path)
  const reader = await openIndex(index.path, { mode: 'read-only' })
  t.teardown(() => reader.close())
  await refused(
    t,
    'CUTOVER_READ_ONLY',
    reader.rebuild(() => t.fail() as never),
  )
  await refused(t, 'CUTOVER_READ_ONLY', reader.activate(other))
  await refused(t, 'CUTOVER_READ_ONLY', reader.rollback())
  t.is((await reader.search('lease')).total, 1)
  t.deepEqual(contents(index.path), before)
})

test('declared fields that the version does not have are CUTOVER_SCHEMA until a rebuild publishes them', async (t) => {
  const index = await filled(t)
  const other = await openIndex(index.path, { fields: { name: { type: 'text' } } })
  t.teardown(() => other.close())
  const error = await refused(t, 'CUTOVER_SCHEMA', other.search('a'))
  t.regex(error.message, /name/)
  await other.rebuild([{ id: 'a', name: 'b' }])
  t.is((await other.search('b')).total, 1)
})

const script = resolve('.cache/test/support/child.js')
/** Runs a child as another user or in a small file system; the code it ends with. */
const run = (command: string, args: string[]): ErrorCode | string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()

const root = process.getuid?.() === 0
const unshare = spawnSync('unshare', ['--mount', 'true']).status === 0

/** Without permission: as ourselves, or, since root may do anything, as nobody. */
test('no permission is CUTOVER_IO that names the path', (t) => {
  if (process.platform === 'win32') return t.pass('permissions are not these on Windows')
  const path = directory(t)
  chmodSync(path, 0o755)
  mkdirSync(join(path, 'closed'), { mode: 0o700 })
  if (!root) chmodSync(join(path, 'closed'), 0)
  const answer = JSON.parse(run(process.execPath, [script, 'open', join(path, 'closed', 'index'), root ? '65534' : '']))
  if (!root) chmodSync(join(path, 'closed'), 0o700)
  t.is(answer.code, 'CUTOVER_IO')
  t.regex(answer.message, /closed/)
  t.regex(answer.message, /[Pp]ermission/)
  return undefined
})

test('a full disk is CUTOVER_NO_SPACE, the old version answers on, and room makes it writable again', (t) => {
  if (!root || !unshare) {
    t.log('skipped: a small file system can be mounted by root alone, on Linux')
    return t.pass()
  }
  const path = directory(t)
  const mount = 'mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" "$3" full "$1"'
  const answer = JSON.parse(run('unshare', ['--mount', 'sh', '-c', mount, 'sh', path, process.execPath, script]))
  t.deepEqual(answer, { code: 'CUTOVER_NO_SPACE', unchanged: true, answers: 6, afterwards: 2, drafts: 0 })
  return undefined
})

test('what is refused is a CutoverError for everybody', async (t) => {
  const index = await library(t)
  const error = await refused(t, 'CUTOVER_EMPTY', index.search('a'))
  t.true(isCutoverError(error))
})
