// Events of an index, from whatever process: one look at `CURRENT` every so often, only while somebody cares.
import { fromNative, fromReport, isCutoverError } from './errors.js'
import type { CutoverError, Report } from './errors.js'
import type { NativeIndex } from './native.js'
import { callback, oneOf } from './validate.js'
import { parseInfo } from './version.js'
import type { VersionInfo } from './version.js'

/** What an index tells its listeners. */
export interface IndexEvents {
  /** Answers come from another version now. */
  version: [now: VersionInfo, before: VersionInfo | undefined]
  /** Something that no call of yours will report, such as a version that this program cannot serve: it keeps the newest it can. Never thrown. */
  problem: [error: CutoverError]
}
type Listener = (...args: unknown[]) => void

/** Milliseconds between two looks. */
const INTERVAL_MS = 100
const EVENTS = ['version', 'problem'] as const

/** Keeps the listeners, and tells them what changes. */
export class Watcher {
  readonly #index: Pick<NativeIndex, 'refresh' | 'current' | 'problems'>
  readonly #listeners = { version: new Set<Listener>(), problem: new Set<Listener>() }
  readonly #waiting = new Set<(info: VersionInfo) => void>()
  #json: string | null
  #info: VersionInfo | undefined
  /** The version that the listeners know of. */
  #told: VersionInfo | undefined
  #problem = ''
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #stopped = false

  constructor(index: Pick<NativeIndex, 'refresh' | 'current' | 'problems'>) {
    this.#index = index
    this.#json = null
    this.#told = this.info
  }

  /** The version being served. */
  get info(): VersionInfo | undefined {
    const json = this.#stopped ? this.#json : this.#index.current()
    if (json !== this.#json) {
      this.#json = json
      this.#info = json === null ? undefined : parseInfo(json)
    }
    return this.#info
  }

  on(event: unknown, listener: unknown): void {
    const set = this.#listeners[oneOf(event, 'event', EVENTS)]
    // Whoever comes first is told of changes from now on, not of those that nobody watched.
    if (!this.#timer) this.#told = this.info
    set.add(callback(listener, 'listener'))
    this.#watch()
  }

  off(event: unknown, listener: unknown): void {
    this.#listeners[oneOf(event, 'event', EVENTS)].delete(callback(listener, 'listener'))
    this.#watch()
  }

  /** Calls back once there is a version; the function returned gives up. */
  wait(found: (info: VersionInfo) => void): () => void {
    this.#waiting.add(found)
    this.#watch()
    return () => {
      this.#waiting.delete(found)
      this.#watch()
    }
  }

  /** Tells of a change that has happened. */
  check(): void {
    const now = this.info
    if (!now) return
    for (const found of this.#waiting) found(now)
    const before = this.#told
    if (now.id === before?.id) return
    this.#told = now
    this.#emit('version', now, before)
  }

  /** Stops looking, for good. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #watch(): void {
    const wanted = this.#waiting.size + this.#listeners.version.size + this.#listeners.problem.size > 0
    if (!wanted || this.#stopped) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    this.#timer ??= setInterval(() => void this.#look(), INTERVAL_MS)
    // Whoever awaits a version wants the process to live until it comes; a listener does not.
    if (this.#waiting.size > 0) this.#timer.ref()
    else this.#timer.unref()
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      await this.#index.refresh(false)
      // Left where they are until somebody wants them.
      if (this.#listeners.problem.size > 0) this.#tellProblems()
    } catch (error) {
      this.report(fromNative(error))
    } finally {
      this.#looking = false
    }
    if (!this.#stopped) this.check()
  }

  #tellProblems(): void {
    for (const report of JSON.parse(this.#index.problems()) as Report[]) this.report(fromReport(report))
  }

  /** Tells of a problem. What stays wrong is told once, not at every look. */
  report(error: Error): void {
    if (this.#stopped || this.#listeners.problem.size === 0) return
    if (error.message === this.#problem || !isCutoverError(error)) return
    this.#problem = error.message
    this.#emit('problem', error)
  }

  #emit<E extends keyof IndexEvents>(event: E, ...args: IndexEvents[E]): void {
    for (const listener of this.#listeners[event]) {
      try {
        listener(...args)
      } catch (error) {
        // A listener's fault is its owner's to handle: uncaught, but never that of the call that published.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
