import type { Abortable } from './options.js'
// What an index and a snapshot of it have in common: everything that reads.
import type { Facets, Filter, Query, Results, Select } from './query-types.js'
import type { Document, Fields } from './schema.js'

/** Which documents are listed, and what of them. */
export interface DocumentsOptions<
  S extends Fields,
  Sel extends readonly (keyof S & string)[] | undefined,
> extends Abortable {
  /** Default: every document. */
  where?: Filter<S>
  /** Fields besides the id. Default: all, vectors too. */
  select?: Sel
}

/** A document as `documents` lists it. */
export type Listed<S extends Fields, Sel> = Sel extends readonly (infer K)[]
  ? Pick<Document<S>, ('id' | K) & keyof Document<S>>
  : Document<S>

declare const schema: unique symbol

/** Reads of an index: each call on one version, whole. */
export interface Readable<S extends Fields, Options extends Abortable> {
  /** For the compiler alone: an index of one schema is not an index of another, though their methods may look alike. */
  readonly [schema]?: S
  /**
   * The best hits of a query; a string searches the text fields and, where `embeddings` are configured, the first field of those.
   *
   * Rejects with `signal.reason` when aborted, TypeError or RangeError for a query that is none or that does not fit the
   * version's schema, and CutoverError: CUTOVER_EMPTY (nothing was published yet), CUTOVER_SCHEMA (the version does not have the
   * declared fields, or `near` is used and its model was not given), CUTOVER_EMBEDDING (`near` could not be embedded, and the query has no
   * text that may answer alone), CUTOVER_QUERY (a query language or an expression that cannot be read, or is too much), CUTOVER_TIMEOUT, CUTOVER_CLOSED.
   */
  search(query: string, options?: Options): Promise<Results<S, unknown>>
  search<const Sel extends Select<S> | undefined = undefined, const F extends Facets<S> | undefined = undefined>(
    query: string | Query<S, Sel, F>,
    options?: Options,
  ): Promise<Results<S, { readonly select: Sel; readonly facets: F }>>

  /** `search` on the calling thread, for queries of less than a millisecond; a string searches the text fields only, `near` and `rerank` are TypeErrors; throws what `search` rejects with. With `freshness: 'strict'` a new version is opened on the calling thread. */
  searchSync(query: string): Results<S, unknown>
  searchSync<const Sel extends Select<S> | undefined = undefined, const F extends Facets<S> | undefined = undefined>(
    query: string | Query<S, Sel, F>,
  ): Results<S, { readonly select: Sel; readonly facets: F }>

  /** The document of this id, vectors included; undefined when there is none. */
  get(id: string): Promise<Document<S> | undefined>
  /** The documents of at most 10,000 ids, in their order, from one version. */
  getMany(ids: readonly string[]): Promise<(Document<S> | undefined)[]>
  /** How many documents there are, or how many the filter allows. */
  count(where?: Filter<S>): Promise<number>
}
