// What is opened is closed again: descriptors, maps and threads.
import { readFileSync, readdirSync } from 'node:fs'
import test from 'ava'
import { openIndex } from 'cutover'
import { books, fields, filled } from './support/index.js'

test.serial('200 opens and closes leak no descriptor, map or thread', async (t) => {
  if (process.platform !== 'linux') {
    t.log('skipped: counted in /proc')
    return t.pass()
  }
  const index = await filled(t)
  const round = async (): Promise<void> => {
    const again = await openIndex(index.path, { fields })
    await again.search({ text: 'lease', vector: [1, 0, 0] })
    const snapshot = await again.snapshot()
    await snapshot.close()
    await again.close()
  }
  const resources = (): { descriptors: number; maps: number; threads: number } => ({
    descriptors: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes(index.path)).length,
    threads: readdirSync('/proc/self/task').length,
  })
  // The first rounds start what stays: libuv's threads, the allocator's arenas.
  for (let n = 0; n < 5; n++) await round()
  const before = resources()
  for (let n = 0; n < 200; n++) await round()
  // What was let go is unmapped on threads of its own, which end by themselves.
  let after = resources()
  const settled = (): boolean =>
    after.descriptors <= before.descriptors && after.maps <= before.maps && after.threads <= before.threads
  // A busy machine gives them their turn late.
  for (let n = 0; n < 3000 && !settled(); n++) {
    await new Promise((done) => {
      setTimeout(done, 10)
    })
    after = resources()
  }
  t.true(after.descriptors <= before.descriptors, JSON.stringify([before, after]))
  t.true(after.maps <= before.maps, JSON.stringify([before, after]))
  t.true(after.threads <= before.threads, JSON.stringify([before, after]))
  t.is(books.length, (await index.search({})).total)
  return undefined
})
