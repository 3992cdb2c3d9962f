// One run for several callers who ask for the same while it waits for its turn.
import type { Progress } from './options.js'

/** One of those who want the result. */
export interface Member {
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
}

/** What the run gets. */
export interface Turn {
  /** Fires when nobody wants the result any more, with the reason of the last who did. */
  readonly signal: AbortSignal
  /** Tells everyone. */
  readonly onProgress: (progress: Progress) => void
  /** Says that the turn has come: whoever asks from now on gets a run of their own. */
  readonly began: () => void
}

/** The runs that wait, by what they are for. */
const waiting = new Map<string, Group<unknown>>()

const numbers = new WeakMap<object, number>()
let numbered = 0

/** A number that stands for a function, as long as it lives; 0 for none. */
export function numberOf(callback: object | undefined): number {
  if (!callback) return 0
  const known = numbers.get(callback)
  if (known !== undefined) return known
  numbers.set(callback, ++numbered)
  return numbered
}

/** Joins the run for `key` that waits for its turn, or starts one. */
export async function coalesce<T>(key: string, member: Member, run: (turn: Turn) => Promise<T>): Promise<T> {
  member.signal?.throwIfAborted()
  // Equal keys are equal calls, so the results have one type.
  const group = (waiting.get(key) as Group<T> | undefined) ?? new Group(key, run)
  return group.join(member)
}

class Group<T> {
  readonly #members = new Set<(progress: Progress) => void>()
  readonly #controller = new AbortController()
  readonly #result: Promise<T>

  constructor(key: string, run: (turn: Turn) => Promise<T>) {
    const began = (): void => {
      if (waiting.get(key) === this) waiting.delete(key)
    }
    waiting.set(key, this)
    const onProgress = (progress: Progress): void => {
      for (const tell of this.#members) tell(progress)
    }
    this.#result = Promise.resolve()
      .then(() => run({ signal: this.#controller.signal, onProgress, began }))
      .finally(began)
    // Looked at by its members.
    this.#result.catch(() => {})
  }

  join({ signal, onProgress }: Member): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const tell = (progress: Progress): void => {
        try {
          onProgress?.(progress)
        } catch (error) {
          leave(error)
        }
      }
      const onAbort = (): void => leave(signal?.reason)
      const settle = (): void => {
        this.#members.delete(tell)
        signal?.removeEventListener('abort', onAbort)
      }
      // The last one takes the run along, and is told what became of it: it may be past stopping.
      const leave = (reason: unknown): void => {
        if (this.#members.size === 1) return this.#controller.abort(reason)
        settle()
        return reject(reason as Error)
      }
      this.#members.add(tell)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#result.then(resolve, reject).finally(settle)
    })
  }
}
