// Answers of the native layer as the package shows them: vectors put back, dates as Dates.
import { CutoverError } from './errors.js'
import type { Answer } from './native.js'
import type { Hit, Results } from './query-types.js'
import type { Fields } from './schema.js'

type Loose = Record<string, unknown>

/** Hits of one leg as they come without documents: their ids, with U+007F between them, and a 32-bit number for each. */
interface Rows extends Omit<Results<Fields>, 'hits'> {
  readonly leg: 'text' | 'vector'
  readonly first: number
  readonly ids: string
  readonly rows: readonly number[]
}

/** The results of a query. */
export function readResults(answer: Answer): Results<Fields> {
  const parsed = parse(answer) as Results<Fields> | Rows
  const results = 'rows' in parsed ? withHits(parsed) : parsed
  if (answer.dates || answer.vectors) reviveHits(results.hits, answer)
  return results
}

function withHits({ version, leg, first, ids, rows, ...rest }: Rows): Results<Fields> {
  const hits = ids.split('\u007F').map((id, at) => {
    // JSON has the shortest decimal of 32 bits.
    const number = Math.fround(rows[at] as number)
    const rank = first + at
    return leg === 'vector'
      ? { id, score: 0 - number, vector: { rank, distance: number } }
      : { id, score: number, text: { rank, bm25: number } }
  })
  return { version, hits: hits as unknown as Hit<Fields>[], ...rest }
}

function reviveHits(hits: readonly Hit<Fields>[], answer: Answer): void {
  for (const { document, group } of hits) {
    revive(document, answer)
    if (group) reviveHits(group.hits, answer)
  }
}

/** Documents, with null for those that do not exist. */
export function readDocuments(answer: Answer): (Loose | undefined)[] {
  const documents = parse(answer) as (Loose | null)[]
  return documents.map((document) => {
    if (document === null) return undefined
    revive(document, answer)
    return document
  })
}

/** Stored documents are spliced in as they are: one that is damaged shows here first, where its digest was not compared. */
function parse({ json }: Answer): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new CutoverError('CUTOVER_CORRUPT', 'a stored document is damaged: it is not JSON', { cause })
  }
}

/** Only own members of these names are touched, and JSON.parse made all of them own. */
function revive(document: object, { dates, vectors, vectorFields }: Answer): void {
  const members = document as Loose
  for (const name of dates ?? []) {
    const value = members[name]
    if (typeof value === 'number') members[name] = new Date(value)
    else if (Array.isArray(value)) members[name] = value.map((item: number) => new Date(item))
  }
  for (const name of vectorFields ?? []) {
    const at = members[name]
    if (typeof at === 'number') members[name] = vectors?.[at]
  }
}
