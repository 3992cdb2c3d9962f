// Long work in slices of half a millisecond: between two of them other events have their turn.

/** Milliseconds of work before other events have their turn. */
const SLICE_MS = 0.5

/** The slices of one piece of work. */
export class Turns {
  #ends = performance.now() + SLICE_MS

  /** Whether others should have their turn now. */
  get due(): boolean {
    return performance.now() >= this.#ends
  }

  /** Lets them, and begins another slice. */
  async take(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    this.#ends = performance.now() + SLICE_MS
  }
}
