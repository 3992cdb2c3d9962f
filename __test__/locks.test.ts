// Who holds the writer lock, and what ends that: other programs, killed processes, terminated threads.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { withLock } from 'cutover/atomic'
import { books, directory, filled, library, refused } from './support/index.js'

/** Long enough for any machine: a lock that is not let go is an error here, not a test that hangs. */
const PATIENCE = 60_000

function worker(t: ExecutionContext, what: string, path: string): Worker {
  const started = new Worker(resolve('.cache/test/support/worker.js'), { workerData: { what, path } })
  t.teardown(() => started.terminate())
  return started
}
const said = async (from: Worker): Promise<unknown> => ((await once(from, 'message')) as [unknown])[0]
/** Whether another program can take the lock at once. */
const free = (lock: string): boolean => spawnSync('flock', ['-n', '-x', lock, 'true']).status === 0

test('the lock is held from before the source is asked until the version is published', async (t) => {
  const index = await library(t)
  const lock = join(index.path, '.index_rebuild.lock')
  const seen: boolean[] = []
  await index.rebuild(
    async function* () {
      seen.push(free(lock))
      yield* books
      seen.push(free(lock))
    },
    { gate: () => void seen.push(free(lock)) },
  )
  t.deepEqual(seen, [false, false, false])
  t.true(free(lock))
})

test('a terminated worker thread that was rebuilding does not hold the lock', async (t) => {
  const index = await filled(t)
  const current = index.current?.id
  const doomed = worker(t, 'rebuild', index.path)
  t.is(await said(doomed), 'holds')
  await refused(t, 'CUTOVER_LOCKED', index.rebuild(books, { lockTimeoutMs: 0 }))
  await doomed.terminate()
  t.is(index.current?.id, current)
  await index.rebuild(books, { lockTimeoutMs: PATIENCE })
  t.is((await index.search('never')).total, 0)
  t.is((await index.status()).drafts, 0)
})

test('a terminated worker thread holds no lock of withLock', async (t) => {
  const path = join(directory(t), 'x.lock')
  const doomed = worker(t, 'lock', path)
  t.is(await said(doomed), 'holds')
  await refused(
    t,
    'CUTOVER_LOCKED',
    withLock(path, () => t.fail(), { timeoutMs: 0 }),
  )
  await doomed.terminate()
  await withLock(path, () => t.pass(), { timeoutMs: PATIENCE })
})

test('a worker thread that is terminated while it waits does not get the lock later', async (t) => {
  const path = join(directory(t), 'x.lock')
  await withLock(path, async () => {
    const doomed = worker(t, 'wait', path)
    t.is(await said(doomed), 'waits')
    await doomed.terminate()
  })
  await withLock(path, () => t.pass(), { timeoutMs: PATIENCE })
  await withLock(path, () => t.true(!free(path)), { timeoutMs: PATIENCE })
})

test('a program that is started while the lock is held does not hold it', async (t) => {
  const path = join(directory(t), 'x.lock')
  const child = await withLock(path, async () => {
    const started = spawn('sleep', ['1000'], { stdio: 'ignore' })
    await once(started, 'spawn')
    return started
  })
  t.teardown(() => child.kill('SIGKILL'))
  t.true(free(path))
  t.is(child.exitCode, null)
})
