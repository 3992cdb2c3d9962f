import test from 'ava'
// Questions, answered right: also of no document, of one, beyond the last, and by every kind of field.
import { isCutoverError } from 'cutover'
import type { Document, Hit, Query } from 'cutover'
import { books, filled, library, refused } from './support/index.js'
import type { Book, Books } from './support/index.js'

const ids = (results: { hits: readonly { id: string }[] }): string[] => results.hits.map((hit) => hit.id)
const sorted = (results: { hits: readonly { id: string }[] }): string[] => ids(results).toSorted()

test('an index of no document answers every query with nothing', async (t) => {
  const index = await filled(t, [])
  t.is(index.current?.documents, 0)
  for (const query of [
    'anything',
    {},
    { vector: [1, 0, 0] },
    { text: 'a', vector: [1, 0, 0] },
    { where: { kind: 'book' } },
    { vector: { values: [1, 0, 0], exact: true } },
  ]) {
    const results = await index.search(query)
    t.deepEqual([ids(results), results.total], [[], 0])
  }
  t.is(await index.get('atomic'), undefined)
  t.is(await index.count(), 0)
  t.deepEqual((await index.search({ facets: { kind: {} } })).facets.kind, [])
  for await (const document of index.documents()) t.fail(document.id)
})

test('an index of one document finds it by text, by vector, by both and by nothing', async (t) => {
  const index = await filled(t, books.slice(0, 1))
  for (const query of [
    'renames',
    {},
    { vector: [0, 1, 0] },
    { text: 'rename', vector: [1, 0, 0] },
    { where: { ids: ['atomic'] } },
  ])
    t.deepEqual(ids(await index.search(query)), ['atomic'])
  t.deepEqual(ids(await index.search('unheard')), [])
})

test('words are found in every text field, in any case, the rarest first', async (t) => {
  const index = await filled(t)
  t.deepEqual(ids(await index.search('LEASE')), ['locks'])
  t.deepEqual(sorted(await index.search('lock rename')), ['atomic', 'locks'])
  const { hits, total, exact } = await index.search({ text: { query: 'a reader', operator: 'or' } })
  t.is(hits[0]?.id, 'locks')
  t.is(total, 2)
  t.true(exact)
  t.deepEqual(
    hits.map((hit) => hit.text?.rank),
    [1, 2],
  )
  t.deepEqual(ids(await index.search({ text: { query: 'a reader', operator: 'and' } })), ['locks'])
  t.deepEqual(ids(await index.search({ text: { query: 'lease', fields: ['title'] } })), [])
  t.deepEqual(ids(await index.search({ text: { query: 'leases', fields: { title: 3 } } })), ['locks'])
})

test('no text makes a query fail', async (t) => {
  const index = await filled(t)
  for (const text of [
    '',
    ' ',
    '"',
    '((',
    'a:b',
    '*',
    '~',
    'AND',
    '\u0000',
    '\uD800',
    '😀',
    '-',
    'x'.repeat(100_000),
    'rename '.repeat(5000),
  ])
    await t.notThrowsAsync(index.search(text), JSON.stringify(text.slice(0, 20)))
})

test('vectors are found by distance, nearest first, exactly on request', async (t) => {
  const index = await filled(t)
  for (const exact of [false, true]) {
    const results = await index.search({ vector: { values: [1, 0, 0], exact }, limit: 2 })
    t.deepEqual(ids(results), ['atomic', 'locks'])
    t.is(results.exact, exact)
    t.true(Math.abs(results.hits[0]?.vector?.distance ?? 1) < 1e-6)
    t.deepEqual(
      results.hits.map((hit) => hit.vector?.rank),
      [1, 2],
    )
  }
  const near = await index.search({ vector: { field: 'embedding', values: [1, 0, 0], maxDistance: 0.1 } })
  t.deepEqual(ids(near), ['atomic', 'locks'])
})

test('text and vector make one ranking, by either fusion', async (t) => {
  const index = await filled(t)
  for (const fusion of [{ method: 'convex' as const, vectorWeight: 0.4 }, { method: 'rrf' as const }]) {
    const { hits } = await index.search({ text: 'rename', vector: [1, 0, 0], fusion })
    t.is(hits[0]?.id, 'atomic')
    t.truthy(hits[0]?.text && hits[0].vector)
    t.true(hits.length > 1)
    t.true(hits.every((hit, at) => at === 0 || hit.score <= (hits[at - 1]?.score ?? 0)))
  }
  const byVector = await index.search({
    text: 'rename',
    vector: [0, 1, 0],
    fusion: { method: 'convex', vectorWeight: 1 },
  })
  t.is(byVector.hits[0]?.id, 'graphs')
})

