// What tests of `cutover/store` do in processes of their own, at each message.
import { on } from 'node:events'
import { readdirSync } from 'node:fs'
import { openStore } from 'cutover/store'
import { put } from './store.js'

const [what = '', path = ''] = process.argv.slice(2)
const say = (value: object): void => void process.send?.(value)

/** Open descriptors and running threads. */
const resources = (): number[] => [readdirSync('/proc/self/fd').length, readdirSync('/proc/self/task').length]

const deeds: Record<string, () => Promise<void>> = {
  /** Publishes what each message says. */
  async publish() {
    const store = await openStore(path)
    const received = on(process, 'message')
    say({ ready: true })
    for await (const [message] of received as AsyncIterable<[Record<string, string> | null]>) {
      if (message === null) break
      // One byte for each character: a file need not be text.
      const files = Object.entries(message).map(([name, content]) => [name, Buffer.from(content, 'latin1')])
      const { id } = await store.rebuild((root) => put(root, Object.fromEntries(files)))
      say({ id })
    }
    await store.close()
    process.disconnect()
  },

  /** Holds the newest version and waits to be killed. */
  async hold() {
    const store = await openStore(path)
    const snapshot = await store.snapshot()
    // What nothing refers to any more is collected, and lets its version go.
    setInterval(() => snapshot.directory, 1000)
    say({ id: snapshot.version.id })
  },

  /** Attaches a file from where it runs, and goes elsewhere meanwhile. */
  async attach() {
    const store = await openStore(path)
    const draft = await store.draft()
    const attaching = draft.attach('there', 'here')
    process.chdir('/')
    await attaching
    await draft.publish()
    await store.close()
  },

  /** Opens and closes many snapshots; how many descriptors and threads there were before and after. */
  async leak() {
    const store = await openStore(path, { integrity: 'sizes' })
    const round = async (): Promise<void> => (await store.snapshot()).close()
    for (let n = 0; n < 50; n++) await round()
    const before = resources()
    const held = await store.snapshot()
    const holding = resources()
    await held.close()
    for (let n = 0; n < 500; n++) await Promise.all(Array.from({ length: 20 }, round))
    // Threads that have given their answer end by themselves.
    let after = resources()
    // A busy machine gives them their turn late.
    for (let n = 0; n < 3000 && after.some((count, at) => count > (before[at] ?? 0)); n++) {
      await new Promise((done) => {
        setTimeout(done, 10)
      })
      after = resources()
    }
    process.stdout.write(JSON.stringify({ before, holding, after, inUse: (await store.status()).inUse }))
    await store.close()
  },

  /** Begins a draft, writes into it, and waits to be killed. */
  async draft() {
    const store = await openStore(path)
    const draft = await store.draft()
    put(draft.directory, { never: 'seen' })
    setInterval(() => draft.directory, 1000)
    say({ id: draft.version })
  },
}

await deeds[what]?.()
