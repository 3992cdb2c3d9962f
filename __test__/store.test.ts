// Versions of files of any kind: rebuilt, added to, shared by those who wait, published whole or not at all.
import { existsSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { isCutoverError, openStore } from 'cutover/store'
import type { Progress } from 'cutover/store'
import { books, contents, deferred, directory, library, refused, rejection } from './support/index.js'
import { build, put, read, store, text } from './support/store.js'

test('a rebuild publishes what its build wrote, files and directories, and nothing before', async (t) => {
  const versions = await store(t)
  t.is(await versions.current(), undefined)
  t.deepEqual(await versions.versions(), [])
  let seen: string | undefined
  const info = await versions.rebuild(
    async (root, signal) => {
      t.false(signal.aborted)
      put(root, { 'index.faiss': 'vectors', 'lucene/_0.cfs': 'terms', 'lucene/segments_1': 'one' })
      seen = root
      t.is(await versions.current(), undefined)
      t.is((await versions.status()).lock?.operation, 'rebuild')
    },
    { version: 'v1', attributes: { model: 'minilm' } },
  )
  t.like(info, { id: 'v1', state: 'published', attributes: { model: 'minilm' }, bytes: 15 })
  t.deepEqual(await versions.current(), info)
  t.false(existsSync(seen ?? ''))
  const snapshot = await versions.snapshot()
  t.is(snapshot.version.id, 'v1')
  t.deepEqual(readdirSync(snapshot.directory).toSorted(), ['index.faiss', 'lucene'])
  t.is(text(snapshot, 'lucene/_0.cfs'), 'terms')
  t.true(statSync(snapshot.path('lucene')).isDirectory())
  t.is(statSync(snapshot.path('index.faiss')).mode & 0o222, 0, 'a published file is read-only')
  const missing = t.throws(() => snapshot.path('lucene/_1.cfs'))
  t.true(isCutoverError(missing, 'CUTOVER_NOT_FOUND'), String(missing))
  t.throws(() => snapshot.path('../../CURRENT'), { instanceOf: RangeError })
  await snapshot.close()
  await snapshot.close()
  t.true(
    isCutoverError(
      t.throws(() => snapshot.path('lucene')),
      'CUTOVER_CLOSED',
    ),
  )
})

test('a build that throws, or is given up, leaves nothing, and its reason comes back as it is', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }))
  const before = contents(versions.path)
  const mine = new Error('mine')
  t.is(
    await rejection(
      versions.rebuild((root) => {
        put(root, { a: '2' })
        throw mine
      }),
    ),
    mine,
  )
  const stop = new AbortController()
  let told: unknown
  const given = versions.rebuild(
    (root, signal) => {
      put(root, { a: '3' })
      signal.addEventListener('abort', () => {
        told = signal.reason
      })
      stop.abort(mine)
      return new Promise<void>(() => {})
    },
    { signal: stop.signal },
  )
  t.is(await rejection(given), mine)
  t.is(told, mine)
  t.is(await rejection(versions.rebuild(build({}), { signal: AbortSignal.abort(mine) })), mine)
  t.is(
    await rejection(
      versions.rebuild(build({}), {
        onProgress: () => {
          throw mine
        },
      }),
    ),
    mine,
  )
  t.deepEqual(contents(versions.path), before)
  await versions.rebuild(build({ a: '4' }))
  t.is(await read(versions, 'a'), '4')
})

test('what a build reads is newer than what was published before: it is called once the lock is held', async (t) => {
  const versions = await store(t)
  const holding = await versions.draft()
  let called = false
  const waiting = versions.rebuild((root) => {
    called = true
    put(root, { a: 'second' })
  })
  t.like(await refused(t, 'CUTOVER_LOCKED', versions.rebuild(build({}), { lockTimeoutMs: 0 })), { retryable: true })
  t.false(called)
  put(holding.directory, { a: 'first' })
  const first = await holding.publish()
  t.is((await waiting).parent, first.id)
  t.is(await read(versions, 'a'), 'second')
})

test('a missing required artifact is named, before anything is written where the caller names them', async (t) => {
  const versions = await store(t, { required: ['index.faiss', 'ids'] })
  const path = directory(t)
  put(path, { ids: 'x', other: 'y' })
  const alone = versions.extend({ ids: join(path, 'ids') })
  t.like((await refused(t, 'CUTOVER_NOT_FOUND', alone)).detail, { name: 'index.faiss' })
  const built = versions.rebuild(build({ ids: 'x' }))
  t.like((await refused(t, 'CUTOVER_NOT_FOUND', built)).detail, { name: 'index.faiss' })
  t.deepEqual(readdirSync(join(versions.path, 'versions')), [])
  await versions.rebuild(build({ 'index.faiss/part': '1', ids: 'x' }))
  t.is((await versions.extend({ other: join(path, 'other') })).state, 'published')
  const nowhere = versions.extend({ more: join(path, 'nothing') })
  t.like((await refused(t, 'CUTOVER_NOT_FOUND', nowhere)).detail, { name: 'more', path: join(path, 'nothing') })
  symlinkSync('nowhere', join(path, 'link'))
  t.regex((await refused(t, 'CUTOVER_NOT_FOUND', versions.extend({ more: join(path, 'link') }))).message, /link/)
})

