// Directories as other software writes them, byte by byte.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the header of an array file says. */
export interface Said {
  descr?: string
  order?: string
  shape?: string
  version?: 1 | 2 | 3
  /** The whole dictionary. */
  text?: string
}

/** An array file: what NumPy's `save` writes, unless `said` says otherwise. */
export function npy(data: Uint8Array, said: Said = {}): Buffer {
  const { descr = "'<f4'", order = 'False', shape = '(0, 3)', version = 1 } = said
  const text = said.text ?? `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`
  const width = version === 1 ? 2 : 4
  // NumPy pads with spaces so that the data begins at a multiple of 64.
  const unpadded = 8 + width + text.length + 1
  const header = `${text}${' '.repeat((64 - (unpadded % 64)) % 64)}\n`
  const start = Buffer.alloc(8 + width)
  start.write('\x93NUMPY', 'latin1')
  start.writeUInt8(version, 6)
  start.writeUIntLE(header.length, 8, width)
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data])
}

/** Rows as an array file of one of three precisions; every component must have a half. */
export function rowsAs(descr: '<f2' | '<f4' | '<f8', rows: readonly (readonly number[])[], dimensions = 3): Buffer {
  const width = { '<f2': 2, '<f4': 4, '<f8': 8 }[descr]
  const data = Buffer.alloc(rows.length * dimensions * width)
  for (const [at, value] of rows.flat().entries()) {
    if (width === 8) data.writeDoubleLE(value, at * width)
    else if (width === 4) data.writeFloatLE(value, at * width)
    else data.writeUInt16LE(halfOf(value), at * width)
  }
  return npy(data, { descr: `'${descr}'`, shape: `(${rows.length}, ${dimensions})` })
}

/** The bits of a half-precision number that is one exactly. */
export function halfOf(value: number): number {
  const bits = new DataView(new ArrayBuffer(4))
  bits.setFloat32(0, value)
  const single = bits.getUint32(0)
  const exponent = ((single >>> 23) & 255) - 112
  const sign = (single >>> 16) & 0x8000
  if (value === 0) return sign
  if (exponent < 1 || exponent > 30 || (single & 0x1fff) !== 0) throw new Error(`${value} has no half`)
  return sign | (exponent << 10) | ((single >>> 13) & 1023)
}

/** Three documents of a directory to import. */
export const entries: readonly Record<string, unknown>[] = [
  { id: 'a', content: 'Atomic renames', path: 'a.md', title: 'A', lines: [1, 20] },
  { chunk_id: 'b-1', text: 'Locks and leases', path: 'b.md' },
  { content: 'Walks on graphs', path: 'c.md', nested: { deep: [{}] } },
]
/** Their vectors. */
export const rows: readonly (readonly number[])[] = [
  [1, 0, 0],
  [0.5, 0.5, 0],
  [0, 0.25, 1],
]

/** Writes a directory; a file that is null is left out. */
export function write(path: string, files: Record<string, unknown> = {}): string {
  mkdirSync(path, { recursive: true })
  const all: Record<string, unknown> = {
    'documents.json': entries,
    'embeddings.npy': rowsAs('<f4', rows),
    'manifest.json': { count: 3, model: 'small', config: { chunk: 200 } },
    ...files,
  }
  for (const [name, content] of Object.entries(all)) {
    if (content === null) continue
    const raw = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(path, name), raw ? content : JSON.stringify(content))
  }
  return path
}

/** An id_index.bin: ids and paths in label order. */
export function binaryIndex(ids: readonly (readonly [id: string, path: string])[]): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32LE(ids.length)
  const texts = ids.flat().map((text) => {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(2)
    length.writeUInt16LE(bytes.length)
    return Buffer.concat([length, bytes])
  })
  return Buffer.concat([count, ...texts])
}
