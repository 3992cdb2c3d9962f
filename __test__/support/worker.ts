// What tests do in a worker thread that is terminated.
import { parentPort, workerData } from 'node:worker_threads'
import { openIndex } from 'cutover'
import { withLock } from 'cutover/atomic'
import { fields } from './index.js'

const { what, path } = workerData as { what: string; path: string }
const never = new Promise<never>(() => {})
const say = (text: string): void => parentPort?.postMessage(text)
// Nothing that never settles keeps a thread alive.
setInterval(() => {}, 1000)

const deeds: Record<string, () => Promise<unknown>> = {
  async rebuild() {
    const index = await openIndex(path, { fields })
    return index.rebuild(async function* () {
      yield { id: 'never seen', title: 'x' }
      say('holds')
      await never
    })
  },
  lock: () =>
    withLock(path, () => {
      say('holds')
      return never
    }),
  async wait() {
    say('waits')
    await withLock(path, () => say('holds'))
  },
}
await deeds[what]?.()
