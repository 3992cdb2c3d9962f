import test from 'ava'
// Hits show where they match: in lines and columns of the text, in UTF-16 offsets of what is shown.
import { defineFields, openTemporary } from 'cutover'
import type { Highlight } from 'cutover'

const fields = defineFields({
  title: { type: 'text' },
  code: { type: 'text', analyzer: 'code' },
  secret: { type: 'text', highlight: false },
  kind: { type: 'keyword' },
})
const source = ['// Requests.', '', 'function parseHTTPRequest(text) {', '  return text', '}', ''].join('\r\n')
const documents = [
  { id: 'family', title: '👩‍👩‍👧 cafe\u0301 naïve 日本 𝒳yz <b>"R&D"</b>', secret: 'naive café', kind: 'x' },
  { id: 'request', title: 'Parsing', code: source },
]

async function index() {
  const opened = await openTemporary({ fields })
  await opened.rebuild(documents)
  return opened
}

const slices = ({ fragment, ranges }: Highlight): string[] => ranges.map(([start, end]) => fragment.slice(start, end))

test('ranges are right for emoji, combining marks and ideographs', async (t) => {
  await using books = await index()
  const { hits } = await books.search({ text: 'café 本 xyz d', highlight: true })
  const [shown, ...more] = hits[0]?.highlights ?? []
  t.deepEqual(more, [], 'a field that its schema leaves out is not shown')
  t.is(shown?.field, 'title')
  t.is(shown?.fragment, documents[0]?.title)
  t.deepEqual([shown?.line, shown?.column], [1, 7])
  t.deepEqual(shown && slices(shown), ['cafe\u0301', '本', '𝒳yz', 'D'])
})

test('a fragment is safe for HTML when asked, and its ranges follow', async (t) => {
  await using books = await index()
  const highlight = { pre: '<mark>', post: '</mark>', escape: 'html' } as const
  const { hits } = await books.search({ text: 'd', highlight })
  const [shown] = hits[0]?.highlights ?? []
  t.true(shown?.fragment.endsWith('&lt;b&gt;&quot;R&amp;<mark>D</mark>&quot;&lt;/b&gt;'))
  t.deepEqual(shown && slices(shown), ['D'])
  const plain = await books.search({ text: 'd', highlight: { pre: '<', post: '>' } })
  t.true(plain.hits[0]?.highlights?.[0]?.fragment.endsWith('<b>"R&<D>"</b>'))
})

test('names are found in any spelling and shown with their line and column', async (t) => {
  await using books = await index()
  for (const text of ['parse_http_request', 'parse http request', 'ParseHttpRequest', 'parse-http-request']) {
    const { hits } = await books.search({ text, highlight: { fields: ['code'], fragments: 1 } })
    t.deepEqual(hits[0]?.highlights, [
      { field: 'code', fragment: 'function parseHTTPRequest(text) {', line: 3, column: 10, ranges: [[9, 25]] },
    ])
  }
  const around = await books.search({ text: 'return', highlight: { lines: 1 } })
  t.deepEqual(around.hits[0]?.highlights, [
    {
      field: 'code',
      fragment: 'function parseHTTPRequest(text) {\r\n  return text\r\n}',
      line: 4,
      column: 3,
      ranges: [[37, 43]],
    },
  ])
})

test('named fields are shown, in whatever is selected; without a text leg nothing is', async (t) => {
  await using books = await index()
  const secret = await books.search({ text: 'naive', highlight: { fields: ['secret'] }, select: false })
  t.deepEqual(
    secret.hits[0]?.highlights?.map((shown) => [shown.field, slices(shown)]),
    [['secret', ['naive']]],
  )
  const browsed = await books.search({ highlight: true })
  t.deepEqual(
    browsed.hits.map((hit) => hit.highlights),
    [[], []],
  )
  t.is((await books.search('naive')).hits[0]?.highlights, undefined)
  t.is((await books.search({ text: 'naive', highlight: false })).hits[0]?.highlights, undefined)
})

test('what is not a text field cannot be highlighted', async (t) => {
  await using books = await index()
  // @ts-expect-error a keyword is not highlighted
  await t.throwsAsync(books.search({ text: 'a', highlight: { fields: ['kind'] } }), {
    instanceOf: TypeError,
    message: /highlight\.fields: the schema has no text field "kind"/,
  })
  await t.throwsAsync(books.search({ text: 'a', highlight: { pre: 'x'.repeat(1001) } }), {
    instanceOf: RangeError,
    message: /highlight\.pre must be at most 1000 bytes/,
  })
})
