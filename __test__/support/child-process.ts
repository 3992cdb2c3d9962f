// Processes of the tests' own, and what they say.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { ExecutionContext } from 'ava'

/** Starts a deed of a script beside this one; it is killed when the test ends. */
export function child(t: ExecutionContext, what: string, path: string, script: string): ChildProcess {
  const started = fork(resolve(`.cache/test/support/${script}.js`), [what, path])
  t.teardown(() => started.kill('SIGKILL'))
  return started
}

/** The next message. */
export const message = async (from: ChildProcess): Promise<Record<string, unknown>> =>
  ((await once(from, 'message')) as [Record<string, unknown>])[0]
