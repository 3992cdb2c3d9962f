// Filters and facets: which documents a query may find, and how many of each value there are.
import test from 'ava'
import { filled, library } from './support/index.js'

const sorted = (results: { hits: readonly { id: string }[] }): string[] => results.hits.map((hit) => hit.id).toSorted()

const filters: [object, string[]][] = [
  [{ kind: 'book' }, ['graphs', 'locks']],
  [{ kind: ['book', 'paper'] }, ['atomic', 'graphs', 'locks', 'words']],
  [{ tags: 'files' }, ['atomic', 'locks']],
  [{ tags: { in: ['files', 'vectors'], notIn: ['crash'] } }, ['graphs', 'locks']],
  [{ kind: { prefix: 'b' } }, ['graphs', 'locks']],
  [{ tags: { glob: 'f*' } }, ['atomic', 'locks']],
  [{ tags: { glob: ['{files,vectors}', '!v*'] } }, ['atomic', 'locks']],
  [{ pages: { notIn: [1], gte: 200 } }, ['graphs', 'locks']],
  [{ sold: [true, false] }, ['atomic', 'locks']],
  [{ made: { in: [new Date('2020-01-01')] } }, ['atomic']],
  [{ kind: { exists: false } }, ['plain', 'ünï-😀']],
  [{ tags: { exists: true } }, ['atomic', 'graphs', 'locks']],
  [{ price: 20 }, ['locks']],
  [{ price: [10.5, 40] }, ['atomic', 'words']],
  [{ price: { gt: 10.5, lte: 30 } }, ['graphs', 'locks']],
  [{ pages: { gte: 200 } }, ['graphs', 'locks']],
  [{ sold: true }, ['atomic']],
  [{ sold: { exists: true } }, ['atomic', 'locks']],
  [{ made: { gte: new Date('2021-01-01') } }, ['locks']],
  [{ made: new Date('2020-01-01') }, ['atomic']],
  [{ ids: ['locks', 'nobody', 'ünï-😀'] }, ['locks', 'ünï-😀']],
  [{ ids: [] }, []],
  [{ kind: [] }, []],
  [{ and: [{ kind: 'book' }, { price: { lt: 25 } }] }, ['locks']],
  [{ or: [{ kind: 'paper' }, { ids: ['plain'] }] }, ['atomic', 'plain', 'words']],
  [{ not: { kind: 'book' } }, ['atomic', 'plain', 'words', 'ünï-😀']],
  [{ kind: 'book', price: { gt: 25 } }, ['graphs']],
  [{}, ['atomic', 'graphs', 'locks', 'plain', 'words', 'ünï-😀']],
]
for (const [where, expected] of filters)
  test(`the filter ${JSON.stringify(where)} allows what it says, in every kind of query`, async (t) => {
    const index = await filled(t)
    const browsed = await index.search({ where })
    t.deepEqual([sorted(browsed), browsed.total], [expected, expected.length])
    t.is(await index.count(where), expected.length)
    const vectors = expected.filter((id) => id !== 'plain')
    t.deepEqual(sorted(await index.search({ vector: [0.3, 0.3, 0.3], where })), vectors)
    const listed: string[] = []
    for await (const { id } of index.documents({ where })) listed.push(id)
    t.deepEqual(listed, expected)
  })

test('a filter is applied inside the search: as many hits as exist come back', async (t) => {
  const index = await library(t)
  const count = 500
  await index.rebuild(
    Array.from({ length: count }, (_, n) => ({
      id: `${n}`,
      title: 'the same words',
      kind: n % 100 === 0 ? 'rare' : 'common',
      embedding: [1, n / count, 0],
    })),
  )
  const where = { kind: 'rare' }
  for (const query of [{}, { text: 'words' }, { vector: [0, 1, 0] }, { text: 'words', vector: [0, 1, 0] }])
    t.deepEqual(sorted(await index.search({ ...query, where, limit: 5 })), ['0', '100', '200', '300', '400'])
})

test('facets count everything that matches, the most frequent first', async (t) => {
  const index = await filled(t)
  const { facets, hits } = await index.search({ facets: { tags: {}, kind: { limit: 1 } }, limit: 0 })
  t.deepEqual(hits, [])
  t.deepEqual(facets.tags, [
    { value: 'files', count: 2 },
    { value: 'crash', count: 1 },
    { value: 'vectors', count: 1 },
  ])
  t.is(facets.kind.length, 1)
  const filtered = await index.search({ facets: { tags: {} }, where: { kind: 'book' } })
  t.deepEqual(
    filtered.facets.tags.map(({ value }) => value),
    ['files', 'vectors'],
  )
  t.is((await index.search({})).facets, undefined)
})
