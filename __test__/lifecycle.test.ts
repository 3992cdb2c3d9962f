// The life of an index and its versions: roll back, pin, tell, wait, close.
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import test from 'ava'
import { isCutoverError, openIndex, openTemporary } from 'cutover'
import type { VersionInfo } from 'cutover'
import { books, deferred, directory, fields, filled, library, refused, rejection } from './support/index.js'

/** An index with three versions, of one, two and three books. */
async function three(
  t: Parameters<typeof library>[0],
): Promise<{ index: Awaited<ReturnType<typeof library>>; versions: string[] }> {
  const index = await library(t)
  const versions: string[] = []
  for (const count of [1, 2, 3]) versions.push((await index.rebuild(books.slice(0, count))).id)
  return { index, versions }
}

test('versions are listed oldest first, with what they are', async (t) => {
  const { index, versions } = await three(t)
  const listed = await index.versions()
  t.deepEqual(
    listed.map(({ id }) => id),
    versions,
  )
  t.deepEqual(
    listed.map(({ documents }) => documents),
    [1, 2, 3],
  )
  t.deepEqual(
    listed.map(({ parent }) => parent),
    [undefined, versions[0], versions[1]],
  )
  t.true(listed.every(({ state }) => state === 'published'))
})

test('rollback goes to the version before, and marks the one left behind as withdrawn', async (t) => {
  const { index, versions } = await three(t)
  t.like(await index.rollback(), { id: versions[1], state: 'published' })
  t.is(index.current?.id, versions[1])
  t.is((await index.search({})).total, 2)
  t.deepEqual(
    (await index.versions()).map(({ state }) => state),
    ['published', 'published', 'withdrawn'],
  )
})

test('rollback goes to the version that is named', async (t) => {
  const { index, versions } = await three(t)
  t.is(versions[0], (await index.rollback(versions[0])).id)
  t.is((await index.search({})).total, 1)
})

test('rolling back does not lead back to what was rolled back from: that returns by its name only', async (t) => {
  const { index, versions } = await three(t)
  await index.rollback()
  const error = await refused(t, 'CUTOVER_NOT_FOUND', index.rollback())
  t.is(error.detail.current, versions[1])
  t.regex(error.message, /withdrawn/)
  t.is(versions[0], (await index.rollback(versions[0])).id)
})

test('there is nothing before the first version', async (t) => {
  const index = await filled(t)
  await refused(t, 'CUTOVER_NOT_FOUND', index.rollback())
  t.is((await index.search({})).total, books.length)
})

test('a withdrawn version is made current again by its name', async (t) => {
  const { index, versions } = await three(t)
  await index.rollback()
  t.like(await index.activate(versions[2] ?? ''), { id: versions[2], state: 'published' })
  t.is((await index.search({})).total, 3)
})

test('switching to what is not a version is refused, and changes nothing', async (t) => {
  const { index, versions } = await three(t)
  for (const call of [index.activate('0000000099-aaaaaa'), index.rollback('0000000099-aaaaaa')])
    t.is((await refused(t, 'CUTOVER_NOT_FOUND', call)).detail.version, '0000000099-aaaaaa')
  for (const name of ['../a', '', 'a.staging', `${versions[0]}.staging`])
    await t.throwsAsync(index.activate(name), { instanceOf: RangeError }, name)
  await refused(t, 'CUTOVER_CONFLICT', index.activate(versions[0] ?? '', { ifCurrent: versions[1] ?? '' }))
  const reason = new Error('mine')
  t.is(await rejection(index.rollback(undefined, { signal: AbortSignal.abort(reason) })), reason)
  t.is(index.current?.id, versions[2])
})

test('a snapshot pins its version: what it answers does not change, and the version stays', async (t) => {
  const index = await library(t, { keep: { versions: 1 } })
  const first = await index.rebuild(books)
  const snapshot = await index.snapshot()
  for (const count of [1, 2, 3]) await index.rebuild(books.slice(0, count))
  t.is(snapshot.version.id, first.id)
  t.is((await snapshot.search({})).total, books.length)
  t.is((await snapshot.search({})).version, first.id)
  t.is((await snapshot.get('words'))?.title, 'Words, ranked')
  t.is((await snapshot.getMany(['words', 'nobody'])).length, 2)
  t.is(await snapshot.count({ kind: 'book' }), 2)
  let listed = 0
  for await (const { id } of snapshot.documents()) listed += id === '' ? 0 : 1
  t.is(listed, books.length)
  t.true((await index.status()).inUse.includes(first.id))
  t.true((await index.versions()).some(({ id }) => id === first.id))
  await snapshot.close()
  await snapshot.close()
  await refused(t, 'CUTOVER_CLOSED', snapshot.search({}))
  t.true(
    isCutoverError(
      t.throws(() => snapshot.searchSync({})),
      'CUTOVER_CLOSED',
    ),
  )
  t.is((await index.search({})).total, 3)
})

