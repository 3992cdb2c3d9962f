// Giving up: a signal, a deadline or a failure elsewhere stops a call, and says why by identity.
import { Cancelled, CutoverError, native } from './errors.js'
import { CancelToken } from './native.js'

/** Stops a call at most once; the first reason counts. Its token stops the native side. */
export class Interrupt {
  readonly token = new CancelToken()
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.fire(this.#signal?.reason)
  #fired = false
  #reason: unknown
  #controller: AbortController | undefined
  #reject: ((reason: unknown) => void) | undefined

  /** @throws the signal's reason when it is aborted already. */
  constructor(signal: AbortSignal | undefined) {
    signal?.throwIfAborted()
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Whether anything has stopped it. */
  get fired(): boolean {
    return this.#fired
  }

  /** A signal for code of the caller's: it fires when the call is stopped, with the same reason. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#fired) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Stops the call for this reason. */
  fire(reason: unknown): void {
    if (this.#fired) return
    this.#fired = true
    this.#reason = reason
    this.token.cancel()
    this.#controller?.abort(reason)
    this.#reject?.(reason)
  }

  /** @throws the reason, once stopped. */
  check(): void {
    if (this.#fired) throw this.#reason
  }

  /** What the promise gives, or a rejection with the reason as soon as the call is stopped. One at a time. */
  race<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#fired) {
        reject(this.#reason)
        // Nobody else looks at it any more.
        promise.then(undefined, () => {})
        return
      }
      this.#reject = reject
      promise.then(resolve, reject)
    }).finally(() => {
      this.#reject = undefined
    })
  }

  /** The error to show for one that the native side gave: the reason, when that is what stopped it. */
  explain(error: unknown): unknown {
    return this.#fired && error instanceof Cancelled ? this.#reason : error
  }

  /** Lets go of the signal. */
  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

/** Runs a native call under a signal and a deadline. Without either it costs nothing. */
export async function limited<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  call: (token: CancelToken | undefined) => Promise<T>,
): Promise<T> {
  if (!signal && timeoutMs === undefined) return native(() => call(undefined))
  return interruptible(signal, timeoutMs, (interrupt) => native(() => call(interrupt.token)))
}

/** Runs a call of several steps under a signal and a deadline. */
export async function interruptible<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  call: (interrupt: Interrupt) => Promise<T>,
): Promise<T> {
  const interrupt = new Interrupt(signal)
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => interrupt.fire(timedOut(timeoutMs)), timeoutMs)
  try {
    return await call(interrupt)
  } catch (error) {
    throw interrupt.explain(error)
  } finally {
    clearTimeout(timer)
    interrupt.dispose()
  }
}

const timedOut = (timeoutMs: number): CutoverError =>
  new CutoverError('CUTOVER_TIMEOUT', `the call was not answered within ${timeoutMs} ms`, {
    detail: { timeoutMs },
    retryable: true,
  })
