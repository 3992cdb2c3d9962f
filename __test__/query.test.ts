import test from 'ava'
import { normaliseFilter } from '#dist/filter.js'
// Queries and filters in the form that the native layer takes, and refusals that name the option and the value.
import { prepareQuery, searchLimits } from '#dist/query.js'

const read = (query: unknown): unknown => JSON.parse(prepareQuery(query).json)

test('a string searches the text', (t) => {
  t.deepEqual(read('a b'), { text: { query: 'a b' }, limit: 10, offset: 0 })
})

test('a query of every option is passed on', (t) => {
  t.deepEqual(
    read({
      text: {
        query: 'a',
        fields: { title: 2 },
        operator: 'and',
        mode: 'phrase',
        fuzzy: 'auto',
        prefixLength: 2,
        caseSensitive: true,
        slop: 3,
      },
      vector: { field: 'e', values: [1, 2], ef: 50, maxDistance: 0.5, exact: true },
      where: { kind: 'x' },
      fusion: { method: 'rrf', k: 10 },
      limit: 5,
      offset: 3,
      sort: [{ field: 'kind' }, { field: 'price', order: 'desc' }],
      groupBy: { field: 'kind', hits: 2 },
      facets: {
        kind: { limit: 2, ignoreOwnFilter: true },
        tags: {},
        price: {
          ranges: [
            [-Infinity, 5],
            [5, Infinity],
          ],
        },
        made: { ranges: [[new Date(5), 9]] },
      },
      select: ['title'],
    }),
    {
      text: {
        query: 'a',
        fields: [['title', 2]],
        mode: 'phrase',
        operator: 'and',
        fuzzy: 'auto',
        prefixLength: 2,
        caseSensitive: true,
        slop: 3,
      },
      vector: { field: 'e', ef: 50, maxDistance: 0.5, exact: true },
      where: { kind: 'x' },
      fusion: { method: 'rrf', k: 10 },
      limit: 5,
      offset: 3,
      sort: [{ field: 'kind' }, { field: 'price', order: 'desc' }],
      groupBy: { field: 'kind', hits: 2 },
      facets: {
        kind: { limit: 2, ignoreOwnFilter: true },
        tags: { limit: 10 },
        price: {
          limit: 10,
          ranges: [
            [null, 5],
            [5, null],
          ],
        },
        made: { limit: 10, ranges: [[5, 9]] },
      },
      select: ['title'],
    },
  )
  t.deepEqual(read({ text: { query: 'a', fields: ['x', 'y'] }, select: false }), {
    text: {
      query: 'a',
      fields: [
        ['x', null],
        ['y', null],
      ],
    },
    limit: 10,
    offset: 0,
    select: false,
    rows: true,
  })
})

test('the components of a vector are numbers of 32 bits', (t) => {
  t.deepEqual(prepareQuery({ vector: [3, 0.1] }).vector, new Float32Array([3, 0.1]))
  t.is(prepareQuery('a').vector, null)
})

test('a text without UTF-8 is searched all the same', (t) => {
  t.deepEqual(read('a\uD800'), { text: { query: 'a\uFFFD' }, limit: 10, offset: 0 })
})

test('options that hold undefined are absent', (t) => {
  t.deepEqual(read({ text: undefined, where: undefined, limit: undefined }), { limit: 10, offset: 0 })
})

