// The vectors of a file, one after another, for a source of documents.
import { resolve } from 'node:path'
import type { Abortable } from '../options.js'
import { given, integer, oneOf, optionsOf, show, signal, string, strings } from '../validate.js'
import { SourceFile } from './file.js'
import { openNpy } from './npy.js'
import { readParquet } from './parquet.js'
import { readRaw } from './raw.js'

/** How a file of vectors is read. An abort ends the reading with the signal's reason. */
export interface ReadVectorsOptions extends Abortable {
  /** Default: `npy` and `parquet` by the name's ending, else `float32`: vectors one after another, little-endian, and nothing else. */
  format?: 'npy' | 'parquet' | 'float32'
  /** Components of every vector, 1–4096. Needed for `float32`, otherwise checked if given. */
  dimensions?: number
  /** The column of a Parquet file that holds the vectors. Default: the only one of lists of floats. */
  column?: string
  /** Columns of a Parquet file that come with each vector as `values`. Default: none. */
  columns?: readonly string[]
}

/** One row of a file of vectors. */
export interface VectorRow {
  /** Its position, from 0. */
  readonly row: number
  /** Numbers where the file has doubles. */
  readonly vector: Float32Array | number[]
  /** What the row has in the `columns` asked for, as the reader of the format gives it: 64-bit integers are bigints. */
  readonly values: Readonly<Record<string, unknown>>
}

const KNOWN = new Set(['format', 'dimensions', 'column', 'columns', 'signal'])
const NONE: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * Reads the vectors of a `.npy` file (float16, float32 or float64 of shape (rows, dimensions)), of a column of a Parquet file (with the
 * package `hyparquet` installed, and `hyparquet-compressors` for compressions but Snappy), or of raw float32 numbers. Give each a document:
 *
 * ```ts
 * await index.rebuild(async function* () {
 *   for await (const { row, vector } of readVectors('embeddings.npy')) yield { id: ids[row], embedding: vector }
 * })
 * ```
 *
 * A block, or a row group of Parquet, is in memory at a time. Ends with CUTOVER_NOT_FOUND, or CUTOVER_SOURCE for a file that is damaged,
 * of another form or other dimensions, or that changes while it is read, and for a package that is not installed. Whether vectors are
 * finite is for the index to say, which knows whose they are.
 */
export function readVectors(path: string, options?: ReadVectorsOptions): AsyncGenerator<VectorRow, undefined> {
  if (string(path, 'path') === '') throw new RangeError("path must not be empty, got ''")
  const o = optionsOf(options, KNOWN)
  const named = given(o.format, (v) => oneOf(v, 'options.format', ['npy', 'parquet', 'float32']))
  const format = named ?? /\.(npy|parquet)$/i.exec(path)?.[1]?.toLowerCase() ?? 'float32'
  const dimensions = given(o.dimensions, (v) => integer(v, 'options.dimensions', 1, 4096))
  if (format === 'float32' && dimensions === undefined)
    throw new TypeError(`options.dimensions is needed to read ${show(path)} as float32 numbers, got undefined`)
  const wanted = {
    column: given(o.column, (v) => string(v, 'options.column')),
    columns: given(o.columns, (v) => strings(v, 'options.columns')) ?? [],
  }
  if (format !== 'parquet' && (wanted.column !== undefined || wanted.columns.length > 0))
    throw new TypeError(`options.column and options.columns are for Parquet, got ${show(o.column ?? o.columns)}`)
  const abort = signal(o.signal)
  const file = resolve(path)
  if (format === 'npy') return readNpy(file, dimensions, abort)
  if (format === 'parquet') return checked(file, abort, dimensions, (opened) => readParquet(opened, wanted))
  return checked(file, abort, dimensions, (opened) => numbered(readRaw(opened, dimensions as number)))
}

async function* readNpy(
  path: string,
  expected: number | undefined,
  abort?: AbortSignal,
): AsyncGenerator<VectorRow, undefined> {
  const npy = await openNpy(path, abort)
  try {
    const { dimensions } = npy.header
    if (expected !== undefined && dimensions !== expected)
      throw npy.refuse(`has ${dimensions} dimensions instead of ${expected}`)
    yield* numbered(npy.rows())
  } finally {
    await npy.close()
  }
  return undefined
}

/** The rows of an opened file, all of one length: the one expected, or the first one's. */
async function* checked(
  path: string,
  abort: AbortSignal | undefined,
  expected: number | undefined,
  read: (file: SourceFile) => AsyncGenerator<VectorRow, undefined>,
): AsyncGenerator<VectorRow, undefined> {
  const file = await SourceFile.open(path, abort)
  try {
    let dimensions = expected
    for await (const row of read(file)) {
      dimensions ??= row.vector.length
      if (row.vector.length !== dimensions)
        throw file.refuse(`has ${row.vector.length} dimensions instead of ${dimensions} in row ${row.row} (from 0)`, {
          row: row.row,
        })
      yield row
    }
  } finally {
    await file.close()
  }
  return undefined
}

async function* numbered(
  vectors: AsyncGenerator<Float32Array | number[], undefined>,
): AsyncGenerator<VectorRow, undefined> {
  let row = 0
  for await (const vector of vectors) yield { row: row++, vector, values: NONE }
  return undefined
}
