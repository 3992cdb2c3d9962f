import type { Abortable } from './options.js'
// One version, held for many reads.
import type { DocumentsOptions, Listed, Readable } from './read.js'
import type { Fields } from './schema.js'
import type { VersionInfo } from './version.js'

/** Limits of one call on a snapshot. */
export interface SnapshotSearchOptions extends Abortable {
  /** Milliseconds, above 0. Default Infinity. */
  timeoutMs?: number
}

/** A reader's hold on one version: what it answers never changes, and the version is not pruned until it is closed. */
export interface Snapshot<S extends Fields = Fields> extends Readable<S, SnapshotSearchOptions>, AsyncDisposable {
  /** The version held. */
  readonly version: VersionInfo
  /** The embedding model of each vector field whose writer named one. */
  readonly models: Readonly<Record<string, string>>
  /** Every document, or those that match, in the order of their ids' UTF-8 bytes. */
  documents<const Sel extends readonly (keyof S & string)[] | undefined = undefined>(
    options?: DocumentsOptions<S, Sel>,
  ): AsyncIterableIterator<Listed<S, Sel>>
  /** The path of an artifact, a file or a directory that was brought with the version; it stays valid until the snapshot is closed. RangeError when there is none of that name. */
  artifact(name: string): string
  /** Lets the version go, once what runs has ended. Later calls reject with CUTOVER_CLOSED. May be called again. */
  close(): Promise<void>
}
