// Where a command's words go: results to stdout, everything else to stderr.
import type { WriteStream } from 'node:tty'
import { inspect } from 'node:util'
import { failureJson, messageOf } from './exit.js'
import { cut, printable } from './human.js'

/** How text is set off, where the terminal can. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** One command's output. */
export class Output {
  /** Whether results are for programs. */
  readonly json: boolean
  /** Columns of the terminal; undefined where stdout is none and nobody said how wide it is. */
  readonly columns: number | undefined
  readonly #colour: boolean

  constructor(json: boolean) {
    this.json = json
    this.#colour = !json && coloured(process.stdout)
    const told = Number(process.env['COLUMNS'])
    const columns = process.stdout.isTTY ? process.stdout.columns : told
    this.columns = Number.isSafeInteger(columns) && columns >= 20 ? columns : undefined
  }

  /** Lines for people. */
  lines(...lines: readonly string[]): void {
    if (!this.json) process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** The result for programs: one line of JSON. */
  result(value: object): void {
    if (this.json) process.stdout.write(`${toLine(value)}\n`)
  }

  /** A word to whoever watches, beside the result. */
  note(text: string): void {
    process.stderr.write(`cutover: ${printable(text)}\n`)
  }

  /** Why the command failed. */
  failure(error: unknown): void {
    if (this.json) process.stderr.write(`${toLine(failureJson(error))}\n`)
    else process.stderr.write(`cutover: ${messageOf(error).split('\n').map(printable).join('\n')}\n`)
  }

  /** The text in this style, on terminals that show it. */
  paint(style: Style, text: string): string {
    const codes = this.#colour ? inspect.colors[style] : undefined
    return codes ? `\u001B[${codes[0]}m${text}\u001B[${codes[1]}m` : text
  }

  /** A title line of a table, set off. */
  titled([title = '', ...lines]: readonly string[]): string[] {
    return [this.paint('bold', title), ...lines]
  }

  /** A line cut to the terminal, or to what is comfortable to read where there is none. */
  cut(line: string): string {
    return cut(line, this.columns ?? 120)
  }
}

/** NO_COLOR and TERM=dumb switch colours off, whatever they hold (https://no-color.org). */
function coloured(stream: WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env
  return stream.isTTY && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
}

/** One line of JSON; vectors are arrays, undefined members null, so that a shape has all its members. */
function toLine(value: object): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof Float32Array) return Array.from(member)
    if (member instanceof Error) return { code: (member as { code?: unknown }).code ?? null, message: member.message }
    return member === undefined ? null : member
  })
}
