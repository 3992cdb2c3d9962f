import type { Context, Writing } from './command.js'
import type { Versions } from './directory.js'
// What the writing commands share: the options of a write, and a word about whom they wait for.
import { age } from './human.js'
import { ProgressLine } from './progress.js'

/** After this long a command says whom it waits for. */
const PATIENCE_MS = 1000

/** The library's options for whoever takes the writer lock. */
export function lockOptions({ signal }: Context, { wait, ifCurrent }: Writing) {
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
  open: Pick<Versions, 'status'>,
  work: (line: ProgressLine) => Promise<R>,
): Promise<R> {
  const line = new ProgressLine(progress)
  const timer = setTimeout(() => void tell(), PATIENCE_MS)
  const tell = async (): Promise<void> => {
    const { lock } = await open.status()
    if (!lock || lock.pid === process.pid) return
    line.end()
    out.note(`waiting for process ${lock.pid} on ${lock.host}: ${lock.operation}, since ${age(lock.since)}`)
  }
  timer.unref()
  try {
    return await work(line)
  } finally {
    clearTimeout(timer)
    line.end()
  }
}
