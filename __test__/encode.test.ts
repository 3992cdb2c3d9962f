import type { ExecutionContext } from 'ava'
import test from 'ava'
// Documents as bytes and floats, and refusals that name document, field and value.
import type { CutoverError } from 'cutover'
import { isCutoverError } from 'cutover'
import { Encoder } from '#dist/encode.js'
import { shapeOf } from '#dist/schema.js'

const shape = shapeOf(
  JSON.stringify({
    title: { type: 'text' },
    tags: { type: 'keyword', many: true },
    price: { type: 'number' },
    made: { type: 'date' },
    days: { type: 'date', many: true },
    extra: { type: 'stored' },
    e: { type: 'vector', dimensions: 3 },
    f: { type: 'vector', dimensions: 2 },
  }),
)

function encode(...documents: unknown[]): { lines: string; texts: string; vectors: number[] } {
  const encoder = new Encoder(shape)
  for (const [position, document] of documents.entries()) encoder.add(document, position)
  return read(encoder)
}

/** What an encoder has, each line without its end. */
function read(encoder: Encoder): { lines: string; texts: string; vectors: number[] } {
  const { lines, texts, vectors } = encoder.take()
  const all = lines.toString()
  return { lines: all.replace(/\n$/, ''), texts: texts.toString(), vectors: [...vectors] }
}

function refuse(t: ExecutionContext, document: unknown): CutoverError {
  const error = t.throws(() => encode({ id: 'before' }, document))
  if (!isCutoverError(error, 'CUTOVER_DOCUMENT')) throw error ?? new Error('nothing was thrown')
  t.is(error.detail.position, 1)
  return error
}

test('a document is one line of JSON, its id first', (t) => {
  t.is(
    encode({ title: 'A "b"\n', id: 'x', tags: ['é', '😀'], price: 1.5 }, { id: 'y' }).lines,
    '{"id":"x","title":"A \\"b\\"\\n","tags":["é","😀"],"price":1.5}\n{"id":"y"}',
  )
})

test('null and undefined are absent', (t) => {
  t.is(encode({ id: 'x', title: null, price: undefined, e: null }).lines, '{"id":"x"}')
})

test('vectors are packed beside the lines, and counted in them', (t) => {
  const { lines, vectors } = encode({ id: 'x', e: [1, 2, 3], f: new Float32Array([4, 5]) }, { id: 'y', f: [6] })
  t.is(lines, '{"id":"x","e":3,"f":2}\n{"id":"y","f":1}')
  t.deepEqual(vectors, [1, 2, 3, 4, 5, 6])
})

test('a long text goes beside its line, which holds its bytes; what is no text is refused, so that no number is taken for them', (t) => {
  const long = `é😀"\n${'x'.repeat(252)}`
  const short = 'é'.repeat(255)
  t.deepEqual(
    encode({ id: 'x', title: long }, { id: 'y', title: short, tags: [long] }, { id: 'z', title: 'é'.repeat(256) }),
    {
      lines: `{"id":"x","title":260}\n{"id":"y","title":"${short}","tags":[${JSON.stringify(long)}]}\n{"id":"z","title":512}`,
      texts: long + 'é'.repeat(256),
      vectors: [],
    },
  )
  for (const title of [5, [long], { toJSON: () => 5 }, true])
    t.regex(refuse(t, { id: 'a', title }).message, /field 'title': must be a string, got/)
  t.is(encode({ id: 'x', title: { toJSON: () => 'y' } }).lines, '{"id":"x","title":"y"}')
})

test('batches and documents of any size follow each other', (t) => {
  const encoder = new Encoder(shape)
  for (const characters of [10, 300_000, 100, 2_000_000, 255, 256, 70_000]) {
    const title = '東'.repeat(characters)
    for (const id of ['a', 'b']) encoder.add({ id, tags: [title], title }, 0)
    const { lines, texts } = read(encoder)
    t.is(texts, characters < 256 ? '' : title + title)
    const expected = characters < 256 ? title : characters * 3
    const documents = lines.split('\n').map((line) => JSON.parse(line) as unknown)
    t.deepEqual(
      documents,
      ['a', 'b'].map((id) => ({ id, tags: [title], title: expected })),
    )
    t.true(encoder.empty)
  }
})

test('what is held has its long texts with it', (t) => {
  const encoder = new Encoder(shape)
  const [one, other] = ['x'.repeat(300), 'y'.repeat(300)]
  const held = encoder.hold({ id: 'a', title: one, e: [1, 2, 3] }, 0)
  t.true(encoder.empty)
  encoder.add({ id: 'b', title: other, e: [4, 5, 6] }, 1)
  encoder.addHeld(held, [['f', new Float32Array([7, 8])]])
  t.deepEqual(read(encoder), {
    lines: '{"id":"b","title":300,"e":3}\n{"id":"a","title":300,"e":3,"f":2}',
    texts: other + one,
    vectors: [4, 5, 6, 1, 2, 3, 7, 8],
  })
})

