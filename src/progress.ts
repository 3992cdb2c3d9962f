// Tells the caller how far a write is: at the beginning of a phase, then at most every 100 ms.
import type { Progress } from './options.js'

const INTERVAL_MS = 100
/** A look that comes a little too early to be told must not be the last for another interval. */
const LOOK_MS = 20

/** Calls `onProgress`, and `onFailure` with what it throws. */
export class Reporter {
  readonly #began = performance.now()
  readonly #onProgress: ((progress: Progress) => void) | undefined
  readonly #onFailure: (error: unknown) => void
  #phase = ''
  #complete = false
  #next = 0

  constructor(onProgress: ((progress: Progress) => void) | undefined, onFailure: (error: unknown) => void) {
    this.#onProgress = onProgress
    this.#onFailure = onFailure
  }

  /** Reports, unless the phase is the same and it is too early. */
  report(phase: Progress['phase'], done: number, total?: number): void {
    // A phase that was told to be complete is over, though the native side may not have begun the next.
    if (!this.#onProgress || (phase === this.#phase && this.#complete && total === undefined)) return
    const now = performance.now()
    const due = phase !== this.#phase || now >= this.#next || done === total
    if (!due) return
    this.#phase = phase
    this.#complete = done === total
    this.#next = now + INTERVAL_MS
    try {
      this.#onProgress({ phase, done, ...(total === undefined ? {} : { total }), elapsedMs: now - this.#began })
    } catch (error) {
      this.#onFailure(error)
    }
  }

  /** Reports what `look` sees for as long as the work takes. */
  async during<T>(look: () => string, work: Promise<T>): Promise<T> {
    if (!this.#onProgress) return work
    const tell = (): void => {
      const { phase, done, total } = JSON.parse(look()) as Pick<Progress, 'phase' | 'done'> & { total?: number | null }
      this.report(phase, done, total ?? undefined)
    }
    const timer = setInterval(tell, LOOK_MS)
    try {
      return await work
    } finally {
      clearInterval(timer)
    }
  }
}
