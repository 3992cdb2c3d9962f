// Versions of files of any kind: built, added to, drafted, published whole or not at all.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import { isCutoverError, openStore } from 'cutover/store'
import type { Progress } from 'cutover/store'
import { books, contents, deferred, directory, library, refused, rejection } from './support/index.js'
import { build, put, read, run, store, text } from './support/store.js'

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

test('a path given to attach is relative to where the call is made', async (t) => {
  const versions = await store(t)
  const path = directory(t)
  put(path, { here: 'x' })
  // A process of its own: a worker has no working directory.
  run(process.execPath, [resolve('.cache/test/support/store-child.js'), 'attach', versions.path], path)
  t.is(await read(versions, 'there'), 'x')
})

test('a draft takes files written into it, copied and moved, and ends with publish or discard', async (t) => {
  const versions = await store(t)
  const path = directory(t)
  put(path, { copied: 'c', 'moved/a': 'm', 'moved/b': 'n' })
  const draft = await versions.draft({ attributes: { by: 'hand' }, activate: false })
  put(draft.directory, { written: 'w' })
  await draft.attach('c', join(path, 'copied'))
  await draft.attach('deep/m', join(path, 'moved'), { how: 'move' })
  await refused(t, 'CUTOVER_EXISTS', draft.attach('c', join(path, 'copied')))
  await t.throwsAsync(draft.attach('../c', join(path, 'copied')), { instanceOf: RangeError })
  await t.throwsAsync(draft.attach('c', join(path, 'copied'), { how: 'link' as 'copy' }), {
    instanceOf: RangeError,
    message: /options.how must be one of 'copy', 'move', got 'link'/,
  })
  t.true(isCutoverError(await rejection(draft.attach('d', join(path, 'nothing')))))
  const info = await draft.publish()
  t.like(info, { id: draft.version, state: 'prepared', attributes: { by: 'hand' } })
  t.is(await versions.current(), undefined)
  t.true(existsSync(join(path, 'copied')))
  t.false(existsSync(join(path, 'moved', 'a')), 'what was moved is gone once the version is published')
  t.is(await read(versions, 'deep/m/b', info.id), 'n')
  t.is(await read(versions, 'written', info.id), 'w')
  await refused(t, 'CUTOVER_CLOSED', draft.publish())
  await refused(t, 'CUTOVER_CLOSED', draft.attach('e', join(path, 'copied')))
  await draft.discard()
  t.is((await versions.activate(info.id)).state, 'published')

  const second = await versions.draft()
  put(second.directory, { x: 'y' })
  await second.discard()
  await second.discard()
  t.false(existsSync(second.directory))
  t.is((await versions.status()).lock, undefined)
  const third = await versions.draft()
  await third[Symbol.asyncDispose]()
  t.is((await versions.versions()).length, 1)
})

test('a draft whose publish fails is discarded, and the lock is free', async (t) => {
  const versions = await store(t, { required: ['a'] })
  const draft = await versions.draft()
  put(draft.directory, { b: '1' })
  await refused(t, 'CUTOVER_NOT_FOUND', draft.publish())
  await draft.discard()
  const linked = await versions.draft({ lockTimeoutMs: 0 })
  put(linked.directory, { a: '1' })
  symlinkSync('/etc/passwd', join(linked.directory, 'link'))
  const error = (await rejection(linked.publish())) as Error
  t.regex(error.message, /link/)
  const aborted = await versions.draft({ lockTimeoutMs: 0 })
  put(aborted.directory, { a: '1' })
  const mine = new Error('mine')
  t.is(await rejection(aborted.publish({ signal: AbortSignal.abort(mine) })), mine)
  put(aborted.directory, { c: '2' })
  t.is((await aborted.publish()).state, 'published', 'a publish that never began can be called again')
})

/** Changes a draft that is finished. */
const spoil = (root: string): void => {
  rmSync(join(root, 'count'))
  writeFileSync(join(root, 'count'), 'longer than it was')
}

