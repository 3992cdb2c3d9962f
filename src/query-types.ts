// Queries and their answers, as types that follow from the schema.
import type { Abortable } from './options.js'
import type {
  Document,
  FacetNames,
  Fields,
  KeywordField,
  NamesOf,
  NumberField,
  TextField,
  VectorField,
} from './schema.js'

interface OneOf<T> {
  /** One of these; none allows nothing. */
  readonly in?: readonly T[]
  /** None of these. */
  readonly notIn?: readonly T[]
  /** Whether the document has the field at all. */
  readonly exists?: boolean
}
interface Range<T> extends OneOf<T> {
  readonly gt?: T
  readonly gte?: T
  readonly lt?: T
  readonly lte?: T
}
interface Strings extends OneOf<string> {
  /** What it begins with. */
  readonly prefix?: string
  /**
   * Patterns, made for paths: `*` and `?` stop at a `/`, `**` as a whole part is any number of parts, `[a-z]`, `[!a-z]`, `{a,b}`, `\`
   * before what means itself. One of 1 to 256 must describe all of it and none that begins with `!`; if all begin so, none of them.
   */
  readonly glob?: string | readonly string[]
}
type Booleans = boolean | readonly boolean[] | OneOf<boolean>
type Dates = Date | readonly Date[] | Range<Date>
type Numbers = number | readonly number[] | Range<number>
type Match<F> = F extends KeywordField
  ? string | readonly string[] | Strings
  : NumberField extends F
    ? // Of a schema that is not known any of them may be meant: an index of any schema is an index.
      Booleans | Dates | Numbers
    : F extends { readonly type: 'boolean' }
      ? Booleans
      : F extends { readonly type: 'date' }
        ? Dates
        : Numbers

/**
 * All keys must hold; an array means any of its values. A field of many values matches if one of them does, and `not` and `notIn` are
 * what does not match. Filters nest at most 32 deep and have at most 4,096 conditions.
 */
export type Filter<S extends Fields> = {
  readonly [K in NamesOf<S, KeywordField | NumberField>]?: Match<S[K]> | undefined
} & {
  /** All of these hold. */
  readonly and?: readonly Filter<S>[]
  /** At least one of these holds. */
  readonly or?: readonly Filter<S>[]
  /** This does not hold. */
  readonly not?: Filter<S>
  /** The document is one of these. */
  readonly ids?: readonly string[]
}

/** The text leg of a query. */
export interface TextQuery<S extends Fields> {
  /** What a user wrote; how it is read, `mode` says. At most its 1,024 rarest words count. */
  readonly query: string
  /** Names, or names with a weight above 0. Default: every text field, with its boost. */
  readonly fields?: readonly NamesOf<S, TextField>[] | { readonly [K in NamesOf<S, TextField>]?: number }
  /** Whether a document needs one of the words or all of them. Default `or`. */
  readonly operator?: 'or' | 'and'
  /**
   * `words`, the default: words in any order, and no input makes the query fail. `syntax`: words with `AND`, `OR`, `NOT`, parentheses,
   * `"phrases"`, `field:`, `prefix*`, `~` and `^`; CUTOVER_QUERY with the position of what cannot be read. `phrase`: all of it as one phrase.
   * `prefix`: words, the last of which may be only a beginning. `regex`: an expression that a whole term must match, bounded in size.
   */
  readonly mode?: 'words' | 'syntax' | 'phrase' | 'prefix' | 'regex'
  /** Letters of a word that may differ; `auto`: 0 up to 3 letters, 1 up to 7, else 2. Default 0. Not for `regex`. */
  readonly fuzzy?: 0 | 1 | 2 | 'auto'
  /** Letters at the beginning of a word that may not differ, 0–64, default 1. */
  readonly prefixLength?: number
  /** Whether capitals tell: only fields that know so are searched. Default: as each field of the schema has it. */
  readonly caseSensitive?: boolean
  /** Positions that the words of a phrase may be moved in all, 0–100, default 0; two neighbours that change places take 2. */
  readonly slop?: number
}

/** The vector leg of a query. */
export interface VectorQuery<S extends Fields> {
  /** Needed where the schema has several vector fields. */
  readonly field?: NamesOf<S, VectorField>
  /** As many finite components as the field has dimensions. */
  readonly values: Float32Array | readonly number[]
  /** Candidates that the walk keeps, 1–100,000: more is slower and finds more. Default: chosen from `limit`. */
  readonly ef?: number
  /** Leave out hits farther than this. */
  readonly maxDistance?: number
  /** Compare with every vector that the filter allows. Default false. */
  readonly exact?: boolean
}

