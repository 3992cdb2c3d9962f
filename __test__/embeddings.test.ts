// Documents that come without a vector get one: batches, order, bounds, and whose fault it is when they do not.
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { isCutoverError } from 'cutover'
import type { CutoverError, Embedding, SearchIndex } from 'cutover'
import { fields, hashing, notebook, notes, vectorOf } from './support/embedding.js'
import type { Note, Notes } from './support/embedding.js'
import { contents, deferred, directory, refused, rejection } from './support/index.js'

/** Every document has the vector of its own text. */
async function agree(t: ExecutionContext, index: SearchIndex<Notes>, model?: string): Promise<number> {
  let count = 0
  for await (const { id, body, vector } of index.documents()) {
    count++
    if (body === undefined) t.is(vector, undefined, id)
    else t.deepEqual(vector, vectorOf(body, model), id)
  }
  return count
}

test('every document gets the vector of its own text, in batches, whatever order the calls end in', async (t) => {
  const waiting: (() => void)[] = []
  const { embedding, asked } = hashing({
    batchSize: 7,
    concurrency: 3,
    async embed(texts) {
      // Calls end in the reverse of the order in which they began, as far as they are under way together.
      const mine = deferred()
      waiting.push(mine.resolve)
      await turn()
      waiting.pop()?.()
      await mine.promise
      return texts.map((text) => Array.from(vectorOf(text)))
    },
  })
  const index = await notebook(t, embedding)
  const info = await index.rebuild(notes(500))
  t.is(info.documents, 500)
  t.is(await agree(t, index), 500)
  t.is(asked.texts(), 500)
  t.is(asked.atOnce, 3)
  t.true(asked.calls.every(({ texts, purpose }) => texts.length <= 7 && purpose === 'document'))
  t.true(asked.calls.filter(({ texts }) => texts.length === 7).length >= Math.floor(500 / 7))
})

test('a document that has a vector keeps it, and one without a text has none', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, embedding)
  const own = new Float32Array(8).fill(0.5)
  await index.rebuild([
    { id: 'own', body: 'mine', vector: own },
    { id: 'none' },
    { id: 'null', body: 'made', vector: null },
  ])
  t.deepEqual((await index.get('own'))?.vector, own)
  t.is((await index.get('none'))?.vector, undefined)
  t.deepEqual((await index.get('null'))?.vector, vectorOf('made'))
  t.is(asked.texts(), 1)
})

test('of documents with one id the last one wins, though its vector comes first', async (t) => {
  const first = deferred()
  const { embedding } = hashing({
    batchSize: 1,
    async embed(texts) {
      if (texts[0] === 'old') await first.promise
      else first.resolve()
      return texts.map((text) => vectorOf(text))
    },
  })
  const index = await notebook(t, embedding)
  const info = await index.rebuild([
    { id: 'a', body: 'old' },
    { id: 'a', body: 'new' },
  ])
  t.is(info.counts.duplicates, 1)
  t.deepEqual((await index.get('a'))?.vector, vectorOf('new'))
})

test('an object that its source uses again is taken as it was', async (t) => {
  const index = await notebook(t, hashing({ batchSize: 16 }).embedding)
  await index.rebuild(function* () {
    const one: { id: string; body: string } = { id: '', body: '' }
    for (let n = 0; n < 100; n++) yield Object.assign(one, { id: `${n}`, body: `body ${n}` })
  })
  t.is(await agree(t, index), 100)
})

test('a source is read no further ahead than batches and calls need', async (t) => {
  const go = deferred()
  let read = 0
  const { embedding } = hashing({
    batchSize: 64,
    concurrency: 2,
    async embed(texts) {
      await go.promise
      return texts.map((text) => vectorOf(text))
    },
  })
  const index = await notebook(t, embedding)
  const done = index.rebuild(function* () {
    for (const note of notes(600)) {
      read++
      yield note
    }
  })
  // Long enough for a reader without a bound to come to the end.
  for (let at = 0; at < 2000; at++) await turn()
  t.true(read > 0 && read <= 256, `${read} documents were read`)
  go.resolve()
  t.is((await done).documents, 600)
})

