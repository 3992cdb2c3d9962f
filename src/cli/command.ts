// How a command is declared and run: what all of them have in common.
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { OpenOptions } from '../options.js'
import type { Output } from './output.js'
import type { ProgressMode } from './progress.js'

/** What a command runs with. */
export interface Context {
  readonly out: Output
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Options that every command has. */
export interface Common {
  readonly json?: true
}
/** Options of the commands that open a directory. */
export interface Opening extends Common {
  readonly allow?: NonNullable<OpenOptions<{}>['allow']>
}
/** Options of the commands that write. */
export interface Writing extends Opening {
  readonly wait?: number
  readonly ifCurrent?: string
  readonly progress: ProgressMode
}

/** Runs an action, and keeps the exit code that it gives: none is 0. */
export type Run = <A extends readonly unknown[]>(
  action: (context: Context, ...args: A) => Promise<number | void>,
) => (...args: unknown[]) => Promise<void>

/** Declares a command with `--json` and an example. */
export function command(parent: Command, usage: string, description: string, example: string): Command {
  const lines = example.split('\n').map((line) => `  $ ${line}`)
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'print one line of JSON for programs')
    .addHelpText('after', `\nExample:\n${lines.join('\n')}`)
}

const ALLOWED = ['network-file-system', 'writable-by-others'] as const

/** Adds what every command that opens a directory takes. */
export const opening = (to: Command): Command =>
  to.addOption(
    repeated('--allow <what>', 'accept what is refused by default; may be repeated', (value) => {
      if (ALLOWED.some((name) => name === value)) return value
      throw new InvalidArgumentError(`It is one of ${ALLOWED.join(', ')}.`)
    }).choices([...ALLOWED]),
  )

/** Adds what every command that takes the writer lock takes; `change` where another version becomes current. */
export function writing(to: Command, { change } = { change: true }): Command {
  opening(to).option(
    '--wait <seconds>',
    'wait at most this long for the writer lock; 0 fails at once (default: for ever)',
    seconds,
  )
  if (change) to.option('--if-current <version>', 'fail unless this version still is current')
  return progressing(to)
}

/** Adds how progress is shown. */
export const progressing = (to: Command): Command =>
  to.addOption(
    new Option('--progress <how>', 'progress on stderr; auto: on a terminal only')
      .choices(['auto', 'lines', 'none'])
      .default('auto'),
  )

/** An option that may be given several times. */
export function repeated<T>(flags: string, description: string, parse: (value: string) => T): Option {
  const option = new Option(flags, description)
  // What `choices` parses is replaced: it keeps the last value only.
  option.choices = (values) => {
    option.argChoices = [...values]
    return option
  }
  return option.argParser((value: string, before: T[] | undefined) => [...(before ?? []), parse(value)])
}

/** Seconds, whole or not, as milliseconds. */
export function seconds(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError('It is a number of seconds, 0 or more.')
  return Math.round(number * 1000)
}

/** A whole number from `min` on. */
export const whole =
  (min: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < min)
      throw new InvalidArgumentError(`It is a whole number, ${min} or more.`)
    return number
  }

/** Names with commas between them. */
export const names = (value: string): string[] => value.split(',').map((name) => name.trim())

/** Attributes of a version: `name=text`, or `name:=json`. */
export function attribute(value: string): readonly [name: string, value: unknown] {
  const [, name = '', json, text = ''] = /^([^=]*?)(:?)=(.*)$/s.exec(value) ?? []
  if (name === '') throw new InvalidArgumentError('It is written name=text or name:=json.')
  if (json === '') return [name, text]
  try {
    return [name, JSON.parse(text) as unknown]
  } catch (error) {
    throw new InvalidArgumentError(`What follows ${name}:= is not JSON: ${(error as Error).message}.`)
  }
}

/** The option that attaches attributes. */
export const attributes = (): Option =>
  repeated('--attr <name=text>', 'attach an attribute; name:=json for other than text; may be repeated', attribute)

/** Absent members left out, as the library's options want them. */
export function present<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
