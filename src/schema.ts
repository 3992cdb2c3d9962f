// The schema: how fields are declared, and the types of documents that follow from them.
import { isRecord, show, wrongType } from './validate.js'

/** How far apart two vectors are: 1 − cos, the squared euclidean distance, or 1 − the dot product. */
export type Metric = 'cosine' | 'l2' | 'inner-product'

/** A language whose words can be brought to their stems. Of Tamil no list of the commonest words is known. */
export type Language =
  | 'arabic'
  | 'danish'
  | 'dutch'
  | 'english'
  | 'finnish'
  | 'french'
  | 'german'
  | 'greek'
  | 'hungarian'
  | 'italian'
  | 'norwegian'
  | 'portuguese'
  | 'romanian'
  | 'russian'
  | 'spanish'
  | 'swedish'
  | 'tamil'
  | 'turkish'

/**
 * How text becomes terms.
 *
 * - `standard`: Unicode words, compatibility-normalised (NFKC); in scripts without spaces every letter.
 * - `simple`: runs of letters and digits, nothing done to them.
 * - `code`: the parts of names (`parseHTTPRequest`, `parse_http_request` and `parse-http-request` are parse, http and request) and
 *   each name as a whole, however it is spelt; a query's neighbouring words are looked for as one name, too.
 * - `cjk`: `standard`, but of Chinese, Japanese, Korean and other scripts without spaces pairs of neighbouring letters.
 * - `trigram`: every word of a query, of three letters or more, is found wherever its letters follow one another.
 * - a language: `standard` words brought to their stems, those of `stopWords` (default false) left out.
 */
export type Analyzer =
  | 'standard'
  | 'simple'
  | 'code'
  | 'cjk'
  | 'trigram'
  | { readonly language: Language; readonly stopWords?: boolean }

interface Common {
  /** A document without it is invalid; its type is then not optional. Default false. */
  readonly required?: boolean
}
/** Searched by words. */
export interface TextField extends Common {
  readonly type: 'text'
  /** Default `standard`. */
  readonly analyzer?: Analyzer
  /** Whether capitals are told from small letters: as written, words are not stemmed either. Of `both` a query chooses. Default false. */
  readonly caseSensitive?: boolean | 'both'
  /** Weight of the field's score, above 0 and at most 1,000. Default 1. */
  readonly boost?: number
  /** Whether highlights show it where a query names no fields for them. Default true. */
  readonly highlight?: boolean
}
interface Filterable extends Common {
  /** Whether queries may count its values. Default false. */
  readonly facet?: boolean
  /** Whether a document may have several values: they are then an array. Default false. */
  readonly many?: boolean
}
/** An exact string of at most 65,000 bytes: filtered and counted, never split into words. */
export interface KeywordField extends Filterable {
  readonly type: 'keyword'
}
/** A finite double, an integer from −2^53 to 2^53, a moment in milliseconds, or true and false. */
export interface NumberField extends Filterable {
  readonly type: 'number' | 'integer' | 'date' | 'boolean'
}
/** Searched by distance. */
export interface VectorField extends Common {
  readonly type: 'vector'
  /** Components, 1–4096. */
  readonly dimensions: number
  /** Default `cosine`. */
  readonly metric?: Metric
  /**
   * What steers a search: codes of a byte a number, or the vectors themselves. Distances are always computed from the vectors. Codes are
   * left out where they would not serve: below 16 dimensions, and where the build finds that they confuse neighbours. Default `int8`.
   */
  readonly codes?: 'int8' | 'none'
  /**
   * What vectors are kept as, and distances computed from. `float16` halves their file: numbers are rounded to 11 significant bits,
   * and those beyond ±65504 are refused. Default `float32`.
   */
  readonly precision?: 'float32' | 'float16'
  /** Links of a node of the graph, 4–64. Default 16. */
  readonly m?: number
  /** Candidates while the graph is built, m–2000. Default 200. */
  readonly efConstruction?: number
}
/** JSON, stored and returned, never searched. */
export interface StoredField extends Common {
  readonly type: 'stored'
}
/** What a document holds under one name. */
export type Field = TextField | KeywordField | NumberField | VectorField | StoredField

/** Names match `[A-Za-z_][A-Za-z0-9_]{0,63}`, 1 to 256 of them; id, ids, and, or, not are taken. */
export type Fields = { readonly [name: string]: Field }

