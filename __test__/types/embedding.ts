// What must and must not compile about embeddings.
import { defineFields, openIndex } from 'cutover'
import type { Embedding, Hit, Input, SearchIndex, Snapshot } from 'cutover'
import { claim } from './support.js'
import type { Same } from './support.js'

const fields = defineFields({
  body: { type: 'text' },
  made: { type: 'date' },
  near: { type: 'vector', dimensions: 3 },
  far: { type: 'vector', dimensions: 2 },
})
type Notes = typeof fields
declare const index: SearchIndex<Notes>
declare const snapshot: Snapshot<Notes>
declare const embed: Embedding<Input<Notes>>['embed']

export async function opening(): Promise<void> {
  const opened = await openIndex('x', {
    fields,
    embeddings: {
      near: {
        model: 'm',
        from(document) {
          claim<Same<typeof document.body, string | null | undefined>>()
          claim<Same<typeof document.id, string>>()
          return document.body ?? undefined
        },
        async embed(texts, { signal, purpose }) {
          claim<Same<typeof texts, readonly string[]>>()
          claim<Same<typeof signal, AbortSignal>>()
          claim<Same<typeof purpose, 'document' | 'query'>>()
          return texts.map(() => [1, 2, 3])
        },
      },
      far: [
        {
          model: 'two',
          from: ({ id }) => id,
          embed,
          batchSize: 8,
          concurrency: 2,
          timeoutMs: 100,
          onFailure: 'reject',
        },
        { model: 'one', from: () => undefined, embed: (texts) => texts.map(() => new Float32Array(2)) },
      ],
    },
    embeddingCacheBytes: 0,
  })
  claim<Same<typeof opened, SearchIndex<Notes>>>()
  // @ts-expect-error not a vector field
  await openIndex('x', { fields, embeddings: { body: { model: 'm', from: () => 'x', embed } } })
  // @ts-expect-error no such field
  await openIndex('x', { fields, embeddings: { other: { model: 'm', from: () => 'x', embed } } })
  // @ts-expect-error without the name of a model
  await openIndex('x', { fields, embeddings: { near: { from: () => 'x', embed } } })
  // @ts-expect-error a text is a string
  await openIndex('x', { fields, embeddings: { near: { model: 'm', from: () => 7, embed } } })
  // @ts-expect-error no such field in a document
  await openIndex('x', { fields, embeddings: { near: { model: 'm', from: ({ title }) => title, embed } } })
  // @ts-expect-error no such answer to a failure
  await openIndex('x', { fields, embeddings: { near: { model: 'm', from: () => 'x', embed, onFailure: 'ignore' } } })
  // Of an index whose schema nobody knows, any field.
  await openIndex('x', { embeddings: { anything: { model: 'm', from: ({ id }) => id, embed: async () => [] } } })
  await opened.rebuild([{ id: 'a', body: 'x' }], { reuse: false })
}

export async function searching(): Promise<void> {
  await index.search({ near: 'x' })
  await index.search({ near: { text: 'x', field: 'far', ef: 100, maxDistance: 0.5 }, text: 'x' })
  // @ts-expect-error not a vector field
  await index.search({ near: { text: 'x', field: 'body' } })
  // @ts-expect-error without a text
  await index.search({ near: { field: 'far' } })
  const { degraded } = await index.search('x')
  claim<Same<typeof degraded, { readonly leg: 'vector'; readonly reason: Error } | undefined>>()
  const found = await index.search({
    near: 'x',
    select: ['made'],
    rerank(hits) {
      claim<Same<typeof hits, Hit<Notes>[]>>()
      return hits.toReversed()
    },
  })
  claim<Same<NonNullable<(typeof found.hits)[number]>['document']['made'], Date | undefined>>()
  await index.search({ text: 'x', rerank: async (hits) => hits })
  // @ts-expect-error not hits
  await index.search({ text: 'x', rerank: () => ['a'] })
  await index.searchBatch([{ near: 'x' }, { near: 'y', limit: 1 }])
  await snapshot.search({ near: 'x' })
  claim<Same<typeof snapshot.models, Readonly<Record<string, string>>>>()
}
