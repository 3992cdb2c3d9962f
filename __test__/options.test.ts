import test from 'ava'
// The options of opening and writing: passed on, or refused by name and value.
import { defineFields } from 'cutover'
import { lockOptions, openOptions, writeOptions } from '#dist/options.js'

const fields = { title: { type: 'text' } }

const read = (options: unknown): { create: boolean; mode: string; buildMemoryBytes: number } =>
  JSON.parse(openOptions(options).json)

test('opening creates when it may and knows what', (t) => {
  t.like(read(undefined), { create: false, mode: 'read-write' })
  t.like(read({ fields }), { create: true })
  t.like(read({ fields, mode: 'read-only' }), { create: false, mode: 'read-only' })
  t.true(read(undefined).buildMemoryBytes > 0 && read(undefined).buildMemoryBytes <= 2 ** 31)
})

const refusedOpening: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  ['x', TypeError, /options must be an object, got 'x'/],
  [null, TypeError, /got null/],
  [{ feilds: fields }, TypeError, /options has no option 'feilds'/],
  [{ fields: [] }, TypeError, /fields must be an object of fields, got \[\]/],
  [{ fields: { title: 'text' } }, TypeError, /fields\.title must be an object with a type, got 'text'/],
  [{ fields: { e: { type: 'vector', dimensions: Number.NaN } } }, TypeError, /options\.fields\.e\.dimensions.*got NaN/],
  [{ fields: JSON.parse('{"__proto__":{"type":"text"}}') }, RangeError, /'__proto__' is taken/],
  [{ mode: 'rw' }, RangeError, /options\.mode must be one of 'read-write', 'read-only', got 'rw'/],
  [{ freshness: true }, TypeError, /options\.freshness.*got true/],
  [{ keep: { versions: 0 } }, RangeError, /options\.keep\.versions must be an integer from 1.*got 0/],
  [{ keep: { days: -1 } }, RangeError, /options\.keep\.days must be at least 0, got -1/],
  [{ keep: 3 }, TypeError, /options\.keep must be an object, got 3/],
  [{ keep: { version: 3 } }, TypeError, /options\.keep has no option 'version'/],
  [{ threads: { search: 0 } }, RangeError, /options\.threads\.search/],
  [{ allow: 'network-file-system' }, TypeError, /options\.allow must be an array/],
  [{ allow: ['everything'] }, RangeError, /options\.allow\[0\].*got 'everything'/],
  [{ buildMemoryBytes: 1 }, RangeError, /options\.buildMemoryBytes.*got 1/],
  [{ signal: 'stop' }, TypeError, /options\.signal must be an AbortSignal, got 'stop'/],
]
for (const [options, type, message] of refusedOpening)
  test(`opening refuses ${message.source}`, (t) => {
    t.throws(() => openOptions(options), { instanceOf: type, message })
  })

test('a write waits for ever unless told otherwise', (t) => {
  t.deepEqual(JSON.parse(writeOptions(undefined, 'rebuild').json), {
    operation: 'rebuild',
    activate: true,
    onInvalid: 'throw',
  })
  t.is(JSON.parse(writeOptions({ lockTimeoutMs: Infinity }, 'rebuild').json).lockTimeoutMs, undefined)
  t.is(JSON.parse(writeOptions({ lockTimeoutMs: 0 }, 'rebuild').json).lockTimeoutMs, 0)
  t.is(JSON.parse(writeOptions({ onInvalid: () => {} }, 'rebuild').json).onInvalid, 'skip')
  t.deepEqual(JSON.parse(writeOptions({ attributes: { at: new Date(0) } }, 'rebuild').json).attributes, {
    at: '1970-01-01T00:00:00.000Z',
  })
})

const refusedWriting: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  [{ activated: true }, TypeError, /options has no option 'activated'/],
  [{ activate: 1 }, TypeError, /options\.activate must be true or false, got 1/],
  [{ version: 7 }, TypeError, /options\.version must be a string, got 7/],
  [{ lockTimeoutMs: -1 }, RangeError, /options\.lockTimeoutMs must be milliseconds from 0.*got -1/],
  [{ lockTimeoutMs: '1' }, TypeError, /got '1'/],
  [{ ifCurrent: null }, TypeError, /options\.ifCurrent must be a string, got null/],
  [{ attributes: 'x' }, TypeError, /options\.attributes must be an object, got 'x'/],
  [{ attributes: { a: 1n } }, TypeError, /options\.attributes\.a must not be a bigint, got 1n/],
  [{ onInvalid: 'ignore' }, RangeError, /options\.onInvalid.*got 'ignore'/],
  [{ onProgress: {} }, TypeError, /options\.onProgress must be a function/],
  [{ gate: true }, TypeError, /options\.gate must be a function, got true/],
  [{ coalesce: 1 }, TypeError, /options\.coalesce must be true or false, got 1/],
]
for (const [options, type, message] of refusedWriting)
  test(`writing refuses ${message.source}`, (t) => {
    t.throws(() => writeOptions(options, 'rebuild'), { instanceOf: type, message })
  })

test('switching versions takes the options of the lock alone', (t) => {
  t.is(lockOptions({ lockTimeoutMs: 5, ifCurrent: 'v' }).json, '{"lockTimeoutMs":5,"ifCurrent":"v"}')
  t.throws(() => lockOptions({ gate() {} }), { instanceOf: TypeError, message: /no option 'gate'/ })
})

test('defineFields gives back what it got, and refuses what is no schema', (t) => {
  const schema = { title: { type: 'text' } } as const
  t.is(defineFields(schema), schema)
  t.throws(() => defineFields('title' as never), { instanceOf: TypeError })
})