/** The vector leg of a query that is given as text: nearest to this text, by the field's embedding. */
export interface NearQuery<S extends Fields> {
  readonly text: string
  /** Default: the first field in `options.embeddings` of `openIndex`. */
  readonly field?: NamesOf<S, VectorField>
  /** As of a vector leg. */
  readonly ef?: number
  /** As of a vector leg. */
  readonly maxDistance?: number
}

/** A hit in the order of `rerank`: one of those that it got, or its id with another score. */
export interface Reranked {
  readonly id: string
  /** Finite; higher is better. */
  readonly score: number
}

/** What hits show of their documents: some fields, or nothing. */
export type Select<S extends Fields> = readonly (keyof S & string)[] | false
interface Facet<Bound> {
  /** The most frequent values, 1–10,000, default 10. */
  readonly limit?: number
  /** Count as if `where` said nothing of this field, at its top or in `and`: for choosing several values. Default false. */
  readonly ignoreOwnFilter?: boolean
  /** Count these 1–100 ranges instead, from the first number on and before the second; ±Infinity is no bound. Their values read `10..20`. */
  readonly ranges?: readonly (readonly [from: Bound, to: Bound])[]
}
/** Which values are counted. */
export type Facets<S extends Fields> = {
  readonly [K in FacetNames<S>]?: S[K] extends { readonly type: 'number' | 'integer' }
    ? Facet<number>
    : S[K] extends { readonly type: 'date' }
      ? Facet<number | Date>
      : S[K] extends { readonly type: 'keyword' | 'boolean' }
        ? Omit<Facet<never>, 'ranges'>
        : Facet<number | Date>
}

/** How hits show where they match. */
export interface HighlightOptions<S extends Fields> {
  /** Default: every text field but those whose schema says `highlight: false`. */
  readonly fields?: readonly NamesOf<S, TextField>[]
  /** Lines shown before and after a line that matches, 0–100. Default 0. */
  readonly lines?: number
  /** The most fragments of a field, 1–100: those that show most of the query, rare words first. Default 3. */
  readonly fragments?: number
  /** Put before what matches, and after it, as they are: at most 1,000 bytes of UTF-8 each. Default: nothing. */
  readonly pre?: string
  readonly post?: string
  /** `html`: &, <, >, " and ' of the text become character references; `pre` and `post` stay as they are. */
  readonly escape?: 'html'
}

/**
 * A piece of a text that matches: whole lines, or of a line longer than 240 bytes the part around the match. The first 256 KiB of a
 * text are looked at.
 */
export interface Highlight {
  readonly field: string
  /** As the options ask: with `pre` and `post`, and escaped. */
  readonly fragment: string
  /** The line of the text in which the first match begins, from 1. Lines end at \n. */
  readonly line: number
  /** The Unicode code point of that line at which it begins, from 1. */
  readonly column: number
  /** What matches, without its markup: UTF-16 offsets into `fragment`, in order, apart from each other. */
  readonly ranges: readonly (readonly [start: number, end: number])[]
}

/** What is looked for. Without text and vector: every document that `where` allows, by `sort`, else in the order of the index. */
export interface Query<
  S extends Fields,
  Sel extends Select<S> | undefined = Select<S> | undefined,
  F extends Facets<S> | undefined = Facets<S> | undefined,
