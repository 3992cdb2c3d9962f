// Verifying at each of the three depths: the store knows sizes and digests, an index of documents what is in them.
import type { VerifyOptions } from '../lifecycle.js'
import type { VerifyReport } from '../reports.js'
import type { VersionStore } from '../store/version-store.js'
import type { Opening } from './command.js'
import { reading } from './directory.js'

export const DEPTHS = ['sizes', 'digests', 'contents'] as const
export type Depth = (typeof DEPTHS)[number]

/** Verifies at a depth. */
export async function verification(
  store: VersionStore,
  opening: Opening,
  depth: Depth,
  options: Omit<VerifyOptions, 'depth'>,
): Promise<VerifyReport> {
  if (depth !== 'contents') return store.verify({ ...options, depth })
  return reading(store.path, opening, (index) => index.verify({ ...options, depth }))
}
