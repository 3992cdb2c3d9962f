// The errors of the package, and the one funnel through which those of the native layer pass.

/** What went wrong, for programs. Codes are stable; messages are for people. */
export type ErrorCode =
  | 'CUTOVER_CLOSED'
  | 'CUTOVER_EMPTY'
  | 'CUTOVER_NOT_FOUND'
  | 'CUTOVER_EXISTS'
  | 'CUTOVER_LOCKED'
  | 'CUTOVER_LOCK_UNSUPPORTED'
  | 'CUTOVER_BUSY'
  | 'CUTOVER_CONFLICT'
  | 'CUTOVER_SCHEMA'
  | 'CUTOVER_DOCUMENT'
  | 'CUTOVER_SOURCE'
  | 'CUTOVER_EMBEDDING'
  | 'CUTOVER_QUERY'
  | 'CUTOVER_TIMEOUT'
  | 'CUTOVER_CORRUPT'
  | 'CUTOVER_FORMAT_TOO_NEW'
  | 'CUTOVER_NO_SPACE'
  | 'CUTOVER_IO'
  | 'CUTOVER_INDETERMINATE'
  | 'CUTOVER_READ_ONLY'
  | 'CUTOVER_UNSAFE_DIRECTORY'
  | 'CUTOVER_GATE'
  | 'CUTOVER_INTERNAL'

/** Shared by every realm and every installed copy, so that `isCutoverError` knows errors of all of them. */
const brand: symbol = Symbol.for('cutover.error')

/** What the world did to a call: a full disk, a held lock, a document that breaks the schema. A caller's mistakes are `TypeError` and `RangeError`. */
export class CutoverError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode
  /** What was being done, to which path, to which version; for CUTOVER_DOCUMENT `id`, `field`, `value` and `reason`. */
  readonly detail: Readonly<Record<string, unknown>>
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean

  /** Made by Cutover; adapters may make their own. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { detail?: Readonly<Record<string, unknown>>; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.detail = options.detail ?? {}
    this.retryable = options.retryable ?? false
  }

  static {
    // On the prototype: neither is an own property that `console.log` would show with every error.
    Object.defineProperty(this.prototype, 'name', { value: 'CutoverError', configurable: true, writable: true })
    Object.defineProperty(this.prototype, brand, { value: true })
  }
}

/** True for a CutoverError (of that code, if one is given), across realms and duplicate installs, where `instanceof` is not. */
export function isCutoverError(error: unknown, code?: ErrorCode): error is CutoverError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as CutoverError).code === code
}

/** The native layer stopped because its token was cancelled. Never leaves the package: it becomes the signal's reason or a timeout. */
export class Cancelled extends Error {}

/** An error as the native layer tells it. */
export interface Report {
  code: string
  message: string
  detail?: Record<string, unknown>
  retryable?: boolean
}

/** Makes the public error of what the native layer reports: an entry of `invalid`, or the parsed message of its error. */
export function fromReport(report: Report, cause?: unknown): Error {
  switch (report.code) {
    case 'CANCELLED':
      return new Cancelled(report.message)
    case 'TypeError':
      return new TypeError(report.message)
    case 'RangeError':
      return new RangeError(report.message)
    default:
      return new CutoverError(report.code as ErrorCode, report.message, {
        detail: report.detail ?? {},
        retryable: report.retryable ?? false,
        ...(cause === undefined ? {} : { cause }),
      })
  }
}

/** Turns what a native call threw or rejected with into the public error. What it does not know becomes CUTOVER_INTERNAL with its cause. */
export function fromNative(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('{')) {
    try {
      const report = JSON.parse(message) as Partial<Report>
      if (typeof report.code === 'string' && typeof report.message === 'string') return fromReport(report as Report)
    } catch {
      // Not one of ours: reported below as it is.
    }
  }
  return new CutoverError('CUTOVER_INTERNAL', `the native layer failed: ${message}`, { cause: error })
}

/** Runs a native call that cannot be cancelled. */
export async function native<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw fromNative(error)
  }
}
