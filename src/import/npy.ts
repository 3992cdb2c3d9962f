// The rows of a NumPy array file (.npy), read in blocks while they are wanted.
import type { Refused } from './file.js'
import { SourceFile } from './file.js'
import { HEADER_BYTES, NotNpy, parseHeader } from './npy-header.js'
import type { Header, NumberType } from './npy-header.js'

/** Bytes of a block, or one row if that is longer. */
const BLOCK_BYTES = 256 * 1024

/** An open array file. */
export interface Npy {
  readonly header: Header
  /** Every row, in order. What is a float64 comes as numbers, so that one that no float32 holds can be refused by its document. */
  rows(): AsyncGenerator<Vector, undefined>
  /** The error that says what is wrong with the file. */
  refuse(what: string): Refused
  close(): Promise<void>
}
/** One row. */
export type Vector = Float32Array | number[]

/** Opens an array file; the header and the file's length have been checked. CUTOVER_SOURCE says what is wrong with it. */
export async function openNpy(path: string, signal?: AbortSignal): Promise<Npy> {
  const file = await SourceFile.open(path, signal)
  try {
    const first = Buffer.alloc(Math.min(file.size, HEADER_BYTES))
    const header = parseHeader(first.subarray(0, await file.read(first, 0)), file.size)
    return { header, rows: () => rows(file, header), refuse: (what) => file.refuse(what), close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error instanceof NotNpy ? file.refuse(error.message) : error
  }
}

async function* rows(file: SourceFile, header: Header): AsyncGenerator<Vector, undefined> {
  const { type, dimensions, rowBytes } = header
  const each = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
  for (let row = 0; row < header.rows; row += each) {
    const count = Math.min(each, header.rows - row)
    // A block of its own each time: rows that were handed out stay as they are.
    const block = new Uint8Array(count * rowBytes)
    const read = await file.read(block, header.begins + row * rowBytes)
    if (read < block.length) throw file.refuse('was cut while it was read')
    for (let at = 0; at < count; at++) yield vector(type, block.buffer, at * rowBytes, dimensions)
  }
  await file.unchanged()
  return undefined
}

/** Typed arrays read in the order of the machine, and every machine that Node runs on with this package is little-endian. */
function vector(type: NumberType, block: ArrayBuffer, at: number, dimensions: number): Vector {
  if (type === '<f4') return new Float32Array(block, at, dimensions)
  if (type === '<f8') return Array.from(new Float64Array(block, at, dimensions))
  const table = (halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => half(bits)))
  return Float32Array.from(new Uint16Array(block, at, dimensions), (bits) => table[bits] as number)
}

/** The value of every half-precision number, made at the first use. */
let halves: Float32Array | undefined

function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  let size = (1 + fraction / 1024) * 2 ** (exponent - 15)
  if (exponent === 0) size = fraction * 2 ** -24
  else if (exponent === 31) size = fraction === 0 ? Infinity : Number.NaN
  return bits & 0x8000 ? -size : size
}
