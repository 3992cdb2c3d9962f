// Whether an index or a snapshot is open, and what still runs on it.
import { CutoverError } from './errors.js'

/** Counts running calls, so that closing can wait for them. */
export class Lifetime {
  readonly #what: string
  readonly #parent: Lifetime | undefined
  #running = 0
  #closing: Promise<void> | undefined
  #idle: (() => void) | undefined

  /** `what` names the thing in CUTOVER_CLOSED; what belongs to `parent` is closed when that is. */
  constructor(what: string, parent?: Lifetime | undefined) {
    this.#what = what
    this.#parent = parent
  }

  get closed(): boolean {
    return this.#closing !== undefined || this.#parent?.closed === true
  }

  /** The error of calls that come too late. */
  get error(): CutoverError {
    return new CutoverError('CUTOVER_CLOSED', `${this.#what} is closed`)
  }

  /** @throws {CutoverError} CUTOVER_CLOSED. */
  check(): void {
    if (this.closed) throw this.error
  }

  /** Runs a call; closing waits for it. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.check()
    this.#enter()
    try {
      return await call()
    } finally {
      this.#leave()
    }
  }

  /** Refuses further calls, waits for those that run, then lets go. Every call gets the same promise. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#finish(release)
    return this.#closing
  }

  async #finish(release: () => Promise<void>): Promise<void> {
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    await release()
  }

  #enter(): void {
    this.#running++
    if (this.#parent) this.#parent.#enter()
  }

  #leave(): void {
    this.#running--
    if (this.#parent) this.#parent.#leave()
    if (this.#running === 0) this.#idle?.()
  }
}
