// An embedder without a model: vectors that follow from the text, and a count of what it was asked.
import { createHash } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { defineFields, openIndex } from 'cutover'
import type { Embedding, Input, OpenOptions, SearchIndex } from 'cutover'
import { directory } from './index.js'

export const fields = defineFields({
  body: { type: 'text' },
  vector: { type: 'vector', dimensions: 8 },
})
export type Notes = typeof fields
export type Note = Input<Notes>

/** The vector of a text: 8 components from the digest of model and text. */
export function vectorOf(text: string, model = 'hash-1'): Float32Array {
  const digest = createHash('sha256').update(`${model}\0${text}`).digest()
  return Float32Array.from({ length: 8 }, (_, at) => digest.readInt16LE(at * 2) / 1024)
}

/** What an embedder was asked. */
export interface Asked {
  readonly calls: { readonly texts: readonly string[]; readonly purpose: string; readonly signal: AbortSignal }[]
  /** Texts of documents, over all calls. */
  readonly texts: () => number
  /** Calls at once, at most. */
  atOnce: number
}

/** An embedding of the text in `body`, and what it was asked. */
export function hashing(options: Partial<Omit<Embedding<Note>, 'from'>> = {}): {
  readonly embedding: Embedding<Note>
  readonly asked: Asked
} {
  const model = options.model ?? 'hash-1'
  const asked: Asked = {
    calls: [],
    atOnce: 0,
    texts: () =>
      asked.calls.filter(({ purpose }) => purpose === 'document').reduce((n, { texts }) => n + texts.length, 0),
  }
  let running = 0
  const embed: Embedding<Note>['embed'] =
    options.embed ??
    (async (texts) => {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      return texts.map((text) => vectorOf(text, model))
    })
  return {
    asked,
    embedding: {
      ...options,
      model,
      from: ({ body }) => body ?? undefined,
      async embed(texts, how) {
        asked.calls.push({ texts, ...how })
        asked.atOnce = Math.max(asked.atOnce, ++running)
        try {
          return await embed(texts, how)
        } finally {
          running--
        }
      },
    },
  }
}

/** Notes that differ. */
export const notes = (count: number, from = 0): Note[] =>
  Array.from({ length: count }, (_, n) => ({ id: `n${from + n}`, body: `note number ${from + n}` }))

/** An index of notes, closed after the test. */
export async function notebook(
  t: ExecutionContext,
  vector: Embedding<Note> | readonly Embedding<Note>[],
  path = directory(t),
  options: Omit<OpenOptions<Notes>, 'fields' | 'embeddings'> = {},
): Promise<SearchIndex<Notes>> {
  const index = await openIndex(path, { fields, embeddings: { vector }, ...options })
  t.teardown(() => index.close())
  return index
}
