// Which vector of an index of hnswlib's is whose: every one that is not deleted has a label, and the label an id.
import { refuse } from './id-map.js'
import type { IdMap } from './id-map.js'
import { Named } from './named.js'

/** What became of the vectors of an index of hnswlib's. */
export interface Labels {
  /** Vectors of the file. */
  readonly rows: number
  /** Those that hnswlib had deleted: they are left out. */
  readonly deleted: number
  /** Vectors that were left out because their labels have no id, with `onInvalid` only. */
  readonly withoutId: number
  /** Ids that were left out because their labels have no vector, with `onInvalid` only. */
  readonly withoutVector: number
}

/** The vectors that become documents. */
export interface Matched {
  readonly report: Labels
  /** Their rows, ascending. */
  readonly rows: Uint32Array
  /** Their ids, in the same order. */
  readonly ids: readonly string[]
}

/**
 * Joins ids with rows by their labels. An id may stay with a row that was deleted.
 *
 * @throws {CutoverError} CUTOVER_SOURCE that names and counts what has no partner, unless that is to be skipped.
 */
export function match(
  directory: string,
  map: IdMap,
  labels: BigUint64Array,
  deleted: Uint8Array,
  unmatched: 'throw' | 'skip',
): Matched {
  const rows = new Uint32Array(labels.length)
  const ids: string[] = []
  const found = new Set<number>()
  const [withoutId, withoutVector] = [new Named(), new Named()]
  let gone = 0
  for (const [row, wide] of labels.entries()) {
    // A label that no number holds is in no map.
    const label = Number(wide)
    const id = Number.isSafeInteger(label) ? map.id(label) : undefined
    if (id !== undefined) found.add(label)
    if (deleted[row] === 1) gone++
    else if (id === undefined) withoutId.add(wide)
    else {
      rows[ids.length] = row
      ids.push(id)
    }
  }
  for (const [id, label] of map.entries()) if (!found.has(label)) withoutVector.add(id)
  if (unmatched === 'throw')
    refuse(directory, [
      { what: 'vectors whose labels have no id', named: withoutId },
      { what: 'ids whose labels have no vector', named: withoutVector },
    ])
  return {
    report: { rows: labels.length, deleted: gone, withoutId: withoutId.count, withoutVector: withoutVector.count },
    rows: rows.subarray(0, ids.length),
    ids,
  }
}
