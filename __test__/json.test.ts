import test from 'ava'
// What has JSON, and what is refused because it has none.
import { NotJson, stringJson, toJson } from '#dist/json.js'

const plain: unknown[] = [
  null,
  true,
  'text',
  '"\\\n\u2028é😀',
  0,
  -1.5,
  1e300,
  [],
  {},
  [1, [2, { a: null }]],
  { a: { b: [true, 'c'] } },
  JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"":2,"a b":3}'),
  { gone: undefined, toJSON: undefined },
]

test('what JSON carries is written as JSON.stringify writes it', (t) => {
  for (const value of plain) t.is(toJson(value, 'iso'), JSON.stringify(value))
})

test('negative zero is written as zero, as JSON.stringify does', (t) => {
  t.is(toJson(-0, 'iso'), '0')
})

test('own members alone are written, odd names too', (t) => {
  class Point {
    x = 1
    get y(): number {
      return 2
    }
  }
  t.is(toJson(new Point(), 'iso'), '{"x":1}')
  t.is(toJson(JSON.parse('{"__proto__":1}'), 'iso'), '{"__proto__":1}')
})

test('an object with toJSON is what that returns', (t) => {
  t.is(toJson({ at: new URL('https://example.com/') }, 'iso'), '{"at":"https://example.com/"}')
})

test('a Date is epoch milliseconds or ISO 8601', (t) => {
  t.is(toJson([new Date(5)], 'milliseconds'), '[5]')
  t.is(toJson([new Date(5)], 'iso'), '["1970-01-01T00:00:00.005Z"]')
})

const cycle: { inner: { back?: unknown }[] } = { inner: [{}] }
cycle.inner[0] = { back: cycle }
const deep: unknown[] = []
let bottom = deep
for (let level = 0; level < 100; level++) bottom.push((bottom = []))

const refused: [string, unknown, string, RegExp][] = [
  ['NaN', { a: [1, Number.NaN] }, '.a[1]', /finite/],
  ['Infinity', -Infinity, '', /finite/],
  ['a BigInt', { a: 1n }, '.a', /bigint/],
  ['a function', { a: () => {} }, '.a', /function/],
  ['a symbol', [Symbol('s')], '[0]', /symbol/],
  ['undefined in an array', [1, undefined], '[1]', /undefined/],
  ['a hole in an array', Array.from({ length: 2 }), '[0]', /undefined/],
  ['an invalid Date', { a: new Date(Number.NaN) }, '.a', /valid Date/],
  ['a Map', { a: new Map() }, '.a', /Map/],
  ['a Set', new Set(), '', /Set/],
  ['a typed array', { a: new Float32Array(1) }, '.a', /binary/],
  ['a Buffer', Buffer.alloc(1), '', /binary/],
  ['a cycle', cycle, '.inner[0].back', /itself/],
  ['a hundred and one levels', deep, '[0]'.repeat(100), /100 levels/],
  ['a lone surrogate', { a: 'x\uD800' }, '.a', /surrogates/],
  ['a lone surrogate in a name', { a: { 'x\uDC00': 1 } }, '.a.x\uDC00', /surrogates/],
]
for (const [what, value, path, reason] of refused)
  test(`${what} is refused, and its place named`, (t) => {
    const error = t.throws(() => toJson(value, 'iso'), { instanceOf: NotJson })
    t.is(error.path, path)
    t.regex(error.message, reason)
  })

test('the same object twice is no cycle', (t) => {
  const shared = { a: 1 }
  t.is(toJson([shared, shared], 'iso'), '[{"a":1},{"a":1}]')
})

test('a string is JSON text, or refused for a lone surrogate', (t) => {
  t.is(stringJson('a"b'), '"a\\"b"')
  t.throws(() => stringJson('\uD800a'), { instanceOf: NotJson })
})
