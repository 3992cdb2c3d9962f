// A store as a whole: what it refuses by name, what it leaves alone when it is only read, what it lets go when it is closed.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { isCutoverError, openStore } from 'cutover/store'
import { contents, deferred, directory, refused } from './support/index.js'
import { build, put, read, store } from './support/store.js'

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
