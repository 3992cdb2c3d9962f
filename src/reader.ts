// The reads that an index and a snapshot share: check, cross, read back.
import { limited } from './abort.js'
import { answered } from './answers.js'
import type { Embedders } from './embedding/options.js'
import { hasSteps, searchInSteps } from './embedding/search.js'
import type { Hold } from './embedding/search.js'
import { fromNative, native } from './errors.js'
import { normaliseFilter } from './filter.js'
import type { Lifetime } from './lifetime.js'
import type { Answer, CancelToken, NativeAnswers } from './native.js'
import type { Facets, Filter, Query, Results, Select } from './query-types.js'
import type { SearchOptions } from './query-types.js'
import { prepareQuery, searchLimits } from './query.js'
import type { Limits, Prepared } from './query.js'
import type { Readable } from './read.js'
import { readDocuments, readResults } from './results.js'
import type { Document, Fields } from './schema.js'
import { given, string, strings, wrongType } from './validate.js'

const MAX_MANY = 10_000

/** The reading half of the native classes. */
export interface NativeReader {
  search(
    answers: NativeAnswers,
    call: number,
    query: string,
    vector: Float32Array | null,
    cancel?: CancelToken,
    version?: string | null,
  ): void
  searchSync(query: string, vector: Float32Array | null): Answer
  getMany(ids: string[], select: string | null): Promise<Answer>
  count(where: string | null): Promise<number>
}

/** A search's results, as the type of its query says. */
export type Found<S extends Fields, Sel, F> = Results<S, { readonly select: Sel; readonly facets: F }>

/** Implements every read but the listing. */
export class Reader<S extends Fields> implements Readable<S, SearchOptions> {
  readonly #native: NativeReader
  readonly #kind: 'index' | 'snapshot'
  readonly #life: Lifetime
  readonly #hold: Hold
  /** What embeds the texts of queries. */
  protected readonly embedders: Embedders | undefined

  /** `hold` holds a version while a search of several steps runs on it. */
  constructor(
    reader: NativeReader,
    kind: 'index' | 'snapshot',
    life: Lifetime,
    embedders: Embedders | undefined,
    hold: Hold,
  ) {
    this.#native = reader
    this.#kind = kind
    this.#life = life
    this.embedders = embedders
    this.#hold = hold
  }

  async search<const Sel extends Select<S> | undefined, const F extends Facets<S> | undefined>(
    query: string | Query<S, Sel, F>,
    options?: SearchOptions,
  ): Promise<Found<S, Sel, F>> {
    const prepared = prepareQuery(query, 'query', this.embedders !== undefined)
    const limits = searchLimits(options, this.#kind)
    if (hasSteps([prepared])) return (await this.inSteps<Sel, F>([prepared], limits))[0] as Found<S, Sel, F>
    const { json, vector } = prepared
    const { signal, timeoutMs, version } = limits
    const answer = await this.#life.run(() =>
      limited(signal, timeoutMs, (token) =>
        answered((answers, call) => this.#native.search(answers, call, json, vector, token, version)),
      ),
    )
    return found(answer)
  }

  searchSync<const Sel extends Select<S> | undefined, const F extends Facets<S> | undefined>(
    query: string | Query<S, Sel, F>,
  ): Found<S, Sel, F> {
    this.#life.check()
    const { json, vector, near, rerank } = prepareQuery(query)
    if (near || rerank) throw new TypeError(`searchSync cannot wait: query.${near ? 'near' : 'rerank'} needs search`)
    try {
      return found(this.#native.searchSync(json, vector))
    } catch (error) {
      throw fromNative(error)
    }
  }

  async get(id: string): Promise<Document<S> | undefined> {
    return (await this.#documents([string(id, 'id')]))[0]
  }

  async getMany(ids: readonly string[]): Promise<(Document<S> | undefined)[]> {
    return this.#documents(strings(many(ids, 'ids'), 'ids'))
  }

  async count(where?: Filter<S>): Promise<number> {
    const filter = given(where, (value) => JSON.stringify(normaliseFilter(value))) ?? null
    return this.#life.run(() => native(() => this.#native.count(filter)))
  }

  /** The results of queries that have steps besides the native layer's, all from one version. */
  protected async inSteps<Sel extends Select<S> | undefined, F extends Facets<S> | undefined>(
    queries: readonly Prepared[],
    limits: Limits,
  ): Promise<Found<S, Sel, F>[]> {
    // The caller may change its vectors before the first step is over.
    const own = queries.map((query) => ({ ...query, vector: query.vector && new Float32Array(query.vector) }))
    const results = await this.#life.run(() => searchInSteps(own, limits, this.embedders, this.#hold))
    return results as unknown as Found<S, Sel, F>[]
  }

  async #documents(ids: string[]): Promise<(Document<S> | undefined)[]> {
    const answer = await this.#life.run(() => native(() => this.#native.getMany(ids, null)))
    // The version's schema says what the JSON holds: Document<S> is derived from it.
    return readDocuments(answer) as (Document<S> | undefined)[]
  }
}

/** Results as the type of their query says. */
export function found<S extends Fields, Sel, F>(answer: Answer): Found<S, Sel, F> {
  return readResults(answer) as unknown as Found<S, Sel, F>
}

/** @throws {TypeError | RangeError} for what is not an array of a bounded length. */
export function many(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(name, 'an array', value)
  if (value.length > MAX_MANY)
    throw new RangeError(`${name} must have at most ${MAX_MANY} entries, got ${value.length}`)
  return Array.from(value)
}