> {
  readonly text?: string | TextQuery<S>
  /**
   * Nearest to this text, which the embedding of the version's own model makes a vector of; instead of `vector`. Needs `embeddings` of
   * `openIndex`, and is asynchronous: `searchSync` refuses it.
   */
  readonly near?: string | NearQuery<S>
  /** Components alone search the only vector field. */
  readonly vector?: Float32Array | readonly number[] | VectorQuery<S>
  /** Applied inside the search: `limit` hits come back whenever they exist. */
  readonly where?: Filter<S>
  /**
   * How a text and a vector leg become one ranking. `convex`, the default: scores relative to the best of their leg, the vector
   * leg weighing `vectorWeight`, 0–1, default 0.4. `rrf`: reciprocal ranks, `k` from 1 to a thousand million, default 60. With
   * `exact: true` a hit's ranks are those of the whole legs. Else candidates are the first 1,000 of each leg (10,000 where
   * `offset + limit` is above 1,000), completed by their true scores in the other, and ranks are places among these.
   */
  readonly fusion?:
    | { readonly method: 'convex'; readonly vectorWeight?: number }
    | { readonly method: 'rrf'; readonly k?: number }
  /**
   * Puts the first `offset + limit` hits, which it gets best first, into another order, or leaves some out, before `offset` of them are
   * passed over. What it gives must be of the hits it got, none twice; their `score` may be another finite number. What it throws is
   * what the search rejects with. `searchSync` refuses it.
   */
  rerank?(hits: Hit<S>[]): readonly Reranked[] | Promise<readonly Reranked[]>
  /** Hits, 0–10,000, default 10; 0 counts only. `offset + limit` is at most 10,000. */
  readonly limit?: number
  /** Hits to leave out at the top, 0–10,000, default 0. */
  readonly offset?: number
  /**
   * 1–8 fields that decide the order instead of scores, the first one first. Documents without a value come last either way; of several
   * values the least counts, descending the greatest. With a text leg all of its matches are sorted; with a vector leg there is no
   * telling what matches, and it is refused.
   */
  readonly sort?: readonly { readonly field: NamesOf<S, KeywordField | NumberField>; readonly order?: 'asc' | 'desc' }[]
  /**
   * The best hits of each value of a keyword: chunks of a document, variants of a product. Each hit is then the best of its group, and
   * `limit` and `offset` count groups. `hits` of each, 1–100, default 3; `limit` times `hits` is at most 10,000. Documents without a value
   * are in no group. Exact, but for an approximate vector leg, whose first 10,000 hits are grouped, and reciprocal ranks, which group
   * the hits that have one.
   */
  readonly groupBy?: { readonly field: NamesOf<S, KeywordField>; readonly hits?: number }
  /** Counts over all documents that match; with a vector leg, over all that `where` allows. */
  readonly facets?: F
  /** Shows where hits match the text leg: `true` in every text field but those whose schema says `highlight: false`. Default false. */
  readonly highlight?: boolean | HighlightOptions<S>
  /** Default: all fields but vectors. */
  readonly select?: Sel
  /** Say how the answer and the score of each hit came about. Default false. */
  readonly explain?: boolean
}

/** Limits of one call; it rejects with `signal.reason`, or with CUTOVER_TIMEOUT. */
export interface SearchOptions extends Abortable {
  /** Milliseconds, above 0. Default Infinity. */
  timeoutMs?: number
  /** Search this version, so that pages agree with each other. CUTOVER_NOT_FOUND when there is none of that id. */
  version?: string
}

type Picked<S extends Fields, Q> = Q extends { readonly select: false }
  ? undefined
  : Q extends { readonly select: readonly (infer K)[] }
    ? Pick<Document<S>, ('id' | K) & keyof Document<S>>
    : Omit<Document<S>, NamesOf<S, VectorField>>

