// What happens to versions once they are there: activated, rolled back, tagged, pruned, verified, copied, repaired, adopted.
import { chmodSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { adopt, openStore } from 'cutover/store'
import { contents, directory, refused, rejection } from './support/index.js'
import { build, put, read, store } from './support/store.js'

test('prepared versions wait for activate, rollback goes back, and a withdrawn one returns by name alone', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }), { version: 'one' })
  await versions.rebuild(build({ a: '2' }), { version: 'two', activate: false })
  t.is((await versions.current())?.id, 'one')
  t.is((await versions.activate('two', { ifCurrent: 'one' })).state, 'published')
  await refused(t, 'CUTOVER_CONFLICT', versions.rollback(undefined, { ifCurrent: 'one' }))
  t.is((await versions.rollback()).id, 'one')
  t.deepEqual(
    (await versions.versions()).map(({ id, state }) => [id, state]),
    [
      ['one', 'published'],
      ['two', 'withdrawn'],
    ],
  )
  await refused(t, 'CUTOVER_NOT_FOUND', versions.rollback())
  await refused(t, 'CUTOVER_NOT_FOUND', versions.activate('three'))
  t.is((await versions.activate('two')).id, 'two')
  t.is(await read(versions, 'a'), '2')
  const mine = new Error('mine')
  t.is(await rejection(versions.rollback('one', { signal: AbortSignal.abort(mine) })), mine)
})

test('a prepared version is discarded, for good; one that was current, is tagged or is read is not', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }), { version: 'one' })
  await versions.rebuild(build({ a: '2' }), { version: 'two', activate: false })
  await refused(t, 'CUTOVER_CONFLICT', versions.discard('one'))
  await versions.tag('wanted', 'two')
  await refused(t, 'CUTOVER_CONFLICT', versions.discard('two'))
  await versions.tag('wanted', undefined)
  const held = await versions.snapshot({ version: 'two' })
  await refused(t, 'CUTOVER_BUSY', versions.discard('two'))
  await held.close()
  await versions.discard('two')
  t.deepEqual(
    (await versions.versions()).map(({ id }) => id),
    ['one'],
  )
  await refused(t, 'CUTOVER_NOT_FOUND', versions.discard('two'))
  await refused(t, 'CUTOVER_EXISTS', versions.rebuild(build({ a: '3' }), { version: 'two' }))
  t.is(await read(versions, 'a'), '1')
  const mine = new Error('mine')
  t.is(await rejection(versions.discard('one', { signal: AbortSignal.abort(mine) })), mine)
})

test('attributes are merged, undefined removes, and tags move and keep their version', async (t) => {
  const versions = await store(t, { keep: { versions: 1 } })
  await versions.rebuild(build({ a: '1' }), { version: 'one', attributes: { model: 'x', commit: 'abc' } })
  t.deepEqual((await versions.setAttributes('one', { model: 'y', commit: undefined, n: [1] })).attributes, {
    model: 'y',
    n: [1],
  })
  t.deepEqual((await versions.current())?.attributes, { model: 'y', n: [1] })
  await versions.tag('good', 'one')
  t.deepEqual((await versions.current())?.tags, ['good'])
  for (const version of ['two', 'three', 'four']) await versions.rebuild(build({ a: version }), { version })
  t.deepEqual(
    (await versions.versions()).map(({ id }) => id),
    ['one', 'three', 'four'],
    'tagged, where rollback leads, current',
  )
  await versions.tag('good', 'four')
  const planned = await versions.prune({ dryRun: true })
  t.like(planned, { removed: ['one'], kept: ['three', 'four'], inUse: [] })
  t.is((await versions.versions()).length, 3)
  const held = await versions.snapshot({ version: 'one' })
  t.like(await versions.prune(), { removed: [], inUse: ['one'] })
  await held.close()
  t.like(await versions.prune({ keep: { versions: 9 } }), { removed: [] })
  t.like(await versions.prune(), { removed: ['one'], bytesFreed: planned.bytesFreed })
  await versions.tag('good', undefined)
  t.deepEqual((await versions.current())?.tags, [])
  await refused(t, 'CUTOVER_NOT_FOUND', versions.tag('bad', 'one'))
  await t.throwsAsync(versions.tag('', 'four'), { instanceOf: RangeError })
})

test('what waits for the lock is limited and given up as writes are', async (t) => {
  const versions = await store(t)
  const { id } = await versions.rebuild(build({ a: '1' }))
  const draft = await versions.draft()
  const now = { lockTimeoutMs: 0 }
  for (const call of [
    () => versions.tag('a', id, now),
    () => versions.setAttributes(id, {}, now),
    () => versions.prune(now),
    () => versions.activate(id, now),
  ] as (() => Promise<unknown>)[]) {
    const error = await refused(t, 'CUTOVER_LOCKED', call())
    t.like(error.detail, { holder: { pid: process.pid, operation: 'draft' } })
  }
  const stop = new AbortController()
  const mine = new Error('mine')
  const waiting = rejection(versions.tag('a', id, { signal: stop.signal }))
  stop.abort(mine)
  t.is(await waiting, mine)
  await draft.discard()
})

