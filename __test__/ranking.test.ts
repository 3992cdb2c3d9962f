// Orders, groups and pages: what comes first, what belongs together, and that every way to ask agrees.
import test from 'ava'
import type { Query } from 'cutover'
import { filled, library } from './support/index.js'
import type { Book, Books } from './support/index.js'

const ids = (results: { hits: readonly { id: string }[] }): string[] => results.hits.map((hit) => hit.id)

const numbered = (count: number): Book[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `${n}`,
    title: n % 3 ? 'words and more words' : 'words',
    price: n % 7,
    kind: `${n % 5}`,
    embedding: [1, n, n % 4],
  }))

const orders: [Query<Books>['sort'] & object, string[]][] = [
  [[{ field: 'price' }], ['atomic', 'locks', 'graphs', 'words', 'plain', 'ünï-😀']],
  [[{ field: 'price', order: 'desc' }], ['words', 'graphs', 'locks', 'atomic', 'plain', 'ünï-😀']],
  [
    [{ field: 'kind' }, { field: 'pages', order: 'desc' }],
    ['graphs', 'locks', 'atomic', 'words', 'plain', 'ünï-😀'],
  ],
  [[{ field: 'made', order: 'desc' }], ['locks', 'atomic', 'graphs', 'words', 'plain', 'ünï-😀']],
  [[{ field: 'sold' }], ['locks', 'atomic', 'graphs', 'words', 'plain', 'ünï-😀']],
  // Of several values the least counts, descending the greatest.
  [[{ field: 'tags' }], ['atomic', 'locks', 'graphs', 'words', 'plain', 'ünï-😀']],
  [[{ field: 'tags', order: 'desc' }], ['graphs', 'atomic', 'locks', 'words', 'plain', 'ünï-😀']],
]
for (const [sort, expected] of orders)
  test(`sorted by ${JSON.stringify(sort)}, documents without a value last`, async (t) => {
    const index = await filled(t)
    t.deepEqual(ids(await index.search({ sort })), expected)
    t.deepEqual(ids(index.searchSync({ sort, limit: 2, offset: 1 })), expected.slice(1, 3))
    const [first, second] = await index.searchBatch([
      { sort, limit: 3 },
      { sort, offset: 3 },
    ])
    t.deepEqual([...ids(first ?? { hits: [] }), ...ids(second ?? { hits: [] })], expected)
  })

test('with words, all that match are sorted, and keep their scores', async (t) => {
  const index = await filled(t)
  const text = 'rename lease rare'
  const byScore = await index.search({ text })
  const bySort = await index.search({ text, sort: [{ field: 'price', order: 'desc' }] })
  t.deepEqual(ids(bySort), ['words', 'locks', 'atomic'])
  t.is(bySort.total, byScore.total)
  const scores = new Map(byScore.hits.map(({ id, score }) => [id, score]))
  for (const { id, score } of bySort.hits) t.is(scores.get(id), score)
})

test('pages of one version are parts of one ranking while others are published', async (t) => {
  const index = await library(t)
  const { id: version } = await index.rebuild(numbered(250))
  const queries: Query<Books>[] = [
    { text: 'words' },
    { sort: [{ field: 'price' }] },
    { text: 'more', sort: [{ field: 'kind', order: 'desc' }] },
    { vector: { values: [1, 0, 1], exact: true } },
    { text: 'words', vector: { values: [1, 0, 1], exact: true } },
    { text: 'words', vector: { values: [1, 0, 1], exact: true }, fusion: { method: 'rrf' } },
  ]
  const whole = await Promise.all(queries.map((query) => index.search({ ...query, limit: 250 })))
  await index.rebuild(numbered(100))
  for (const [at, query] of queries.entries()) {
    const paged: string[] = []
    for (let offset = 0; offset < 250; offset += 60)
      paged.push(...ids(await index.search({ ...query, limit: 60, offset }, { version })))
    t.deepEqual(paged, ids(whole[at] ?? { hits: [] }))
  }
})

test('groupBy gives the best hits of each value, their documents whole', async (t) => {
  const index = await filled(t)
  const { hits, total } = await index.search({
    sort: [{ field: 'price', order: 'desc' }],
    groupBy: { field: 'kind', hits: 2 },
    select: ['made', 'embedding'],
  })
  t.is(total, 6)
  t.deepEqual(
    hits.map(({ id, group }) => [id, group?.value, group && ids(group)]),
    [
      ['words', 'paper', ['words', 'atomic']],
      ['graphs', 'book', ['graphs', 'locks']],
    ],
  )
  const [, locks] = hits[1]?.group?.hits ?? []
  t.deepEqual(locks?.document, {
    id: 'locks',
    made: new Date('2021-06-01'),
    embedding: new Float32Array([0.9, 0.1, 0]),
  })
  const tags = await index.search({ groupBy: { field: 'tags' }, limit: 1, offset: 1 })
  t.deepEqual(
    tags.hits.map(({ group }) => [group?.value, group && ids(group)]),
    [['files', ['atomic', 'locks']]],
  )
  const near = await index.search({ vector: [1, 0, 0], groupBy: { field: 'kind', hits: 1 } })
  t.deepEqual(ids(near), ['atomic', 'locks'])
  t.is((await index.search({ text: 'unheard', groupBy: { field: 'kind' } })).hits.length, 0)
})

test('facets count ranges, and fields as if they were not filtered', async (t) => {
  const index = await filled(t)
  const { facets } = await index.search({
    where: { kind: 'book', tags: { exists: true } },
    limit: 0,
    facets: { kind: { ignoreOwnFilter: true }, tags: {} },
  })
  t.deepEqual(facets.kind, [
    { value: 'book', count: 2 },
    { value: 'paper', count: 1 },
  ])
  t.deepEqual(facets.tags, [
    { value: 'files', count: 1 },
    { value: 'vectors', count: 1 },
  ])
})

test('an order that a query cannot have is refused by name', async (t) => {
  const index = await filled(t)
  const refused = (query: object, message: RegExp) =>
    t.throwsAsync(index.search(query as Query<Books>), { instanceOf: TypeError, message })
  await refused({ sort: [{ field: 'title' }] }, /sort: a text field has no order, got "title"/)
  await refused({ sort: [{ field: 'author' }] }, /sort: the schema has no field "author"/)
  await refused({ sort: [{ field: 'price' }], vector: [1, 0, 0] }, /sort: a query with a vector leg/)
  await refused({ groupBy: { field: 'price' } }, /groupBy\.field: the schema has no keyword field "price"/)
  await refused({ facets: { kind: { ranges: [[0, 1]] } } }, /facets\.kind\.ranges/)
})
