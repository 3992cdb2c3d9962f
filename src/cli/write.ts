// What the writing commands share: the options of a write, and a word about whom they wait for.
import { realpath } from 'node:fs/promises'
import type { IndexStatus } from '../version.js'
import type { Context, Writing } from './command.js'
import { EXIT, Failure } from './exit.js'
import { age } from './human.js'
import { ProgressLine } from './progress.js'
import type { Unit } from './progress.js'

/** After this long a command says whom it waits for. */
const PATIENCE_MS = 1000

/** In the environment of a command that `cutover lock` runs: the directory whose lock it holds. */
export const HELD = 'CUTOVER_LOCK_HELD'

/** The library's options for whoever takes the writer lock. */
export function lockOptions({ signal }: Context, { wait, ifCurrent }: Pick<Writing, 'wait' | 'ifCurrent'>) {
  return {
    signal,
    ...(wait === undefined ? {} : { lockTimeoutMs: wait }),
    ...(ifCurrent === undefined ? {} : { ifCurrent }),
  }
}

/** Shows progress while a write runs; a write that has to wait says for whom. */
export async function whileWriting<R>(
  { out }: Context,
  { progress }: Pick<Writing, 'progress'>,
  open: { readonly path: string; status(): Promise<Pick<IndexStatus, 'lock'>> },
  work: (line: ProgressLine) => Promise<R>,
  unit: Unit = 'work',
): Promise<R> {
  await refuseInside(open.path)
  const line = new ProgressLine(progress, unit)
  let over = false
  const timer = setTimeout(() => void tell(), PATIENCE_MS)
  const tell = async (): Promise<void> => {
    // Advice: who cannot be asked is not told of.
    const lock = await open.status().then(
      (status) => status.lock,
      () => undefined,
    )
    if (over || !lock || lock.pid === process.pid) return
    line.end()
    out.note(`waiting for process ${lock.pid} on ${lock.host}: ${lock.operation}, since ${age(lock.since)}`)
  }
  timer.unref()
  try {
    return await work(line)
  } finally {
    over = true
    clearTimeout(timer)
    line.end()
  }
}

/** A command that `cutover lock` runs would wait for itself. */
async function refuseInside(path: string): Promise<void> {
  const held = process.env[HELD]
  if (held === undefined) return
  const real = await realpath(path).catch(() => path)
  if (real === held)
    throw new Failure(`the writer lock of ${path} is held by the \`cutover lock\` that runs this`, EXIT.locked)
}
