// Queries given as text and searched as vectors: whose model embeds them, what follows when it fails, and an order of the caller's own.
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { openIndex } from 'cutover'
import type { CutoverError, Hit, SearchIndex } from 'cutover'
import { fields, hashing, notebook, notes, vectorOf } from './support/embedding.js'
import type { Notes } from './support/embedding.js'
import { directory, refused, rejection } from './support/index.js'

const failing = (message: string, onFailure?: 'text' | 'reject') =>
  hashing({
    ...(onFailure && { onFailure }),
    embed: async (texts, { purpose }) => {
      if (purpose === 'query') throw new Error(message)
      return texts.map((text) => vectorOf(text))
    },
  })

const ids = (results: { hits: readonly { id: string }[] }): string[] => results.hits.map(({ id }) => id)

test('near finds what a vector of the same text finds, through every way to search', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  await index.rebuild(notes(50))
  const text = 'note number 7'
  const wanted = await index.search({ vector: vectorOf(text) })
  t.is(wanted.hits[0]?.id, 'n7')
  const near = await index.search({ near: text })
  t.deepEqual(near.hits, wanted.hits)
  t.is(near.degraded, undefined)
  t.deepEqual((await index.search({ near: { text, field: 'vector', ef: 100 } })).hits, wanted.hits)
  const limited = await index.search({ near: { text, maxDistance: 1e-6 } })
  t.deepEqual(ids(limited), ['n7'])
  const both = await index.search({ text: 'number', near: text, limit: 3 })
  t.deepEqual(both.hits, (await index.search({ text: 'number', vector: vectorOf(text), limit: 3 })).hits)
  const snapshot = await index.snapshot()
  t.deepEqual((await snapshot.search({ near: text })).hits, wanted.hits)
  await snapshot.close()
  const batch = await index.searchBatch([{ near: text }, { near: 'note number 9' }, { text: 'number', limit: 1 }])
  t.deepEqual(batch[0]?.hits, wanted.hits)
  t.is(batch[1]?.hits[0]?.id, 'n9')
  t.is(batch[2]?.hits.length, 1)
  t.true(asked.calls.filter(({ purpose }) => purpose === 'query').every(({ texts }) => texts.length === 1))
})

test('a string searches text and vectors, and text alone in searchSync', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  await index.rebuild([...notes(20), { id: 'wordless', vector: vectorOf('lock') }, { id: 'word', body: 'a lock' }])
  const found = await index.search('lock')
  t.deepEqual(ids(found).slice(0, 2).toSorted(), ['word', 'wordless'])
  t.deepEqual(found.hits, (await index.search({ text: 'lock', near: 'lock' })).hits)
  t.deepEqual(ids(index.searchSync('lock')), ['word'])
  t.deepEqual((await index.searchBatch(['lock']))[0]?.hits, found.hits)
  const before = asked.calls.length
  t.is((await index.search(' \n')).hits.length, 0)
  t.is(asked.calls.length, before, 'a blank string is near to nothing')
})

test('the vectors of queries asked lately are kept', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  await index.rebuild(notes(3))
  const before = asked.calls.length
  for (let n = 0; n < 5; n++) await index.search({ near: 'again', offset: n })
  await index.searchBatch([{ near: 'again' }, { near: 'other' }, { near: 'other' }])
  t.deepEqual(
    asked.calls.slice(before).map(({ texts }) => texts),
    [['again'], ['other']],
  )
})