test('a document without its vector is found by everything else', async (t) => {
  const index = await filled(t)
  t.deepEqual(ids(await index.search('nothing')), ['plain'])
  t.false(ids(await index.search({ vector: [1, 1, 1], limit: 100 })).includes('plain'))
  t.true(ids(await index.search({ text: 'nothing', vector: [1, 1, 1], limit: 100 })).includes('plain'))
  t.false('embedding' in ((await index.get('plain')) ?? {}))
})

test('limit 0 counts, and a limit above the collection gives all of it', async (t) => {
  const index = await filled(t)
  for (const query of [{}, { text: 'a' }, { vector: [1, 0, 0] }]) {
    const counted = await index.search({ ...query, limit: 0 })
    t.deepEqual(counted.hits, [])
    const all = await index.search({ ...query, limit: 10_000 })
    t.is(all.hits.length, 'vector' in query ? 5 : counted.total)
    t.is(all.total, counted.total)
  }
})

test('pages agree with the whole', async (t) => {
  const index = await filled(t)
  for (const query of [{}, { text: 'a of the' }, { vector: [1, 0.2, 0.1] }, { text: 'a', vector: [1, 0.2, 0.1] }]) {
    const all = ids(await index.search(query))
    const pages: string[] = []
    for (let offset = 0; offset < all.length; offset += 2)
      pages.push(...ids(await index.search({ ...query, offset, limit: 2 })))
    t.deepEqual(pages, all)
    t.deepEqual(ids(await index.search({ ...query, offset: 100 })), [])
  }
})

test('hits show all fields but vectors, or those selected, or none', async (t) => {
  const index = await filled(t)
  const where = { ids: ['atomic'] }
  const whole = (await index.search({ where })).hits[0]?.document
  t.deepEqual(whole as object, {
    id: 'atomic',
    title: 'Atomic renames',
    body: 'One rename publishes everything at once',
    tags: ['files', 'crash'],
    kind: 'paper',
    price: 10.5,
    pages: 12,
    made: new Date('2020-01-01T00:00:00Z'),
    sold: true,
    extra: { isbn: ['x', { y: null }] },
  })
  const some = (await index.search({ where, select: ['made', 'embedding'] })).hits[0]?.document
  t.deepEqual(some, { id: 'atomic', made: new Date('2020-01-01T00:00:00Z'), embedding: new Float32Array([1, 0, 0]) })
  const bare = (await index.search({ where, select: false })).hits[0]
  t.is(bare?.document, undefined)
  t.is(bare?.id, 'atomic')
  t.deepEqual((await index.search({ where, select: [] })).hits[0]?.document, { id: 'atomic' })
})

test('get gives documents as they were written, vectors to the bit', async (t) => {
  const embedding = new Float32Array([1 / 3, -1e-30, 12345.678])
  const index = await filled(t, [...books, { id: 'bits', title: 'Bits', embedding }])
  t.deepEqual((await index.get('bits'))?.embedding, embedding)
  const locks: Document<Books> | undefined = await index.get('locks')
  t.deepEqual(locks?.made, new Date('2021-06-01T00:00:00Z'))
  t.deepEqual(locks?.embedding, new Float32Array([0.9, 0.1, 0]))
  t.deepEqual(await index.get('plain'), { id: 'plain', title: 'A book about nothing' })
  t.is(await index.get('nobody'), undefined)
  t.is(await index.get(''), undefined)
  t.is((await index.get('ünï-😀'))?.title, 'Names of any language')
  const many = await index.getMany(['words', 'nobody', 'atomic', 'words'])
  t.deepEqual(
    many.map((document) => document?.id),
    ['words', undefined, 'atomic', 'words'],
  )
})

test('of documents with the same id the last one wins, and the others are counted', async (t) => {
  const index = await filled(t, [
    { id: 'a', title: 'first', embedding: [1, 0, 0] },
    { id: 'b', title: 'other' },
    { id: 'a', title: 'second', embedding: [0, 1, 0] },
    { id: 'a', title: 'third' },
  ])
  t.like(index.current, { documents: 2, counts: { duplicates: 2, skipped: 0, reused: 0 } })
  t.is((await index.get('a'))?.title, 'third')
  t.deepEqual(sorted(await index.search({})), ['a', 'b'])
  t.deepEqual(ids(await index.search('first second')), [])
  t.deepEqual(ids(await index.search({ vector: [1, 0, 0] })), [])
})

