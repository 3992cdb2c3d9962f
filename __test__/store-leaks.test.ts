// What is opened is closed again.
import { resolve } from 'node:path'
import test from 'ava'
import { build, run, store } from './support/store.js'

test('10,000 snapshots opened and closed leak no descriptor, thread or lease', async (t) => {
  if (process.platform !== 'linux') {
    t.log('SKIPPED: counted in /proc')
    t.pass()
    return
  }
  const versions = await store(t)
  await versions.rebuild(build({ a: '1' }))
  // In a process of its own: descriptors are the process's, and other tests run in this one.
  const output = run(process.execPath, [resolve('.cache/test/support/store-child.js'), 'leak', versions.path])
  const { before, holding, after, inUse } = JSON.parse(output) as {
    before: [number, number]
    holding: [number, number]
    after: [number, number]
    inUse: string[]
  }
  t.is(holding[0], before[0] + 1, 'a snapshot is one descriptor')
  t.is(after[0], before[0])
  t.true(after[1] <= before[1], `${after[1]} threads, and ${before[1]} before`)
  t.deepEqual(inUse, [])
})