test('searchSync refuses near and rerank, and near wants an embedding', async (t) => {
  const index = await notebook(t, hashing().embedding)
  await index.rebuild(notes(3))
  t.throws(() => index.searchSync({ near: 'x' }), { instanceOf: TypeError, message: /query\.near needs search/ })
  t.throws(() => index.searchSync({ rerank: (hits) => hits }), { instanceOf: TypeError, message: /query\.rerank/ })
  const plain = await openIndex(index.path, { fields })
  t.teardown(() => plain.close())
  const wrong: [Promise<unknown>, RegExp][] = [
    [plain.search({ near: 'x' }), /TypeError: near needs options\.embeddings/],
    [index.search({ near: 'x', vector: vectorOf('x') }), /TypeError: query has both near and vector/],
    [index.search({ near: 7 as unknown as string }), /TypeError: query\.near must be a string or an object/],
    [index.search({ near: { text: 7 as unknown as string } }), /TypeError: query\.near\.text must be a string/],
    [index.search({ near: { text: 'x', field: 'body' as 'vector' } }), /TypeError: near\.field/],
    [index.search({ near: { text: 'x', ef: 0 } }), /RangeError: query\.near\.ef/],
    [index.search({ near: { text: 'x', exact: true } as never }), /TypeError: query\.near has no option 'exact'/],
    [index.search({ rerank: 7 as never }), /TypeError: query\.rerank must be a function/],
  ]
  for (const [call, message] of wrong) t.regex(String(await rejection(call)), message)
})

test('when the embedding of a query fails, its text answers and the result says so', async (t) => {
  const index = await notebook(t, failing('no network').embedding)
  await index.rebuild(notes(20))
  const text = { query: 'number', fields: ['body'] } as const
  const found = await index.search({ text, near: 'x' })
  t.deepEqual(found.hits, (await index.search({ text })).hits)
  t.is(found.degraded?.leg, 'vector')
  const reason = found.degraded?.reason as CutoverError
  t.is(reason.code, 'CUTOVER_EMBEDDING')
  t.regex(reason.message, /no network/)
  t.is((await index.search('number')).degraded?.leg, 'vector')
  const [one, two] = await index.searchBatch([{ text, near: 'x' }, { text }])
  t.is(one?.degraded?.leg, 'vector')
  t.is(two?.degraded, undefined)
  t.like(await refused(t, 'CUTOVER_EMBEDDING', index.search({ near: 'x' })), { retryable: true })
  await refused(t, 'CUTOVER_EMBEDDING', index.searchBatch([{ text }, { near: 'x' }]))
})

test('with onFailure reject a query whose embedding fails rejects', async (t) => {
  const index = await notebook(t, failing('no network', 'reject').embedding)
  await index.rebuild(notes(3))
  const error = await refused(t, 'CUTOVER_EMBEDDING', index.search({ text: 'number', near: 'x' }))
  t.regex(String(error.cause), /no network/)
  await refused(t, 'CUTOVER_EMBEDDING', index.search('number'))
})

test('a vector of a query that is none degrades it too', async (t) => {
  for (const [vector, message] of [
    [new Float32Array(3), /8 components/],
    [new Float32Array(8).fill(NaN), /component 0/],
  ] as const) {
    const { embedding } = hashing({
      embed: async (texts, { purpose }) => texts.map((text) => (purpose === 'query' ? vector : vectorOf(text))),
    })
    const index = await notebook(t, embedding)
    await index.rebuild(notes(3))
    t.regex(String((await index.search({ text: 'number', near: 'x' })).degraded?.reason), message)
    t.regex((await refused(t, 'CUTOVER_EMBEDDING', index.search({ near: 'x' }))).message, message)
  }
})

test('an embedding that does not answer in its time is a failure; a search has its own time, and its own signal', async (t) => {
  const slow = hashing({
    timeoutMs: 5,
    embed: (texts, { purpose }) =>
      purpose === 'query' ? new Promise(() => {}) : Promise.resolve(texts.map((text) => vectorOf(text))),
  })
  const index = await notebook(t, slow.embedding)
  await index.rebuild(notes(3))
  const found = await index.search({ text: 'number', near: 'x' })
  t.is(found.hits.length, 3)
  t.regex(String(found.degraded?.reason), /did not answer within 5 ms/)
  t.true(slow.asked.calls.at(-1)?.signal.aborted)

  const patient = hashing({ ...slow.embedding, timeoutMs: Infinity })
  const other = await notebook(t, patient.embedding, index.path)
  await refused(t, 'CUTOVER_TIMEOUT', other.search({ text: 'number', near: 'x' }, { timeoutMs: 5 }))
  const controller = new AbortController()
  const reason = new Error('gone')
  // The time of the search before may have been over before it came to ask.
  const before = patient.asked.calls.length
  const given = rejection(other.search({ text: 'number', near: 'x' }, { signal: controller.signal }))
  while (patient.asked.calls.length === before) await turn()
  controller.abort(reason)
  t.is(await given, reason)
  t.is(patient.asked.calls.at(-1)?.signal.reason, reason)
})