test('an abort reaches the calls under way, and the rebuild rejects with its reason', async (t) => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const { embedding, asked } = hashing({
    async embed() {
      await turn()
      controller.abort(reason)
      return new Promise(() => {})
    },
  })
  const index = await notebook(t, embedding)
  t.is(await rejection(index.rebuild(notes(1000), { signal: controller.signal })), reason)
  t.true(asked.calls.length > 0)
  for (const { signal } of asked.calls) t.is(signal.reason, reason)
})

test('an embed that throws ends the rebuild with its error as the cause, and stops the others', async (t) => {
  const cause = new Error('no quota')
  const { embedding, asked } = hashing({
    async embed(texts) {
      await turn()
      if (texts.includes('note number 200')) throw cause
      return texts.map((text) => vectorOf(text))
    },
  })
  const index = await notebook(t, embedding)
  const before = contents(index.path)
  const error = await refused(t, 'CUTOVER_EMBEDDING', index.rebuild(notes(1000), { onInvalid: 'skip' }))
  t.is(error.cause, cause)
  t.like(error.detail, { field: 'vector', model: 'hash-1' })
  t.true(error.retryable)
  t.regex(error.message, /"hash-1".*no quota|'hash-1'.*no quota/)
  t.is(asked.calls.at(-1)?.signal.reason, error)
  t.is(index.current, undefined)
  t.is((await index.status()).drafts, 0)
  t.truthy(before)
})

test('a call that gives too few or too many vectors, or none at all, is named', async (t) => {
  const wrong: [unknown, RegExp][] = [
    [[], /gave 0 vectors for 3 texts/],
    [Array.from({ length: 4 }, () => new Float32Array(8)), /gave 4 vectors for 3 texts/],
    [undefined, /must give an array, got undefined/],
    [{ length: 3 }, /must give an array/],
  ]
  for (const [answer, message] of wrong) {
    const index = await notebook(t, hashing({ embed: async () => answer as Float32Array[] }).embedding)
    const error = await refused(t, 'CUTOVER_EMBEDDING', index.rebuild(notes(3)))
    t.regex(error.message, message)
    t.deepEqual(error.detail.documents, { first: 'n0', last: 'n2' })
  }
})

test('a vector that is none is named with its document, or skipped and told', async (t) => {
  const bad: [string, unknown, RegExp][] = [
    ['short', new Float32Array(7), /must give 8 components/],
    ['NaN', Array.from({ length: 8 }, (_, n) => (n === 3 ? NaN : 1)), /component 3/],
    ['Infinity', new Float32Array(8).fill(Infinity), /component 0/],
    ['too large', Array.from({ length: 8 }, () => 1e300), /component 0/],
    ['text', Array.from({ length: 8 }, () => '1'), /component 0/],
    ['nothing', undefined, /must give a Float32Array or an array of numbers/],
    ['double', new Float64Array(8), /must give a Float32Array or an array of numbers/],
  ]
  for (const [what, vector, message] of bad) {
    const { embedding } = hashing({
      embed: async (texts) =>
        texts.map((text) => (text === 'note number 5' ? (vector as Float32Array) : vectorOf(text))),
    })
    const index = await notebook(t, embedding)
    const error = await refused(t, 'CUTOVER_EMBEDDING', index.rebuild(notes(10)))
    t.like(error.detail, { id: 'n5', field: 'vector', model: 'hash-1' }, what)
    t.regex(error.message, message, what)
    const told: CutoverError[] = []
    const info = await index.rebuild(notes(10), { onInvalid: (one) => void told.push(one) })
    t.is(info.documents, 9)
    t.is(info.counts.skipped, 1)
    t.deepEqual(
      told.map(({ code, detail }) => [code, detail.id]),
      [['CUTOVER_EMBEDDING', 'n5']],
    )
    t.is(await agree(t, index), 9)
  }
})

test('what takes the text may fail, for one document', async (t) => {
  const thrown = new Error('odd')
  const embedding: Embedding<Note> = {
    ...hashing().embedding,
    from({ id, body }) {
      if (id === 'n1') throw thrown
      return id === 'n2' ? (7 as unknown as string) : (body ?? undefined)
    },
  }
  const index = await notebook(t, embedding)
  const error = await refused(t, 'CUTOVER_EMBEDDING', index.rebuild(notes(2)))
  t.is(error.cause, thrown)
  t.is(error.detail.id, 'n1')
  t.like((await refused(t, 'CUTOVER_EMBEDDING', index.rebuild(notes(1, 2)))).detail, { id: 'n2', value: '7' })
  const info = await index.rebuild(notes(4), { onInvalid: 'skip' })
  t.is(info.documents, 2)
  t.is(info.counts.skipped, 2)
})

