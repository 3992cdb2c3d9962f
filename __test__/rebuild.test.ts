// Replacing everything: what a rebuild waits for, tells, lets be checked, and leaves behind when it is given up.
import { getEventListeners } from 'node:events'
import test from 'ava'
import { isCutoverError } from 'cutover'
import type { Progress } from 'cutover'
import { books, contents, deferred, directory, filled, library, refused, rejection } from './support/index.js'
import type { Book } from './support/index.js'

test('a rebuild replaces everything, and resolves once this index answers from it', async (t) => {
  const index = await filled(t)
  const before = index.current
  const info = await index.rebuild(books.slice(1))
  t.is(index.current?.id, info.id)
  t.like(info, { state: 'published', documents: 5, parent: before?.id, attributes: {}, tags: [] })
  t.true(info.createdAt instanceof Date && Math.abs(Date.now() - info.createdAt.getTime()) < 3_600_000)
  t.true(info.sequence > (before?.sequence ?? 0) && info.bytes > 0)
  t.regex(info.digest, /^[0-9a-f]{64}$/)
  t.is(await index.get('atomic'), undefined)
  t.is((await index.search({})).version, info.id)
})

test('a source function is called once the writer lock is held', async (t) => {
  const path = directory(t)
  const [one, two] = [await library(t, {}, path), await library(t, {}, path)]
  const [entered, finish] = [deferred(), deferred()]
  const order: string[] = []
  const first = one.rebuild(async function* () {
    order.push('first begins')
    entered.resolve()
    await finish.promise
    order.push('first ends')
    yield* books
  })
  await entered.promise
  const second = two.rebuild(() => {
    order.push('second begins')
    return [{ id: 'newer', title: 'Newer' }]
  })
  const failed = await refused(
    t,
    'CUTOVER_LOCKED',
    two.rebuild(() => t.fail() as never, { lockTimeoutMs: 0 }),
  )
  t.true(failed.retryable)
  t.like(failed.detail.holder, { pid: process.pid, operation: 'rebuild' })
  t.like((await two.status()).lock, { pid: process.pid, operation: 'rebuild' })
  await refused(
    t,
    'CUTOVER_LOCKED',
    two.rebuild(() => t.fail() as never, { lockTimeoutMs: 20 }),
  )
  finish.resolve()
  await first
  await second
  t.deepEqual(order, ['first begins', 'first ends', 'second begins'])
  await one.search({}).then(({ total }) => t.true(total === 6 || total === 1))
  t.is((await two.search({})).total, 1)
})

test('progress tells every phase in its order, and the documents read', async (t) => {
  const index = await library(t)
  const told: Progress[] = []
  await index.rebuild(books, { onProgress: (progress) => void told.push(progress) })
  const phases = told.map(({ phase }) => phase).filter((phase, at, all) => phase !== all[at - 1])
  const known = ['waiting', 'reading', 'building', 'verifying', 'publishing']
  t.deepEqual(
    phases,
    known.filter((phase) => (phases as string[]).includes(phase)),
  )
  t.deepEqual([phases[0], phases[1], phases.at(-1)], ['waiting', 'reading', 'publishing'])
  t.like(
    told.findLast(({ phase }) => phase === 'reading'),
    { done: books.length, total: books.length },
  )
  t.true(told.every(({ elapsedMs }, at) => elapsedMs >= (told[at - 1]?.elapsedMs ?? 0)))
})

test('a throw of onProgress ends the rebuild with what it threw, and nothing is left', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  for (const at of ['waiting', 'reading', 'publishing']) {
    const mine = new Error(at)
    const onProgress = ({ phase }: Progress): void => {
      if (phase === at) throw mine
    }
    t.is(await rejection(index.rebuild(books, { onProgress })), mine)
  }
  t.deepEqual(contents(index.path), before)
})

test('a gate sees the finished draft before anyone else', async (t) => {
  const index = await filled(t)
  const before = index.current?.id
  let draft = ''
  const info = await index.rebuild(books.slice(0, 2), {
    async gate(snapshot) {
      draft = snapshot.version.id
      t.is(snapshot.version.documents, 2)
      t.deepEqual(
        (await snapshot.search('lease')).hits.map((hit) => hit.id),
        ['locks'],
      )
      t.deepEqual(
        snapshot.searchSync({ vector: [1, 0, 0], limit: 1 }).hits.map((hit) => hit.id),
        ['atomic'],
      )
      t.is((await snapshot.get('atomic'))?.title, 'Atomic renames')
      t.is(await snapshot.count(), 2)
      t.is(before, (await index.search({})).version)
      t.is((await index.versions()).length, 1)
    },
  })
  t.is(draft, info.id)
})

