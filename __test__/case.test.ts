import test from 'ava'
// A field that carries both forms of its words is asked either way by each query.
import { defineFields, openTemporary } from 'cutover'

const fields = defineFields({
  title: { type: 'text', analyzer: { language: 'english' }, caseSensitive: 'both' },
  code: { type: 'text', analyzer: 'code', caseSensitive: 'both' },
  plain: { type: 'text' },
  exact: { type: 'text', caseSensitive: true },
})
const documents = [
  { id: 'polish', title: 'Polish poetry', code: 'HTTPServer', plain: 'Warsaw', exact: 'May' },
  { id: 'shine', title: 'how to polish shoes', code: 'httpServer', plain: 'warsaw', exact: 'may' },
  { id: 'polished', title: 'polished', code: 'http_server', plain: 'other', exact: 'maybe' },
]

test('a field with both forms is asked with and without regard to capitals', async (t) => {
  await using index = await openTemporary({ fields })
  const { id: version } = await index.rebuild(documents)
  const found = async (query: string, field: 'title' | 'code', caseSensitive?: boolean): Promise<string[]> => {
    const text = { query, fields: [field], ...(caseSensitive !== undefined && { caseSensitive }) }
    const [answer, sync] = [await index.search({ text }), index.searchSync({ text })]
    t.is(answer.version, version)
    t.deepEqual(sync.hits, answer.hits)
    return answer.hits.map(({ id }) => id).toSorted()
  }
  // By default, and where capitals do not tell, words are stems.
  t.deepEqual(await found('POLISHING', 'title'), ['polish', 'polished', 'shine'])
  t.deepEqual(await found('POLISHING', 'title', false), ['polish', 'polished', 'shine'])
  // Where they do, words are as they are written.
  t.deepEqual(await found('Polish', 'title', true), ['polish'])
  t.deepEqual(await found('polish', 'title', true), ['shine'])
  t.deepEqual(await found('POLISH', 'title', true), [])
  t.deepEqual(await found('httpserver', 'code'), ['polish', 'polished', 'shine'])
  t.deepEqual(await found('HTTPServer', 'code', true), ['polish', 'shine'], 'Server is a part of httpServer')
  t.deepEqual(await found('HTTP', 'code', true), ['polish'])
  t.deepEqual(await found('http', 'code', true), ['polished', 'shine'])
})

test('fields that lack the form that is asked for are left out, and refused where none is left', async (t) => {
  await using index = await openTemporary({ fields })
  await index.rebuild(documents)
  const found = (query: string, caseSensitive: boolean) =>
    index.searchSync({ text: { query, caseSensitive } }).hits.map(({ id }) => id)
  t.deepEqual(found('May', true), ['polish'])
  t.deepEqual(found('May', false), [], 'the field knows nothing but capitals')
  t.deepEqual(found('Warsaw', true), [], 'the field knows no capitals')
  t.is(found('Warsaw', false).length, 2)
  t.throws(() => index.searchSync({ text: { query: 'May', fields: ['exact'], caseSensitive: false } }), {
    message: /exact/,
  })
  t.throws(() => index.searchSync({ text: { query: 'a', fields: ['plain'], caseSensitive: true } }), {
    message: /plain/,
  })
})