const refused: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  [undefined, TypeError, /query must be a string or an object, got undefined/],
  [7, TypeError, /got 7/],
  [['a'], TypeError, /got \[ 'a' \]/],
  [{ txt: 'a' }, TypeError, /query has no option 'txt'.*got 'a'/],
  [{ text: 7 }, TypeError, /query\.text must be a string or an object, got 7/],
  [{ text: {} }, TypeError, /query\.text\.query must be a string, got undefined/],
  [{ text: { query: 'a', mode: 'glob' } }, RangeError, /query\.text\.mode must be one of 'words'.*got 'glob'/],
  [{ text: { query: 'a', fuzzy: 3 } }, RangeError, /query\.text\.fuzzy must be an integer from 0 to 2, got 3/],
  [{ text: { query: 'a', fuzzy: 'on' } }, TypeError, /query\.text\.fuzzy must be a number, got 'on'/],
  [
    { text: { query: 'a', mode: 'regex', fuzzy: 1 } },
    TypeError,
    /query\.text\.fuzzy does not go with the mode 'regex'/,
  ],
  [{ text: { query: 'a', prefixLength: 65 } }, RangeError, /prefixLength must be an integer from 0 to 64, got 65/],
  [{ text: { query: 'a', caseSensitive: 1 } }, TypeError, /caseSensitive must be true or false, got 1/],
  [{ text: { query: 'a', slop: -1 } }, RangeError, /slop must be an integer from 0 to 100, got -1/],
  [{ text: { query: 'a', operator: 'xor' } }, RangeError, /operator must be one of 'or', 'and', got 'xor'/],
  [{ text: { query: 'a', fields: { t: 0 } } }, RangeError, /fields\.t .*got 0/],
  [{ text: { query: 'a', fields: 't' } }, TypeError, /fields must be an array of names/],
  [{ vector: 'abc' }, TypeError, /query\.vector must be a Float32Array/],
  [{ vector: [1, '2'] }, TypeError, /query\.vector\[1\] must be a number, got '2'/],
  [{ vector: new Float64Array(2) }, TypeError, /query\.vector/],
  [{ vector: { values: [1], ef: 0 } }, RangeError, /ef must be an integer from 1 to 100000, got 0/],
  [{ vector: { values: [1], maxDistance: Number.NaN } }, RangeError, /maxDistance must be a finite number, got NaN/],
  [{ vector: { values: [1], exact: 1 } }, TypeError, /exact must be true or false, got 1/],
  [{ limit: 10_001 }, RangeError, /query\.limit must be an integer from 0 to 10000, got 10001/],
  [{ limit: -1 }, RangeError, /got -1/],
  [{ limit: 1.5 }, RangeError, /got 1\.5/],
  [{ limit: '10' }, TypeError, /query\.limit must be a number, got '10'/],
  [{ limit: 9000, offset: 1001 }, RangeError, /offset \+ query\.limit must be at most 10000, got 1001 \+ 9000/],
  [{ fusion: { method: 'max' } }, RangeError, /one of 'convex', 'rrf', got 'max'/],
  [{ fusion: { method: 'convex', vectorWeight: 2 } }, RangeError, /vectorWeight must be from 0 to 1, got 2/],
  [{ fusion: { method: 'rrf', vectorWeight: 0.5 } }, TypeError, /has no option 'vectorWeight'/],
  [{ highlight: 'title' }, TypeError, /query\.highlight must be a boolean or an object/],
  [{ highlight: { lines: -1 } }, RangeError, /query\.highlight\.lines must be an integer from 0 to 100/],
  [{ highlight: { fragments: 0 } }, RangeError, /query\.highlight\.fragments must be an integer from 1 to 100/],
  [{ highlight: { escape: 'xml' } }, RangeError, /query\.highlight\.escape must be/],
  [{ highlight: { pre: 1 } }, TypeError, /query\.highlight\.pre must be a string/],
  [{ facets: ['kind'] }, TypeError, /query\.facets must be an object of field names/],
  [{ facets: { kind: true } }, TypeError, /query\.facets\.kind must be an object, got true/],
  [{ facets: { kind: { limit: 0 } } }, RangeError, /limit must be an integer from 1/],
  [{ sort: { field: 'a' } }, TypeError, /query\.sort must be an array of fields/],
  [{ sort: ['a'] }, TypeError, /query\.sort\[0\] must be an object, got 'a'/],
  [
    { sort: [{ field: 'a', order: 'up' }] },
    RangeError,
    /query\.sort\[0\]\.order must be one of 'asc', 'desc', got 'up'/,
  ],
  [
    { sort: Array.from({ length: 9 }, () => ({ field: 'a' })) },
    RangeError,
    /query\.sort must name at most 8 fields, got 9/,
  ],
  [{ groupBy: 'kind' }, TypeError, /query\.groupBy must be an object, got 'kind'/],
  [{ groupBy: { field: 'kind', hits: 0 } }, RangeError, /groupBy\.hits must be an integer from 1 to 100, got 0/],
  [{ facets: { price: { ranges: [] } } }, RangeError, /facets\.price\.ranges must have 1 to 100 entries, got 0/],
  [{ facets: { price: { ranges: [1, 2] } } }, TypeError, /facets\.price\.ranges\[0\] must be \[from, to\], got 1/],
  [{ facets: { price: { ranges: [[0, Number.NaN]] } } }, RangeError, /ranges\[0\]\[1\].*got NaN/],
  [{ facets: { price: { ranges: [[Infinity, 1]] } } }, RangeError, /ranges\[0\]\[0\].*got Infinity/],
  [{ facets: { kind: { ignoreOwnFilter: 1 } } }, TypeError, /ignoreOwnFilter must be true or false, got 1/],
  [{ select: 'title' }, TypeError, /query\.select must be an array of strings, got 'title'/],
  [{ select: true }, TypeError, /got true/],
]
for (const [query, type, message] of refused)
  test(`a query is refused: ${message.source}`, (t) => {
    t.throws(() => prepareQuery(query), { instanceOf: type, message })
  })