test('a gate that throws abandons the draft: CUTOVER_GATE, with its cause', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  const cause = new Error('too few documents')
  for (const gate of [
    () => {
      throw cause
    },
    () => Promise.reject(cause),
  ]) {
    const error = await refused(t, 'CUTOVER_GATE', index.rebuild([], { gate }))
    t.is(error.cause, cause)
    t.regex(error.message, /too few documents/)
  }
  t.deepEqual(contents(index.path), before)
  t.is((await index.search({})).total, books.length)
})

test('a snapshot kept from a gate is closed', async (t) => {
  const index = await library(t)
  let kept: { search(query: string): Promise<unknown> } | undefined
  await index.rebuild(books, { gate: (draft) => void (kept = draft) })
  await refused(t, 'CUTOVER_CLOSED', kept?.search('a') ?? Promise.resolve())
})

test('activate: false leaves a complete version that nobody is answered from, until it is activated', async (t) => {
  const index = await filled(t)
  const before = index.current?.id
  const prepared = await index.rebuild(books.slice(0, 1), { activate: false, version: 'next' })
  t.like(prepared, { id: 'next', state: 'prepared', documents: 1 })
  t.is(index.current?.id, before)
  t.is((await index.search({})).total, books.length)
  t.like(await index.activate('next'), { id: 'next', state: 'published' })
  t.is(index.current?.id, 'next')
  t.is((await index.search({})).total, 1)
})

test('attributes stay with the version', async (t) => {
  const index = await library(t)
  const attributes = { model: 'm', commit: 'abc', nested: { list: [1, null, 'x'] } }
  const info = await index.rebuild(books, { attributes })
  t.deepEqual(info.attributes, attributes)
  t.deepEqual((await index.versions())[0]?.attributes, attributes)
})

test('an id that was ever used is refused before the source is read', async (t) => {
  const index = await library(t)
  await index.rebuild(books, { version: 'mine' })
  const before = contents(index.path)
  const error = await refused(
    t,
    'CUTOVER_EXISTS',
    index.rebuild(() => t.fail() as never, { version: 'mine' }),
  )
  t.is(error.detail.version, 'mine')
  for (const version of ['', 'A', 'a b', '../a', 'a.staging', 'con', 'a..b', 'x'.repeat(65)])
    await t.throwsAsync(
      index.rebuild(() => t.fail() as never, { version }),
      { instanceOf: RangeError },
      version,
    )
  t.deepEqual(contents(index.path), before)
})

test('ifCurrent refuses to publish over another version', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  const current = index.current?.id ?? ''
  const error = await refused(t, 'CUTOVER_CONFLICT', index.rebuild(books, { ifCurrent: '0000000099-aaaaaa' }))
  t.like(error.detail, { expected: '0000000099-aaaaaa', actual: current })
  t.deepEqual(contents(index.path), before)
  t.is((await index.rebuild(books.slice(1), { ifCurrent: current })).parent, current)
})

test('invalid documents are skipped and counted when told so, whoever finds them', async (t) => {
  const index = await library(t)
  const source = [
    { id: 'a', title: 'A' },
    { id: 'b', title: 7 },
    { id: 'c', title: 'C', price: Number.NaN },
    { id: 'd', title: 'D', embedding: [1, 2] },
    { id: 8, title: 'E' },
    { id: 'f', title: 'F' },
  ] as unknown as Book[]
  const told: string[] = []
  const info = await index.rebuild(source, {
    onInvalid(error) {
      t.true(isCutoverError(error, 'CUTOVER_DOCUMENT'))
      told.push(`${String(error.detail.id)}.${String(error.detail.field)}`)
    },
  })
  t.like(info, { documents: 2, counts: { skipped: 4, duplicates: 0 } })
  t.deepEqual(told.toSorted(), ['.id', 'b.title', 'c.price', 'd.embedding'])
  t.like(await index.rebuild(source, { onInvalid: 'skip' }), { documents: 2, counts: { skipped: 4 } })
})

test('an abort before a rebuild leaves everything, and reads nothing', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  const reason = { my: 'reason' }
  t.is(await rejection(index.rebuild(() => t.fail() as never, { signal: AbortSignal.abort(reason) })), reason)
  t.deepEqual(contents(index.path), before)
})