test('a vector is copied when it is added: its owner may reuse the buffer', (t) => {
  const encoder = new Encoder(shape)
  const buffer = new Float32Array([1, 2, 3])
  encoder.add({ id: 'x', e: buffer }, 0)
  buffer.fill(9)
  encoder.add({ id: 'y', e: buffer }, 1)
  t.deepEqual([...encoder.take().vectors], [1, 2, 3, 9, 9, 9])
})

test('a Date is milliseconds in a date field and ISO 8601 in a stored one; a string passes through', (t) => {
  const at = new Date(86_400_000)
  t.is(
    encode({ id: 'x', made: at, days: [at, '2024-02-29', 5], extra: { at } }).lines,
    '{"id":"x","made":86400000,"days":[86400000,"2024-02-29",5],"extra":{"at":"1970-01-02T00:00:00.000Z"}}',
  )
})

test('a member named __proto__ is a field like any other, for the schema to refuse', (t) => {
  t.is(encode(JSON.parse('{"id":"x","__proto__":{"a":1}}')).lines, '{"id":"x","__proto__":{"a":1}}')
  t.is(({} as { a?: number }).a, undefined)
})

test('a batch is full after some 128 KiB, of text or of vectors', (t) => {
  const texts = new Encoder(shape)
  for (let n = 0; n < 127; n++) texts.add({ id: `${n}`, title: 'x'.repeat(1000) }, n)
  t.false(texts.full)
  for (let n = 0; n < 5; n++) texts.add({ id: `${n}`, title: 'x'.repeat(1000) }, n)
  t.true(texts.full)
  const vectors = new Encoder(shape)
  vectors.add({ id: 'x', e: new Float32Array(32 * 1024) }, 0)
  t.true(vectors.full)
  vectors.take()
  t.false(vectors.full)
  t.true(vectors.empty)
})

const wrong: [string, unknown, string | undefined, RegExp][] = [
  ['a string', 'x', undefined, /must be an object, got 'x'/],
  ['null', null, undefined, /got null/],
  ['an array', ['x'], undefined, /must be an object/],
  ['a document without an id', { title: 'A' }, 'id', /must be a string, got undefined/],
  ['a number as id', { id: 7 }, 'id', /must be a string, got 7/],
  ['a lone surrogate in an id', { id: 'a\uD800' }, 'id', /surrogates/],
  ['a lone surrogate in a text', { id: 'a', title: '\uDFFF' }, 'title', /surrogates/],
  ['NaN', { id: 'a', price: Number.NaN }, 'price', /finite number, got NaN/],
  ['a BigInt', { id: 'a', price: 1n }, 'price', /got 1n/],
  ['a function', { id: 'a', title: () => 'x' }, 'title', /function/],
  ['an invalid Date', { id: 'a', made: new Date('never') }, 'made', /valid Date/],
  ['NaN deep in a stored field', { id: 'a', extra: { b: [Number.NaN] } }, 'extra', /"?extra\.b\[0\]/],
  ['a string as a vector', { id: 'a', e: '1,2,3' }, 'e', /Float32Array or an array/],
  ['a Float64Array as a vector', { id: 'a', e: new Float64Array(3) }, 'e', /Float32Array or an array/],
  ['an iterable as a vector', { id: 'a', e: new Set([1, 2, 3]) }, 'e', /Float32Array or an array/],
  ['a string in a vector', { id: 'a', e: [1, '2', 3] }, 'e', /e\[1\].*must be a number, got '2'/],
  ['null in a vector', { id: 'a', e: [null, 2, 3] }, 'e', /e\[0\].*got null/],
  ['a number that no 32-bit float holds', { id: 'a', e: [1, 2, 1e300] }, 'e', /e\[2\].*32-bit float, got 1e\+300/],
]
for (const [what, document, field, message] of wrong)
  test(`${what} is refused by id, field and value`, (t) => {
    const { detail, message: text } = refuse(t, document)
    t.is(detail.field, field)
    t.is(
      detail.id,
      (document as { id?: unknown } | null)?.id === 'a'
        ? 'a'
        : typeof (document as { id?: unknown } | null)?.id === 'string'
          ? 'a\uD800'
          : '',
    )
    t.is(typeof detail.value, 'string')
    t.regex(text, message)
    t.regex(text, detail.id === '' ? /document 1 of the source/ : /document 'a/)
  })

test('a getter that throws blames its document, and its error is the cause', (t) => {
  const cause = new Error('no')
  const { detail, cause: given } = refuse(t, {
    id: 'a',
    extra: {
      get b() {
        throw cause
      },
    },
  })
  t.is(detail.field, 'extra')
  t.is(given, cause)
})

test('a refused document leaves nothing in the batch', (t) => {
  const encoder = new Encoder(shape)
  encoder.add({ id: 'x', e: [1, 2, 3] }, 0)
  t.throws(() => encoder.add({ id: 'y', e: [4, 5, 6], price: Number.NaN }, 1))
  encoder.add({ id: 'z', e: [7, 8, 9] }, 2)
  const { lines, vectors } = read(encoder)
  t.is(lines, '{"id":"x","e":3}\n{"id":"z","e":3}')
  t.deepEqual(vectors, [1, 2, 3, 7, 8, 9])
})