test('verify names what is wrong and where, at either depth', async (t) => {
  const versions = await store(t, { integrity: 'sizes' })
  const { id } = await versions.rebuild(build({ 'a/b': 'four', c: 'x' }))
  t.like(await versions.verify(), { ok: true, versions: [id], bytesRead: 5, problems: [] })
  const path = join(versions.path, 'versions', id, 'artifacts/a/b')
  chmodSync(path, 0o644)
  writeFileSync(path, 'fuor')
  t.like(await versions.verify({ depth: 'sizes' }), { ok: true })
  const report = await versions.verify({ version: id })
  t.false(report.ok)
  t.like(report.problems[0], { version: id, file: 'artifacts/a/b', kind: 'digest' })
  writeFileSync(path, 'three')
  t.like((await versions.verify({ depth: 'sizes' })).problems[0], { kind: 'size', file: 'artifacts/a/b' })
  await refused(t, 'CUTOVER_NOT_FOUND', versions.verify({ version: 'none' }))
  const mine = new Error('mine')
  t.is(await rejection(versions.verify({ signal: AbortSignal.abort(mine) })), mine)
})

test('a progress callback that throws ends a verify with what it threw', async (t) => {
  const versions = await store(t, { integrity: 'sizes' })
  await versions.rebuild(build({ a: new Uint8Array(64 * 1024 * 1024) }))
  const mine = new Error('mine')
  const thrown = versions.verify({
    onProgress: () => {
      throw mine
    },
  })
  // On a machine fast enough to be done before the first report there is nothing to throw at.
  t.true([mine, undefined].includes((await rejection(thrown)) as Error))
})

test('a copy is a store of its own, and no file of it is shared', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }), { version: 'one', attributes: { model: 'x' } })
  await versions.rebuild(build({ a: '2' }), { version: 'two' })
  const target = join(directory(t), 'copy')
  await versions.copyTo(target, { version: 'one' })
  const copy = await store(t, {}, target)
  t.like(await copy.current(), { id: 'one', attributes: { model: 'x' } })
  t.is(await read(copy, 'a'), '1')
  t.like(await copy.verify(), { ok: true, versions: ['one'] })
  await copy.rebuild(build({ a: '3' }))
  const before = contents(target)
  t.truthy(await rejection(versions.copyTo(target)), 'what is there is not overwritten')
  t.deepEqual(contents(target), before)
})

test('repair sets a damaged version aside and makes the newest whole one current', async (t) => {
  const versions = await store(t, { integrity: 'sizes' })
  await versions.rebuild(build({ a: '1' }), { version: 'one' })
  await versions.rebuild(build({ a: '2' }), { version: 'two' })
  const path = join(versions.path, 'versions/two/artifacts/a')
  chmodSync(path, 0o644)
  writeFileSync(path, 'longer')
  await refused(t, 'CUTOVER_CORRUPT', versions.snapshot())
  t.like(await versions.repair({ dryRun: true }), { setAside: ['two'] })
  t.is((await versions.current())?.id, 'two')
  const report = await versions.repair()
  t.like(report, { current: 'one', setAside: ['two'] })
  t.is(report.problems[0]?.kind, 'size')
  t.is(await read(versions, 'a'), '1')
  t.like(await versions.repair(), { current: 'one', setAside: [], removed: [], problems: [] })
})

test('CURRENT that is gone is named, and not taken for an empty store', async (t) => {
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }), { version: 'one' })
  writeFileSync(join(versions.path, 'CURRENT'), '')
  await refused(t, 'CUTOVER_CORRUPT', versions.current())
  await refused(t, 'CUTOVER_CORRUPT', versions.rebuild(build({ a: '2' })))
  t.like(await versions.repair(), { current: 'one' })
  t.is((await versions.current())?.id, 'one')
})

test('a directory that other software laid out is adopted: digests are made, nothing is moved', async (t) => {
  const path = directory(t)
  put(path, {
    'versions/v1/index.faiss': 'old',
    'versions/v2/index.faiss': 'new',
    'versions/v2/lucene/_0.cfs': 'terms',
    'versions/Not An Id/index.faiss': 'x',
    CURRENT: 'v2\n',
  })
  symlinkSync('versions/v2', join(path, 'current'))
  const before = readFileSync(join(path, 'versions/v2/index.faiss'), 'utf8')
  const { versions, refused: left } = await adopt(path)
  t.deepEqual(versions.map(({ id }) => id).toSorted(), ['v1', 'v2'])
  t.deepEqual(
    left.map(({ name }) => name),
    ['Not An Id'],
  )
  t.is(readFileSync(join(path, 'versions/v2/index.faiss'), 'utf8'), before)
  const adopted = await store(t, { required: ['index.faiss'] }, path)
  t.is((await adopted.current())?.id, 'v2')
  const snapshot = await adopted.snapshot()
  t.is(snapshot.directory, join(path, 'versions/v2'))
  t.is(readFileSync(snapshot.path('lucene/_0.cfs'), 'utf8'), 'terms')
  await snapshot.close()
  t.like(await adopted.verify(), { ok: true })
  const more = directory(t)
  put(more, { graph: 'edges' })
  const { id } = await adopted.extend({ graph: join(more, 'graph') })
  t.deepEqual(readdirSync(join(path, 'versions', id, 'artifacts')).toSorted(), ['graph', 'index.faiss', 'lucene'])
  t.is(await read(adopted, 'index.faiss'), 'new')
  t.is((await adopted.rollback()).id, 'v2')
})

test('what is no store is refused by name', async (t) => {
  const path = directory(t)
  mkdirSync(join(path, 'src'))
  await refused(t, 'CUTOVER_NOT_FOUND', openStore(path))
})
