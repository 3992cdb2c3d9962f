// 'cutover/atomic': old or new, never half, never nothing; and one at a time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { isCutoverError, rebuildInPlace, replaceFile, replaceWith, withLock } from 'cutover/atomic'
import { deferred, directory, filled, books, refused, rejection } from './support/index.js'

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8')

/** Another program that holds the lock until its end is asked for. */
async function flock(t: ExecutionContext, path: string): Promise<() => Promise<unknown>> {
  const child = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; read _'], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.stdin.end())
  await once(child.stdout, 'data')
  return () => {
    const exit = once(child, 'exit')
    child.stdin.end()
    return exit
  }
}

test('replaceFile writes strings, bytes and streams of them', async (t) => {
  const path = join(directory(t), 'file')
  await replaceFile(path, 'ünï')
  t.is(read(path), 'ünï')
  await replaceFile(path, new Uint8Array(3_000_000).fill(7))
  t.deepEqual([...new Set(readFileSync(path))], [7])
  t.is(statSync(path).size, 3_000_000)
  await replaceFile(
    path,
    (async function* () {
      yield Buffer.from('one, ')
      yield new Uint8Array(0)
      yield Buffer.from('two')
    })(),
  )
  t.is(read(path), 'one, two')
  await replaceFile(path, '')
  t.is(read(path), '')
  t.deepEqual(readdirSync(join(path, '..')), ['file'])
})

test('replaceFile leaves the old file when its source fails, and says why by identity', async (t) => {
  const base = directory(t)
  const path = join(base, 'file')
  writeFileSync(path, 'old')
  const failure = new Error('the source')
  const failing = replaceFile(
    path,
    (async function* () {
      yield Buffer.from('new')
      throw failure
    })(),
  )
  t.is(await rejection(failing), failure)
  const odd = (async function* () {
    yield 'text' as unknown as Uint8Array
  })()
  await t.throwsAsync(replaceFile(path, odd), { instanceOf: TypeError, message: /each chunk of data.*'text'/ })
  t.is(read(path), 'old')
  t.deepEqual(readdirSync(base), ['file'])
})

test('replaceWith puts a directory in the place of another', async (t) => {
  const base = directory(t)
  for (const name of ['target', 'staged']) {
    mkdirSync(join(base, name))
    writeFileSync(join(base, name, 'file'), name)
  }
  await replaceWith(join(base, 'target'), join(base, 'staged'))
  t.deepEqual(readdirSync(base), ['target'])
  t.is(read(base, 'target/file'), 'staged')
  const error = await refused(t, 'CUTOVER_IO', replaceWith(join(base, 'target'), join(base, 'absent')))
  t.is(error.detail['path'], join(base, 'absent'))
  await t.throwsAsync(replaceWith(join(base, 'target'), join(base, 'target/file')), { instanceOf: RangeError })
  t.is(read(base, 'target/file'), 'staged')
})

test('withLock answers what its work answers, and lets go however it ends', async (t) => {
  const path = join(directory(t), 'x.lock')
  t.is(await withLock(path, async () => 'done'), 'done')
  const failure = new Error('the work')
  t.is(await rejection(withLock(path, () => Promise.reject(failure))), failure)
  t.is(
    await rejection(
      withLock(path, () => {
        throw failure
      }),
    ),
    failure,
  )
  t.is(await withLock(path, () => 1, { timeoutMs: 0 }), 1)
  t.deepEqual(readdirSync(join(path, '..')), ['x.lock'])
})

test('withLock says who holds the lock, and waits no longer than it is told', async (t) => {
  const path = join(directory(t), 'x.lock')
  const [entered, leave] = [deferred(), deferred()]
  const holding = withLock(path, () => (entered.resolve(), leave.promise))
  await entered.promise
  for (const timeoutMs of [0, 30]) {
    const error = await refused(
      t,
      'CUTOVER_LOCKED',
      withLock(path, () => t.fail(), { timeoutMs }),
    )
    t.true(error.retryable)
    t.like(error.detail, { path, holder: { pid: process.pid, host: hostname(), operation: 'lock' } })
    t.is(typeof (error.detail['holder'] as Record<string, unknown>)['since'], 'number')
  }
  leave.resolve()
  await holding
})

test('a signal ends the wait for a lock with its reason; work that runs is told, and keeps the lock until it has settled', async (t) => {
  const path = join(directory(t), 'x.lock')
  const [entered, leave] = [deferred(), deferred()]
  const running = new AbortController()
  const holding = withLock(
    path,
    async (signal) => {
      t.is(signal, running.signal)
      entered.resolve()
      await leave.promise
      return signal.aborted
    },
    { signal: running.signal },
  )
  await entered.promise
  const waiting = new AbortController()
  const reason = { why: 'enough' }
  const waiter = rejection(withLock(path, () => t.fail(), { signal: waiting.signal }))
  waiting.abort(reason)
  t.is(await waiter, reason)
  t.is(await rejection(withLock(path, () => t.fail(), { signal: waiting.signal })), reason)

  running.abort()
  await refused(
    t,
    'CUTOVER_LOCKED',
    withLock(path, () => t.fail(), { timeoutMs: 0 }),
  )
  leave.resolve()
  t.true(await holding)
  await withLock(path, () => {}, { timeoutMs: 0 })
})

