// The first bytes of a file of hnswlib's, for the schema of an index that is not open yet. The addon checks the whole file later.
import { show } from '../validate.js'
import { SourceFile } from './file.js'

const BYTES = 96
const MAX_DIMENSIONS = 4096
/** Where the header has what is read here. */
const [ELEMENTS, LABEL_OFFSET, DATA_OFFSET, M, EF_CONSTRUCTION] = [16, 32, 40, 72, 88]

/** What a header says. */
export interface HnswHeader {
  readonly rows: number
  readonly dimensions: number
  readonly m: number
  readonly efConstruction: number
}

/** Reads a header. hnswlib does not write dimensions: vectors lie between links and labels. */
export async function readHnswHeader(path: string, signal?: AbortSignal): Promise<HnswHeader> {
  const file = await SourceFile.open(path, signal)
  try {
    const bytes = Buffer.alloc(BYTES)
    if ((await file.read(bytes, 0)) < BYTES)
      throw file.refuse(`has ${file.size} bytes: it is no file of hnswlib's, whose header alone takes ${BYTES}`)
    const number = (at: number): number => Number(bytes.readBigUInt64LE(at))
    const dimensions = (number(LABEL_OFFSET) - number(DATA_OFFSET)) / Float32Array.BYTES_PER_ELEMENT
    if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS)
      throw file.refuse(
        `is no file of hnswlib's float32 vectors of 1 to ${MAX_DIMENSIONS} dimensions: ${show(dimensions)}`,
      )
    return { rows: number(ELEMENTS), dimensions, m: number(M), efConstruction: number(EF_CONSTRUCTION) }
  } finally {
    await file.close()
  }
}
