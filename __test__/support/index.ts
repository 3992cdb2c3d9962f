// What the tests share: directories that go away, small books, rejections as values, and what a directory holds.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { ExecutionContext } from 'ava'
import { defineFields, isCutoverError, openIndex } from 'cutover'
import type { CutoverError, ErrorCode, Input, OpenOptions, SearchIndex } from 'cutover'

/** A field of every kind. */
export const fields = defineFields({
  title: { type: 'text', required: true },
  body: { type: 'text' },
  tags: { type: 'keyword', many: true, facet: true },
  kind: { type: 'keyword', facet: true },
  price: { type: 'number' },
  pages: { type: 'integer' },
  made: { type: 'date' },
  sold: { type: 'boolean' },
  extra: { type: 'stored' },
  embedding: { type: 'vector', dimensions: 3 },
})
export type Books = typeof fields
export type Book = Input<Books>

/** Six books that differ in everything. */
export const books: readonly Book[] = [
  {
    id: 'atomic',
    title: 'Atomic renames',
    body: 'One rename publishes everything at once',
    tags: ['files', 'crash'],
    kind: 'paper',
    price: 10.5,
    pages: 12,
    made: new Date('2020-01-01T00:00:00Z'),
    sold: true,
    extra: { isbn: ['x', { y: null }] },
    embedding: [1, 0, 0],
  },
  {
    id: 'locks',
    title: 'Locks and leases',
    body: 'A lease is a shared lock of a reader',
    tags: ['files'],
    kind: 'book',
    price: 20,
    pages: 200,
    made: '2021-06-01',
    sold: false,
    embedding: new Float32Array([0.9, 0.1, 0]),
  },
  {
    id: 'graphs',
    title: 'Walks on graphs',
    tags: ['vectors'],
    kind: 'book',
    price: 30,
    pages: 300,
    embedding: [0, 1, 0],
  },
  {
    id: 'words',
    title: 'Words, ranked',
    body: 'Terms that are rare weigh more',
    kind: 'paper',
    price: 40,
    embedding: [0, 0, 1],
  },
  { id: 'plain', title: 'A book about nothing', body: null, price: null, embedding: null },
  { id: 'ünï-😀', title: 'Names of any language', tags: [], embedding: [0, 0.5, 0.5] },
]

/** A directory of the test's own. */
export function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'cutover-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An index of books, closed after the test; empty until something is published. */
export async function library(
  t: ExecutionContext,
  options: Omit<OpenOptions<Books>, 'fields'> = {},
  path = directory(t),
): Promise<SearchIndex<Books>> {
  const index = await openIndex(path, { fields, ...options })
  t.teardown(() => index.close())
  return index
}

/** An index that holds the books. */
export async function filled(t: ExecutionContext, documents: readonly Book[] = books): Promise<SearchIndex<Books>> {
  const index = await library(t)
  await index.rebuild(documents)
  return index
}

/** What a promise rejects with; undefined when it resolves. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** The CutoverError of this code that a promise rejects with. */
export async function refused(t: ExecutionContext, code: ErrorCode, promise: Promise<unknown>): Promise<CutoverError> {
  const error = await rejection(promise)
  if (isCutoverError(error, code)) {
    t.pass()
    return error
  }
  t.is(error, code, `wanted ${code}`)
  throw new Error(`wanted ${code}`, { cause: error })
}

/** Every file below a directory with a digest of its content; who held the writer lock last is advice, and left out. */
export function contents(path: string): Record<string, string> {
  const found: [string, string][] = []
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const name = relative(path, file)
    if (name === '.index_rebuild.holder') continue
    const digest = (): string => createHash('sha256').update(readFileSync(file)).digest('hex')
    found.push([name, entry.isFile() ? digest() : entry.isDirectory() ? 'directory' : 'link'])
  }
  return Object.fromEntries(found.toSorted())
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const settle: { resolve?: (value: T) => void } = {}
  const promise = new Promise<T>((resolve) => Object.assign(settle, { resolve }))
  return { promise, resolve: (value) => settle.resolve?.(value) }
}
