// Answers of the native layer as the package shows them: vectors put back, dates as Dates.
import { CutoverError } from './errors.js'
import type { Answer } from './native.js'
import type { Hit, Results } from './query-types.js'
import type { Fields } from './schema.js'

type Loose = Record<string, unknown>

/** The results of a query. */
export function readResults(answer: Answer): Results<Fields> {
  const results = parse(answer) as Results<Fields>
  if (answer.dates || answer.vectors) reviveHits(results.hits, answer)
  return results
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