test('a throw of onInvalid ends the rebuild with what it threw', async (t) => {
  const thrown = new Error('stop')
  const { embedding } = hashing({ embed: async (texts) => texts.map(() => new Float32Array(1)) })
  const index = await notebook(t, embedding)
  const onInvalid = (): never => {
    throw thrown
  }
  t.is(await rejection(index.rebuild(notes(3), { onInvalid })), thrown)
})

test('a document that is invalid otherwise is refused as ever, its neighbours embedded', async (t) => {
  const index = await notebook(t, hashing().embedding)
  const odd = { id: 'odd', body: 'x', strange: 1 } as Note
  await refused(t, 'CUTOVER_DOCUMENT', index.rebuild([...notes(2), odd]))
  const cyclic: Record<string, unknown> = { id: 'cyclic' }
  cyclic.self = cyclic
  const told: unknown[] = []
  const info = await index.rebuild([...notes(2), odd, cyclic as Note, null as unknown as Note, ...notes(2, 2)], {
    onInvalid: (error) => void told.push(error.detail.id),
  })
  t.is(info.documents, 4)
  t.deepEqual(told.toSorted(), ['', 'cyclic', 'odd'])
  t.is(await agree(t, index), 4)
})

test('lone surrogates of a text are replaced before it is embedded', async (t) => {
  const { embedding, asked } = hashing()
  const index = await notebook(t, { ...embedding, from: ({ id }) => `${id} \ud800` })
  await index.rebuild([{ id: 'a' }])
  t.deepEqual(asked.calls[0]?.texts, ['a \ufffd'])
  await index.search({ near: 'b \udc00' })
  t.deepEqual(asked.calls[1]?.texts, ['b \ufffd'])
})

test('options of embeddings are checked when the index is opened', async (t) => {
  const { embedding } = hashing()
  const wrong: [unknown, RegExp][] = [
    [7, /options\.embeddings must be an object/],
    [{ body: embedding }, /options\.embeddings\.body: options\.fields has no vector field/],
    [{ other: embedding }, /options\.embeddings\.other/],
    [{ vector: 7 }, /options\.embeddings\.vector must be an object/],
    [{ vector: [] }, /at least one embedding/],
    [{ vector: [embedding, embedding] }, /twice/],
    [{ vector: { ...embedding, model: '' } }, /vector\.model must have 1 to 256 characters/],
    [{ vector: { ...embedding, model: 7 } }, /vector\.model must be a string/],
    [{ vector: { ...embedding, from: undefined } }, /vector\.from must be a function/],
    [{ vector: { ...embedding, embed: 'x' } }, /vector\.embed must be a function/],
    [{ vector: { ...embedding, batchSize: 0 } }, /vector\.batchSize must be an integer from 1 to 4096/],
    [{ vector: { ...embedding, concurrency: 65 } }, /vector\.concurrency must be an integer from 1 to 64/],
    [{ vector: { ...embedding, timeoutMs: 0 } }, /vector\.timeoutMs/],
    [{ vector: { ...embedding, onFailure: 'maybe' } }, /vector\.onFailure/],
    [{ vector: { ...embedding, batch: 1 } }, /has no option 'batch'/],
  ]
  const { openIndex } = await import('cutover')
  for (const [embeddings, message] of wrong) {
    const error = await rejection(openIndex(directory(t), { fields, embeddings: embeddings as never }))
    t.true(error instanceof TypeError || error instanceof RangeError, String(error))
    t.regex(String(error), message)
  }
  const later = await openIndex(directory(t), { fields })
  await later.rebuild([{ id: 'a', body: 'x' }])
  await later.close()
  const again = await openIndex(later.path, { embeddings: { body: embedding } as never })
  t.teardown(() => again.close())
  t.regex(String(await rejection(again.rebuild([]))), /TypeError: embeddings\.body/)
  t.false(isCutoverError(await rejection(again.search({ near: 'x' }))))
})
