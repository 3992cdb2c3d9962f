// The contract of an open index. It is kept in index-handle.ts.
import type { IndexEvents } from './events.js'
import type { Abortable, LockOptions, RebuildOptions } from './options.js'
import type { Facets, Query, Results, SearchOptions, Select } from './query-types.js'
import type { DocumentsOptions, Listed, Readable } from './read.js'
import type { Fields, Input } from './schema.js'
import type { Snapshot } from './snapshot.js'
import type { IndexStatus, VersionInfo } from './version.js'

/** Documents one after another. A string is not a source of its letters. */
export type Source<T> = (Iterable<T> & object) | AsyncIterable<T>

/**
 * An open index. Reads are answered by the newest version that this process has opened, each by one version alone, and never wait
 * for a writer. After `close`, and where nothing was published yet, calls reject with CUTOVER_CLOSED and CUTOVER_EMPTY.
 */
export interface SearchIndex<S extends Fields = Fields> extends Readable<S, SearchOptions>, AsyncDisposable {
  /** The index directory, absolute. */
  readonly path: string
  /** The version that answers now; undefined before the first publish. Costs no I/O. */
  readonly current: VersionInfo | undefined

  /** The answers to at most 10,000 queries, in their order, all from the same version. One that cannot be answered rejects all of them. */
  searchBatch(queries: readonly string[], options?: SearchOptions): Promise<Results<S, unknown>[]>
  searchBatch<const Sel extends Select<S> | undefined = undefined, const F extends Facets<S> | undefined = undefined>(
    queries: readonly (string | Query<S, Sel, F>)[],
    options?: SearchOptions,
  ): Promise<Results<S, { readonly select: Sel; readonly facets: F }>[]>

  /**
   * Every document of one version, or those that match, in the order of their ids' UTF-8 bytes. The version is chosen and held
   * from the first `next()` until the iteration ends, by `return` or `throw` too.
   */
  documents<const Sel extends readonly (keyof S & string)[] | undefined = undefined>(
    options?: DocumentsOptions<S, Sel> & {
      /** Default: the newest that this process has opened. */
      version?: string
    },
  ): AsyncIterableIterator<Listed<S, Sel>>
  /** Holds one version for many reads: `version`, or the newest that this process has opened. CUTOVER_NOT_FOUND when there is none of that id. */
  snapshot(options?: { version?: string }): Promise<Snapshot<S>>

  /**
   * Replaces everything: reads the documents, builds a version in the background, publishes it, and resolves once this index
   * answers from it. A function is called once the writer lock is held, so that what it reads is newer than anything published
   * before: the form to use. A source is closed (`return()`) when the rebuild fails.
   *
   * Rejects, with nothing changed, with `signal.reason` when aborted before the version got its final name, and with
   * CUTOVER_LOCKED, CUTOVER_DOCUMENT (names id, field and value), CUTOVER_SOURCE (the source threw: see `cause`), CUTOVER_GATE,
   * CUTOVER_CONFLICT (`ifCurrent`), CUTOVER_EXISTS (`version`), CUTOVER_NO_SPACE, CUTOVER_READ_ONLY or CUTOVER_IO.
   * CUTOVER_INDETERMINATE alone says that a failing device leaves open which version a power cut would leave.
   */
  rebuild(
    documents: Source<Input<S>> | (() => Source<Input<S>> | Promise<Source<Input<S>>>),
    options?: RebuildOptions<S>,
  ): Promise<VersionInfo>

  /** The versions there are, oldest first; never drafts. */
  versions(): Promise<readonly VersionInfo[]>
  /**
   * Makes a prepared, published or withdrawn version current, and resolves once this index answers from it. CUTOVER_NOT_FOUND when
   * there is none of that id. An abort is honoured until `CURRENT` is replaced.
   */
  activate(version: string, options?: LockOptions): Promise<VersionInfo>
  /**
   * Activates the version that was current before, or `to`, and marks the one left behind as withdrawn. CUTOVER_NOT_FOUND when
   * there is nothing to go back to. An abort is honoured until `CURRENT` is replaced.
   */
  rollback(to?: string, options?: LockOptions): Promise<VersionInfo>

  /** Looks at the directory: versions, sizes, who writes, who reads. */
  status(): Promise<IndexStatus>
  /** Resolves once there is a version to search, made by whatever process. Rejects with `signal.reason`, or CUTOVER_CLOSED. Keeps the process alive meanwhile. */
  ready(options?: Abortable): Promise<VersionInfo>

  /** Calls the listener at each event from now on. Listening does not keep the process alive. */
  on<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this
  /** Stops calling a listener. */
  off<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this

  /** Waits for what runs, rebuilds too, then lets go of files and threads. Later calls reject with CUTOVER_CLOSED. May be called again. */
  close(): Promise<void>
}
