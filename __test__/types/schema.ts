// What must and must not compile about schemas and the documents that follow from them.
import { defineFields, openIndex, openTemporary } from 'cutover'
import type { Document, Fields, Input, SearchIndex } from 'cutover'
import { claim } from './support.js'
import type { Same } from './support.js'

const fields = defineFields({
  title: { type: 'text', boost: 2, required: true },
  tags: { type: 'keyword', many: true, facet: true },
  kind: { type: 'keyword' },
  price: { type: 'number' },
  made: { type: 'date' },
  sold: { type: 'boolean', required: true },
  embedding: { type: 'vector', dimensions: 3, metric: 'l2' },
  extra: { type: 'stored' },
})
type Book = typeof fields

/* Literal types are kept. */
claim<Same<Book['title']['boost'], 2>>()
claim<Book extends Fields ? true : false>()

/* Documents, as they are read. */
type Read = Document<Book>
claim<Same<Read['id'], string>>()
claim<Same<Read['title'], string>>()
claim<Same<Read['tags'], string[] | undefined>>()
claim<Same<Read['price'], number | undefined>>()
claim<Same<Read['made'], Date | undefined>>()
claim<Same<Read['sold'], boolean>>()
claim<Same<Read['embedding'], Float32Array | undefined>>()
claim<Same<Read['extra'], unknown>>()

/* Documents, as they are written. */
const least: Input<Book> = { id: 'a', title: 'A', sold: false }
const full: Input<Book> = {
  id: 'a',
  title: 'A',
  sold: true,
  tags: ['x'],
  kind: null,
  price: undefined,
  made: new Date(),
  embedding: [1, 2, 3],
  extra: { any: ['thing'] },
}
const dated: Input<Book>[] = [
  { id: 'a', title: 'A', sold: true, made: '2024-02-29' },
  { id: 'b', title: 'B', sold: true, made: 0, embedding: new Float32Array(3) },
]
// @ts-expect-error an id is a string
const numbered: Input<Book> = { id: 1, title: 'A', sold: true }
// @ts-expect-error a required field is required
const untitled: Input<Book> = { id: 'a', sold: true }
// @ts-expect-error a required field is not null
const nulled: Input<Book> = { id: 'a', title: null, sold: true }
// @ts-expect-error many values are an array
const single: Input<Book> = { id: 'a', title: 'A', sold: true, tags: 'x' }
// @ts-expect-error one value is not an array
const several: Input<Book> = { id: 'a', title: 'A', sold: true, kind: ['x'] }
// @ts-expect-error a vector is made of numbers
const lettered: Input<Book> = { id: 'a', title: 'A', sold: true, embedding: ['1', '2', '3'] }
// @ts-expect-error the schema has no such field
const unknownField: Input<Book> = { id: 'a', title: 'A', sold: true, author: 'B' }
void [least, full, dated, numbered, untitled, nulled, single, several, lettered, unknownField]

/* Analyzers. */
defineFields({
  title: { type: 'text', analyzer: { language: 'english', stopWords: true }, caseSensitive: 'both' },
  path: { type: 'text', analyzer: 'code', caseSensitive: true },
  name: { type: 'text', analyzer: 'trigram', caseSensitive: false },
  word: { type: 'text', analyzer: 'cjk' },
})
// @ts-expect-error no such analyzer
defineFields({ title: { type: 'text', analyzer: 'codes' } })
// @ts-expect-error no such language
defineFields({ title: { type: 'text', analyzer: { language: 'klingon' } } })
// @ts-expect-error no such case
defineFields({ title: { type: 'text', caseSensitive: 'yes' } })

/* Schemas that are none. */
// @ts-expect-error no such type
defineFields({ title: { type: 'txt' } })
// @ts-expect-error a vector has dimensions
defineFields({ embedding: { type: 'vector' } })
// @ts-expect-error a text field has no such option
defineFields({ title: { type: 'text', facet: true } })
// @ts-expect-error a misspelt option
defineFields({ kind: { type: 'keyword', facets: true } })
// @ts-expect-error no such metric
defineFields({ embedding: { type: 'vector', dimensions: 3, metric: 'euclid' } })
// @ts-expect-error the name is taken
defineFields({ id: { type: 'keyword' } })
// @ts-expect-error the name is taken
defineFields({ not: { type: 'boolean' } })

/* Opening keeps the schema's types, with or without a constant. */
export async function opening(): Promise<void> {
  const inline = await openIndex('/x', { fields: { title: { type: 'text' } } })
  claim<Same<typeof inline, SearchIndex<{ readonly title: { readonly type: 'text' } }>>>()
  const constant = await openIndex('/x', { fields })
  claim<Same<typeof constant, SearchIndex<Book>>>()
  const temporary = await openTemporary({ fields })
  claim<Same<typeof temporary, SearchIndex<Book>>>()
  const open = await openIndex('/x')
  claim<Same<typeof open, SearchIndex<Fields>>>()

  /* An index of any schema is an index. */
  const any: SearchIndex<Fields> = constant
  const each: SearchIndex[] = [inline, constant, temporary]
  void [any, each]

  // @ts-expect-error a temporary index needs a schema
  await openTemporary({})
  // @ts-expect-error a misspelt option
  await openIndex('/x', { feilds: fields })
  // @ts-expect-error the name is taken
  await openIndex('/x', { fields: { ids: { type: 'keyword' } } })
  // @ts-expect-error a misspelt option of a field
  await openIndex('/x', { fields: { title: { type: 'text', analyser: 'simple' } } })
  // @ts-expect-error no such mode
  await openIndex('/x', { mode: 'write' })
  // @ts-expect-error one index is not an index of another schema
  const other: SearchIndex<{ readonly name: { readonly type: 'text' } }> = constant
  void other
}
