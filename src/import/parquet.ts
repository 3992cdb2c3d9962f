// Vectors in a column of a Parquet file, a row group in memory at a time. `hyparquet` reads the format; it is the caller's to install.
import type * as Hyparquet from 'hyparquet'
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from 'hyparquet'
import { isRecord, show } from '../validate.js'
import { Refused } from './file.js'
import type { SourceFile } from './file.js'
import type { VectorRow } from './vectors.js'

/** Bytes of a row group, uncompressed; what writers make is some hundred megabytes. */
const MAX_GROUP_BYTES = 2 ** 31
/** Rows of a row group: none takes less than a byte. */
const MAX_GROUP_ROWS = 2 ** 27
const FLOATS = new Set(['FLOAT', 'DOUBLE'])

/** What is wanted of a file. */
export interface Wanted {
  readonly column: string | undefined
  readonly columns: readonly string[]
}

/** The rows of a Parquet file. CUTOVER_SOURCE names what is wrong with it, or the package that is missing. */
export async function* readParquet(file: SourceFile, wanted: Wanted): AsyncGenerator<VectorRow, undefined> {
  const hyparquet = await optional(() => import('hyparquet'))
  if (!hyparquet)
    throw file.refuse('is a Parquet file: install the package hyparquet to read it', { package: 'hyparquet' })
  const compressors = await optional(async () => (await import('hyparquet-compressors')).compressors)
  const buffer = asBuffer(file)
  // Vectors are no places on a map; and looking for those does not end where a count in the schema is negative.
  const metadata = await guarded(file, () => hyparquet.parquetMetadataAsync(buffer, { geoparquet: false }))
  const tree = await guarded(file, () => hyparquet.parquetSchema(metadata))
  const column = choose(file, tree, wanted)
  let start = 0
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    if (!(rows >= 0 && rows <= MAX_GROUP_ROWS && Number(group.total_byte_size) <= MAX_GROUP_BYTES))
      throw file.refuse(
        `has a row group of ${rows} rows and ${group.total_byte_size} bytes, which is more than is read at once`,
      )
    const found = await readGroup(
      file,
      hyparquet,
      { buffer, metadata, compressors },
      [column, ...wanted.columns],
      start,
      rows,
    )
    for (const [at, values] of found.entries()) {
      const row = start + at
      const { [column]: vector, ...others } = values
      yield {
        row,
        vector: numbers(file, column, vector, row),
        values: wanted.columns.includes(column) ? values : others,
      }
    }
    start += rows
  }
  await file.unchanged()
  return undefined
}

interface Opened {
  readonly buffer: AsyncBuffer
  readonly metadata: FileMetaData
  readonly compressors: Compressors | undefined
}

async function readGroup(
  file: SourceFile,
  hyparquet: typeof Hyparquet,
  { buffer, metadata, compressors }: Opened,
  columns: string[],
  rowStart: number,
  rows: number,
): Promise<Record<string, unknown>[]> {
  const range = { rowStart, rowEnd: rowStart + rows }
  const options = {
    file: buffer,
    metadata,
    columns: [...new Set(columns)],
    ...range,
    ...(compressors && { compressors }),
  }
  const found = await guarded(file, () => hyparquet.parquetReadObjects(options))
  if (found.length !== rows) throw file.refuse(`has a row group of ${rows} rows that holds ${found.length}`)
  return found
}

/** The column that holds the vectors: the one named, or the only one of lists of floats. */
function choose(file: SourceFile, tree: SchemaTree, { column, columns }: Wanted): string {
  const names = tree.children.map(({ element }) => element.name)
  for (const name of [...(column === undefined ? [] : [column]), ...columns])
    if (!names.includes(name)) throw file.refuse(`has no column ${show(name)}: it has ${show(names)}`, { column: name })
  if (column !== undefined) return column
  const lists = tree.children.filter((child) => child.children.length > 0 && FLOATS.has(leafType(child) ?? ''))
  const [only, ...others] = lists.map(({ element }) => element.name)
  if (only === undefined || others.length > 0)
    throw file.refuse(
      `must have one column of lists of floats, or options.column must name it: it has ${show(only === undefined ? names : [only, ...others])}`,
    )
  return only
}

/** The type of a column's only leaf. */
function leafType(tree: SchemaTree): string | undefined {
  let leaf = tree
  for (let [child] = leaf.children; child; [child] = leaf.children) {
    if (leaf.children.length > 1) return undefined
    leaf = child
  }
  return leaf.element.type
}

function numbers(file: SourceFile, column: string, value: unknown, row: number): Float32Array | number[] {
  if (value instanceof Float32Array) return value
  const list = ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value
  if (Array.isArray(list) && list.every((item) => typeof item === 'number')) return list as number[]
  throw file.refuse(`must have numbers in column ${show(column)} of row ${row} (from 0), got ${show(value)}`, {
    row,
    column,
  })
}

/** A file as hyparquet reads it: never more than there is. */
function asBuffer(file: SourceFile): AsyncBuffer {
  return {
    byteLength: file.size,
    async slice(start, end = file.size) {
      const from = Math.min(Math.max(start, 0), file.size)
      const bytes = new Uint8Array(Math.max(Math.min(end, file.size) - from, 0))
      if ((await file.read(bytes, from)) < bytes.length) throw file.refuse('was cut while it was read')
      return bytes.buffer
    },
  }
}

/** What a reader of somebody else's throws at bytes that it does not expect becomes one error, which names the file. */
async function guarded<T>(file: SourceFile, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    file.check()
    if (cause instanceof Refused) throw cause
    throw file.refuse(`cannot be read as Parquet: ${cause instanceof Error ? cause.message : String(cause)}`, {}, cause)
  }
}

/** A package, unless it is not installed. */
async function optional<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load()
  } catch (error) {
    if (isRecord(error) && error['code'] === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
