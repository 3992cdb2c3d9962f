// How far a long command is, on stderr only: one line that is written over on a terminal, lines now and then elsewhere on request.
import type { Progress } from '../options.js'
import { bytes, count, cut, duration } from './human.js'

/** `auto`: a line that moves, on terminals alone. `lines`: a line every second, for logs. `none`: nothing. */
export type ProgressMode = 'auto' | 'lines' | 'none'

const EVERY_MS: Record<ProgressMode, number> = { auto: 100, lines: 1000, none: Infinity }
const PHASES: Record<Progress['phase'], string> = {
  waiting: 'waiting for the writer lock',
  reading: 'reading',
  building: 'building',
  verifying: 'verifying',
  publishing: 'publishing',
}

/** What `done` and `total` count outside of a build, whose units are documents and work. */
export type Unit = 'work' | 'bytes'

/** Shows progress until it is ended. */
export class ProgressLine {
  readonly #mode: ProgressMode
  readonly #unit: Unit
  #next = 0
  #phase: string | undefined
  #shown = false

  constructor(mode: ProgressMode, unit: Unit = 'work') {
    this.#mode = mode === 'auto' && !process.stderr.isTTY ? 'none' : mode
    this.#unit = unit
  }

  /** The option `onProgress`. */
  readonly show = (progress: Progress): void => {
    if (this.#mode === 'none') return
    const now = performance.now()
    if (now < this.#next && progress.phase === this.#phase) return
    this.#phase = progress.phase
    this.#next = now + EVERY_MS[this.#mode]
    const text = `${this.#describe(progress)}, ${duration(progress.elapsedMs)}`
    if (this.#mode === 'lines') process.stderr.write(`cutover: ${text}\n`)
    else process.stderr.write(`\r\u001B[K${cut(text, (process.stderr.columns || 80) - 1)}`)
    this.#shown = this.#mode === 'auto'
  }

  /** Takes the line away, so that whatever comes next begins at a line's start. */
  end(): void {
    if (this.#shown) process.stderr.write('\r\u001B[K')
    this.#shown = false
  }

  #describe({ phase, done, total }: Progress): string {
    const name = PHASES[phase]
    if (this.#unit === 'bytes') return total ? `${name} ${bytes(done)} of ${bytes(total)}` : `${name} ${bytes(done)}`
    if (phase === 'reading') return `${name} ${count(done)} documents`
    return total !== undefined && total > 1 ? `${name} ${Math.floor((100 * done) / total)}%` : name
  }
}