test('the version names the model of each field, and that model embeds its queries', async (t) => {
  const path = directory(t)
  const [old, fresh] = [hashing({ model: 'one' }), hashing({ model: 'two' })]
  const first = await notebook(t, old.embedding, path)
  const one = await first.rebuild(notes(10))
  const both = await notebook(t, [fresh.embedding, old.embedding], path)
  t.is((await both.search({ near: 'note number 3' })).hits[0]?.id, 'n3')
  t.is(fresh.asked.calls.length, 0)
  const two = await both.rebuild(notes(10))
  t.is(fresh.asked.texts(), 10)
  t.is((await both.search({ near: 'note number 4' })).hits[0]?.id, 'n4')
  t.is(fresh.asked.calls.filter(({ purpose }) => purpose === 'query').length, 1)
  t.is((await both.search({ near: 'note number 5' }, { version: one.id })).hits[0]?.id, 'n5')
  t.is(old.asked.calls.filter(({ purpose }) => purpose === 'query').length, 2)
  t.is((await both.search({ near: 'note number 6' }, { version: two.id })).hits[0]?.id, 'n6')
  const snapshot = await both.snapshot({ version: one.id })
  t.deepEqual(snapshot.models, { vector: 'one' })
  await snapshot.close()
})

test('a running reader keeps the newest version whose model it has, and reports a problem', async (t) => {
  const path = directory(t)
  const reader = await notebook(t, hashing({ model: 'one' }).embedding, path)
  const kept = await reader.rebuild(notes(10))
  const problems: CutoverError[] = []
  const told = new Promise<void>((resolve) => {
    reader.on('problem', (error) => {
      problems.push(error)
      resolve()
    })
  })
  const writer = await notebook(t, hashing({ model: 'two' }).embedding, path)
  await writer.rebuild(notes(11))
  // Listening keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  await told
  clearInterval(alive)
  t.is(problems[0]?.code, 'CUTOVER_SCHEMA')
  t.regex(problems[0]?.message ?? '', /"two".*"one"/)
  t.is(reader.current?.id, kept.id)
  t.is((await reader.search({ near: 'note number 3' })).version, kept.id)
})

test('a version of a model that was not given is served, but for what must be embedded', async (t) => {
  const path = directory(t)
  const writer = await notebook(t, hashing({ model: 'two' }).embedding, path)
  await writer.rebuild(notes(10))
  const { embedding, asked } = hashing({ model: 'one' })
  const reader = await notebook(t, embedding, path)
  const error = await refused(t, 'CUTOVER_SCHEMA', reader.search({ near: 'x' }))
  t.like(error.detail, { field: 'vector', model: 'two' })
  await refused(t, 'CUTOVER_SCHEMA', reader.search({ text: 'number', near: 'x' }))
  t.is((await reader.search({ vector: vectorOf('note number 3', 'two') })).hits[0]?.id, 'n3')
  t.is((await reader.search({ text: 'number' })).hits.length, 10)
  t.regex(String((await reader.search('number')).degraded?.reason), /'two'/)
  t.is(asked.calls.length, 0)
})

