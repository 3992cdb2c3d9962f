import test from 'ava'
import type { CutoverError, VersionInfo } from 'cutover'
// When listeners are told, and what keeps a process alive. The index here is one of the test's own.
import { Watcher } from '#dist/events.js'

const info = (id: string): string => JSON.stringify({ id, sequence: 1, created: 0, counts: {} })
class Index {
  json: string | null = null
  looks = 0
  told: object[] = []
  failure: Error | undefined
  #looked: (() => void)[] = []
  current = (): string | null => this.json
  problems = (): string => JSON.stringify(this.told.splice(0))
  refresh = async (): Promise<boolean> => {
    this.looks++
    for (const looked of this.#looked.splice(0)) setImmediate(looked)
    if (this.failure) throw this.failure
    return false
  }
  look = (): Promise<void> =>
    new Promise((resolve) => {
      // The watcher's own timer lets the process end.
      const alive = setInterval(() => {}, 1000)
      this.#looked.push(() => {
        clearInterval(alive)
        resolve()
      })
    })
}
const nothing = (): void => {}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test.serial('an index without listeners looks at nothing, and one with them keeps no process alive', async (t) => {
  const index = new Index()
  const watcher = new Watcher(index)
  const before = timers()
  watcher.on('version', nothing)
  // Unreferenced timers are not among what keeps the loop running.
  t.is(timers(), before)
  await index.look()
  t.true(index.looks > 0)
  watcher.off('version', nothing)
  const giveUp = watcher.wait(nothing)
  t.is(timers(), before + 1)
  giveUp()
  t.is(timers(), before)
})

test.serial('a version is told once, with the one before', async (t) => {
  const index = new Index()
  index.json = info('a')
  const watcher = new Watcher(index)
  const seen: [string, string | undefined][] = []
  const listener = (now: VersionInfo, before: VersionInfo | undefined): void => void seen.push([now.id, before?.id])
  index.json = info('b')
  watcher.on('version', listener)
  await index.look()
  t.deepEqual(seen, [], 'what happened before anybody listened is no event')
  index.json = info('c')
  await index.look()
  await index.look()
  t.deepEqual(seen, [['c', 'b']])
  index.json = info('d')
  watcher.check()
  t.deepEqual(seen[1], ['d', 'c'], 'a publish of ours is told at once')
  await index.look()
  t.is(seen.length, 2)
  watcher.stop()
})

test.serial('a problem is told to its listeners, once, and thrown at nobody', async (t) => {
  const index = new Index()
  const watcher = new Watcher(index)
  const seen: string[] = []
  const report = { code: 'CUTOVER_FORMAT_TOO_NEW', message: 'format 9' }
  watcher.on('version', () => {})
  index.failure = new Error(JSON.stringify({ code: 'CUTOVER_IO', message: 'no disk' }))
  await index.look()
  watcher.on('problem', (error: CutoverError) => void seen.push(error.code))
  await index.look()
  await index.look()
  t.deepEqual(seen, ['CUTOVER_IO'])
  index.failure = undefined
  index.told = [report, report]
  await index.look()
  t.deepEqual(seen, ['CUTOVER_IO', 'CUTOVER_FORMAT_TOO_NEW'])
  watcher.stop()
})

test.serial(
  "a listener's throw is nobody else's: the others are told, and the call that published goes on",
  async (t) => {
    const index = new Index()
    const watcher = new Watcher(index)
    const mine = new Error('of a listener')
    const uncaught = new Promise((resolve) => {
      process.prependOnceListener('uncaughtException', resolve)
    })
    // ava listens too, and would fail the run: this test alone takes its place.
    const others = process.listeners('uncaughtException').slice(1)
    for (const other of others) process.off('uncaughtException', other)
    try {
      let told = 0
      watcher.on('version', () => {
        throw mine
      })
      watcher.on('version', () => void told++)
      index.json = info('a')
      t.notThrows(() => watcher.check())
      t.is(told, 1)
      t.is(await uncaught, mine)
    } finally {
      for (const other of others) process.on('uncaughtException', other)
      watcher.stop()
    }
  },
)

test.serial('no such event, and no such listener', (t) => {
  const watcher = new Watcher(new Index())
  t.throws(() => watcher.on('error', () => {}), {
    instanceOf: RangeError,
    message: /event must be one of .*got 'error'/,
  })
  t.throws(() => watcher.on('version', 7), { instanceOf: TypeError, message: /listener must be a function, got 7/ })
  t.throws(() => watcher.off(7, () => {}), { instanceOf: TypeError })
})