test('a filter is passed on, Dates as milliseconds', (t) => {
  const filter = {
    kind: ['a', 'b'],
    sold: true,
    made: { gte: new Date(5), lt: new Date(9) },
    price: 3,
    tags: { in: ['x'], notIn: ['y'], exists: true },
    path: { prefix: 'src/', glob: ['**/*.ts', '!**/*.d.ts'] },
    year: { in: [1, 2], notIn: [3] },
    gone: undefined,
    and: [{ not: { price: [1, 2] } }, { or: [{ made: new Date(7) }] }],
    ids: ['1', '2'],
  }
  t.deepEqual(JSON.parse(JSON.stringify(normaliseFilter(filter))), {
    kind: ['a', 'b'],
    sold: true,
    made: { gte: 5, lt: 9 },
    price: 3,
    tags: { in: ['x'], notIn: ['y'], exists: true },
    path: { prefix: 'src/', glob: ['**/*.ts', '!**/*.d.ts'] },
    year: { in: [1, 2], notIn: [3] },
    and: [{ not: { price: [1, 2] } }, { or: [{ made: 7 }] }],
    ids: ['1', '2'],
  })
})

test('a filter may name anything, for the schema to refuse', (t) => {
  const json = JSON.stringify(normaliseFilter(JSON.parse('{"__proto__":"x","constructor":"y"}')))
  t.is(json, '{"__proto__":"x","constructor":"y"}')
})

let nested: object = { kind: 'x' }
for (let level = 0; level < 40; level++) nested = { not: nested }
const wrong: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  ['x', TypeError, /where must be an object, got 'x'/],
  [[], TypeError, /where must be an object/],
  [{ kind: null }, TypeError, /where\.kind must be a string, number.*got null/],
  [{ kind: ['a', null] }, TypeError, /where\.kind\[1\]/],
  [{ price: Number.NaN }, RangeError, /where\.price must be a finite number, got NaN/],
  [{ price: { gt: Infinity } }, RangeError, /where\.price\.gt.*got Infinity/],
  [{ price: { above: 3 } }, TypeError, /where\.price has no option 'above'/],
  [{ price: 1n }, TypeError, /got 1n/],
  [{ made: new Date(Number.NaN) }, RangeError, /where\.made.*got NaN/],
  [{ kind: { in: 'a' } }, TypeError, /where\.kind\.in must be an array, got 'a'/],
  [{ kind: { in: ['a', null] } }, TypeError, /where\.kind\.in\[1\]/],
  [{ kind: { prefix: 1 } }, TypeError, /where\.kind\.prefix must be a string, got 1/],
  [{ kind: { glob: 1 } }, TypeError, /where\.kind\.glob must be an array of strings/],
  [{ kind: { exists: 1 } }, TypeError, /exists must be true or false, got 1/],
  [{ and: { kind: 'x' } }, TypeError, /where\.and must be an array of filters/],
  [{ or: ['x'] }, TypeError, /where\.or\[0\] must be an object, got 'x'/],
  [{ not: [] }, TypeError, /where\.not must be an object/],
  [{ ids: 'x' }, TypeError, /where\.ids must be an array of strings/],
  [{ ids: [1] }, TypeError, /where\.ids\[0\] must be a string, got 1/],
  [{ kind: '\uD800' }, TypeError, /surrogates/],
  [nested, RangeError, /nested deeper than 32/],
]
for (const [filter, type, message] of wrong)
  test(`a filter is refused: ${message.source}`, (t) => {
    t.throws(() => normaliseFilter(filter), { instanceOf: type, message })
  })

test('the limits of a search are checked', (t) => {
  t.deepEqual(searchLimits(undefined, 'index'), { signal: undefined, timeoutMs: undefined, version: null })
  t.is(searchLimits({ timeoutMs: Infinity }, 'index').timeoutMs, undefined)
  t.is(searchLimits({ version: 'v' }, 'index').version, 'v')
  for (const [options, type] of [
    [{ timeoutMs: 0 }, RangeError],
    [{ timeoutMs: -1 }, RangeError],
    [{ timeoutMs: Number.NaN }, RangeError],
    [{ timeoutMs: 2 ** 31 }, RangeError],
    [{ timeoutMs: '5' }, TypeError],
    [{ signal: {} }, TypeError],
    [{ version: 5 }, TypeError],
    [{ timeout: 5 }, TypeError],
    [null, TypeError],
  ] as const)
    t.throws(() => searchLimits(options, 'index'), { instanceOf: type })
  t.throws(() => searchLimits({ version: 'v' }, 'snapshot'), { instanceOf: TypeError, message: /no option 'version'/ })
})