test('an abort while waiting for the lock rejects, and the next rebuild goes on', async (t) => {
  const path = directory(t)
  const [one, two] = [await library(t, {}, path), await library(t, {}, path)]
  const [entered, finish] = [deferred(), deferred()]
  const first = one.rebuild(async function* () {
    entered.resolve()
    await finish.promise
    yield* books
  })
  await entered.promise
  const controller = new AbortController()
  const waiting = two.rebuild(() => t.fail() as never, { signal: controller.signal })
  const reason = new Error('mine')
  controller.abort(reason)
  t.is(await rejection(waiting), reason)
  t.is(getEventListeners(controller.signal, 'abort').length, 0)
  finish.resolve()
  await first
  t.is((await two.rebuild([])).documents, 0)
})

for (const phase of ['reading', 'building', 'gate'] as const)
  test(`an abort while ${phase} abandons the draft and rejects with the reason`, async (t) => {
    const index = await filled(t)
    const before = contents(index.path)
    const controller = new AbortController()
    const reason = new Error('mine')
    let closed = false
    async function* source(): AsyncGenerator<Book> {
      try {
        yield* books
        if (phase === 'reading') controller.abort(reason)
        yield* books
        // The end of the source begins the building.
        if (phase === 'building') setImmediate(() => controller.abort(reason))
        for (let n = 0; n < 3000; n++)
          yield { id: `${n}`, title: `${n} words of many`, embedding: [Math.sin(n), Math.cos(n), n / 3000] }
      } finally {
        closed = true
      }
    }
    const gate = (): Promise<void> => {
      if (phase === 'gate') controller.abort(reason)
      return phase === 'gate' ? new Promise(() => {}) : Promise.resolve()
    }
    t.is(await rejection(index.rebuild(source, { signal: controller.signal, gate })), reason)
    t.true(closed)
    t.is(getEventListeners(controller.signal, 'abort').length, 0)
    t.deepEqual(contents(index.path), before)
    t.is((await index.rebuild([])).documents, 0, 'the lock is free')
  })

test('an abort after the publish began changes nothing: the rebuild completes', async (t) => {
  const index = await filled(t)
  const controller = new AbortController()
  const info = await index.rebuild(books.slice(0, 3), { signal: controller.signal })
  controller.abort(new Error('too late'))
  t.is(index.current?.id, info.id)
  t.is((await index.search({})).total, 3)
  t.is(getEventListeners(controller.signal, 'abort').length, 0)
})

test('rebuilds of one index queue up, and the last one wins', async (t) => {
  const index = await library(t)
  const all = await Promise.all([1, 2, 3].map((count) => index.rebuild(() => books.slice(0, count))))
  t.is(new Set(all.map(({ id }) => id)).size, 3)
  const last = all.toSorted((a, b) => b.sequence - a.sequence)[0]
  t.is(index.current?.id, last?.id)
  t.is(last?.documents, (await index.search({})).total)
})

test('the status tells what the last publish took', async (t) => {
  const index = await library(t)
  t.is((await index.status()).lastPublish, undefined)
  const { id } = await index.rebuild(books)
  const { lastPublish, current, versions, lock, bytes, freeBytes, drafts } = await index.status()
  t.is(lastPublish?.version, id)
  t.true((lastPublish?.visibleMs ?? -1) >= 0 && (lastPublish?.durableMs ?? -1) >= (lastPublish?.visibleMs ?? 0))
  t.is(current?.id, id)
  t.deepEqual([versions, lock, drafts], [1, undefined, 0])
  t.true(bytes > 0 && freeBytes > 0)
})

test('a version may have many segments, and answers as one', async (t) => {
  const index = await library(t, { buildMemoryBytes: 16 * 1024 * 1024 })
  const text = 'many words that need memory '.repeat(40)
  const count = 6000
  function* source(): Generator<Book> {
    for (let n = 0; n < count; n++)
      yield {
        id: `${n % (count - 10)}`,
        title: `${n} ${n % 7}`,
        body: text + n,
        embedding: [Math.cos(n), Math.sin(n), 0.5],
      }
  }
  const info = await index.rebuild(source)
  t.like(info, { documents: count - 10, counts: { duplicates: 10 } })
  t.is((await index.get('3'))?.title, `${count - 10 + 3} ${(count - 10 + 3) % 7}`)
  t.is(await index.count(), count - 10)
  const { hits } = await index.search({ vector: { values: [1, 0, 0.5], exact: true }, limit: 1 })
  t.is(hits[0]?.vector?.rank, 1)
})