/** Names that documents and filters use themselves. */
export type Unreserved = { readonly [K in 'id' | 'ids' | 'and' | 'or' | 'not' | '__proto__']?: never }

interface Kinds {
  text: TextField
  keyword: KeywordField
  number: NumberField
  integer: NumberField
  date: NumberField
  boolean: NumberField
  vector: VectorField
  stored: StoredField
}
/** Refuses options that a field of this type does not have. */
export type Known<S> = {
  readonly [K in keyof S]: S[K] extends { readonly type: infer T extends keyof Kinds }
    ? { readonly [P in keyof S[K]]: P extends keyof Kinds[T] ? S[K][P] : never }
    : unknown
}

/** Names of the fields of one kind; of a schema that nobody knows, any name. */
export type NamesOf<S, T> = keyof {
  // A mapped type, since the compiler compares what it makes by its members: an index of any schema is then an index.
  [K in keyof S as [Extract<S[K], T>] extends [never] ? never : K]: unknown
} &
  string

/** Names of the fields whose values can be counted. */
export type FacetNames<S> = keyof {
  [K in keyof S as S[K] extends { readonly facet: true } ? K : Field extends S[K] ? K : never]: unknown
} &
  string

type RequiredNames<S> = string extends keyof S
  ? never
  : { [K in keyof S]: S[K] extends { readonly required: true } ? K : never }[keyof S]

type OutOne<F> = F extends TextField | KeywordField
  ? string
  : F extends { readonly type: 'boolean' }
    ? boolean
    : F extends { readonly type: 'date' }
      ? Date
      : F extends NumberField
        ? number
        : F extends VectorField
          ? Float32Array
          : unknown
type Out<F> = F extends { readonly many: true } ? OutOne<F>[] : OutOne<F>
type InOne<F> = F extends { readonly type: 'date' }
  ? Date | string | number
  : F extends VectorField
    ? Float32Array | readonly number[]
    : OutOne<F>
type In<F> = (F extends { readonly many: true } ? readonly InOne<F>[] : InOne<F>) | null

/**
 * What one writes. `id` is 1–512 bytes of UTF-8, unique in a version: of documents with the same id the last one wins. null and
 * undefined are absent. A date may be a Date, ISO 8601 (a day, or a moment with its offset) or epoch milliseconds.
 */
export type Input<S extends Fields> = { readonly id: string } & {
  readonly [K in Exclude<keyof S, RequiredNames<S>>]?: In<S[K]> | undefined
} & { readonly [K in RequiredNames<S>]: NonNullable<In<S[K]>> }

/** What one reads. Fields that a document does not have are absent. Vectors are exactly the floats that were written, or those rounded to float16 where the field says so. */
export type Document<S extends Fields> = { id: string } & { [K in Exclude<keyof S, RequiredNames<S>>]?: Out<S[K]> } & {
  [K in RequiredNames<S>]: Out<S[K]>
}

/**
 * Keeps a schema's literal types when it lives in a constant of its own, and checks its form.
 *
 * @throws {TypeError} when it is not an object of objects. Types and bounds of options are checked by `openIndex`.
 */
export function defineFields<const S extends Fields>(fields: S & Known<S> & Unreserved): S {
  checkFields(fields)
  return fields
}

/** Refuses what cannot be a schema at all; the native layer checks the rest, with the names and bounds of its options. */
export function checkFields(fields: unknown): asserts fields is Fields {
  if (!isRecord(fields)) throw wrongType('fields', 'an object of fields', fields)
  for (const name of Object.keys(fields)) {
    if (name === '__proto__') throw new RangeError(`the field name ${show(name)} is taken`)
    if (!isRecord(fields[name])) throw wrongType(`fields.${name}`, 'an object with a type', fields[name])
  }
}

/** What the package needs to know of a schema to encode documents. */
export interface Shape {
  readonly types: ReadonlyMap<string, Field['type']>
  /** Components of each vector field. */
  readonly dimensions: ReadonlyMap<string, number>
}

/** The shape of a schema from its JSON; of none when there is no schema yet. */
export function shapeOf(json: string | null): Shape {
  const fields = Object.entries(json === null ? {} : (JSON.parse(json) as Fields))
  return {
    types: new Map(fields.map(([name, field]) => [name, field.type])),
    dimensions: new Map(fields.flatMap(([name, field]) => (field.type === 'vector' ? [[name, field.dimensions]] : []))),
  }
}