test('null and undefined fields are absent', async (t) => {
  const index = await filled(t, [
    { id: 'a', title: 'A', body: null, price: undefined, tags: null, extra: null, made: null },
  ])
  t.deepEqual(await index.get('a'), { id: 'a', title: 'A' })
  t.is(await index.count({ price: { exists: true } }), 0)
})

test('searchSync answers what search answers', async (t) => {
  const index = await filled(t)
  for (const query of [
    'rename',
    { vector: [1, 0, 0] },
    { where: { kind: 'book' }, facets: { tags: {} }, select: ['embedding'] as const },
  ]) {
    const { tookMs: _, ...later } = await index.search(query)
    const { tookMs: __, ...now } = index.searchSync(query)
    t.deepEqual(now as object, later as object)
  }
  t.throws(() => index.searchSync({ limit: -1 }), { instanceOf: RangeError })
  t.throws(() => index.searchSync({ where: { nothing: 1 } as never }), { instanceOf: TypeError, message: /nothing/ })
})

test('searchBatch answers each query as search does, in their order', async (t) => {
  const index = await filled(t)
  const queries = ['rename', { vector: [0, 1, 0] }, { where: { kind: 'book' } }, 'lease', { limit: 0 }]
  const batch = await index.searchBatch(queries)
  for (const [at, query] of queries.entries())
    t.deepEqual(ids(batch[at] ?? { hits: [] }), ids(await index.search(query)))
  t.deepEqual(await index.searchBatch([]), [])
  await t.throwsAsync(index.searchBatch(['a', { limit: -1 }]), {
    instanceOf: RangeError,
    message: /queries\[1\]\.limit/,
  })
  await t.throwsAsync(index.searchBatch('ab' as never), { instanceOf: TypeError, message: /queries must be an array/ })
})

