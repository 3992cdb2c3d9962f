// What must and must not compile about queries and what comes back.
import { defineFields } from 'cutover'
import type { Query, Results, SearchIndex, Snapshot } from 'cutover'
import { claim } from './support.js'
import type { Same } from './support.js'

const fields = defineFields({
  title: { type: 'text', required: true },
  body: { type: 'text' },
  tags: { type: 'keyword', many: true, facet: true },
  kind: { type: 'keyword' },
  price: { type: 'number', facet: true },
  made: { type: 'date' },
  sold: { type: 'boolean' },
  embedding: { type: 'vector', dimensions: 3 },
})
type Book = typeof fields
declare const index: SearchIndex<Book>
declare const snapshot: Snapshot<Book>
declare const any: SearchIndex

export async function results(): Promise<void> {
  /* A string. */
  const plain = await index.search('locks')
  const first = plain.hits[0]
  claim<Same<NonNullable<typeof first>['document']['title'], string>>()
  claim<Same<NonNullable<typeof first>['document']['price'], number | undefined>>()
  claim<Same<typeof plain.facets, undefined>>()
  // @ts-expect-error vectors are left out unless selected
  void first?.document.embedding

  /* select */
  const picked = await index.search({ text: 'locks', select: ['title', 'embedding'] })
  const one = picked.hits[0]
  claim<Same<NonNullable<typeof one>['document']['id'], string>>()
  claim<Same<NonNullable<typeof one>['document']['embedding'], Float32Array | undefined>>()
  // @ts-expect-error not selected
  void one?.document.price
  const bare = await index.search({ text: 'locks', select: false })
  claim<Same<(typeof bare.hits)[number]['document'], undefined>>()

  /* facets */
  const counted = await index.search({ facets: { tags: {}, price: { limit: 3 } } })
  claim<Same<(typeof counted.facets.tags)[number]['count'], number>>()
  // @ts-expect-error not counted
  void counted.facets.kind

  /* highlights */
  const marked = await index.search({ text: 'locks', highlight: { fields: ['title'], lines: 2, escape: 'html' } })
  const [mark] = marked.hits[0]?.highlights ?? []
  claim<Same<NonNullable<typeof mark>['ranges'][number], readonly [start: number, end: number]>>()
  await index.search({ text: 'locks', highlight: true })
  // @ts-expect-error a keyword is not highlighted
  await index.search({ text: 'locks', highlight: { fields: ['kind'] } })
  // @ts-expect-error no such escape
  await index.search({ text: 'locks', highlight: { escape: 'xml' } })

  /* The same from a snapshot, in step, and in batches. */
  const held = await snapshot.search({ select: ['kind'] })
  claim<Same<(typeof held.hits)[number]['document']['kind'], string | undefined>>()
  const sync = index.searchSync({ select: false })
  claim<Same<(typeof sync.hits)[number]['document'], undefined>>()
  const batch = await index.searchBatch([
    { text: 'a', select: ['title'] },
    { text: 'b', select: ['title'] },
  ])
  claim<Same<NonNullable<(typeof batch)[number]['hits'][number]>['document']['title'], string>>()
  const texts = await index.searchBatch(['a', 'b'])
  claim<Same<NonNullable<(typeof texts)[number]['hits'][number]>['document']['title'], string>>()

  /* A query or string of unknown form, and an index of unknown schema. */
  const either = (query: string | Query<Book>) => index.search(query)
  claim<Same<Awaited<ReturnType<typeof either>>['version'], string>>()
  const loose = await any.search({ text: { query: 'x', fields: ['anything'] }, where: { whatever: 'y' } })
  claim<Same<typeof loose.version, string>>()
  claim<Results<Book> extends { readonly total: number } ? true : false>()

  /* Documents. */
  for await (const document of index.documents()) claim<Same<typeof document.embedding, Float32Array | undefined>>()
  for await (const document of index.documents({ select: ['kind'], where: { kind: 'x' } })) {
    claim<Same<typeof document.kind, string | undefined>>()
    // @ts-expect-error not selected
    void document.title
  }
  const got = await index.get('a')
  claim<Same<NonNullable<typeof got>['title'], string>>()
}

export async function filters(): Promise<void> {
  const allowed: Query<Book>['where'][] = [
    { kind: 'a', tags: ['a', 'b'], sold: true, price: [1, 2], made: new Date() },
    { price: { gte: 1, lt: 2 }, made: { gt: new Date() }, tags: { in: ['a'], notIn: ['b'] }, kind: { exists: false } },
    {
      kind: { prefix: 'a', glob: '*' },
      tags: { glob: ['**', '!b'] },
      price: { in: [1], notIn: [2] },
      sold: { in: [true] },
    },
    { and: [{ kind: 'a' }, { or: [{ sold: false }, { not: { price: 3 } }] }], ids: ['1'] },
  ]
  await index.search({ where: allowed[0] ?? {} })
  await index.search({
    sort: [{ field: 'kind' }, { field: 'made', order: 'desc' }],
    groupBy: { field: 'tags', hits: 2 },
    facets: { tags: { ignoreOwnFilter: true }, price: { ranges: [[0, Infinity]] } },
  })
  // @ts-expect-error text has no order
  await index.search({ sort: [{ field: 'title' }] })
  // @ts-expect-error not an order
  await index.search({ sort: [{ field: 'kind', order: 'up' }] })
  // @ts-expect-error a number makes no groups
  await index.search({ groupBy: { field: 'price' } })
  // @ts-expect-error a keyword has no ranges
  await index.search({ facets: { tags: { ranges: [[0, 1]] } } })
  // @ts-expect-error not a way to read text
  await index.search({ text: { query: 'a', mode: 'glob' } })
  // @ts-expect-error too many letters
  await index.search({ text: { query: 'a', fuzzy: 3 } })
  // @ts-expect-error text is searched, not filtered
  await index.search({ where: { title: 'a' } })
  // @ts-expect-error a number is no keyword
  await index.search({ where: { kind: 1 } })
  // @ts-expect-error a keyword is no number
  await index.search({ where: { price: '1' } })
  // @ts-expect-error keywords have no ranges
  await index.search({ where: { kind: { gt: 'a' } } })
  // @ts-expect-error numbers have no patterns
  await index.search({ where: { price: { glob: '1*' } } })
  // @ts-expect-error dates are Dates
  await index.search({ where: { made: { in: ['2020-01-01'] } } })
  // @ts-expect-error no such field, at any depth
  await index.search({ where: { and: [{ knid: 'a' }] } })
}

export async function refused(): Promise<void> {
  // @ts-expect-error a misspelt option
  await index.search({ text: 'a', limti: 3 })
  // @ts-expect-error a misspelt option of a part
  await index.search({ text: { query: 'a', feilds: ['title'] } })
  // @ts-expect-error not a text field
  await index.search({ text: { query: 'a', fields: ['kind'] } })
  // @ts-expect-error not a vector field
  await index.search({ vector: { field: 'title', values: [1, 2, 3] } })
  // @ts-expect-error not a field
  await index.search({ select: ['author'] })
  // @ts-expect-error not a field to count
  await index.search({ facets: { kind: {} } })
  // @ts-expect-error a misspelt option of a call
  await index.search('a', { timeout: 3 })
  // @ts-expect-error a snapshot is of one version
  await snapshot.search('a', { version: 'v' })
  // @ts-expect-error a number is no query
  await index.search(3)
}