test('the gate sees the finished draft, and its refusal is CUTOVER_GATE with the cause', async (t) => {
  const versions = await store(t)
  const mine = new Error('too few vectors')
  const gate = (root: string): void => {
    if (readFileSync(join(root, 'count'), 'utf8') === '0') throw mine
  }
  const error = await refused(t, 'CUTOVER_GATE', versions.rebuild(build({ count: '0' }), { gate }))
  t.is(error.cause, mine)
  await versions.rebuild(build({ count: '7' }), { gate })
  t.is(await read(versions, 'count'), '7')
  await refused(t, 'CUTOVER_CORRUPT', versions.rebuild(build({ count: '8' }), { gate: spoil }))
  t.is(await read(versions, 'count'), '7')
  const draft = await versions.draft({ gate })
  put(draft.directory, { count: '0' })
  await refused(t, 'CUTOVER_GATE', draft.publish())
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

test('closing discards drafts, lets versions go, waits for what runs, and refuses what comes later', async (t) => {
  const path = join(directory(t), 'store')
  const versions = await openStore(path)
  await versions.rebuild(build({ a: '1' }))
  const held = await versions.snapshot()
  const go = deferred()
  const running = versions.rebuild(async (root) => {
    await go.promise
    put(root, { a: '2' })
  })
  const closing = versions.close()
  for (const call of [
    () => versions.current(),
    () => versions.rebuild(build({})),
    () => versions.extend({ a: 'b' }),
    () => versions.draft(),
    () => versions.snapshot(),
    () => versions.follow(() => 1),
    () => versions.activate('a'),
    () => versions.rollback(),
    () => versions.tag('a', undefined),
    () => versions.setAttributes('a', {}),
    () => versions.prune(),
    () => versions.verify(),
    () => versions.repair(),
    () => versions.copyTo('b'),
    () => versions.status(),
    () => versions.versions(),
  ] as (() => Promise<unknown>)[])
    await refused(t, 'CUTOVER_CLOSED', call())
  go.resolve()
  await running
  await closing
  await versions.close()
  t.true(
    isCutoverError(
      t.throws(() => held.path('a')),
      'CUTOVER_CLOSED',
    ),
  )

  const again = await store(t, {}, path)
  t.deepEqual((await again.status()).inUse, [], 'nothing is held any more')
  const draft = await again.draft()
  await again.close()
  t.false(existsSync(draft.directory))
  const last = await store(t, {}, path)
  await last.rebuild(build({ a: '3' }), { lockTimeoutMs: 0 })
})

test('a store that is only read makes and changes nothing', async (t) => {
  const path = directory(t)
  await refused(t, 'CUTOVER_NOT_FOUND', openStore(join(path, 'none'), { mode: 'read-only' }))
  t.deepEqual(readdirSync(path), [])
  const versions = await store(t, {}, join(path, 'store'))
  t.false(existsSync(versions.path), 'opening writes nothing')
  const { id } = await versions.rebuild(build({ a: '1' }))
  const before = contents(versions.path)
  const reader = await store(t, { mode: 'read-only' }, versions.path)
  t.is(await read(reader, 'a'), '1')
  for (const write of [
    () => reader.rebuild(build({})),
    () => reader.draft(),
    () => reader.extend({ a: join(versions.path, 'CURRENT') }),
    () => reader.activate(id),
    () => reader.rollback(),
    () => reader.tag('a', id),
    () => reader.setAttributes(id, {}),
    () => reader.prune(),
  ] as (() => Promise<unknown>)[])
    await refused(t, 'CUTOVER_READ_ONLY', write())
  t.deepEqual(contents(versions.path), before)
})

test('options and arguments are checked by name before anything happens', async (t) => {
  const path = join(directory(t), 'store')
  const wrong: [() => Promise<unknown>, object, RegExp][] = [
    [() => openStore('' as string), RangeError, /path must be a path, got ''/],
    [() => openStore(7 as never), TypeError, /path must be a string, got 7/],
    [() => openStore(path, { requird: [] } as never), TypeError, /options has no option 'requird'/],
    [() => openStore(path, { required: 'a' } as never), TypeError, /options.required must be an array of strings/],
    [() => openStore(path, { integrity: 'all' } as never), RangeError, /options.integrity must be one of/],
    [() => openStore(path, { keep: { versions: 0 } }), RangeError, /options.keep.versions must be an integer from 1/],
  ]
  for (const [call, instanceOf, message] of wrong)
    await t.throwsAsync(call, { instanceOf: instanceOf as never, message })
  const versions = await store(t, {}, path)
  const calls: [() => Promise<unknown>, object, RegExp][] = [
    [() => versions.rebuild(7 as never), TypeError, /build must be a function, got 7/],
    [() => versions.rebuild(build({}), { gate: 7 } as never), TypeError, /options.gate must be a function/],
    [() => versions.rebuild(build({}), { attributes: [] } as never), TypeError, /options.attributes must be an object/],
    [() => versions.rebuild(build({}), { attributes: { a: () => 1 } }), TypeError, /options.attributes\.a/],
    [() => versions.rebuild(build({}), { lockTimeoutMs: -1 }), RangeError, /options.lockTimeoutMs/],
    [() => versions.draft({ coalesce: true } as never), TypeError, /options has no option 'coalesce'/],
    [() => versions.extend({}), RangeError, /artifacts must name at least one/],
    [() => versions.extend({ a: 7 } as never), TypeError, /artifacts\['a'\] must be a string, got 7/],
    [() => versions.snapshot({ version: 7 } as never), TypeError, /options.version must be a string/],
    [() => versions.follow(7 as never), TypeError, /open must be a function/],
    [() => versions.tag(7 as never, undefined), TypeError, /name must be a string/],
    [() => versions.setAttributes('a', 7 as never), TypeError, /attributes must be an object/],
    [() => versions.prune({ dryRun: 1 } as never), TypeError, /options.dryRun must be true or false/],
    [() => versions.verify({ depth: 'contents' } as never), RangeError, /options.depth must be one of/],
    [() => versions.copyTo(''), RangeError, /directory must be a path/],
  ]
  for (const [call, instanceOf, message] of calls)
    await t.throwsAsync(call, { instanceOf: instanceOf as never, message })
  t.false(existsSync(path))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  await refused(t, 'CUTOVER_IO', openStore(path))
})
