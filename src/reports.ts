// What verify, repair and prune report.

/** One thing that is wrong with a version. */
export interface Problem {
  /** Absent when it is none's in particular. */
  readonly version?: string
  /** The file, relative to the version's directory, or to the index's when there is no version or a record of the index is meant. */
  readonly file: string
  /**
   * `missing` or `unexpected` files, files of another `size` or `digest` than was published, or `unreadable` ones; facts that
   * `disagree` with each other, and documents that are `unreachable`.
   */
  readonly kind: 'missing' | 'unexpected' | 'size' | 'digest' | 'unreadable' | 'disagree' | 'unreachable'
  /** For people. */
  readonly detail: string
}

/** What a verify found. */
export interface VerifyReport {
  /** Whether there are no problems. */
  readonly ok: boolean
  /** The versions that were looked at. */
  readonly versions: readonly string[]
  /** Bytes read; a file that several versions share is read once. */
  readonly bytesRead: number
  readonly problems: readonly Problem[]
}

/** What a repair did, or would do. */
export interface RepairReport {
  /** The version that is current now. */
  readonly current: string | undefined
  /** Why that one. */
  readonly reason: string
  /** Damaged versions and records, moved into `damaged/`. */
  readonly setAside: readonly string[]
  /** Remains of crashed writers, removed. */
  readonly removed: readonly string[]
  /** What was found. */
  readonly problems: readonly Problem[]
}

/** What a prune removed, or would remove. */
export interface PruneReport {
  /** Versions removed, oldest first. */
  readonly removed: readonly string[]
  /** Versions kept, as was wanted. */
  readonly kept: readonly string[]
  /** Versions kept only because some process holds them. */
  readonly inUse: readonly string[]
  /** Bytes that no version needs any more. */
  readonly bytesFreed: number
}
