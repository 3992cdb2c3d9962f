// `cutover lock`: a command of any kind under the writer lock.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { limited } from '../../abort.js'
import { native } from '../../errors.js'
import { NativeWriterLock } from '../../native.js'
import { command, writing } from '../command.js'
import type { Context, Run, Writing } from '../command.js'
import { openVersions, using } from '../directory.js'
import { EXIT, Failure, Interrupted } from '../exit.js'
import { HELD, lockOptions, whileWriting } from '../write.js'

/** Adds the command. */
export function addLock(parent: Command, run: Run): void {
  const lock = command(
    parent,
    'lock <dir> <command...>',
    'Run a command while nobody else can write; ends with its exit code. The lock is held until the command ends, even if cutover is killed.',
    'cutover lock ./books -- rsync -aH ./books backup:/srv/',
  )
  lock.usage('[options] <dir> -- <command> [arguments...]')
  writing(lock, { change: false }).action(
    run<[string, string[], Omit<Writing, 'ifCurrent'>]>(async (context, dir, [file = '', ...args], options) => {
      const { path, status } = await using(openVersions(dir, options, 'read-only'), async (store) => ({
        path: await realpath(store.path),
        status: () => using(openVersions(dir, options, 'read-only'), (open) => open.status()),
      }))
      const operation = `lock: ${basename(file)}`
      const settings = JSON.stringify({
        allow: options.allow ?? [],
        operation,
        lockTimeoutMs: lockOptions(context, options).lockTimeoutMs,
      })
      const held = await whileWriting(context, options, { path, status }, () =>
        limited(context.signal, undefined, (token) => NativeWriterLock.acquire(path, settings, token)),
      )
      try {
        // Its fourth descriptor is the lock's: the lock ends with the last process that has it.
        const stdio = ['inherit', 'inherit', 'inherit', held.descriptor] as const
        const child = spawn(file, args, { stdio: [...stdio], env: { ...process.env, [HELD]: path } })
        // Whoever waits is told of the process that will hold the lock to the end.
        if (child.pid !== undefined) held.announce(child.pid, operation)
        return await ending(child, file, context)
      } finally {
        await native(() => held.release())
      }
    }),
  )
}

/** The exit code of the command, as a shell tells it. What asks us to end is passed on, and the command is waited for. */
function ending(child: ChildProcess, file: string, { signal }: Context): Promise<number> {
  const stop = (): void => {
    const name = signal.reason instanceof Interrupted ? signal.reason.signal : 'SIGTERM'
    // A terminal tells Ctrl-C to every process in front of it: the command has heard.
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name)
  }
  signal.addEventListener('abort', stop, { once: true })
  return new Promise<number>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === 'ENOENT'
      const why = missing ? 'there is no such command' : cause.message
      reject(new Failure(`cannot run ${file}: ${why}`, missing ? EXIT.notFound : EXIT.problem, { cause }))
    })
    child.once('exit', (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 0)))
  }).finally(() => signal.removeEventListener('abort', stop))
}