test('a snapshot of a named version', async (t) => {
  const { index, versions } = await three(t)
  const snapshot = await index.snapshot({ version: versions[0] ?? '' })
  t.is((await snapshot.search({})).total, 1)
  await snapshot[Symbol.asyncDispose]()
  await refused(t, 'CUTOVER_NOT_FOUND', index.snapshot({ version: '0000000099-aaaaaa' }))
})

test('documents are of one version, though another is published meanwhile, and let it go at the end', async (t) => {
  const many = Array.from({ length: 400 }, (_, n) => ({ id: `${n}`, title: 'old' }))
  for (const end of ['done', 'return', 'throw'] as const) {
    const index = await library(t, { keep: { versions: 1 } })
    const old = await index.rebuild(many)
    const listing = index.documents()
    t.is((await listing.next()).value?.title, 'old')
    await index.rebuild([{ id: 'new', title: 'new' }])
    await index.rebuild([{ id: 'new', title: 'newer' }])
    t.true((await index.versions()).some(({ id }) => id === old.id))
    const mine = new Error('mine')
    if (end === 'done') {
      let seen = 1
      for await (const { title } of listing) seen += title === 'old' ? 1 : 0
      t.is(seen, many.length)
    } else if (end === 'return') await listing.return?.()
    else t.is(await rejection(listing.throw?.(mine) ?? Promise.resolve()), mine)
    t.true((await listing.next()).done)
    await index.rebuild([])
    await index.rebuild([])
    t.false(
      (await index.versions()).some(({ id }) => id === old.id),
      end,
    )
  }
})

test('documents of a named version', async (t) => {
  const { index, versions } = await three(t)
  let listed = 0
  for await (const _ of index.documents({ version: versions[1] ?? '' })) listed++
  t.is(listed, 2)
})

test('keep says how many versions a publish leaves', async (t) => {
  const index = await library(t, { keep: { versions: 2 } })
  for (const count of [1, 2, 3, 4]) await index.rebuild(books.slice(0, count))
  t.deepEqual(
    (await index.versions()).map(({ documents }) => documents),
    [3, 4],
  )
})

test('the version event tells of this index and of any other, once each', async (t) => {
  const path = directory(t)
  const [one, two] = [await library(t, {}, path), await library(t, {}, path)]
  const told: [VersionInfo, VersionInfo | undefined][] = []
  const arrived = deferred()
  one.on('version', (now, before) => {
    told.push([now, before])
    if (told.length === 2) arrived.resolve()
  })
  const first = await one.rebuild(books)
  t.deepEqual(
    told.map(([now, before]) => [now.id, before?.id]),
    [[first.id, undefined]],
    'told before the rebuild resolves',
  )
  const second = await two.rebuild([])
  // Listening keeps no process alive; this test does.
  const alive = setInterval(() => {}, 1000)
  await arrived.promise
  clearInterval(alive)
  t.deepEqual([told[1]?.[0].id, told[1]?.[1]?.id], [second.id, first.id])
  t.is(one.current?.id, second.id)
})

test('off stops the telling', async (t) => {
  const index = await library(t)
  const listener = (): void => t.fail()
  t.is(index.on('version', listener).off('version', listener), index)
  await index.rebuild(books)
  t.pass()
})

test('ready resolves with what is there, or once somebody publishes', async (t) => {
  const path = directory(t)
  const [one, two] = [await library(t, {}, path), await library(t, {}, path)]
  const waiting = [one.ready(), one.ready({ signal: new AbortController().signal })]
  const info = await two.rebuild(books)
  t.deepEqual(
    (await Promise.all(waiting)).map(({ id }) => id),
    [info.id, info.id],
  )
  t.is((await one.ready()).id, info.id)
  t.is((await one.search({})).total, books.length)
})

