// What a command ends with: one exit code and one line for every way to fail.
import { isCutoverError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

/** The exit codes. They are stable; docs/cli.md lists them. A signal ends with 128 and its number. */
export const EXIT = { ok: 0, problem: 1, usage: 2, locked: 3, notFound: 4, corrupt: 5 } as const

/** A failure of the command line itself. */
export class Failure extends Error {
  readonly exit: number

  constructor(message: string, exit: number = EXIT.problem, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

/** A signal asked the command to stop. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals
  readonly exit: number

  constructor(signal: NodeJS.Signals, number: number) {
    super(`interrupted by ${signal}: nothing has changed`)
    this.signal = signal
    this.exit = 128 + number
  }
}

const CODES: Partial<Record<ErrorCode, number>> = {
  CUTOVER_QUERY: EXIT.usage,
  CUTOVER_LOCKED: EXIT.locked,
  CUTOVER_NOT_FOUND: EXIT.notFound,
  CUTOVER_EMPTY: EXIT.notFound,
  CUTOVER_CORRUPT: EXIT.corrupt,
}

/** The failure to tell: of what our own sources and gates threw, the cause, since the user knows of neither. */
export function told(error: unknown): unknown {
  const wrapped = isCutoverError(error, 'CUTOVER_SOURCE') || isCutoverError(error, 'CUTOVER_GATE')
  return wrapped && error.cause !== undefined ? told(error.cause) : error
}

/** The exit code of what a command failed with. What the library calls a caller's mistake is a mistake in the arguments. */
export function exitOf(error: unknown): number {
  if (error instanceof Failure || error instanceof Interrupted) return error.exit
  if (isCutoverError(error)) return CODES[error.code] ?? EXIT.problem
  if (error instanceof TypeError || error instanceof RangeError) return EXIT.usage
  return isSystemError(error) && error.code === 'ENOENT' ? EXIT.notFound : EXIT.problem
}

/** The failure as `--json` shows it on stderr. */
export function failureJson(error: unknown): object {
  const message = messageOf(error)
  const exitCode = exitOf(error)
  if (!isCutoverError(error)) return { error: { code: null, message, detail: {}, retryable: false }, exitCode }
  const { code, detail, retryable } = error
  return { error: { code, message, detail, retryable }, exitCode }
}

/** What to say of a failure. A fault of the program itself, which no other class stands for, keeps its stack. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = error instanceof Failure || error instanceof Interrupted || isCutoverError(error)
  const foreseen = known || isSystemError(error) || error instanceof RangeError || error.constructor === TypeError
  return foreseen ? error.message : (error.stack ?? error.message)
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
