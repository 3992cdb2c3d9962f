// The claim of the whole package: whatever is published meanwhile, an answer is of one version.
import test from 'ava'
import { library } from './support/index.js'
import type { Book } from './support/index.js'

const SIZE = 400
/** Version `stamp` has every document but those whose number it divides, and names itself in each. */
const documents = (stamp: number): Book[] =>
  Array.from({ length: SIZE }, (_, n) => n)
    .filter((n) => n % stamp !== 0)
    .map((n) => ({
      id: `${n}`,
      title: `common stamp${stamp} number${n}`,
      kind: `kind${stamp}`,
      price: stamp,
      embedding: [Math.cos(n + stamp), Math.sin(n + stamp), 0.5],
    }))

test('a rebuild and 20,000 concurrent queries: ids, documents and version of each answer agree', async (t) => {
  const index = await library(t, { keep: { versions: 2 } })
  const stamps = new Map<string, number>()
  const publish = async (stamp: number): Promise<void> => {
    // Known before it is current: the gate sees the draft first.
    await index.rebuild(() => documents(stamp), { gate: ({ version }) => void stamps.set(version.id, stamp) })
  }
  await publish(2)
  const work = { asked: 0, publishing: true }
  const seen = new Set<number>()
  const problems: string[] = []

  const ask = async (n: number): Promise<void> => {
    const queries = [
      { text: 'common', limit: 5 },
      { vector: [Math.cos(n), Math.sin(n), 0.5], limit: 5 },
      { text: `number${n % SIZE}`, vector: [1, 0, 0.5], limit: 5 },
      { where: { price: { gt: 0 } }, facets: { kind: {} }, limit: 5 },
    ]
    const results = await index.search(queries[n % queries.length] ?? {})
    const stamp = stamps.get(results.version) ?? 0
    seen.add(stamp)
    const count = SIZE - Math.ceil(SIZE / stamp)
    const right =
      results.total === count &&
      results.hits.length === 5 &&
      results.hits.every(
        ({ id, document }) =>
          document.id === id &&
          document.price === stamp &&
          document.kind === `kind${stamp}` &&
          document.title === `common stamp${stamp} number${id}` &&
          Number(id) % stamp !== 0,
      )
    if (!right) problems.push(JSON.stringify({ n, stamp, ...results }))
  }
  const asker = async (): Promise<void> => {
    while (work.publishing || work.asked < 20_000) await ask(work.asked++)
  }
  const asking = Promise.all(Array.from({ length: 32 }, asker))
  for (const stamp of [3, 4, 5]) await publish(stamp)
  work.publishing = false
  await asking
  await ask(work.asked++)
  t.deepEqual(problems.slice(0, 3), [])
  t.true(work.asked >= 20_000)
  t.true(seen.has(2) && seen.has(5), `seen: ${[...seen].join(', ')}`)
})
