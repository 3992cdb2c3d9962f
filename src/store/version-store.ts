// The contract of an open store. It is kept in store-handle.ts.
import type { IndexEvents } from '../events.js'
import type { CopyOptions, PruneOptions, RepairOptions, VerifyOptions } from '../lifecycle.js'
import type { Abortable, LockOptions, OpenOptions, Progress, WaitOptions } from '../options.js'
import type { PruneReport, RepairReport, VerifyReport } from '../reports.js'
import type { Fields } from '../schema.js'
import type { IndexStatus, VersionInfo } from '../version.js'

/** How a store is opened. */
export interface StoreOptions extends Pick<OpenOptions<Fields>, 'mode' | 'keep' | 'allow'> {
  /**
   * What is checked of a version beyond its records and the sizes of its files. `background` (default): every digest, once per file
   * and process, at idle priority once the version is held; damage is told as a `problem`. `digests`: all of them before
   * `snapshot` resolves. `sizes`: nothing more. A version known to be damaged is refused with CUTOVER_CORRUPT.
   */
  integrity?: 'sizes' | 'background' | 'digests'
  /**
   * Artifacts, files or directories, without which a version is not published: CUTOVER_NOT_FOUND names the one that is missing.
   * `extend` looks before anything is written, every other write when it publishes. Default: none.
   */
  required?: readonly string[]
}

/** How a version is written. An abort is honoured until the version gets its final name: nothing is left of the draft. Afterwards the call completes. */
export interface StoreWriteOptions extends LockOptions {
  /** Version id; generated when absent. An id that was ever used is refused with CUTOVER_EXISTS. */
  version?: string
  /** False leaves a complete version in state `prepared`, for `activate`. Default true. */
  activate?: boolean
  /** JSON that stays with the version: a model's name, a commit, anything. */
  attributes?: Record<string, unknown>
  /** Called when a phase begins and at most every 100 ms within it; in `verifying`, with bytes. A throw ends the write with what it threw. */
  onProgress?(progress: Progress): void
  /** Checks the finished draft's artifacts, in `directory`, before anyone sees it; a throw abandons it: CUTOVER_GATE, whose cause is what was thrown. */
  gate?(directory: string): void | Promise<void>
}

/** How everything is replaced. */
export interface StoreRebuildOptions extends StoreWriteOptions {
  /**
   * If a rebuild of this directory with equal options waits for the lock in this process, share its result: `build` is not called.
   * That rebuild goes on for as long as one of those who share it wants it. Default false.
   */
  coalesce?: boolean
}

/**
 * Versions of files that any software builds and reads, in one directory. A version is whole before anyone sees it, and stays as
 * it is. After `close`, calls reject with CUTOVER_CLOSED; writes on a store opened `read-only` reject with CUTOVER_READ_ONLY.
 */
export interface VersionStore extends AsyncDisposable {
  /** The directory, absolute. */
  readonly path: string

  /** The version that is current now, whoever published it; undefined before the first publish. One small read while it stays the same. */
  current(): Promise<VersionInfo | undefined>
  /** The versions there are, oldest first; never drafts. */
  versions(): Promise<readonly VersionInfo[]>

  /**
   * Replaces everything. `build` is called once the writer lock is held, so that what it reads is newer than anything published
   * before, and writes files and directories into `directory`; `signal` tells it that the caller gave up. What it wrote is
   * digested, synced and published, and nobody else has seen it before.
   *
   * Rejects, with nothing changed, with what `build` threw, with `signal.reason`, and with CUTOVER_LOCKED, CUTOVER_GATE,
   * CUTOVER_CONFLICT (`ifCurrent`), CUTOVER_EXISTS (`version`), CUTOVER_NOT_FOUND (a required artifact is missing),
   * CUTOVER_NO_SPACE, CUTOVER_READ_ONLY or CUTOVER_IO. CUTOVER_INDETERMINATE alone says that a failing
   * device leaves open which version a power cut would leave.
   */
  rebuild(
    build: (directory: string, signal: AbortSignal) => void | Promise<void>,
    options?: StoreRebuildOptions,
  ): Promise<VersionInfo>
  /**
   * Publishes the current version's files, which are shared on disk, with these artifacts added or in the place of those of the
   * same names. Values are paths of files or directories, which are copied, by reference where the file system can.
   * CUTOVER_NOT_FOUND, before anything is written, when one is not there.
   */
  extend(artifacts: Readonly<Record<string, string>>, options?: StoreWriteOptions): Promise<VersionInfo>
  /** Takes the writer lock and begins a version, step by step; whoever does not publish or discard it keeps every other writer waiting. `signal` ends the wait. */
  draft(options?: StoreWriteOptions): Promise<StoreDraft>

