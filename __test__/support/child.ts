// What tests do in processes of their own. Each answers with one line of JSON, or with messages to its parent.
import { randomBytes } from 'node:crypto'
import { on } from 'node:events'
import { isCutoverError, openIndex } from 'cutover'
import { books, contents, fields, rejection } from './index.js'
import type { Book } from './index.js'

const [what = '', path = '', argument = ''] = process.argv.slice(2)
const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
const say = (value: object): void => void process.send?.(value)

function* large(): Generator<Book> {
  for (let n = 0; n < 100_000; n++) yield { id: `${n}`, title: 'x', extra: randomBytes(500).toString('base64') }
}

const deeds: Record<string, () => Promise<void>> = {
  /** Tries to make an index as another user. */
  async open() {
    if (argument !== '') process.setuid?.(Number(argument))
    const error = await rejection(openIndex(path, { fields }))
    answer({ code: isCutoverError(error) ? error.code : String(error), message: String(error) })
  },

  /** Fills a small file system, whose root is the path. */
  async full() {
    const index = await openIndex(`${path}/index`, { fields })
    await index.rebuild(books)
    const before = contents(index.path)
    const error = await rejection(index.rebuild(large))
    const after = contents(index.path)
    const answers = (await index.search({})).total
    const afterwards = (await index.rebuild(books.slice(0, 2))).documents
    const { drafts } = await index.status()
    await index.close()
    answer({
      code: isCutoverError(error) ? error.code : String(error),
      unchanged: JSON.stringify(after) === JSON.stringify(before),
      answers,
      afterwards,
      drafts,
    })
  },

  /** Publishes versions of growing size, one at each message. */
  async publish() {
    const index = await openIndex(path, { fields })
    for await (const size of messages()) {
      const stamp = `size-${size}`
      const info = await index.rebuild(
        Array.from({ length: size }, (_, n): Book => ({ id: `${n}`, title: 'x', kind: stamp, embedding: [1, n, 1] })),
        { attributes: { stamp } },
      )
      say({ id: info.id })
    }
    await index.close()
  },

  /** Begins a rebuild and waits to be killed. */
  async doomed() {
    const index = await openIndex(path, { fields })
    // A source that never answers keeps no process alive.
    setInterval(() => {}, 1000)
    await index.rebuild(async function* () {
      for (let n = 0; n < 5000; n++) yield { id: `${n}`, title: `never seen ${n}`, embedding: [1, n, 1] }
      say({ reading: true })
      await new Promise(() => {})
    })
  },
}

async function* messages(): AsyncGenerator<number> {
  const received = on(process, 'message')
  say({ ready: true })
  for await (const [size] of received as AsyncIterable<[number]>) {
    if (size === 0) break
    yield size
  }
  process.disconnect()
}

await deeds[what]?.()