test('vectors that a writer brought without a model are taken to be of the first one', async (t) => {
  const path = directory(t)
  const writer = await openIndex(path, { fields })
  t.teardown(() => writer.close())
  await writer.rebuild(notes(5).map(({ id, body = '' }) => ({ id, body, vector: vectorOf(body ?? '') })))
  const reader = await notebook(t, [hashing().embedding, hashing({ model: 'other' }).embedding], path)
  t.is((await reader.search({ near: 'note number 2' })).hits[0]?.id, 'n2')
})

test('a gate searches the draft with near', async (t) => {
  const index = await notebook(t, hashing().embedding)
  const found: string[] = []
  await index.rebuild(notes(5), {
    gate: async (draft) => {
      found.push(...ids(await draft.search({ near: 'note number 4', limit: 1 })))
    },
  })
  t.deepEqual(found, ['n4'])
})

const ranked = async (index: SearchIndex<Notes>, rerank: (hits: Hit<Notes>[]) => unknown, rest: object = {}) =>
  index.search({ text: 'number', limit: 4, rerank: rerank as (hits: Hit<Notes>[]) => Hit<Notes>[], ...rest })

test('rerank orders the first offset + limit hits, in step or not, with the scores that it gives', async (t) => {
  const index = await notebook(t, hashing().embedding)
  await index.rebuild(notes(20))
  const plain = await index.search({ text: 'number', limit: 6 })
  const reversed = await ranked(index, (hits) => hits.toReversed(), { limit: 6 })
  t.deepEqual(reversed.hits, plain.hits.toReversed())
  t.is(reversed.total, 20)
  let got = 0
  const paged = await ranked(
    index,
    async (hits) => {
      got = hits.length
      await turn()
      return hits.toReversed()
    },
    { offset: 2 },
  )
  t.is(got, 6)
  t.deepEqual(paged.hits, plain.hits.toReversed().slice(2))
  const scored = await ranked(index, (hits) => hits.slice(1, 3).map((hit, at) => Object.assign(hit, { score: 9 - at })))
  t.deepEqual(
    scored.hits.map(({ id, score }) => [id, score]),
    [
      [plain.hits[1]?.id, 9],
      [plain.hits[2]?.id, 8],
    ],
  )
  const sorted = await ranked(index, (hits) => hits.toSorted((a, b) => b.id.localeCompare(a.id)))
  t.deepEqual(
    ids(sorted),
    ids(sorted).toSorted((a, b) => b.localeCompare(a)),
  )
  const [batched] = await index.searchBatch([{ near: 'note number 3', limit: 2, rerank: (hits) => hits.toReversed() }])
  t.is(batched?.hits[1]?.id, 'n3')
})

test('what rerank gives must be of the hits that it got; what it throws is thrown', async (t) => {
  const index = await notebook(t, hashing().embedding)
  await index.rebuild(notes(20))
  const wrong: [(hits: Hit<Notes>[]) => unknown, RegExp][] = [
    [() => undefined, /TypeError: rerank must give an array/],
    [(hits) => [hits[0], hits[0]], /RangeError: rerank\(\)\[1\] must be one of the hits that it got, each once/],
    [() => [{ id: 'stranger', score: 1 }], /RangeError: rerank\(\)\[0\]/],
    [() => ['n1'], /TypeError: rerank\(\)\[0\] must be a hit/],
    [
      (hits) => hits.map((hit) => Object.assign(hit, { score: NaN })),
      /TypeError: rerank\(\)\[0\]\.score must be a finite number/,
    ],
  ]
  for (const [rerank, message] of wrong) t.regex(String(await rejection(ranked(index, rerank))), message)
  const thrown = new Error('mine')
  const throws = (): never => {
    throw thrown
  }
  t.is(await rejection(ranked(index, throws)), thrown)
  t.is(await rejection(ranked(index, () => Promise.reject(thrown))), thrown)
  const controller = new AbortController()
  const hang = (): Promise<never> => {
    controller.abort(thrown)
    return new Promise(() => {})
  }
  const signal = controller.signal
  t.is(await rejection(index.search({ text: 'number', rerank: hang }, { signal })), thrown)
})