test('waiting for a version can be given up, and ends with the index', async (t) => {
  const index = await library(t)
  const controller = new AbortController()
  const reason = new Error('mine')
  const waiting = index.ready({ signal: controller.signal })
  controller.abort(reason)
  t.is(await rejection(waiting), reason)
  const ended = index.ready()
  const closing = index.close()
  await refused(t, 'CUTOVER_CLOSED', ended)
  await closing
})

test('close waits for what runs, may be called again, and ends every way in', async (t) => {
  const index = await filled(t)
  const snapshot = await index.snapshot()
  const [entered, finish] = [deferred(), deferred()]
  const order: string[] = []
  const rebuilding = index
    .rebuild(async function* () {
      entered.resolve()
      await finish.promise
      yield* books.slice(0, 2)
    })
    .then(({ documents }) => order.push(`rebuilt ${documents}`))
  await entered.promise
  const closing = index.close().then(() => order.push('closed'))
  const again = index.close()
  await refused(t, 'CUTOVER_CLOSED', index.search('a'))
  finish.resolve()
  await Promise.all([rebuilding, closing, again])
  t.deepEqual(order, ['rebuilt 2', 'closed'])
  for (const call of [
    () => index.search('a'),
    () => index.searchBatch(['a']),
    () => index.get('a'),
    () => index.getMany(['a']),
    () => index.count(),
    () => index.documents().next(),
    () => index.snapshot(),
    () => index.rebuild([]),
    () => index.versions(),
    () => index.activate('v'),
    () => index.rollback(),
    () => index.status(),
    () => index.ready(),
    () => snapshot.search('a'),
    () => snapshot.get('a'),
  ])
    await refused(t, 'CUTOVER_CLOSED', call())
  t.true(
    isCutoverError(
      t.throws(() => index.searchSync('a')),
      'CUTOVER_CLOSED',
    ),
  )
  await index.close()
  await snapshot.close()
})

test('an index can be opened again, with its schema or without', async (t) => {
  const index = await filled(t)
  await index.close()
  for (const options of [{}, { fields }]) {
    const again = await openIndex(index.path, options)
    t.is(again.current?.documents, books.length)
    t.is((await again.search('lease')).hits[0]?.id, 'locks')
    t.deepEqual((await again.get('atomic'))?.made, new Date('2020-01-01'))
    t.deepEqual((await again.get('atomic'))?.embedding, new Float32Array([1, 0, 0]))
    await again.rebuild(books)
    await again.close()
  }
})

test('an opening that was aborted rejects with the reason', async (t) => {
  const path = directory(t)
  const reason = new Error('mine')
  t.is(await rejection(openIndex(path, { fields, signal: AbortSignal.abort(reason) })), reason)
  const controller = new AbortController()
  const opening = openIndex(path, { fields, signal: controller.signal })
  controller.abort(reason)
  t.is(await rejection(opening), reason)
})

test('a temporary index goes away when it is closed', async (t) => {
  const index = await openTemporary({ fields })
  t.true(existsSync(index.path))
  t.regex(basename(index.path), /^cutover-/)
  await index.rebuild(books)
  t.is((await index.search('lease')).total, 1)
  await index[Symbol.asyncDispose]()
  t.false(existsSync(index.path))
})

test('strict freshness: a query sees every publish that finished before it began', async (t) => {
  const path = directory(t)
  const writer = await library(t, {}, path)
  const reader = await library(t, { freshness: 'strict' }, path)
  for (const count of [1, 2, 3]) {
    const { id } = await writer.rebuild(books.slice(0, count))
    t.is((await reader.search({})).version, id)
    t.is(reader.searchSync({}).total, count)
  }
})

test('an index without listeners runs on when a version cannot be served, and tells those who listen', async (t) => {
  const index = await filled(t)
  const reader = await openIndex(index.path, { fields })
  t.teardown(() => reader.close())
  const before = reader.current?.id
  const other = await openIndex(index.path, { fields: { name: { type: 'text' } } })
  t.teardown(() => other.close())
  await other.rebuild([{ id: 'a', name: 'b' }])
  const told = deferred<string>()
  reader.on('problem', (error) => told.resolve(error.code))
  const alive = setInterval(() => {}, 1000)
  t.is(await told.promise, 'CUTOVER_SCHEMA')
  clearInterval(alive)
  t.is(before, (await reader.search({})).version)
})
