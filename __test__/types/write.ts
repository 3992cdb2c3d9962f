// What must and must not compile about writing and the life of an index.
import { defineFields, isCutoverError } from 'cutover'
import type { ErrorCode, Input, SearchIndex, VersionInfo } from 'cutover'
import { claim } from './support.js'
import type { Same } from './support.js'

const fields = defineFields({ title: { type: 'text', required: true }, embedding: { type: 'vector', dimensions: 2 } })
type Book = typeof fields
declare const index: SearchIndex<Book>
declare const books: Input<Book>[]

export async function rebuilding(): Promise<void> {
  /* Sources: iterables and async iterables, or functions that give them, now or later. */
  await index.rebuild(books)
  await index.rebuild(new Set(books))
  await index.rebuild(() => books)
  await index.rebuild(async () => books)
  await index.rebuild(async function* () {
    yield* books
  })
  await index.rebuild(function* () {
    yield { id: 'a', title: 'A' }
  })
  // @ts-expect-error a string is not a source of its letters
  await index.rebuild('books.json')
  // @ts-expect-error neither is a function of one
  await index.rebuild(() => 'books.json')
  // @ts-expect-error documents of another schema
  await index.rebuild([{ id: 'a', name: 'A' }])

  const info = await index.rebuild(books, {
    version: 'v1',
    attributes: { model: 'm' },
    activate: false,
    ifCurrent: 'v0',
    lockTimeoutMs: 0,
    signal: AbortSignal.timeout(1000),
    onInvalid: (error) => void error.detail.field,
    onProgress: ({ phase, done, total }) => void [phase === 'building', done, total],
    async gate(draft) {
      const { hits } = await draft.search('a')
      void hits[0]?.document.title
      // @ts-expect-error the draft has the schema of its index
      void hits[0]?.document.author
    },
  })
  claim<Same<typeof info, VersionInfo>>()
  // @ts-expect-error a misspelt option
  await index.rebuild(books, { activated: false })
  // @ts-expect-error there is nothing to gate when a version exists
  await index.activate('v1', { gate() {} })
}

export function living(): void {
  index.on('version', (now, before) => void [now.id, before?.id]).off('problem', (error) => void error.code)
  // @ts-expect-error no such event
  index.on('error', () => {})
  // @ts-expect-error what is current is not for callers to set
  index.current = undefined
  claim<SearchIndex<Book> extends AsyncDisposable ? true : false>()
}

export function failing(error: unknown): void {
  if (isCutoverError(error, 'CUTOVER_LOCKED')) claim<Same<typeof error.code, ErrorCode>>()
  // @ts-expect-error no such code
  isCutoverError(error, 'CUTOVER_LOCKD')
}