  /** Holds one version, the current one or `version`, for reading. CUTOVER_EMPTY before the first publish, CUTOVER_NOT_FOUND when there is none of that id. */
  snapshot(options?: { version?: string }): Promise<StoreSnapshot>
  /**
   * Keeps something opened from the current version: opened anew when another version becomes current, closed when its last use
   * ends. When opening a new version fails, a `problem` tells, and the one before stays in use. Writes through this store resolve
   * once what follows it has been opened anew, so `open` must not wait for one. CUTOVER_EMPTY before the first publish.
   */
  follow<T>(
    open: (snapshot: StoreSnapshot) => T | Promise<T>,
    close?: (value: T) => void | Promise<void>,
  ): Promise<Followed<T>>

  /**
   * Makes a prepared, published or withdrawn version current. CUTOVER_NOT_FOUND when there is none of that id, CUTOVER_CORRUPT when
   * its files have not the sizes they were published with. An abort is honoured until `CURRENT` is replaced.
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
  /** Names a version so that it is kept; a tag, 1 to 255 bytes, moves. Without a version the tag is removed. */
  tag(name: string, version: string | undefined, options?: WaitOptions): Promise<void>
  /** Merges into a version's attributes: new keys win, undefined and null remove. Resolves with what is said about the version now. */
  setAttributes(version: string, attributes: Record<string, unknown>, options?: WaitOptions): Promise<VersionInfo>
  /** Removes the versions that are not to be kept; never the current one, the one before it, a tagged one, or one that anybody holds. */
  prune(options?: PruneOptions): Promise<PruneReport>
  /** Compares versions with what they were published as. Problems are reported, not thrown. */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Sets damaged versions aside and makes current one that is whole. Nothing is removed but remains of crashed writers; running it
   * again changes nothing.
   */
  repair(options?: RepairOptions): Promise<RepairReport>
  /** Copies one version to a directory, empty or not there yet, that becomes a store of its own: a back-up that is whole while writers go on. */
  copyTo(directory: string, options?: CopyOptions): Promise<void>

  /** Looks at the directory: versions, sizes, who writes, who reads. */
  status(): Promise<StoreStatus>

  /**
   * Calls the listener at each event from now on, whichever process caused it, within a second. Listening does not keep the process
   * alive.
   */
  on<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this
  /** Stops calling a listener. */
  off<E extends keyof IndexEvents>(event: E, listener: (...args: IndexEvents[E]) => void): this

  /** Waits for what runs, rebuilds too; discards drafts, closes what follows and what is held. Later calls reject with CUTOVER_CLOSED. May be called again. */
  close(): Promise<void>
}

/** The state of a store. */
export type StoreStatus = Omit<IndexStatus, 'cache'>

/** Something opened from the current version. */
export interface Followed<T> extends AsyncDisposable {
  /** The version that `use` works on now. */
  readonly version: VersionInfo
  /** Gives `work` what is open, and keeps that open until `work` has ended. Resolves or rejects as `work` does. */
  use<R>(work: (value: T) => R | Promise<R>): Promise<R>
  /** Waits for the last use and closes what is open. Later calls reject with CUTOVER_CLOSED. May be called again. */
  close(): Promise<void>
}

/** A version under construction, and the writer lock under which it is made. */
export interface StoreDraft extends AsyncDisposable {
  /** The id that the version will have. */
  readonly version: string
  /** Write artifacts here, files and directories, until `publish` is called; nothing outside is touched before it. */
  readonly directory: string
  /**
   * Brings in a file or a directory as the artifact `name`, whose parts are joined by `/`. `copy` (default) shares the blocks where
   * the file system can; `move` removes the original once the version is published. CUTOVER_NOT_FOUND when nothing is at `from`.
   */
  attach(name: string, from: string, options?: { how?: 'copy' | 'move' } & Abortable): Promise<void>
  /** Makes it a version, as the options of `draft` say. When that fails the draft is discarded. */
  publish(options?: Abortable): Promise<VersionInfo>
  /** Removes it and lets go of the lock. May be called again, and after `publish`, when it does nothing. */
  discard(): Promise<void>
}

/** A reader's hold on one version: its files stay as and where they are until it is closed. */
export interface StoreSnapshot extends AsyncDisposable {
  /** The version held. */
  readonly version: VersionInfo
  /** The directory of its artifacts, which are read-only. */
  readonly directory: string
  /** The path of an artifact. @throws {CutoverError} CUTOVER_NOT_FOUND when the version has none of that name, CUTOVER_CLOSED. */
  path(artifact: string): string
  /** Lets the version go. May be called again. */
  close(): Promise<void>
}
