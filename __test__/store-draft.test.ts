// A version step by step: files written into a draft, attached to it, shown to a gate, published or not.
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'ava'
import { isCutoverError } from 'cutover/store'
import { directory, refused, rejection } from './support/index.js'
import { build, put, read, run, store } from './support/store.js'

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