/** What one leg adds to a score, and from what. */
interface ScorePart {
  /** Of all legs, these add up to the score. */
  readonly adds: number
  /** With `rrf`: the rank that counts. */
  readonly rank?: number
  /** With `convex`: the best of the leg, the share of it, and the leg's weight; the product of these two is what the leg adds. */
  readonly best?: number
  readonly normalised?: number
  readonly weight?: number
}
/** What a word or a phrase of a query adds to the score of the text, which is the sum of them. */
export interface TermExplanation {
  /** As it was asked for; a phrase in quotes, a regular expression between slashes. */
  readonly word: string
  /** boost · idf · (k1 + 1) · frequency ÷ (frequency + norm). */
  readonly adds: number
  readonly idf: number
  readonly boost: number
  /** Occurrences in all fields, each counted as its field's boost says. */
  readonly frequency: number
  /** k1 · (1 − b + b · length ÷ average length). */
  readonly norm: number
  readonly fields: readonly {
    readonly field: string
    readonly term: string
    readonly occurrences: number
    readonly weight: number
    readonly length: number
  }[]
}
/** How a hit came to its score. A leg that it has nothing of adds nothing and is left out. */
export interface ScoreExplanation {
  readonly score: number
  readonly text?: ScorePart & {
    readonly bm25: number
    readonly k1: number
    readonly b: number
    readonly terms: readonly TermExplanation[]
  }
  readonly vector?: ScorePart & { readonly distance: number; readonly similarity?: number }
}
/** How the vectors of one segment were searched: what was estimated, and what it took. Counts are of vectors. */
export interface VectorExplanation {
  /** The segment's name, as its directory has it. */
  readonly segment: string
  /**
   * `scan`: every allowed one was measured, since there are fewer than `walkEstimate`. `walk`: the graph was walked; nothing is left out.
   * `masked-walk`: so it was, for more candidates, and what is not allowed was left out of them. `filtered-walk`: the walk went from one
   * allowed vector to the next. `cell-walk`: it began at the nearest allowed ones of the groups of vectors near the query, and went on from
   * there; `cell-scan`: those groups could not tell which are the nearest, so every allowed one was measured. `walk-then-scan`: walks could
   * not tell, because few near the query are allowed.
   */
  readonly strategy: 'scan' | 'walk' | 'masked-walk' | 'filtered-walk' | 'cell-walk' | 'cell-scan' | 'walk-then-scan'
  /** Why, in one sentence with the numbers below. */
  readonly reason: string
  readonly vectors: number
  /** Those that the filter allows at most. */
  readonly allowed: number
  /** The one over the other, 0–1. */
  readonly selectivity: number
  /** What a scan was expected to cost: it measures all that is allowed. */
  readonly scanEstimate: number
  /** Candidates that the cheapest walk keeps. */
  readonly ef: number
  /** What the cheapest walk was expected to cost: so many could be scanned in that time. */
  readonly walkEstimate: number
  /** What was measured, by codes where there are any; the nodes whose links were followed; and what was then measured in full. */
  readonly measured: number
  readonly hops: number
  readonly reranked: number
}

/** How an answer came about. */
export interface Explanation {
  /** Documents of the version, and those of them that `where` allows. */
  readonly documents: number
  readonly allowed: number
  /** The one over the other, 0–1. */
  readonly selectivity: number
  /** How each segment's vectors were searched, where not all were to be measured. */
  readonly vector?: readonly VectorExplanation[]
  /** How two legs became one, and how many hits of each were looked at. */
  readonly fusion?:
    | {
        readonly method: 'convex'
        readonly vectorWeight: number
        readonly bestText: number
        readonly bestSimilarity: number
        readonly depth: number
      }
    | { readonly method: 'rrf'; readonly k: number; readonly depth: number }
}

/** A document that was found. */
export interface Hit<S extends Fields, Q = unknown> {
  readonly id: string
  /** Higher is better; comparable within one result only. 0 without a leg; with `sort` and text, the score of the text. */
  readonly score: number
  /** Present when the text leg found it and decided the order. Ranks count from 1. */
  readonly text?: { readonly rank: number; readonly bm25: number }
  /** Present when the vector leg found it. */
  readonly vector?: { readonly rank: number; readonly distance: number }
  readonly document: Picked<S, Q>
  /** Present when they were asked for: by field, then in the order of the text; none where nothing of the text leg is there. */
  readonly highlights?: readonly Highlight[]
  /** With `groupBy`: the value that the hits share, and the best of them, this one first. */
  readonly group?: { readonly value: string; readonly hits: readonly Hit<S, Q>[] }
  /** With `explain`. */
  readonly explanation?: ScoreExplanation
}

/** The answer to a query: all of it from one version. */
export interface Results<S extends Fields, Q = unknown> {
  /** The id of the version that answered. */
  readonly version: string
  /** Best first. */
  readonly hits: readonly Hit<S, Q>[]
  /** Documents that match; for a query with a vector leg, those that its filter allows. */
  readonly total: number
  /** False when the vector leg is approximate. */
  readonly exact: boolean
  /** The vector leg could not be used, since the query's text could not be embedded, and the query allowed that: these are hits of its text alone. */
  readonly degraded?: { readonly leg: 'vector'; readonly reason: Error }
  /** Counts over everything that matches, most frequent first; undefined when none were asked for. */
  readonly facets: Q extends { readonly facets: infer F }
    ? { readonly [K in keyof F]: readonly { readonly value: string; readonly count: number }[] }
    : undefined
  /** With `explain`. */
  readonly explanation?: Explanation
  /** Milliseconds that the search took, waiting for a thread included. */
  readonly tookMs: number
}
