// Ctrl-C and its like: the first one stops the command in order, so that it leaves nothing behind; a second one ends it at once.
import { constants } from 'node:os'
import { Interrupted } from './exit.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A signal that is aborted with an {@link Interrupted}, and what lets go of the process's signals. */
export function interruptible(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const stop = (name: NodeJS.Signals): void => {
    const interrupted = new Interrupted(name, constants.signals[name])
    // The next writer removes what this one could not.
    if (controller.signal.aborted) process.exit(interrupted.exit)
    controller.abort(interrupted)
  }
  for (const name of SIGNALS) process.on(name, stop)
  return {
    signal: controller.signal,
    dispose() {
      for (const name of SIGNALS) process.off(name, stop)
    },
  }
}
