// A bar on a terminal; elsewhere plain lines, one for each tenth.
const out = process.stdout
const width = 30

export class Progress {
  #started = performance.now()
  #printed = -1

  /** @param {string} label @param {number} total what 100 % is */
  constructor(label, total) {
    this.label = label
    this.total = total
  }

  /** Shows that `done` of the total is done, of what the label or `phase` says. */
  at(done, phase = this.label) {
    const share = Math.min(1, done / this.total)
    const step = out.isTTY ? Math.floor(share * 1000) : Math.floor(share * 10)
    if (step === this.#printed && phase === this.label) return
    if (phase !== this.label) this.#line()
    this.label = phase
    this.#printed = step
    const text = `${phase.padEnd(10)} ${String(Math.floor(share * 100)).padStart(3)} %`
    if (!out.isTTY) return void out.write(`${text}\n`)
    const full = Math.round(share * width)
    out.write(`\r${text} [${'#'.repeat(full)}${' '.repeat(width - full)}] ${done.toLocaleString('en')}`)
  }

  /** Ends the bar's line and says what was done, and in what time. */
  end(what) {
    this.#line()
    console.log(`${what}: ${((performance.now() - this.#started) / 1000).toFixed(1)} s`)
  }

  #line() {
    if (out.isTTY && this.#printed >= 0) out.write('\n')
    this.#printed = -1
  }
}