test('extend makes a new version that shares the old files and adds the new; no version is changed', async (t) => {
  const versions = await store(t)
  const path = directory(t)
  put(path, { graph: 'edges', 'lucene/_1.cfs': 'new terms' })
  const first = await versions.rebuild(build({ 'index.faiss': 'vectors', 'lucene/_0.cfs': 'terms' }))
  const before = contents(join(versions.path, 'versions', first.id))
  const second = await versions.extend(
    { graph: join(path, 'graph'), lucene: join(path, 'lucene') },
    { version: 'more' },
  )
  t.is(second.parent, first.id)
  t.deepEqual(contents(join(versions.path, 'versions', first.id)), before)
  const [old, now] = [await versions.snapshot({ version: first.id }), await versions.snapshot()]
  t.is(text(now, 'graph'), 'edges')
  t.is(statSync(now.path('index.faiss')).ino, statSync(old.path('index.faiss')).ino, 'the file is shared')
  t.deepEqual(readdirSync(now.path('lucene')), ['_1.cfs'], 'a directory is replaced whole')
  t.true(existsSync(join(path, 'graph')))
  await Promise.all([old.close(), now.close()])
})

test('extend keeps what the version of a search index holds', async (t) => {
  const index = await library(t)
  await index.rebuild(books)
  const versions = await store(t, {}, index.path)
  const path = directory(t)
  put(path, { graph: 'edges' })
  const { id, documents } = await versions.extend({ graph: join(path, 'graph') })
  t.is(documents, books.length)
  const again = await library(t, {}, index.path)
  t.is((await again.search({})).total, books.length)
  t.is(again.current?.id, id)
})

test('ifCurrent refuses before anything is built', async (t) => {
  const versions = await store(t)
  const { id } = await versions.rebuild(build({ a: '1' }), { version: 'one' })
  const late = versions.rebuild(() => t.fail(), { ifCurrent: 'zero' })
  t.like((await refused(t, 'CUTOVER_CONFLICT', late)).detail, { expected: 'zero', actual: 'one' })
  t.is((await versions.rebuild(build({ a: '2' }), { ifCurrent: id })).parent, id)
  await refused(t, 'CUTOVER_EXISTS', versions.rebuild(build({ a: '3' }), { version: 'one' }))
  await t.throwsAsync(versions.rebuild(build({ a: '3' }), { version: '../x' }), { instanceOf: RangeError })
})

test('progress tells each phase in order, with bytes while they are digested', async (t) => {
  const versions = await store(t)
  const seen: Progress[] = []
  await versions.rebuild(build({ a: 'x'.repeat(1000) }), { onProgress: (progress) => seen.push(progress) })
  const phases = seen.map(({ phase }) => phase)
  t.deepEqual([...new Set(phases)], ['waiting', 'building', 'verifying', 'publishing'])
  t.true(seen.every(({ elapsedMs }, at) => elapsedMs >= (seen[at - 1]?.elapsedMs ?? 0)))
})

test('a rebuild that coalesces joins an equal one that waits, and is not joined once that has begun', async (t) => {
  const versions = await store(t)
  const second = await openStore(versions.path)
  t.teardown(() => second.close())
  const holding = await versions.draft()
  let builds = 0
  const go = deferred()
  const begun = deferred()
  const make = async (root: string): Promise<void> => {
    builds++
    begun.resolve()
    await go.promise
    put(root, { a: String(builds) })
  }
  const stop = new AbortController()
  const options = { coalesce: true }
  const leader = versions.rebuild(make, { ...options, signal: stop.signal })
  const joined = second.rebuild(() => t.fail('the first one builds'), options)
  const other = versions.rebuild(build({ a: 'other' }), { ...options, attributes: { other: true } })
  const mine = new Error('mine')
  stop.abort(mine)
  t.is(await rejection(leader), mine, 'it leaves, and the others go on')
  await holding.discard()
  await begun.promise
  const late = versions.rebuild(build({ a: 'late' }), options)
  go.resolve()
  const [one, two, three] = await Promise.all([joined, other, late])
  t.is(builds, 1)
  t.is(new Set([one.id, two.id, three.id]).size, 3)
  t.is(await read(versions, 'a', one.id), '1')
})

test('when everyone who shares a rebuild gives up, it stops', async (t) => {
  const versions = await store(t)
  const holding = await versions.draft()
  const [a, b] = [new AbortController(), new AbortController()]
  const make = (): void => t.fail()
  const both = [a, b].map((stop) => rejection(versions.rebuild(make, { coalesce: true, signal: stop.signal })))
  a.abort('a')
  b.abort('b')
  t.deepEqual(await Promise.all(both), ['a', 'b'])
  await holding.discard()
  t.deepEqual(await versions.versions(), [])
})
