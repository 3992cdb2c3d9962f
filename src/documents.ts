// Every document of a snapshot, page by page, in the order of ids.
import { native } from './errors.js'
import { normaliseFilter } from './filter.js'
import type { Lifetime } from './lifetime.js'
import type { NativeSnapshot } from './native.js'
import { readDocuments } from './results.js'
import { given, optionsOf, signal, string, strings } from './validate.js'

/** Documents of one crossing: with vectors of 4,096 components, 2 MiB. */
const PAGE = 128
const SNAPSHOT = new Set(['where', 'select', 'signal'])
const INDEX = new Set([...SNAPSHOT, 'version'])

/** A listing, checked. */
export interface Listing {
  readonly where: string | null
  readonly select: string | null
  readonly version: string | null
  readonly signal: AbortSignal | undefined
}

/** Checks the options of a listing. */
export function listing(value: unknown, of: 'index' | 'snapshot'): Listing {
  const o = optionsOf(value, of === 'index' ? INDEX : SNAPSHOT)
  return {
    where: given(o.where, (v) => JSON.stringify(normaliseFilter(v, 'options.where'))) ?? null,
    select: given(o.select, (v) => JSON.stringify(strings(v, 'options.select'))) ?? null,
    version: given(o.version, (v) => string(v, 'options.version')) ?? null,
    signal: signal(o.signal),
  }
}

/** Lists what a snapshot holds; the caller holds the snapshot. */
export async function* list(
  snapshot: NativeSnapshot,
  { where, select, signal: abort }: Listing,
  life: Lifetime,
): AsyncGenerator<{ id: string }, undefined> {
  let after: string | null = null
  for (;;) {
    abort?.throwIfAborted()
    const from: string | null = after
    const answer = await life.run(() => native(() => snapshot.page(from, PAGE, where, select)))
    const page = readDocuments(answer) as { id: string }[]
    for (const document of page) {
      // The caller may change what it gets, its id too.
      after = document.id
      yield document
    }
    if (page.length < PAGE) return undefined
  }
}
