// The contract of an open index. It is kept in index-handle.ts.
import type { IndexEvents } from './events.js'
import type { CopyOptions, PruneOptions, RepairOptions, VerifyOptions } from './lifecycle.js'
import type { Abortable, LockOptions, RebuildOptions, WaitOptions } from './options.js'
import type { Facets, Query, Results, SearchOptions, Select } from './query-types.js'
import type { DocumentsOptions, Listed, Readable } from './read.js'
import type { PruneReport, RepairReport, VerifyReport } from './reports.js'
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
   * CUTOVER_LOCKED, CUTOVER_DOCUMENT (names id, field and value), CUTOVER_EMBEDDING (`embed` threw: see `cause`; or gave what are no
   * vectors: names the document), CUTOVER_SOURCE (the source threw: see `cause`), CUTOVER_GATE,
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

  /**
   * Removes a prepared version that is not wanted any more; its id is not used again. CUTOVER_NOT_FOUND when there is none of that id,
   * CUTOVER_CONFLICT when it was ever current or is tagged, CUTOVER_BUSY while somebody reads it.
   */
  discard(version: string, options?: WaitOptions): Promise<void>
  /** Names a version, so that it is kept; a tag moves. Without a version the tag goes. CUTOVER_NOT_FOUND when there is no such version. */
  tag(name: string, version: string | undefined, options?: WaitOptions): Promise<void>
  /** Merges into a version's attributes; new keys win, undefined removes. */
  setAttributes(version: string, attributes: Record<string, unknown>, options?: WaitOptions): Promise<VersionInfo>
  /** Removes what is not to be kept; never the current version, the one that `rollback` leads to, a tagged one, or one that some process holds. */
  prune(options?: PruneOptions): Promise<PruneReport>
  /**
   * Looks at all versions, or at one, and reports what is wrong. `contents` (the default): sizes, digests, and that ids lead to documents
   * and back, text and columns hold what the documents say, every link of every graph leads to a node and every node can be reached.
   */
  verify(options?: VerifyOptions<'sizes' | 'digests' | 'contents'>): Promise<VerifyReport>
  /**
   * Sets aside what is damaged, makes `to` or else the best version current, and clears away what crashes left. Nothing that could be
   * of use is deleted. Resolves once this index answers from what is current then.
   */
  repair(options?: RepairOptions): Promise<RepairReport>
  /** Copies one version, held meanwhile, into an index of its own: a back-up that is whole while writers go on. The directory must not exist or be empty. */
  copyTo(directory: string, options?: CopyOptions): Promise<void>
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