test('the lock of an index excludes its writers and flock(1)', async (t) => {
  const index = await filled(t)
  const lock = join(index.path, '.index_rebuild.lock')
  await withLock(lock, async () => {
    const error = await refused(t, 'CUTOVER_LOCKED', index.rebuild(books, { lockTimeoutMs: 0 }))
    t.like(error.detail['holder'], { operation: 'lock', pid: process.pid })
    t.is((await index.search({})).total, books.length)
  })
  const release = await flock(t, lock)
  await refused(
    t,
    'CUTOVER_LOCKED',
    withLock(lock, () => t.fail(), { timeoutMs: 0 }),
  )
  const patient = withLock(lock, () => 'mine')
  await release()
  t.is(await patient, 'mine')
  await index.rebuild(books, { lockTimeoutMs: 0 })
})

test('rebuildInPlace swaps in what was built and touches nothing else', async (t) => {
  const base = directory(t)
  writeFileSync(join(base, 'vectors'), 'old')
  mkdirSync(join(base, 'text'))
  writeFileSync(join(base, 'text/one'), 'old')
  writeFileSync(join(base, 'mine'), 'kept')
  await rebuildInPlace(base, async (staging) => {
    await refused(
      t,
      'CUTOVER_LOCKED',
      rebuildInPlace(base, () => ({}), { lockTimeoutMs: 0 }),
    )
    t.is(read(base, 'vectors'), 'old')
    writeFileSync(join(staging, 'v'), 'new')
    mkdirSync(join(staging, 't'))
    writeFileSync(join(staging, 't/two'), 'new')
    return { v: 'vectors', t: 'text' }
  })
  t.is(read(base, 'vectors'), 'new')
  t.deepEqual(readdirSync(join(base, 'text')), ['two'])
  t.is(read(base, 'mine'), 'kept')
  t.deepEqual(readdirSync(base).toSorted(), ['.index_rebuild.lock', 'mine', 'text', 'vectors'])
})

test('rebuildInPlace leaves everything as it was when it fails, and lets go of the lock', async (t) => {
  const base = directory(t)
  writeFileSync(join(base, 'file'), 'old')
  symlinkSync('/etc', join(base, 'out'))
  const failure = new Error('the build')
  t.is(await rejection(rebuildInPlace(base, () => Promise.reject(failure))), failure)
  const stop = new AbortController()
  const aborted = rebuildInPlace(
    base,
    (staging) => {
      writeFileSync(join(staging, 'new'), 'new')
      stop.abort('enough')
      return { new: 'file' }
    },
    { signal: stop.signal },
  )
  t.is(await rejection(aborted), 'enough')
  for (const [staged, target] of [
    ['new', '../file'],
    ['new', 'out/file'],
    ['absent', 'file'],
  ] as const)
    await t.throwsAsync(
      rebuildInPlace(base, (staging) => {
        writeFileSync(join(staging, 'new'), 'new')
        return { [staged]: target }
      }),
      { instanceOf: RangeError },
    )
  await t.throwsAsync(
    rebuildInPlace(base, () => ['file'] as never),
    { instanceOf: TypeError, message: /what build answers/ },
  )
  t.is(read(base, 'file'), 'old')
  t.deepEqual(readdirSync(base).toSorted(), ['.index_rebuild.lock', 'file', 'out'])
  await rebuildInPlace(base, () => ({}), { lockTimeoutMs: 0 })
})

test("a caller's mistakes are told apart from the world's", async (t) => {
  const wrong: [() => Promise<unknown>, new () => Error][] = [
    [() => replaceFile('', 'x'), RangeError],
    [() => replaceFile('a\0b', 'x'), RangeError],
    [() => replaceFile('/', 'x'), RangeError],
    [() => replaceFile(directory(t), 'x'), RangeError],
    [() => replaceFile('x', 1 as never), TypeError],
    [() => replaceFile('x', 'a\ud800'), TypeError],
    [() => replaceWith('x', 1 as never), TypeError],
    [() => replaceWith('x', 'y', { allowGaps: true } as never), TypeError],
    [() => withLock('x', 'work' as never), TypeError],
    [() => withLock('x', () => {}, { timeoutMs: -1 }), RangeError],
    [() => withLock('x', () => {}, { lockTimeoutMs: 1 } as never), TypeError],
    [() => rebuildInPlace('x', () => ({}), { signal: {} as never }), TypeError],
  ]
  for (const [call, kind] of wrong) await t.throwsAsync(call, { instanceOf: kind })
  t.true(isCutoverError(await rejection(replaceFile(join(directory(t), 'no/such/file'), 'x')), 'CUTOVER_IO'))
})