test('documents come in the order of the bytes of their ids, all of them, with what was asked for', async (t) => {
  const names = [
    'b',
    'a',
    'ab',
    'Z',
    'é',
    '😀',
    '\u{ffff}',
    '0'.repeat(300),
    ...Array.from({ length: 300 }, (_, n) => `n${n}`),
  ]
  const index = await filled(
    t,
    names.map((id): Book => ({ id, title: id, embedding: [1, 2, 3] })),
  )
  const listed: string[] = []
  for await (const document of index.documents()) {
    t.deepEqual(document.embedding, new Float32Array([1, 2, 3]))
    listed.push(document.id)
  }
  t.deepEqual(
    listed,
    names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
  for await (const document of index.documents({ select: ['title'], where: { ids: ['a'] } }))
    t.deepEqual(document, { id: 'a', title: 'a' })
})

test('a query that does not fit the schema is a TypeError that says how', async (t) => {
  const index = await filled(t)
  for (const [query, message] of [
    [{ where: { author: 'x' } }, /author/],
    [{ where: { title: 'x' } }, /title.*text/],
    [{ where: { kind: 7 } }, /where\.kind must be strings, got 7/],
    [{ where: { price: 'x' } }, /price.*number/],
    [{ select: ['author'] }, /author/],
    [{ facets: { price: {} } }, /price/],
    [{ text: { query: 'a', fields: ['kind'] } }, /kind/],
    [{ vector: { field: 'title', values: [1, 2, 3] } }, /title/],
  ] as const)
    await t.throwsAsync(index.search(query as never), { instanceOf: TypeError, message })
})

test('a query vector that the field cannot compare is a RangeError that says why', async (t) => {
  const index = await filled(t)
  for (const [values, message] of [
    [[1, 2], /3 dimensions, got 2/],
    [[1, 2, 3, 4], /3 dimensions, got 4/],
    [[], /3 dimensions, got 0/],
    [[1, Number.NaN, 3], /component 1 .*NaN/],
    [[1, 2, Infinity], /component 2 .*inf/i],
    [[0, 0, 0], /zero/],
  ] as const) {
    await t.throwsAsync(index.search({ vector: values }), { instanceOf: RangeError, message })
    t.throws(() => index.searchSync({ vector: values }), { instanceOf: RangeError, message })
  }
})

test('a search before the first publish is CUTOVER_EMPTY, by every way of reading', async (t) => {
  const index = await library(t)
  t.is(index.current, undefined)
  await refused(t, 'CUTOVER_EMPTY', index.search('a'))
  await refused(t, 'CUTOVER_EMPTY', index.searchBatch(['a']))
  await refused(t, 'CUTOVER_EMPTY', index.get('a'))
  await refused(t, 'CUTOVER_EMPTY', index.getMany(['a']))
  await refused(t, 'CUTOVER_EMPTY', index.count())
  await refused(t, 'CUTOVER_EMPTY', index.snapshot())
  await refused(t, 'CUTOVER_EMPTY', index.documents().next())
  t.true(
    isCutoverError(
      t.throws(() => index.searchSync('a')),
      'CUTOVER_EMPTY',
    ),
  )
  t.deepEqual(await index.versions(), [])
})

test('an aborted search rejects with the reason, and a deadline with CUTOVER_TIMEOUT', async (t) => {
  const index = await filled(t)
  const reason = new Error('mine')
  const signal = AbortSignal.abort(reason)
  t.is(await t.throwsAsync(index.search('a', { signal })), reason)
  t.is(await t.throwsAsync(index.searchBatch(['a'], { signal })), reason)
  t.is(await t.throwsAsync(index.documents({ signal }).next()), reason)
  t.is((await index.search('lease', { signal: new AbortController().signal, timeoutMs: 60_000 })).total, 1)
})

test('a search may name its version, so that pages agree', async (t) => {
  const index = await filled(t)
  const old = index.current?.id ?? ''
  await index.rebuild(books.slice(0, 1))
  t.is((await index.search({}, { version: old })).total, books.length)
  t.is((await index.search({})).total, 1)
  await refused(t, 'CUTOVER_NOT_FOUND', index.search({}, { version: '0000000099-aaaaaa' }))
})

test('hits without documents say what hits with documents say', async (t) => {
  const strange = ['"quoted"', 'back\\slash', 'line\nbreak', 'tab\t', 'Ünïcode 🦀', ' ']
  const more = strange.map((id, at) => ({ ...(books[0] as Book), id, embedding: [1, at / 10, 0.3] }))
  // With what is between ids that come as one string.
  const split = { ...(books[0] as Book), id: 'a\u007Fb', embedding: [0, 0, -1] }
  const index = await filled(t, [...books, ...more, split])
  const queries: Query<Books>[] = [
    { text: 'rename' },
    { vector: [0, 0, -1], limit: 3 },
    { text: 'rename', offset: 1, limit: 3 },
    { text: 'rename', limit: 0 },
    { vector: [0.2, 0.7, 0.1] },
    { vector: { values: new Float32Array([0.2, 0.7, 0.1]), exact: true }, offset: 2 },
    { vector: [1, 0, 0.3], where: { ids: ['🦀', ...strange] } },
    { vector: [1, 0, 0.3], limit: 5 },
    { text: 'rename', vector: [0.2, 0.7, 0.1] },
    { text: 'rename', facets: { kind: {} } },
    { text: 'rename', explain: true },
    { text: 'rename', groupBy: { field: 'kind' } },
    { text: 'rename', highlight: true },
    {},
    { text: 'unheard' },
  ]
  const bare = (hit: Hit<Books>): object => {
    const { group } = hit
    const all = group ? { ...hit, group: { ...group, hits: group.hits.map((each) => bare(each)) } } : { ...hit }
    return Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'document'))
  }
  for (const query of queries) {
    const found = await index.search(query)
    const expected: object = { ...found, hits: found.hits.map(bare), tookMs: 0 }
    const without = await index.search({ ...query, select: false })
    t.deepEqual({ ...without, tookMs: 0 } as object, expected, JSON.stringify(query))
    t.deepEqual({ ...index.searchSync({ ...query, select: false }), tookMs: 0 } as object, expected)
    t.deepEqual(Object.keys(without), Object.keys(found))
  }
})

test('a search copies its vector when it is called', async (t) => {
  const index = await filled(t)
  const values = new Float32Array([1, 0, 0])
  const expected = ids(await index.search({ vector: values }))
  const searches = [
    index.search({ vector: values }),
    index.search({ vector: values, rerank: (hits) => hits }),
    index.searchBatch([{ vector: values }]).then(([first]) => first ?? { hits: [] }),
  ]
  values.set([0, 1, 0])
  for (const found of await Promise.all(searches)) t.deepEqual(ids(found), expected)
})
