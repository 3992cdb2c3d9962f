// Several processes on one index: each sees whole versions, whoever publishes, and whoever is killed.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import { books, contents, filled, library } from './support/index.js'

const script = resolve('.cache/test/support/child.js')

function child(t: ExecutionContext, what: string, path: string): ChildProcess {
  const started = fork(script, [what, path])
  t.teardown(() => started.kill('SIGKILL'))
  return started
}
const message = async (from: ChildProcess): Promise<Record<string, unknown>> =>
  ((await once(from, 'message')) as [Record<string, unknown>])[0]

test('this process searches while another one publishes, and sees only whole versions', async (t) => {
  const index = await library(t)
  await index.rebuild([{ id: '0', title: 'x', kind: 'size-1', embedding: [1, 0, 1] }], {
    attributes: { stamp: 'size-1' },
  })
  const publisher = child(t, 'publish', index.path)
  await message(publisher)
  const seen = new Set<string>()
  const running = new AbortController()
  const asking = (async () => {
    while (!running.signal.aborted) {
      const { version, hits, total } = await index.search({ limit: 1000, facets: { kind: {} } })
      seen.add(version)
      const stamps = new Set(hits.map(({ document }) => document.kind))
      t.is(stamps.size, 1)
      t.true(stamps.has(`size-${hits.length}`))
      t.is(total, hits.length)
    }
  })()
  const published: string[] = []
  for (const size of [50, 100, 20, 200, 3]) {
    const answer = message(publisher)
    publisher.send(size)
    published.push(String((await answer).id))
  }
  // The last one arrives without any call of ours but the searches.
  while (!seen.has(published.at(-1) ?? '')) await new Promise((done) => setImmediate(done))
  running.abort()
  await asking
  const exit = once(publisher, 'exit')
  publisher.send(0)
  t.deepEqual(await exit, [0, null])
  t.is(index.current?.id, published.at(-1))
})

test('a killed rebuild changes nothing, and leaves no trace after the next one', async (t) => {
  const index = await filled(t)
  const before = contents(index.path)
  const current = index.current?.id
  const doomed = child(t, 'doomed', index.path)
  await message(doomed)
  t.like((await index.status()).lock, { pid: doomed.pid ?? -1, operation: 'rebuild' })
  const exit = once(doomed, 'exit')
  doomed.kill('SIGKILL')
  t.deepEqual(await exit, [null, 'SIGKILL'])

  t.is(current, (await index.search({})).version)
  t.is((await index.search('never')).total, 0)
  t.deepEqual(
    (await index.versions()).map(({ id }) => id),
    [current],
  )
  t.true(
    readdirSync(join(index.path, 'versions')).some((name) => name.endsWith('.staging')),
    'the draft is still there',
  )

  // The next writer removes it, whatever becomes of its own draft.
  await t.throwsAsync(
    index.rebuild(() => {
      throw new Error('no source')
    }),
  )
  t.deepEqual(contents(index.path), before)
  await index.rebuild(books)
  t.is((await index.status()).drafts, 0)
})
