// A file that is nothing but float32 vectors, little-endian, one after another.
import { show } from '../validate.js'
import type { SourceFile } from './file.js'

/** Bytes of a block, or one vector if that is longer. */
const BLOCK_BYTES = 256 * 1024

/** The vectors of a raw file, whose length must be a multiple of theirs: CUTOVER_SOURCE otherwise. */
export async function* readRaw(file: SourceFile, dimensions: number): AsyncGenerator<Float32Array, undefined> {
  const rowBytes = dimensions * Float32Array.BYTES_PER_ELEMENT
  if (file.size % rowBytes !== 0)
    throw file.refuse(
      `has ${file.size} bytes, which are no float32 vectors of ${show(dimensions)} dimensions (${rowBytes} bytes each)`,
    )
  const blockBytes = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes)) * rowBytes
  for (let at = 0; at < file.size; at += blockBytes) {
    // A block of its own each time: vectors that were handed out stay as they are.
    const block = new Uint8Array(Math.min(blockBytes, file.size - at))
    if ((await file.read(block, at)) < block.length) throw file.refuse('was cut while it was read')
    for (let begin = 0; begin < block.length; begin += rowBytes) yield new Float32Array(block.buffer, begin, dimensions)
  }
  await file.unchanged()
  return undefined
}
